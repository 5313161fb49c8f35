"""The search for victims, for gangs whose tasks are to be close to one another: one domain after the other.

A domain is a search of its own among its nodes; the one where most of the gang fits already goes first, so that few
have to go (scheduling.md 2.11, 7). Parts of a gang that are to be closer still than the whole are helped by free room
only.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from aliquot.core.scheduling.facts import Topology
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.placement.topology import with_anchors
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.gangs import Part
from aliquot.core.scheduling.state.jobs import GroupKey
from aliquot.core.scheduling.state.shapes import Runs
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.rules import Rule
from aliquot.core.scheduling.victims.search import Found, search


def search_close(draft: Draft, placer: Placer, candidates: Candidates, key: GroupKey, rule: Rule) -> Found | None:
    """As `search`, with all tasks as close to one another as they have to be."""
    part = key.demand.part
    if part is None:
        return search(draft, placer, candidates, key, rule)
    topology = _topology(part)
    if topology is None:
        return None
    for labels in _domains(draft, placer, part, topology, key.demand.runs):
        found = search(draft, placer, candidates, _within(key, labels), rule)
        if found is not None:
            return found
    return None


def _topology(part: Part) -> Topology | None:
    """How close the whole of it is to be; None when a part of it is to be closer still."""
    inner = [topology for each in part.parts if (topology := _innermost(each)) is not None]
    if not inner:
        return part.topology
    return inner[0] if part.topology is None and len(part.parts) == 1 and len(inner) == 1 else None


def _innermost(part: Part) -> Topology | None:
    return part.topology or next((found for each in part.parts if (found := _innermost(each)) is not None), None)


def _domains(
    draft: Draft, placer: Placer, part: Part, topology: Topology, runs: Runs
) -> Iterator[tuple[tuple[str, str], ...]]:
    """Labels of the domains to try, at the preferred level first, last (where nothing is required) of no domain."""
    levels = topology.levels
    wanted = [level for level in (topology.preferred, topology.required) if level is not None]
    tables = draft.nodes.domains_within(levels)
    for level in dict.fromkeys(wanted):
        depth = levels.index(level)
        ids = tables[depth]
        inside = ids >= 0
        if topology.required is not None and part.anchors:
            bound = tables[levels.index(topology.required)]
            inside &= with_anchors(draft, bound, part.anchors)
        if not inside.any():
            continue
        room = np.zeros(int(ids.max()) + 1)
        for shape, count in runs:
            capacity = placer.ranking(shape, now=False).capacity(count)
            room += np.bincount(ids[inside], capacity[inside], len(room)) / count
        for number in sorted(set(ids[inside].tolist()), key=lambda number: (-float(room[number]), number)):
            row = int(np.flatnonzero(ids == number)[0])
            node = draft.nodes.at(row)
            yield tuple((label, node.labels[label]) for label in levels[: depth + 1])
    if topology.required is None:
        yield ()


def _within(key: GroupKey, labels: tuple[tuple[str, str], ...]) -> GroupKey:
    """The same demand, on nodes with these labels only."""
    runs = tuple(
        (
            replace(
                shape,
                signature=replace(
                    shape.signature, node_selector=tuple(sorted({*shape.signature.node_selector, *labels}))
                ),
            ),
            count,
        )
        for shape, count in key.demand.runs
    )
    return replace(key, demand=replace(key.demand, runs=runs, part=None))
