"""Writes what is to stand on the node and its pods: each object on its own, and only what differs.

    reading, change of a pod ──▶ queue of objects ──▶ compare with what stands there ──▶ patch
                                   ▲                                                      │
                                   └──── later, and later still: the API server is away ◀─┘

An object that has gone or changed into another one is forgotten; the next reading looks again.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from enum import IntEnum
from typing import Final, Protocol, TypeVar

from aliquot import log, names
from aliquot.agent.node import OwnNode
from aliquot.agent.pod_resources import Assignment, PodResourcesError
from aliquot.agent.publishing.answers import waits_for_an_answer
from aliquot.agent.publishing.only_one import OnlyOne
from aliquot.agent.publishing.plan import Patch, Target
from aliquot.agent.publishing.reports import Reports
from aliquot.agent.watching import Findings, Flag
from aliquot.backoff import Backoff
from aliquot.clock import Clock
from aliquot.contracts.kubernetes import Pod
from aliquot.kube.client import ApiClient
from aliquot.kube.decoding import HasMetadata
from aliquot.kube.informer import Handler
from aliquot.kube.metrics import QueueMetrics
from aliquot.kube.problems import Conflict, NotFound
from aliquot.kube.resources import NODES, PODS
from aliquot.kube.work_queue import WorkQueue

_log = log.get(__name__)
_BACKOFF: Final = Backoff(base_seconds=1, cap_seconds=300)
_WORKERS: Final = 3
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 5.0
"""While the kubelet has given a reservation no device it is asked again, each time after half as long again."""
_NODE_KIND: Final = "node"


T_co = TypeVar("T_co", bound=HasMetadata, covariant=True)
Ask = Callable[[], Awaitable[tuple[Assignment, ...]]]
"""Raises PodResourcesError where there is no answer."""


class Objects(Iterable[T_co], Protocol[T_co]):
    """Objects of one kind as last heard of; an informer is such."""

    @property
    def synced(self) -> Flag:
        """Set once all of them are there."""
        ...

    def get(self, namespace: str, name: str) -> T_co | None:
        """The one of that name."""
        ...

    def add_handler(self, handler: Handler[T_co]) -> None:
        """Have a function told of every change."""
        ...


class Lane(IntEnum):
    """Who goes first: whoever waits for a device cannot start."""

    ANSWER = 0
    REPORT = 1


class Publisher:
    """See the module.

    Args:
        api: an open client, with the limit on requests that is to hold.
        node: name of the node.
        reports: what follows from readings.
        only_one: of the agents of the node.
        nodes: this node.
        pods: those on it.
        ask: who says which pod holds which device now.
        clock: the machine's.
        metrics: of the queue.
    """

    def __init__(
        self,
        api: ApiClient,
        node: str,
        reports: Reports,
        only_one: OnlyOne,
        nodes: Objects[OwnNode],
        pods: Objects[Pod],
        ask: Ask,
        clock: Clock,
        metrics: QueueMetrics,
    ) -> None:
        self._api = api
        self._node = Target(_NODE_KIND, "", node)
        self._reports = reports
        self._only_one = only_one
        self._nodes = nodes
        self._pods = pods
        self._ask_kubelet = ask
        self._clock = clock
        self._queue: WorkQueue[Target, Lane] = WorkQueue("publishing", Lane, metrics, backoff=_BACKOFF)
        self._written: dict[Target, tuple[str, Patch]] = {}
        self._asked: dict[Target, float] = {}

    async def run(self) -> None:
        """Write until cancelled."""
        self._pods.add_handler(self._changed)
        try:
            await self._queue.run(_WORKERS, self._publish)
        finally:
            self._only_one.close()

    def look(self, findings: Findings | None, *, resumed: bool) -> None:
        """Compare everything with the last reading.

        Args:
            findings: what it says; None: there is none, or it is too old.
            resumed: this process goes on where another stopped a moment ago.
        """
        if not (self._nodes.synced.is_set() and self._pods.synced.is_set()) or not self._only_one.is_ours():
            return
        node = self._nodes.get("", self._node.name)
        if node is None:
            return
        moment = (self._clock.now(), self._clock.monotonic())
        self._reports.take(findings, node, self._pods, *moment, resumed=resumed)
        for target, waits in self._differing():
            self._add(target, Lane.ANSWER if waits else Lane.REPORT)
        for gone in [each for each in {*self._written, *self._asked} if self._uid_and_version(each) is None]:
            self._forget(gone)

    def _differing(self) -> Iterator[tuple[Target, bool]]:
        if self._due(self._node, self._patch(self._node)):
            yield self._node, False
        for pod in self._pods:
            target = _target(pod)
            waits = _is_unanswered(pod)
            if waits or self._due(target, self._reports.for_pod(pod)):
                yield target, waits

    def _changed(self, _: Pod | None, pod: Pod | None) -> None:
        if pod is not None and _is_unanswered(pod) and self._only_one.is_ours():
            self._add(_target(pod), Lane.ANSWER)

    def _add(self, target: Target, lane: Lane) -> None:
        """Have an object looked at, unless it waits because it failed."""
        if not self._queue.failures(target):
            self._queue.add(target, lane)

    async def _publish(self, target: Target) -> None:
        pod = self._pods.get(target.namespace, target.name) if target.kind == "pod" else None
        said = await self._ask() if pod is not None and waits_for_an_answer(pod) else None
        patch = self._patch(target, said)
        identity = self._uid_and_version(target)
        if identity is None:
            self._forget(target)
            return
        if self._due(target, patch):
            await self._write(target, identity, patch)
        if pod is not None and _is_unanswered(pod) and names.RESERVED_GPU_ANNOTATION not in patch.annotations:
            self._ask_later(target)
        else:
            self._asked.pop(target, None)

    def _patch(self, target: Target, said: Iterable[Assignment] | None = None) -> Patch:
        if target.kind == _NODE_KIND:
            node = self._nodes.get("", target.name)
            return Patch() if node is None else self._reports.for_node(node)
        pod = self._pods.get(target.namespace, target.name)
        return Patch() if pod is None else self._reports.for_pod(pod, said)

    async def _write(self, target: Target, identity: tuple[str, str], patch: Patch) -> None:
        uid, version = identity
        resource = NODES if target.kind == _NODE_KIND else PODS
        try:
            await self._api.merge_patch(
                resource, target.namespace, target.name, patch.body(uid), field_manager=names.AGENT_MANAGER
            )
        except (Conflict, NotFound) as problem:
            _log.debug("not written: it is another one by now", problem=str(problem))
            self._forget(target)
            return
        self._written[target] = (version, patch)
        where = "/".join(filter(None, (target.kind, target.namespace, target.name)))
        _log.info("written", object=where, changes={**patch.annotations, **patch.labels})

    def _due(self, target: Target, patch: Patch) -> bool:
        """Whether there is something to be written, and not written already without being heard of yet."""
        identity = self._uid_and_version(target)
        return bool(patch) and identity is not None and self._written.get(target) != (identity[1], patch)

    def _uid_and_version(self, target: Target) -> tuple[str, str] | None:
        if target.kind == _NODE_KIND:
            node = self._nodes.get("", target.name)
            return None if node is None else (node.metadata.uid, node.metadata.resource_version)
        pod = self._pods.get(target.namespace, target.name)
        return None if pod is None else (pod.metadata.uid, pod.metadata.resource_version)

    def _forget(self, target: Target) -> None:
        self._written.pop(target, None)
        self._asked.pop(target, None)

    async def _ask(self) -> tuple[Assignment, ...]:
        """What the kubelet says now; nothing where it does not answer."""
        try:
            return await self._ask_kubelet()
        except PodResourcesError as error:
            _log.debug("no answer for reservations", reason=str(error))
            return ()

    def _ask_later(self, target: Target) -> None:
        now = self._clock.monotonic()
        waited = now - self._asked.setdefault(target, now)
        self._queue.add_after(target, min(max(waited / 2, _FIRST_WAIT_SECONDS), _LONGEST_WAIT_SECONDS), Lane.ANSWER)


def _target(pod: Pod) -> Target:
    return Target("pod", pod.metadata.namespace, pod.metadata.name)


def _is_unanswered(pod: Pod) -> bool:
    return waits_for_an_answer(pod) and not pod.metadata.annotations.get(names.RESERVED_GPU_ANNOTATION)
