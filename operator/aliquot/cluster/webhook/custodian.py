"""Keeps the webhook's certificate: made once, renewed in time, trusted by the API server before it is used.

    Secret empty or due ─▶ issue ─▶ write it there (a precondition: only one replica succeeds, the others read it)
                                          │
    ValidatingWebhookConfiguration ◀─ all authorities, old and new
                                          │ for `settle_seconds`
                                          ▼
                                    show it to those who call

Every replica does the same, whoever leads the operator. The order leaves no gap: while some replicas show the old
certificate and some the new one, the API server trusts both. The configuration is read before the Secret and written
with its resource version: who has slept in between cannot put an older bundle in the place of a newer one.
"""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from aliquot import log, names
from aliquot.clock import Clock
from aliquot.cluster.webhook.certificates import Credentials, UnusableCredentials, due, issue, read
from aliquot.contracts.kubernetes import Metadata, Projection
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import ApiProblem, Conflict
from aliquot.kube.resources import SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS
from aliquot.settings import Certificates, Webhook

_log = log.get(__name__)
_FIRST_LOOKS_SECONDS = 1.0
"""Between two looks while there is nothing to show yet."""


class _ClientConfig(Projection, frozen=True):
    ca_bundle: str = ""


class _Entry(Projection, frozen=True):
    name: str
    client_config: _ClientConfig = _ClientConfig()


class _Configuration(Projection, frozen=True):
    metadata: Metadata
    webhooks: tuple[_Entry, ...] = ()


class _Secret(Projection, frozen=True):
    metadata: Metadata
    data: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Trust:
    """Since when, in monotonic seconds, the API server has been told to trust these authorities."""

    authorities: bytes
    since: float


class Custodian:
    """Sees to the certificate until cancelled.

    Args:
        client: an open client.
        clock: wall-clock time for certificates, monotonic time for waits.
        webhook: names of what belongs to the webhook.
        certificates: lifetimes and waits.
        namespace: where the Secret is.
        show: takes what is to be shown to callers from now on.
    """

    def __init__(
        self,
        client: ApiClient,
        clock: Clock,
        webhook: Webhook,
        certificates: Certificates,
        namespace: str,
        show: Callable[[Credentials], None],
    ) -> None:
        self.shown = asyncio.Event()
        """Set once there is a certificate to show."""
        self.last_problem: str | None = None
        """What went wrong at the last look; None: nothing."""
        self._client = client
        self._clock = clock
        self._webhook = webhook
        self._certificates = certificates
        self._namespace = namespace
        self._show = show
        self._shown: Credentials | None = None
        self._trust: _Trust | None = None

    async def run(self) -> NoReturn:
        """Look again and again."""
        while True:
            try:
                await self.look()
            except (ApiProblem, UnusableCredentials) as problem:
                if str(problem) != self.last_problem:
                    _log.warning("the webhook's certificate cannot be seen to", problem=str(problem))
                self.last_problem = str(problem)
            else:
                self.last_problem = None
            await asyncio.sleep(self._certificates.check_seconds if self.shown.is_set() else _FIRST_LOOKS_SECONDS)

    async def look(self) -> None:
        """Do whatever is to be done next.

        Raises:
            ApiProblem: the API server refused, or could not be asked.
            UnusableCredentials: somebody else makes the certificate, and it cannot be used.
        """
        if not self._webhook.makes_certificates:
            found = read((await self._secret()).data or {})
            if found is None:
                raise UnusableCredentials(f"Secret {self._webhook.secret_name} is empty: its issuer has not filled it")
            self._use(found)
            return
        configuration = await self._configuration()
        credentials = await self._valid(await self._secret())
        if credentials is not None and await self._trusted(configuration, credentials.authorities):
            self._use_when_settled(credentials)

    async def _configuration(self) -> _Configuration:
        found = await self._client.get(VALIDATING_WEBHOOK_CONFIGURATIONS, "", self._webhook.configuration_name)
        return found.decode(_Configuration)

    async def _secret(self) -> _Secret:
        return (await self._client.get(SECRETS, self._namespace, self._webhook.secret_name)).decode(_Secret)

    async def _valid(self, secret: _Secret) -> Credentials | None:
        """What is in the Secret, renewed if that is due; None: another replica was faster, look again."""
        try:
            found = read(secret.data or {})
        except UnusableCredentials as problem:
            found, why = None, str(problem)
        else:
            why = "there is none"
        now, host = self._clock.now(), self._webhook.host_name
        if found is not None:
            reason = due(found, host, now, self._certificates.renew_before_days)
            if reason is None:
                return found
            why = reason
        # Should two replicas be called by different hosts, they must not take the certificate away from each other.
        others = found.host_names if found is not None and host not in found.host_names else ()
        trusted = found.authorities if found is not None else b""
        made = issue((host, *others), now, self._certificates.lifetime_days, trusted)
        body = {"metadata": {"resourceVersion": secret.metadata.resource_version}, "data": made.data()}
        try:
            await self._client.merge_patch(
                SECRETS, self._namespace, self._webhook.secret_name, body, field_manager=names.CERTIFICATES_MANAGER
            )
        except Conflict:
            return None
        _log.info("made a certificate", hosts=made.host_names, why=why)
        return made

    async def _trusted(self, configuration: _Configuration, authorities: bytes) -> bool:
        """See that the API server is told to trust these; False: the configuration changed meanwhile, look again."""
        bundle = base64.b64encode(authorities).decode()
        if any(entry.client_config.ca_bundle != bundle for entry in configuration.webhooks):
            metadata = configuration.metadata
            body = {
                "apiVersion": VALIDATING_WEBHOOK_CONFIGURATIONS.api_version,
                "kind": VALIDATING_WEBHOOK_CONFIGURATIONS.kind,
                "metadata": {
                    "name": metadata.name,
                    "uid": metadata.uid,
                    "resourceVersion": metadata.resource_version,
                },
                "webhooks": [
                    {"name": entry.name, "clientConfig": {"caBundle": bundle}} for entry in configuration.webhooks
                ],
            }
            try:
                await self._client.apply(
                    VALIDATING_WEBHOOK_CONFIGURATIONS,
                    "",
                    metadata.name,
                    body,
                    field_manager=names.CERTIFICATES_MANAGER,
                )
            except Conflict:
                return False
            _log.info("told the API server whom to trust", configuration=metadata.name)
        if self._trust is None or self._trust.authorities != authorities:
            self._trust = _Trust(authorities, self._clock.monotonic())
        return True

    def _use_when_settled(self, credentials: Credentials) -> None:
        """Use it at once if there is nothing better to show, else when every API server has heard whom to trust."""
        assert self._trust is not None
        worthless = self._shown is None or self._shown.expires <= self._clock.now()
        trusted_for = self._clock.monotonic() - self._trust.since
        if worthless or trusted_for >= self._certificates.settle_seconds:
            self._use(credentials)

    def _use(self, credentials: Credentials) -> None:
        if credentials != self._shown:
            self._show(credentials)
            self._shown = credentials
            self.shown.set()
