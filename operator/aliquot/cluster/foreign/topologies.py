"""Topology objects of the cluster: which node labels, from coarse to fine, say how close nodes are to one another.

    /apis ──▶ kinds that are served ──▶ informers ──▶ levels, by name

The kind is not ours. It comes with Kueue (`kueue.x-k8s.io`) or with the KAI scheduler (`kai.scheduler`), both of one
shape, and may be installed at any time, or never: then ConfigMaps name topologies (`foreign.tables`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec

from aliquot import log
from aliquot.contracts.kubernetes import Metadata, Projection
from aliquot.core.intake.closeness import LONGEST_NAME, Topologies
from aliquot.errors import told
from aliquot.kube.discovery import KindName
from aliquot.kube.informer import Informer, filled
from aliquot.kube.informers import Informers
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

    @property
    def problem(self) -> str | None:
        """What of it cannot be followed, as a sentence; None: all of it can."""
        if not self.levels:
            return "spec.levels: it names no node label, so no pods can be close by it: it is ignored"
        labels = [level.node_label for level in self.spec.levels]
        left_out = [
            f"spec.levels[{number}].nodeLabel: {_shown(label)} {why}: the level is left out"
            for number, label in enumerate(labels)
            if (why := _unusable(label, labels[:number])) is not None
        ]
        return told(left_out) if left_out else None


def _unusable(label: str, before: Sequence[str]) -> str | None:
    if not 0 < len(label) <= LONGEST_NAME:
        return "is not the key of a node label"
    return "is named by an earlier level" if label in before else None


def _shown(label: str) -> str:
    return repr(label if len(label) <= LONGEST_NAME else f"{label[:LONGEST_NAME]}…")


@dataclass(slots=True)
class _Followed:
    resource: Resource
    informer: Informer[TopologyObject]
    task: asyncio.Task[Any]


class TopologyObjects:
    """Knows the Topology objects of whichever kinds are served.

    Args:
        informers: makes the informers.
        on_change: told that the levels differ.

    Attributes:
        levels: of the topologies, by name.
        on_wrong: told of objects that cannot be followed as they are: of which kind, which, and why.
    """

    def __init__(self, informers: Informers, on_change: Callable[[], None]) -> None:
        self.levels: Topologies = {}
        self.on_wrong: list[Callable[[Resource, Metadata, str], None]] = []
        self._informers = informers
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
        informer = self._informers.of(resource, TopologyObject)
        informer.add_handler(partial(self._heard, resource))
        self._followed[name] = _Followed(resource, informer, group.create_task(informer.run()))
        _log.info("follows a kind", kind=resource.full_name, version=resource.version)

    async def filled(self, within_seconds: float) -> None:
        """Wait for the first list of each kind that is followed, or until it is clear that there will be none."""
        for followed in list(self._followed.values()):
            if not await filled(followed.informer, within_seconds):
                problem = str(followed.informer.last_problem)
                _log.warning("not listed yet", resource=followed.resource.full_name, problem=problem)

    def _heard(self, resource: Resource, old: TopologyObject | None, new: TopologyObject | None) -> None:
        problem = None if new is None else new.problem
        if new is not None and problem is not None and (old is None or old.problem != problem):
            _log.warning("wrong topology", kind=resource.full_name, name=new.metadata.name, problem=problem)
            for listener in self.on_wrong:
                listener(resource, new.metadata, problem)
        self._changed()

    def _changed(self) -> None:
        there = [self._followed[name].informer for name in TOPOLOGY_KINDS if name in self._followed]
        levels = {each.metadata.name: each.levels for informer in there for each in informer if each.levels}
        if levels != self.levels:
            self.levels = levels
            self._on_change()
