"""The objects that own pods: which of the table's kinds are served, and an informer for each of them.

    ConfigMaps ─▶ table ─┐
    /apis ───────────────┴▶ kinds to follow ─▶ informers ─▶ OwnerObjects ─▶ listeners
                        └─▶ Topology objects (`topologies`)

A kind may be installed at any time: it is looked for now and then, and at once when a pod names an owner of it. One
that we may not read is told once; its pods are scheduled as those of a kind that nobody knows.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from aliquot import log
from aliquot.clock import Clock
from aliquot.cluster.foreign.projection import Projected, body_of, projection, slim
from aliquot.cluster.foreign.tables import Tables
from aliquot.cluster.foreign.topologies import TOPOLOGY_KINDS, TopologyObjects
from aliquot.contracts.kubernetes import PriorityClass
from aliquot.contracts.workload_kinds import WorkloadKind
from aliquot.core.intake import Topologies
from aliquot.core.intake.group_table import CORE_POD, OwnerKey, OwnerObject, Table, needs_of, owner_object
from aliquot.kube.client import ApiClient
from aliquot.kube.discovery import KindName, find_served
from aliquot.kube.informer import Informer, filled
from aliquot.kube.informers import Informers
from aliquot.kube.problems import ApiProblem, Forbidden
from aliquot.kube.resources import PRIORITY_CLASSES, Resource
from aliquot.settings import Settings

_log = log.get(__name__)
_RETRY_SECONDS: Final = 2.0
_LOOK_AGAIN_SECONDS: Final = 1.0
"""Between two looks that pods ask for."""

OwnerListener = Callable[[OwnerObject | None, OwnerObject | None], None]


@dataclass(slots=True)
class _Followed:
    """A kind that is followed.

    Attributes:
        kind: its entry in the table.
        resource: where its objects are.
        informer: brings them.
        tasks: run the informer, and forget what its first list lacks.
    """

    kind: WorkloadKind
    resource: Resource
    informer: Informer[Projected]
    tasks: tuple[asyncio.Task[Any], ...]

    def stop(self) -> None:
        """End the tasks."""
        for task in self.tasks:
            task.cancel()


@dataclass(slots=True)
class OwnerListeners:
    """Who is told of what.

    Attributes:
        owner: of objects, before and after.
        everything: that the table, the topologies or the priority classes have changed.
    """

    owner: list[OwnerListener] = field(default_factory=list[OwnerListener])
    everything: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])


class Owners:
    """Knows the objects that own pods.

    Args:
        client: asks which kinds there are.
        informers: makes the informers.
        clock: the time.
        settings: paces, and where the ConfigMaps are.

    Attributes:
        tables: the table, and what is wrong with additions to it.
        topology_objects: Topology objects, and what is wrong with them.
        classes: values of priority classes, by name.
        listeners: who is told of changes.
    """

    def __init__(self, client: ApiClient, informers: Informers, clock: Clock, settings: Settings) -> None:
        self.tables = Tables(informers, settings.identity.namespace, self._table_changed)
        self.classes: dict[str, int] = {}
        self.listeners = OwnerListeners()
        self._client = client
        self._informers = informers
        self._clock = clock
        self._settings = settings
        self._objects: dict[OwnerKey, OwnerObject] = {}
        self._followed: dict[KindName, _Followed] = {}
        self._forbidden: set[KindName] = set()
        self._look = asyncio.Event()
        self.topology_objects = TopologyObjects(informers, self._tell_all)
        self._priority_classes = informers.of(PRIORITY_CLASSES, PriorityClass)

    # Asking

    @property
    def table(self) -> Table:
        """The kinds in force."""
        return self.tables.table

    @property
    def topologies(self) -> Topologies:
        """The topologies that pods may name: those of ConfigMaps, and over them the objects of the cluster."""
        return {**self.table.topologies, **self.topology_objects.levels}

    @property
    def hears_of_topologies(self) -> bool:
        """Whether no kind of topology is left that could be installed yet."""
        return self.topology_objects.complete

    def find(self, key: OwnerKey) -> OwnerObject | None:
        """The object there; None: there is none, or it is not known."""
        return self._objects.get(key)

    def readable(self, group: str, kind: str) -> bool:
        """Whether it is worth waiting for an object of the kind that is not there yet."""
        return (group, kind) not in self._forbidden

    def look_for_kinds(self) -> None:
        """Have the API server asked soon which kinds it serves: somebody has met one that is not followed."""
        self._look.set()

    def follows(self, group: str, kind: str) -> bool:
        """Whether objects of the kind are heard of."""
        return (group, kind) in self._followed

    # Running

    async def fill(self, group: asyncio.TaskGroup) -> None:
        """Start what keeps the objects true, as tasks of the group; return when those that can be read are there."""
        for informer in (self.tables.config_maps, self._priority_classes):
            group.create_task(informer.run())
            await self._filled(informer)
        self.tables.listen()
        self._priority_classes.add_handler(self._class_changed)
        deadline = self._clock.monotonic() + self._settings.foreign.fill_seconds
        while not await self._discover(group) and self._clock.monotonic() < deadline:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(_RETRY_SECONDS)
        for followed in list(self._followed.values()):
            await self._filled(followed.informer)
        await self.topology_objects.filled(self._settings.foreign.fill_seconds)
        self._note_forbidden()
        group.create_task(self._keep_looking(group))

    async def _filled(self, informer: Informer[Any]) -> None:
        """Wait for the first list, or until it is clear that there will be none for now."""
        if not await filled(informer, self._settings.foreign.fill_seconds):
            _log.warning("not listed yet", resource=informer.resource.full_name, problem=str(informer.last_problem))

    async def _keep_looking(self, group: asyncio.TaskGroup) -> None:
        while True:
            try:
                await asyncio.wait_for(self._look.wait(), self._settings.foreign.discovery_seconds)
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            except TimeoutError:
                pass
            self._look.clear()
            await self._discover(group)

    async def _discover(self, group: asyncio.TaskGroup) -> bool:
        """Follow the kinds that are served, and no others; False: the API server could not be asked."""
        wanted = [*(name for name in self.table.kinds if name != CORE_POD), *TOPOLOGY_KINDS]
        try:
            served = await find_served(self._client, wanted)
        except ApiProblem as problem:
            _log.warning("which kinds are served could not be asked", problem=str(problem))
            return False
        self.topology_objects.follow(group, served)
        for name in self._followed.keys() - served.keys():
            self._leave(name)
        for name, resource in served.items():
            kind = self.table.kinds.get(name)
            if kind is not None and not self._is_followed(name, kind, resource):
                self._follow(group, name, kind, resource)
        self._note_forbidden()
        return True

    def _is_followed(self, name: KindName, kind: WorkloadKind, resource: Resource) -> bool:
        known = self._followed.get(name)
        return known is not None and known.resource == resource and known.kind == kind

    def _follow(self, group: asyncio.TaskGroup, name: KindName, kind: WorkloadKind, resource: Resource) -> None:
        before = self._followed.get(name)
        if before is not None:
            before.stop()
        informer = self._informers.of(resource, projection(needs_of(kind)))
        informer.add_handler(partial(self._heard, kind, resource.api_version))
        tasks = (group.create_task(informer.run()), group.create_task(self._forget_unlisted(informer, name)))
        self._followed[name] = _Followed(kind, resource, informer, tasks)
        _log.info("follows a kind", kind=resource.full_name, version=resource.version)

    async def _forget_unlisted(self, informer: Informer[Projected], name: KindName) -> None:
        """Once the informer has listed, what an earlier one had beside that is gone."""
        await informer.synced.wait()
        for key, held in self._of_kind(name):
            if informer.get(key.namespace, key.name) is None:
                self._drop(key, held.uid)

    def _of_kind(self, name: KindName) -> list[tuple[OwnerKey, OwnerObject]]:
        return [(key, held) for key, held in self._objects.items() if (key.group, key.kind) == name]

    def _leave(self, name: KindName) -> None:
        """Follow the kind no more."""
        self._followed.pop(name).stop()
        for key, held in self._of_kind(name):
            self._drop(key, held.uid)

    def _note_forbidden(self) -> None:
        """Find out which kinds we may not read. A watch that is refused later on goes on with what it has."""
        refused = {
            name
            for name, followed in self._followed.items()
            if isinstance(followed.informer.last_problem, Forbidden) and not followed.informer.synced.is_set()
        }
        for group, kind in sorted(refused - self._forbidden):
            _log.warning("may not read a kind: its pods are not scheduled together", group=group, kind=kind)
        self._forbidden = refused

    # Hearing

    def _heard(self, kind: WorkloadKind, api_version: str, old: Projected | None, new: Projected | None) -> None:
        if new is None:
            assert old is not None
            self._drop(OwnerKey(kind.group, kind.kind, old.metadata.namespace, old.metadata.name), old.metadata.uid)
            return
        self._put(owner_object(kind, api_version, slim(new.metadata), body_of(new)))

    def _put(self, found: OwnerObject) -> None:
        known = self._objects.get(found.key)
        if known == found:
            return
        self._objects[found.key] = found
        self._tell(known, found)

    def _drop(self, key: OwnerKey, uid: str) -> None:
        known = self._objects.get(key)
        if known is not None and known.uid == uid:
            del self._objects[key]
            self._tell(known, None)

    def _tell(self, old: OwnerObject | None, new: OwnerObject | None) -> None:
        for listener in self.listeners.owner:
            listener(old, new)

    def _class_changed(self, old: PriorityClass | None, new: PriorityClass | None) -> None:
        held = new or old
        assert held is not None
        if new is None:
            self.classes.pop(held.metadata.name, None)
        else:
            self.classes[held.metadata.name] = new.value
        self._tell_all()

    def _table_changed(self) -> None:
        self.look_for_kinds()
        self._tell_all()

    def _tell_all(self) -> None:
        for listener in self.listeners.everything:
            listener()
