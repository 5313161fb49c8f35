"""The agent's process: settings, the node's own pods, readings, probes and metrics wired together."""

import asyncio
import os
from importlib.metadata import version

from aliquot import log
from aliquot.agent.exporter import Collector
from aliquot.agent.nvml import Ledger, NvmlError, Session, load
from aliquot.agent.observing import Observer
from aliquot.agent.pod_resources import PodResources
from aliquot.agent.readings import Readings
from aliquot.agent.settings import AgentSettings
from aliquot.agent.watching import Knowledge
from aliquot.clock import SystemClock
from aliquot.contracts.kubernetes import Pod
from aliquot.kube.client import ApiClient
from aliquot.kube.config import find_server
from aliquot.kube.informer import Informer
from aliquot.kube.metrics import RequestMetrics, WatchMetrics
from aliquot.kube.resources import PODS
from aliquot.kube.transport import Limits, Transport
from aliquot.observe import Observatory
from aliquot.process import registry_of_process, run_until_told

_log = log.get(__name__)
_CONNECTIONS = 2
"""Beside the watch of the node's pods there is its list now and then."""


class Agent:
    """The agent of one node."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._registry = registry_of_process()
        self._kubelet = PodResources(settings.sources.kubelet_socket, settings.sources.kubelet_seconds)
        ledger = Ledger()
        observer = Observer(Session(load(), self._clock, ledger), self._kubelet, settings.sources.proc, self._clock)
        self._readings = Readings(observer.observe, self._clock, settings.readings.deadline_seconds)
        self._knowledge = Knowledge(settings, self._clock, self._readings, ledger)
        self._registry.register(Collector(self._knowledge.view))
        self._told = ""

    async def run(self) -> None:
        """Read and show until cancelled.

        Raises:
            ConfigError: there is no API server to speak to, and the settings do not say so.
            OSError: the address is taken.
        """
        observatory = Observatory(
            self._settings.server,
            self._registry,
            alive=self._broken,
            ready=self._knowledge.missing,
            before_metrics=self._look,
        )
        try:
            if self._settings.sources.pods == "none":
                await observatory.start()
                await self._keep_looking()
            else:
                await self._run_with_pods(observatory)
        finally:
            await observatory.close()
            self._kubelet.close()

    async def _run_with_pods(self, observatory: Observatory) -> None:
        settings = self._settings
        transport = Transport(
            await find_server(os.environ, self._clock),
            self._clock,
            RequestMetrics(self._registry),
            user_agent=f"aliquot-agent/{version('aliquot')}",
            limits=Limits(connections=_CONNECTIONS),
        )
        async with ApiClient(transport) as client:
            pods = Informer(
                client,
                PODS,
                Pod,
                self._clock,
                WatchMetrics(self._registry),
                field_selector=f"spec.nodeName={settings.identity.node}",
            )
            self._knowledge.pods = pods
            await observatory.start()
            async with asyncio.TaskGroup() as group:
                group.create_task(pods.run())
                group.create_task(self._keep_looking())

    async def _keep_looking(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(self._settings.readings.interval_seconds)

    async def _look(self) -> None:
        await self._readings.fresh()
        self._knowledge.update()
        trouble = self._knowledge.missing() or ""
        if trouble != self._told:
            self._told = trouble
            if trouble:
                _log.warning("no readings", reason=trouble)
            else:
                _log.info("GPUs are read")

    def _broken(self) -> str | None:
        """What only a new process can mend."""
        hung = self._readings.hung_seconds()
        if hung >= self._settings.readings.restart_seconds:
            return f"the driver has not answered for {hung:.0f} s"
        error = self._readings.error
        return str(error) if isinstance(error, NvmlError) and error.outdated else None


def run(settings: AgentSettings) -> None:
    """Run the agent until SIGTERM or SIGINT.

    Raises:
        ConfigError: there is no API server to speak to, and the settings do not say so.
        OSError: the address of probes and metrics is taken.
    """
    run_until_told(settings, settings.log, lambda: Agent(settings).run())
