"""Topology objects of the cluster: which node labels, from coarse to fine, say how close nodes are to one another.

    /apis ──▶ kinds that are served ──▶ informers ──▶ levels, by name

The kind is not ours. It comes with Kueue (`kueue.x-k8s.io`) or with the KAI scheduler (`kai.scheduler`), both of one
shape, and may be installed at any time, or never: then ConfigMaps name topologies (`foreign.tables`).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from aliquot import log
from aliquot.clock import Clock
from aliquot.contracts.kubernetes import Metadata, Projection
from aliquot.core.intake.closeness import LONGEST_NAME, Topologies
from aliquot.kube.client import ApiClient
from aliquot.kube.discovery import KindName
from aliquot.kube.informer import Informer, filled
from aliquot.kube.metrics import WatchMetrics
from aliquot.kube.resources import Resource

_log = log.get(__name__)
TOPOLOGY_KINDS: Final[tuple[KindName, ...]] = (("kueue.x-k8s.io", "Topology"), ("kai.scheduler", "Topology"))
"""Of two with one name, the object of the last kind counts."""


class _Level(msgspec.Struct, frozen=True, rename="camel"):
    node_label: str = ""


class _Spec(msgspec.Struct, frozen=True):
    levels: tuple[_Level, ...] = ()


class TopologyObject(Projection, frozen=True):
    """A Topology, as far as it is read."""

    metadata: Metadata = Metadata()
    spec: _Spec = _Spec()

    @property
    def levels(self) -> tuple[str, ...]:
        """Keys of node labels, from coarse to fine, each once."""
        labels = (level.node_label for level in self.spec.levels)
        return tuple(dict.fromkeys(label for label in labels if 0 < len(label) <= LONGEST_NAME))


@dataclass(slots=True)
class _Followed:
    resource: Resource
    informer: Informer[TopologyObject]
    task: asyncio.Task[Any]


class TopologyObjects:
    """Knows the Topology objects of whichever kinds are served.

    Args:
        client: lists and watches.
        clock: for informers.
        metrics: where events of watches are counted.
        silence_seconds: a watch that brings nothing for so long is opened anew.
        on_change: told that the levels differ.

    Attributes:
        levels: of the topologies, by name.
    """

    def __init__(
        self,
        client: ApiClient,
        clock: Clock,
        metrics: WatchMetrics,
        silence_seconds: float,
        on_change: Callable[[], None],
    ) -> None:
        self.levels: Topologies = {}
        self._client = client
        self._clock = clock
        self._metrics = metrics
        self._silence_seconds = silence_seconds
        self._on_change = on_change
        self._followed: dict[KindName, _Followed] = {}

    @property
    def complete(self) -> bool:
        """Whether every kind is followed that there may be."""
        return len(self._followed) == len(TOPOLOGY_KINDS)

    def follow(self, group: asyncio.TaskGroup, served: Mapping[KindName, Resource]) -> None:
        """Follow the kinds that are served, and no others, in tasks of the group."""
        for name in TOPOLOGY_KINDS:
            known, resource = self._followed.get(name), served.get(name)
            if known is not None and known.resource != resource:
                del self._followed[name]
                known.task.cancel()
                self._changed()
            if resource is not None and name not in self._followed:
                self._begin(group, name, resource)

    def _begin(self, group: asyncio.TaskGroup, name: KindName, resource: Resource) -> None:
        informer = Informer(
            self._client,
            resource,
            TopologyObject,
            self._clock,
            self._metrics,
            silence_seconds=self._silence_seconds,
        )
        informer.add_handler(lambda _old, _new: self._changed())
        self._followed[name] = _Followed(resource, informer, group.create_task(informer.run()))
        _log.info("follows a kind", kind=resource.full_name, version=resource.version)

    async def filled(self, within_seconds: float) -> None:
        """Wait for the first list of each kind that is followed, or until it is clear that there will be none."""
        for followed in list(self._followed.values()):
            if not await filled(followed.informer, within_seconds):
                problem = str(followed.informer.last_problem)
                _log.warning("not listed yet", resource=followed.resource.full_name, problem=problem)

    def _changed(self) -> None:
        there = [self._followed[name].informer for name in TOPOLOGY_KINDS if name in self._followed]
        levels = {each.metadata.name: each.levels for informer in there for each in informer if each.levels}
        if levels != self.levels:
            self.levels = levels
            self._on_change()
