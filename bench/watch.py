"""Who was bound and who has ended, and when, as a client of the API server sees it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from aliquot.clock import SystemClock
from aliquot.contracts.kubernetes import Pod
from aliquot.kube.client import ApiClient
from aliquot.kube.config import from_kubeconfig
from aliquot.kube.informer import Informer
from aliquot.kube.metrics import RequestMetrics, WatchMetrics
from aliquot.kube.resources import PODS
from aliquot.kube.transport import Transport
from aliquot_lab import Cluster

_POLL_SECONDS = 0.2


class Watch:
    """Times of pods, by the label that names their workload.

    Attributes:
        bound: workload → monotonic seconds at which its pod had a node.
        ended: the same for its end.
        pods: pods that exist now.
    """

    def __init__(self, label: str) -> None:
        self.bound: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.pods: set[str] = set()
        self._label = label

    def changed(self, old: Pod | None, new: Pod | None) -> None:
        """Take in a change; see `aliquot.kube.informer`."""
        pod = new or old
        workload = pod.metadata.labels.get(self._label) if pod is not None else None
        if pod is None or workload is None:
            return
        if new is None:
            self.pods.discard(pod.metadata.uid)
            return
        self.pods.add(pod.metadata.uid)
        if pod.spec.node_name:
            self.bound.setdefault(workload, time.monotonic())
        if pod.status.phase in ("Succeeded", "Failed"):
            self.ended.setdefault(workload, time.monotonic())


async def until(condition: Callable[[], bool], what: str, within_seconds: float) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: it did not hold in time; says what was waited for.
    """
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            message = f"waited {within_seconds:.0f} s for {what}"
            raise TimeoutError(message)
        await asyncio.sleep(_POLL_SECONDS)


@asynccontextmanager
async def watching(cluster: Cluster, label: str) -> AsyncGenerator[Watch]:
    """Watch the pods that carry the label."""
    clock, registry = SystemClock(), CollectorRegistry()
    server = await from_kubeconfig(str(cluster.kubeconfig), clock)
    transport = Transport(server, clock, RequestMetrics(registry), user_agent="aliquot-bench")
    watch = Watch(label)
    async with ApiClient(transport) as client:
        informer = Informer(client, PODS, Pod, clock, WatchMetrics(registry), label_selector=label)
        informer.add_handler(watch.changed)
        task = asyncio.create_task(informer.run())
        await informer.synced.wait()
        try:
            yield watch
        finally:
            task.cancel()
            await asyncio.wait([task])
