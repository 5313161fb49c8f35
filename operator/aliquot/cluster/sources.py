"""Where the mirror gets what it knows: informers for what is numerous, kopf and comparisons for what people set.

Filled in an order in which nothing has to be looked at twice: node pools, departments, projects, namespaces, policies
and nodes, then workloads, pods last.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from aliquot import log
from aliquot.cluster.handlers.kinds import Sink, watch_kinds
from aliquot.cluster.metrics import Metrics
from aliquot.cluster.mirror.cache import Cache, Identity, Key
from aliquot.cluster.mirror.drift import Drift
from aliquot.cluster.mirror.known import parsed_into
from aliquot.cluster.mirror.mirror import Mirror, into, take
from aliquot.cluster.mirror.parse import Whole
from aliquot.cluster.resources import POLICY_MODELS, WORKLOAD_MODELS, kind_of, resource_of
from aliquot.contracts.kinds.registry import Kind
from aliquot.contracts.kinds.shapes import Resource
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
from aliquot.contracts.kubernetes import Namespace, Node, Pod
from aliquot.kube.client import ApiClient
from aliquot.kube.config import Server
from aliquot.kube.informer import Informer
from aliquot.kube.informers import Informers
from aliquot.kube.problems import ApiProblem
from aliquot.kube.resources import NAMESPACES, NODES, PODS
from aliquot.settings import Settings

_log = log.get(__name__)
_RETRY_SECONDS: Final = 2.0

KindT = TypeVar("KindT", bound=Resource)


class _Named(msgspec.Struct):
    name: str


class _Discovery(msgspec.Struct):
    resources: list[_Named] = []


class Sources:
    """Fills the mirror and keeps it true.

    Args:
        client: lists and watches.
        server: where kopf watches.
        informers: makes the informers.
        mirror: what is filled.
        settings: time limits.
        metrics: where differences are counted.
    """

    def __init__(
        self,
        client: ApiClient,
        server: Server,
        informers: Informers,
        mirror: Mirror,
        settings: Settings,
        metrics: Metrics,
    ) -> None:
        self._client = client
        self._server = server
        self._settings = settings
        self._mirror = mirror
        self._metrics = metrics
        self._troubles: dict[str, str] = {}

        self.namespaces = informers.of(NAMESPACES, Namespace)
        self.nodes = informers.of(NODES, Node)
        self.pods = informers.of(PODS, Pod)
        self.namespaces.add_handler(into(mirror.namespaces))
        self.nodes.add_handler(into(mirror.nodes))
        self.pods.add_handler(into(mirror.pods))

        def of_kinds(models: tuple[type[KindT], ...], cache: Cache[KindT]) -> list[Informer[Whole]]:
            made: list[Informer[Whole]] = []
            for model in models:
                informer = informers.of(resource_of(kind_of(model)), Whole)
                informer.add_handler(parsed_into(cache, model))
                made.append(informer)
            return made

        self._policies = of_kinds(POLICY_MODELS, mirror.policies)
        self._workloads = of_kinds(WORKLOAD_MODELS, mirror.workloads)
        interval = settings.drift.interval_seconds

        def drift(model: type[KindT], cache: Cache[KindT]) -> Drift[KindT]:
            return Drift(client, kind_of(model), model, cache, interval)

        self._drifts: dict[str, Drift[Project] | Drift[Department] | Drift[NodePool]] = {
            NodePool.__name__: drift(NodePool, mirror.node_pools),
            Department.__name__: drift(Department, mirror.departments),
            Project.__name__: drift(Project, mirror.projects),
        }

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start what keeps the mirror true, as tasks of the group; return when everything is there."""
        group.create_task(self.namespaces.run())
        group.create_task(self.nodes.run())
        for drift in self._drifts.values():
            await self._compare(drift)
        for informer in self._policies:
            group.create_task(informer.run())
        await self.namespaces.synced.wait()
        await self.nodes.synced.wait()
        for informer in self._policies:
            await informer.synced.wait()
        for informer in self._workloads:
            group.create_task(informer.run())
        for informer in self._workloads:
            await informer.synced.wait()
        group.create_task(self.pods.run())
        await self.pods.synced.wait()
        for drift in self._drifts.values():
            group.create_task(drift.run(self._metrics.differences))
        group.create_task(self._watch_settings())

    def trouble(self) -> str | None:
        """What stands between us and knowing the cluster; None: nothing."""
        for informer in (self.namespaces, self.nodes, *self._policies, *self._workloads, self.pods):
            if informer.last_problem is not None:
                return str(informer.last_problem)
        return next(iter(self._troubles.values()), None)

    async def _watch_settings(self) -> NoReturn:
        """Watch what people set; anew when kopf ended."""
        kinds = tuple(drift.kind for drift in self._drifts.values())
        sink = Sink(self._is_known, self._heard, self._listed, self._troubled)
        while True:
            for kind in kinds:
                await self._until_named(kind)
            await watch_kinds(kinds, self._server, self._settings.api, sink)
            await asyncio.sleep(_RETRY_SECONDS)
            for drift in self._drifts.values():
                await self._compare(drift)

    async def _compare(self, drift: Drift[Project] | Drift[Department] | Drift[NodePool]) -> None:
        """Fill the cache of a kind, however long it takes until the API server serves it."""
        while True:
            try:
                await drift.compare()
            except ApiProblem as problem:
                self._troubled(drift.kind, str(problem))
                _log.warning("not served yet", kind=drift.kind.name, problem=str(problem))
                await asyncio.sleep(max(_RETRY_SECONDS, problem.retry_after_seconds))
            else:
                self._troubled(drift.kind, None)
                return

    async def _until_named(self, kind: Kind) -> None:
        """Wait for the API server to name a kind in its discovery, some moments after it serves the objects.

        kopf looks there, once, and forgets about kinds that it does not find.
        """
        while True:
            with suppress(ApiProblem):
                answer = await self._client.read(resource_of(kind).root)
                named = msgspec.json.decode(answer.body, type=_Discovery).resources
                if any(resource.name == kind.plural for resource in named):
                    return
            await asyncio.sleep(_RETRY_SECONDS)

    def _is_known(self, kind: Kind, raw: Mapping[str, Any]) -> bool:
        metadata = raw["metadata"]
        identity = Identity(
            Key(metadata.get("namespace", ""), metadata["name"]), metadata["uid"], int(metadata["resourceVersion"])
        )
        return self._drifts[kind.name].cache.holds(identity)

    def _heard(self, heard: Resource, gone: bool) -> None:
        mirror = self._mirror
        match heard:
            case Project():
                take(mirror.projects, heard, gone=gone)
            case Department():
                take(mirror.departments, heard, gone=gone)
            case NodePool():
                take(mirror.node_pools, heard, gone=gone)
            case _:
                raise AssertionError(f"nobody asked for {type(heard).__name__}")

    def _troubled(self, kind: Kind, trouble: str | None) -> None:
        if trouble is None:
            self._troubles.pop(kind.name, None)
        else:
            self._troubles[kind.name] = trouble

    def _listed(self, kind: Kind) -> None:
        self._drifts[kind.name].listed()
