"""The operator process: settings, connection, probes, election; what acts is in `term`."""

import gc
import os
import signal
from importlib.metadata import version

from aliquot.clock import SystemClock
from aliquot.cluster.metrics import Metrics
from aliquot.cluster.term import Term
from aliquot.kube.client import ApiClient
from aliquot.kube.config import find_server
from aliquot.kube.lease import LeaderElector
from aliquot.kube.transport import Limits, Transport
from aliquot.observe import Observatory
from aliquot.process import registry_of_process, run_until_told
from aliquot.settings import Settings

_SPARE_CONNECTIONS = 32
"""Beside one for each worker: for the lease, events and comparisons. aiohttp's pool is not fair (notes/lab.md 5)."""

_ALLOCATIONS_BETWEEN_COLLECTIONS = 20_000
"""Python's own 700 cost a twelfth of the processor time: what lives here lives long, and little of it is in cycles."""


class Operator:
    """One replica of the operator."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._metrics = Metrics(registry_of_process())
        self._term: Term | None = None
        self._elector: LeaderElector | None = None

    async def run(self) -> None:
        """Take part in the election and lead when elected, until cancelled.

        Raises:
            ConfigError: there is no API server to speak to.
            OSError: the address of the probes is taken.
        """
        settings = self._settings
        server = await find_server(os.environ, self._clock)
        limits = Limits(
            connections=settings.work.workers + _SPARE_CONNECTIONS,
            request_timeout_seconds=settings.api.request_timeout_seconds,
        )
        agent = f"aliquot-operator/{version('aliquot')}"
        transport = Transport(server, self._clock, self._metrics.requests, user_agent=agent, limits=limits)
        observatory = Observatory(
            settings.server, self._metrics.registry, alive=lambda: None, ready=self._trouble, document=self._document
        )
        async with ApiClient(transport) as client:
            await observatory.start()
            try:
                leadership = settings.leadership
                self._elector = elector = LeaderElector(
                    client,
                    self._clock,
                    namespace=settings.identity.namespace,
                    name=leadership.lease_name,
                    identity=settings.identity.name,
                    lease_seconds=leadership.lease_seconds,
                    renew_deadline_seconds=leadership.renew_deadline_seconds,
                    retry_seconds=leadership.retry_seconds,
                    on_overrun=_die,
                )

                async def lead() -> None:
                    self._term = Term(client, server, settings, self._clock, self._metrics, elector)
                    self._metrics.leading.set(1)
                    self._metrics.tenants.source = self._term.readings
                    try:
                        await self._term.run()
                    finally:
                        self._metrics.leading.set(0)
                        self._metrics.tenants.source = None
                        self._term = None

                await elector.run(lead)
            finally:
                await observatory.close()

    def _trouble(self) -> str | None:
        """Why this replica cannot do its work; one that waits to lead is ready as soon as it knows who leads."""
        if self._term is not None:
            return self._term.trouble()
        if self._elector is None:
            return "starting"
        if self._elector.last_problem is not None:
            return str(self._elector.last_problem)
        return None if self._elector.leader else "no leader is known yet"

    async def _document(self, pool: str) -> dict[str, object] | None:
        """What the scheduler knows of a node pool; None where another replica leads, or this one begins to."""
        return None if self._term is None else await self._term.document(pool)


def _die() -> None:
    """End at once: another replica may lead now, and we could not stop. A restart is safe, two leaders are not."""
    os.kill(os.getpid(), signal.SIGKILL)


def run(settings: Settings) -> None:
    """Run the operator until SIGTERM or SIGINT; leadership is given up in order.

    Raises:
        ConfigError: there is no API server to speak to.
        OSError: the address of the probes is taken.
    """
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
    run_until_told(settings, settings.log, lambda: Operator(settings).run())
