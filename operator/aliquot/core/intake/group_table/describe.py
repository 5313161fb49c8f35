"""From the table's entry and an object to its gang."""

from collections.abc import Iterable, Mapping

from aliquot import names
from aliquot.contracts.workload_kinds import PodMatch, PodSets, Segments, TopologyHints, WorkloadKind
from aliquot.core.intake.closeness import Hint, hint_in
from aliquot.core.intake.group_table.gangs import Cut, Gang, Later, Members, Neighbours
from aliquot.core.intake.group_table.values import Reader, entries, holds, text, texts


def gang_of(kind: WorkloadKind, body: Mapping[str, object], problems: list[str]) -> Gang:
    """What an object asks for.

    Args:
        kind: its entry in the table.
        body: the object, with labels and annotations in `metadata`.
        problems: takes a sentence for everything that makes no sense.
    """
    reader = Reader(body, problems)
    if kind.jobs != "owner":
        return Gang(topology=hint_of(kind.topology, body))
    members = [each for entry in kind.pod_sets for each in _members(entry, reader, problems)]
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
        neighbours=tuple(_neighbours(kind, reader)),
        topology=hint_of(kind.topology, body),
        separate=kind.separate is not None and holds(kind.separate, body),
        later=later,
    )


def _members(entry: PodSets, reader: Reader, problems: list[str]) -> Iterable[Members]:
    inside = [reader] if entry.each is None else reader.each(entry.each)
    for each in inside:
        name = entry.name or (text(each.value, entry.name_from) if entry.name_from else each.key)
        minimum = each.number(entry.minimum)
        if name is None or minimum is None:
            continue
        topology = None if entry.topology is None else hint_of(entry.topology, each.value)
        cut = None if entry.segments is None else _cut(entry.segments, minimum, each, problems)
        yield Members(name, entry.pods.label, _value(entry.pods, name), minimum, topology, cut)


def _value(match: PodMatch, name: str) -> str:
    return name if match.value is None else match.value


def _cut(segments: Segments, count: int, reader: Reader, problems: list[str]) -> Cut | None:
    annotations = texts(reader.value, segments.annotations)
    size = Reader({"size": annotations.get(names.SEGMENT_SIZE_ANNOTATION)}, []).number(("size",))
    if names.SEGMENT_SIZE_ANNOTATION in annotations and not size:
        said = annotations[names.SEGMENT_SIZE_ANNOTATION]
        problems.append(f"annotation {names.SEGMENT_SIZE_ANNOTATION} is {said!r}: allowed is a whole number")
    if not size:
        return None
    topology = Hint.of(
        annotations.get(names.TOPOLOGY_ANNOTATION),
        annotations.get(names.SEGMENT_REQUIRED_ANNOTATION),
        annotations.get(names.SEGMENT_PREFERRED_ANNOTATION),
    )
    return Cut(size, -(-count // size), segments.index_label, segments.first_index, topology)


def _neighbours(kind: WorkloadKind, reader: Reader) -> Iterable[Neighbours]:
    if kind.pod_groups is None:
        return
    for each in reader.each(kind.pod_groups.each):
        name = text(each.value, kind.pod_groups.name_from)
        named = [one for _, one in entries(each.value, kind.pod_groups.pod_sets)]
        if name is not None:
            sets = frozenset(one for one in named if isinstance(one, str))
            yield Neighbours(name, sets, hint_of(kind.pod_groups.topology, each.value))


def hint_of(hints: TopologyHints, value: object) -> Hint | None:
    """How close pods are to be, as it stands in an object, or in an entry of a list in it; None: nothing is said."""
    found = hint_in(texts(value, hints.annotations)) if hints.annotations is not None else None
    hint = found or Hint()
    required = hint.required if hints.required is None else text(value, hints.required)
    preferred = hint.preferred if hints.preferred is None else text(value, hints.preferred)
    return Hint.of(hint.topology, required, preferred)
