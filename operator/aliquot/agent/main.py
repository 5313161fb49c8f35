"""The agent's process: settings, the node's own pods, readings, probes and metrics wired together."""

import asyncio
import os
from importlib.metadata import version

from aliquot import log
from aliquot.agent.exporter import Collector
from aliquot.agent.last_look import LastLook
from aliquot.agent.node import OwnNode
from aliquot.agent.nvml import Ledger, NvmlError, Session, load
from aliquot.agent.observing import Observer
from aliquot.agent.pod_resources import PodResources
from aliquot.agent.publishing import OnlyOne, Publisher, Reports
from aliquot.agent.readings import Readings
from aliquot.agent.settings import AgentSettings
from aliquot.agent.watching import Knowledge
from aliquot.clock import SystemClock
from aliquot.contracts.kubernetes import Pod
from aliquot.kube.client import ApiClient
from aliquot.kube.config import find_server
from aliquot.kube.informer import Informer
from aliquot.kube.metrics import QueueMetrics, RequestMetrics, WatchMetrics
from aliquot.kube.resources import NODES, PODS
from aliquot.kube.transport import Limits, Transport
from aliquot.observe import Observatory
from aliquot.process import registry_of_process, run_until_told

_log = log.get(__name__)
_CONNECTIONS = 6
"""Beside the watches there are their lists now and then, and what is written."""
_BURST = 4
"""So many times more than in a second may be written at once."""


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
        publishing = settings.publishing
        last_look = (
            LastLook(publishing.last_look, settings.sources.proc, self._clock, publishing.gap_seconds)
            if publishing.enabled
            else None
        )
        self._knowledge = Knowledge(settings, self._clock, self._readings, ledger, last_look)
        self._publisher: Publisher | None = None
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
            limits=Limits(
                connections=_CONNECTIONS,
                requests_per_second=settings.publishing.writes_per_second,
                burst=max(1, int(settings.publishing.writes_per_second * _BURST)),
            ),
        )
        async with ApiClient(transport) as client:
            metrics = WatchMetrics(self._registry)
            node = settings.identity.node
            pods = Informer(client, PODS, Pod, self._clock, metrics, field_selector=f"spec.nodeName={node}")
            tasks = [pods.run, self._keep_looking]
            if settings.publishing.enabled:
                nodes = Informer(client, NODES, OwnNode, self._clock, metrics, field_selector=f"metadata.name={node}")
                self._publisher = self._publishing(client, nodes, pods)
                tasks += [nodes.run, self._publisher.run]
            self._knowledge.pods = pods
            await observatory.start()
            async with asyncio.TaskGroup() as group:
                for task in tasks:
                    group.create_task(task())

    def _publishing(self, client: ApiClient, nodes: Informer[OwnNode], pods: Informer[Pod]) -> Publisher:
        settings = self._settings
        return Publisher(
            client,
            settings.identity.node,
            Reports(settings.publishing),
            OnlyOne(settings.sources.kubelet_socket.parent),
            nodes,
            pods,
            lambda: asyncio.to_thread(self._kubelet.list),
            self._clock,
            QueueMetrics(self._registry),
        )

    async def _keep_looking(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(self._settings.readings.interval_seconds)

    async def _look(self) -> None:
        await self._readings.fresh()
        self._knowledge.update()
        if self._publisher is not None and self._knowledge.resumed is not None:
            self._publisher.look(self._knowledge.findings(), resumed=self._knowledge.resumed)
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
