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
from aliquot.kube.informers import Informers
from aliquot.kube.metrics import RequestMetrics, WatchMetrics
from aliquot.kube.resources import PODS
from aliquot.kube.transport import Transport
from aliquot_lab import Cluster
from bench import measure

_POLL_SECONDS = 0.2
_LOOK_SECONDS = 2
_QUIET_SECONDS = 600.0
_QUIET_CPU = 0.25
"""The API server is quiet when it uses less than this part of a core."""


class Watch:
    """Times of pods, by the label that names their workload.

    Attributes:
        bound: workload → monotonic seconds at which its first pod had a node.
        members: workload → the same of each of its pods, by uid.
        running: workload → when containers of its first pod ran.
        ended: workload → when its first pod had ended.
        pods: pods that exist now.
    """

    def __init__(self, label: str) -> None:
        self.bound: dict[str, float] = {}
        self.members: dict[str, dict[str, float]] = {}
        self.running: dict[str, float] = {}
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
            now = time.monotonic()
            self.bound.setdefault(workload, now)
            self.members.setdefault(workload, {}).setdefault(pod.metadata.uid, now)
        if pod.status.phase == "Running":
            self.running.setdefault(workload, time.monotonic())
        if pod.status.phase in ("Succeeded", "Failed"):
            self.ended.setdefault(workload, time.monotonic())


async def until(
    condition: Callable[[], bool], what: str, within_seconds: float, poll_seconds: float = _POLL_SECONDS
) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: it did not hold in time; says what was waited for.
    """
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            message = f"waited {within_seconds:.0f} s for {what}"
            raise TimeoutError(message)
        await asyncio.sleep(poll_seconds)


async def until_quiet(cluster: Cluster) -> None:
    """Wait until the API server has little to do."""
    last, since = measure.api_server_cpu(cluster), time.monotonic()

    def quiet() -> bool:
        nonlocal last, since
        now, passed = measure.api_server_cpu(cluster), time.monotonic() - since
        if passed < _LOOK_SECONDS:
            return False
        calm = (now - last) / passed < _QUIET_CPU
        last, since = now, time.monotonic()
        return calm

    await until(quiet, "the API server to be quiet", _QUIET_SECONDS)


@asynccontextmanager
async def watching(cluster: Cluster, label: str) -> AsyncGenerator[Watch]:
    """Watch the pods that carry the label."""
    clock, registry = SystemClock(), CollectorRegistry()
    server = await from_kubeconfig(str(cluster.kubeconfig), clock)
    transport = Transport(server, clock, RequestMetrics(registry), user_agent="aliquot-bench")
    watch = Watch(label)
    async with ApiClient(transport) as client:
        informer = Informers(client, clock, WatchMetrics(registry)).of(PODS, Pod, label_selector=label)
        informer.add_handler(watch.changed)
        task = asyncio.create_task(informer.run())
        await informer.synced.wait()
        try:
            yield watch
        finally:
            task.cancel()
            await asyncio.wait([task])
