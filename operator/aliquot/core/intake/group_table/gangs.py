"""What the table makes of one object: how many of its pods start together, in which parts, how close to one another.

    minimum   filled set by set   m: 3  w: 5   of 6  ──▶  m: 3  w: 3
    segments  of a set            w: 5  by 2         ──▶  w-0: 2  w-1: 2  w-2: 1

Sets and segments become those of `scheduling.facts`; names are unique within a gang.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aliquot import names
from aliquot.core.intake.closeness import DEFAULT_POD_SET, Hint, Topologies
from aliquot.core.scheduling.facts import Group, PodSet, Topology

Labels = Mapping[str, str]


def matches(labels: Labels, label: str, value: str) -> bool:
    """Whether one of the labels has the value; `*` stands for any."""
    said = labels.get(label)
    return said is not None and value in (said, "*")


@dataclass(frozen=True, slots=True)
class Cut:
    """How a pod set is cut into segments.

    Attributes:
        size: pods in each.
        count: how many there are.
        index_label: label of the pods that numbers them.
        first_index: the number of the first.
        topology: how close the pods of one are to be.
    """

    size: int
    count: int
    index_label: str
    first_index: int
    topology: Hint | None


@dataclass(frozen=True, slots=True)
class Members:
    """A pod set.

    Attributes:
        name: unique in the gang.
        label: key of the label that its pods have.
        value: value of that label.
        minimum: how many the gang starts with.
        topology: how close they are to be.
        cut: its segments; None: it has none.
    """

    name: str
    label: str
    value: str
    minimum: int
    topology: Hint | None = None
    cut: Cut | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pod sets that are closer to one another than to the rest."""

    name: str
    members: frozenset[str]
    topology: Hint | None


@dataclass(frozen=True, slots=True)
class Later:
    """Pods that come once others run: until one is there, the minimum is smaller."""

    label: str
    value: str
    minimum: int


@dataclass(frozen=True, slots=True)
class Gang:
    """What starts together.

    Attributes:
        minimum: how many pods, or none.
        members: its pod sets; empty: its pods are all alike.
        neighbours: pod sets that are closer to one another.
        topology: how close all of it is to be.
        separate: whether each pod set starts by itself.
        later: pods that come later.
    """

    minimum: int = 1
    members: tuple[Members, ...] = ()
    neighbours: tuple[Neighbours, ...] = ()
    topology: Hint | None = None
    separate: bool = False
    later: Later | None = None

    def pod_set(self, labels: Labels) -> str:
        """Which pod set a pod with these labels belongs to; `default` where it belongs to none."""
        for members in self.members:
            named = labels.get(names.SUBGROUP_LABEL) == members.name
            if not named and not matches(labels, members.label, members.value):
                continue
            cut = members.cut
            if cut is None:
                return members.name
            index = labels.get(cut.index_label, "")
            number = int(index) - cut.first_index if index.isascii() and index.isdigit() and len(index) < 9 else 0
            return _segment(members.name, max(0, number) // cut.size)
        return DEFAULT_POD_SET

    def alone(self, name: str) -> "Gang":
        """The gang that one of its pod sets is by itself."""
        members = tuple(each for each in self.members if each.name == name)
        return replace(self, minimum=sum(each.minimum for each in members), members=members, separate=False)

    def shape(self, labels: Labels, topologies: Topologies) -> tuple[int, Group | None]:
        """Its minimum and its parts, as a pod with these labels says it, among these topologies.

        As long as only pods are there that come first, all of them say the smaller minimum. That of the pod that says
        the larger one counts.
        """
        minimum, later = self.minimum, self.later
        if later is not None and not matches(labels, later.label, later.value):
            minimum = max(1, min(minimum, later.minimum))
        if not self.members:
            if self.topology is None:
                return minimum, None
            alike = PodSet(DEFAULT_POD_SET, minimum)
            return minimum, Group(topology=self.topology.among(topologies), pod_sets=(alike,))
        filled = _fill(minimum, self.members)
        apart = {name: each for each in self.neighbours for name in each.members}
        parts = [
            Group(
                each.name,
                _among(each.topology, topologies),
                *_parts((one for one in filled if apart.get(one.name) is each), topologies),
            )
            for each in self.neighbours
        ]
        sets, cut = _parts((one for one in filled if one.name not in apart), topologies)
        parts = [part for part in parts if part.pod_sets or part.groups]
        return minimum, Group(topology=_among(self.topology, topologies), pod_sets=sets, groups=(*parts, *cut))


def _fill(total: int, members: Sequence[Members]) -> list[Members]:
    """The pod sets with just so many pods together: each what it needs as long as there are any, the last the rest."""
    filled: list[Members] = []
    for number, each in enumerate(members, start=1):
        mine = total if number == len(members) else min(total, each.minimum)
        total -= mine
        filled.append(replace(each, minimum=mine))
    return filled


def _parts(members: Iterable[Members], topologies: Topologies) -> tuple[tuple[PodSet, ...], tuple[Group, ...]]:
    sets: list[PodSet] = []
    groups: list[Group] = []
    for each in members:
        cut = each.cut
        if cut is None:
            sets.append(PodSet(each.name, each.minimum, _among(each.topology, topologies)))
            continue
        left = each.minimum
        segments: list[PodSet] = []
        for number in range(max(cut.count, -(-each.minimum // cut.size))):
            mine = min(cut.size, left)
            left -= mine
            segments.append(PodSet(_segment(each.name, number), mine, _among(cut.topology, topologies)))
        groups.append(Group(each.name, _among(each.topology, topologies), tuple(segments)))
    return tuple(sets), tuple(groups)


def _among(hint: Hint | None, topologies: Topologies) -> Topology | None:
    return None if hint is None else hint.among(topologies)


def _segment(name: str, number: int) -> str:
    return f"{name}-{number}"
