"""The webhook's process: settings, connection, probes, and everything of the room wired together."""

import asyncio
import os
from importlib.metadata import version

from aliquot.clock import SystemClock
from aliquot.cluster.configuration import Configuration
from aliquot.cluster.reconcilers.served import Served
from aliquot.cluster.webhook.custodian import Custodian
from aliquot.cluster.webhook.knowledge import Knowledge
from aliquot.cluster.webhook.server import AdmissionMetrics, Server
from aliquot.kube.client import ApiClient
from aliquot.kube.config import find_server
from aliquot.kube.informers import Informers
from aliquot.kube.metrics import RequestMetrics, WatchMetrics
from aliquot.kube.transport import Limits, Transport
from aliquot.observe import Observatory
from aliquot.process import registry_of_process, run_until_told
from aliquot.settings import Settings

_CONNECTIONS = 8
"""Beside watches there are lists at the start, and now and then a look at the certificate."""


class Webhook:
    """One replica of the webhook."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._registry = registry_of_process()
        self._trouble: str | None = "starting"

    async def run(self) -> None:
        """Answer the API server until cancelled.

        Raises:
            ConfigError: there is no API server to speak to.
            OSError: an address is taken.
        """
        settings, clock = self._settings, self._clock
        limits = Limits(connections=_CONNECTIONS, request_timeout_seconds=settings.api.request_timeout_seconds)
        transport = Transport(
            await find_server(os.environ, clock),
            clock,
            RequestMetrics(self._registry),
            user_agent=f"aliquot-webhook/{version('aliquot')}",
            limits=limits,
        )
        async with ApiClient(transport) as client:
            informers = Informers(client, clock, WatchMetrics(self._registry), settings.api.watch_silence_seconds)
            knowledge = Knowledge(
                informers, Served(client, clock), Configuration(informers, settings), settings.identity.namespace
            )
            server = Server(settings.webhook, knowledge, clock, AdmissionMetrics(self._registry))
            custodian = Custodian(
                client, clock, settings.webhook, settings.certificates, settings.identity.namespace, server.show
            )
            observatory = Observatory(
                settings.server, self._registry, alive=lambda: None, ready=lambda: self._missing(custodian, knowledge)
            )
            await observatory.start()
            try:
                async with asyncio.TaskGroup() as group:
                    knowledge.gather(group)
                    group.create_task(custodian.run())
                    await knowledge.complete()
                    await custodian.shown.wait()
                    await server.start()
                    self._trouble = None
            finally:
                await server.close()
                await observatory.close()

    def _missing(self, custodian: Custodian, knowledge: Knowledge) -> str | None:
        """Why nothing is answered yet. Once everything is there, answers go on whatever becomes of the API server."""
        if self._trouble is None:
            return None
        return knowledge.trouble or custodian.last_problem or self._trouble


def run(settings: Settings) -> None:
    """Run the webhook until SIGTERM or SIGINT.

    Raises:
        ConfigError: there is no API server to speak to.
        OSError: an address is taken.
    """
    run_until_told(settings, settings.log, lambda: Webhook(settings).run())
