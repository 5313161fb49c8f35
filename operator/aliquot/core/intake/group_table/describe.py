"""From the table's entry and an object to its gang."""

from collections.abc import Iterable, Mapping

from aliquot import names
from aliquot.contracts.workload_kinds import PodMatch, PodSets, Segments, TopologyHints, WorkloadKind
from aliquot.core.intake.group_table.gangs import Cut, Gang, Later, Members, Neighbours
from aliquot.core.intake.group_table.values import Reader, entries, holds, text, texts
from aliquot.core.scheduling.facts import Topology

Topologies = Mapping[str, tuple[str, ...]]
"""Keys of node labels from coarse to fine, by the name of the topology."""


def gang_of(kind: WorkloadKind, body: Mapping[str, object], topologies: Topologies, problems: list[str]) -> Gang:
    """What an object asks for.

    Args:
        kind: its entry in the table.
        body: the object, with labels and annotations in `metadata`.
        topologies: those that annotations can name.
        problems: takes a sentence for everything that makes no sense.
    """
    reader, hints = Reader(body, problems), Hints(topologies, problems)
    members = [each for entry in kind.pod_sets for each in _members(entry, reader, hints)]
    members = list({each.name: each for each in members}.values())
    minimum = reader.number(kind.minimum)
    if minimum is None:
        minimum = sum(each.minimum for each in members) if members else 1
    if minimum == 0:
        problems.append("it asks for no pods at all: allowed is at least 1")
    startup = kind.startup
    later = None
    if startup is not None and holds(startup.when, body):
        least = reader.number(startup.minimum)
        later = Later(startup.until.label, _value(startup.until, ""), 1 if least is None else least)
    return Gang(
        minimum=max(1, minimum),
        members=tuple(members),
        neighbours=tuple(_neighbours(kind, reader, hints)),
        topology=hints.read(kind.topology, body),
        separate=kind.separate is not None and holds(kind.separate, body),
        later=later,
    )


def _members(entry: PodSets, reader: Reader, hints: "Hints") -> Iterable[Members]:
    inside = [reader] if entry.each is None else reader.each(entry.each)
    for each in inside:
        name = entry.name or (text(each.value, entry.name_from) if entry.name_from else each.key)
        minimum = each.number(entry.minimum)
        if name is None or minimum is None:
            continue
        topology = None if entry.topology is None else hints.read(entry.topology, each.value)
        cut = None if entry.segments is None else _cut(entry.segments, minimum, each, hints)
        yield Members(name, entry.pods.label, _value(entry.pods, name), minimum, topology, cut)


def _value(match: PodMatch, name: str) -> str:
    return name if match.value is None else match.value


def _cut(segments: Segments, count: int, reader: Reader, hints: "Hints") -> Cut | None:
    annotations = texts(reader.value, segments.annotations)
    size = Reader({"size": annotations.get(names.SEGMENT_SIZE_ANNOTATION)}, []).number(("size",))
    if names.SEGMENT_SIZE_ANNOTATION in annotations and not size:
        said = annotations[names.SEGMENT_SIZE_ANNOTATION]
        hints.problems.append(f"annotation {names.SEGMENT_SIZE_ANNOTATION} is {said!r}: allowed is a whole number")
    if not size:
        return None
    topology = hints.named(
        annotations.get(names.TOPOLOGY_ANNOTATION),
        annotations.get(names.SEGMENT_REQUIRED_ANNOTATION),
        annotations.get(names.SEGMENT_PREFERRED_ANNOTATION),
    )
    return Cut(size, -(-count // size), segments.index_label, segments.first_index, topology)


def _neighbours(kind: WorkloadKind, reader: Reader, hints: "Hints") -> Iterable[Neighbours]:
    if kind.pod_groups is None:
        return
    for each in reader.each(kind.pod_groups.each):
        name = text(each.value, kind.pod_groups.name_from)
        named = [one for _, one in entries(each.value, kind.pod_groups.pod_sets)]
        if name is not None:
            sets = frozenset(one for one in named if isinstance(one, str))
            yield Neighbours(name, sets, hints.read(kind.pod_groups.topology, each.value))


class Hints:
    """Reads how close pods are to be.

    Args:
        topologies: those that annotations can name.
        problems: takes a sentence for everything that makes no sense.
    """

    def __init__(self, topologies: Topologies, problems: list[str]) -> None:
        self._topologies = topologies
        self.problems = problems

    def read(self, hints: TopologyHints, value: object) -> Topology | None:
        """What the hints say for an object, or an entry of a list in it; None: nothing."""
        annotations = texts(value, hints.annotations) if hints.annotations is not None else {}
        required = annotations.get(names.TOPOLOGY_REQUIRED_ANNOTATION)
        preferred = annotations.get(names.TOPOLOGY_PREFERRED_ANNOTATION)
        if hints.required is not None:
            required = text(value, hints.required)
        if hints.preferred is not None:
            preferred = text(value, hints.preferred)
        return self.named(annotations.get(names.TOPOLOGY_ANNOTATION), required, preferred)

    def named(self, name: str | None, required: str | None, preferred: str | None) -> Topology | None:
        """The topology; one that nobody knows, or that lacks a level, has just the levels that are asked for."""
        required, preferred = required or None, preferred or None
        asked = tuple(dict.fromkeys(level for level in (required, preferred) if level is not None))
        if not asked:
            return None
        levels = self._topologies.get(name) if name else None
        if name and levels is None:
            known = ", ".join(sorted(self._topologies)) or "none, as no ConfigMap names any"
            self.problems.append(f"annotation {names.TOPOLOGY_ANNOTATION} is {name!r}: allowed are {known}")
        if levels is None:
            levels = next((found for found in self._topologies.values() if set(asked) <= set(found)), asked)
        elif not set(asked) <= set(levels):
            missing = ", ".join(level for level in asked if level not in levels)
            self.problems.append(f"topology {name} has no level {missing}: allowed are {', '.join(levels)}")
            levels = asked
        return Topology(tuple(levels), required, preferred)
