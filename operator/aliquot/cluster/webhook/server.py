"""The HTTPS server that the API server asks; answers come from memory, within the event loop's turn."""

import ssl
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Final, Literal

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, Histogram

from aliquot import log
from aliquot.clock import Clock
from aliquot.cluster.webhook.certificates import Credentials, UnusableCredentials
from aliquot.cluster.webhook.questions import Answer, UnreadableQuestion, answer
from aliquot.core.admission import Surroundings
from aliquot.settings import Webhook

_log = log.get(__name__)
PATH: Final = "/validate"
_LARGEST_QUESTION_BYTES: Final = 16 * 2**20
"""The API server takes objects of 3 MiB, and sends the old one with the new one."""
_IDLE_SECONDS: Final = 120.0
"""Longer than the 90 s after which API servers close idle connections: who closes first loses requests on their way."""

Outcome = Literal["allowed", "warned", "refused", "failed"]


class AdmissionMetrics:
    """Reviews by kind and verdict, and how long they took; until when the certificate is good."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "aliquot_admission_review_duration_seconds",
            "From having a question's head to having its answer.",
            ("kind", "verdict"),
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1),
            registry=registry,
        )
        self.certificate_ends = Gauge(
            "aliquot_webhook_certificate_expiry_timestamp_seconds",
            "When the certificate ends that callers are shown; 0: there is none yet.",
            registry=registry,
        )


class Server:
    """Answers questions until closed.

    Args:
        settings: where to listen.
        known: what is known of the cluster.
        clock: for durations.
        metrics: where questions are counted.
    """

    def __init__(self, settings: Webhook, known: Surroundings, clock: Clock, metrics: AdmissionMetrics) -> None:
        self._settings = settings
        self._known = known
        self._clock = clock
        self._metrics = metrics
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._runner: web.AppRunner | None = None
        self.port = settings.port

    def show(self, credentials: Credentials) -> None:
        """Show this certificate on new connections; those that are open go on.

        Raises:
            UnusableCredentials: TLS does not take it.
        """
        with tempfile.TemporaryDirectory(prefix="aliquot-webhook-") as folder:  # only its owner may enter
            certificate, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
            certificate.write_bytes(credentials.certificate)
            key.write_bytes(credentials.key)
            try:
                # What fails halfway would leave a context that nobody can speak to: try it on another one.
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
                self._context.load_cert_chain(certificate, key)
            except ssl.SSLError as problem:
                raise UnusableCredentials(f"the certificate cannot be shown: {problem}") from problem
        self._metrics.certificate_ends.set(credentials.expires)

    async def start(self) -> None:
        """Begin to answer, with the certificate that was shown; `port` is then the port in use.

        Raises:
            OSError: the address is taken.
        """
        app = web.Application(client_max_size=_LARGEST_QUESTION_BYTES)
        app.router.add_post(PATH, self._answer)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=_IDLE_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.host, self._settings.port, ssl_context=self._context).start()
        address = self._runner.addresses[0]
        self.port = address[1]
        _log.info("answering the API server", host=address[0], port=self.port)

    async def close(self) -> None:
        """Stop answering; answers on their way are finished."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        started = self._clock.monotonic()
        kind, outcome = "other", "failed"
        try:
            given = answer(await request.read(), self._known)
            kind, outcome = given.kind, _outcome(given)
        except UnreadableQuestion as problem:
            return web.Response(text=str(problem), status=HTTPStatus.BAD_REQUEST)
        finally:
            self._metrics.seconds.labels(kind, outcome).observe(self._clock.monotonic() - started)
        if outcome == "refused":
            _log.info("refused", kind=kind, namespace=given.namespace, name=given.name, why=given.verdict.message)
        return web.Response(body=given.body, content_type="application/json")


def _outcome(given: Answer) -> Outcome:
    if not given.verdict.allowed:
        return "refused"
    return "warned" if given.verdict.warnings else "allowed"
