"""Room for gangs whose tasks are to be close to one another: they are held to domains, and then it is as for any other.

Domains are tried one after the other, the tightest level first; on a level those first where most of the gang fits
already, so that few have to go (scheduling.md 2.11, 7). Parts that are to be closer still are held to domains within
that of the whole; to none that could not hold all that was put into it, whoever goes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from aliquot.core.scheduling.facts import NodeTerm, Requirement
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.placement.topology import Closeness, Copies, place, runs_in
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.gangs import Part
from aliquot.core.scheduling.state.jobs import Demand, GroupKey
from aliquot.core.scheduling.state.nodes import Amounts, Mask
from aliquot.core.scheduling.state.shapes import Runs, TaskShape
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.rules import Rule
from aliquot.core.scheduling.victims.search import Found, search

_MOST_WAYS: Final = 64
"""So many ways are tried to give the parts of a gang domains within one domain of the whole."""


def search_close(draft: Draft, placer: Placer, candidates: Candidates, key: GroupKey, rule: Rule) -> Found | None:
    """As `search`, with all tasks as close to one another as they have to be."""
    for close in in_domains(placer, candidates, key, rule.queues):
        mark = draft.checkpoint()
        found = search(draft, placer, candidates, close, rule)
        if found is None:
            continue
        if key.demand.part is None:
            return found
        spots = _as_allocated(placer, key.demand, close.demand, found.spots)
        if spots is not None:
            return replace(found, spots=spots)
        for unit in found.units:
            rule.pop(unit)
        draft.rollback(mark)
    return None


def _as_allocated(placer: Placer, demand: Demand, held: Demand, spots: Sequence[Spot]) -> list[Spot] | None:
    """Where the gang goes in the room that was made, if nobody holds it to domains; None when it finds no place."""
    shapes = (shape for shape, count in held.runs for _ in range(count))
    for shape, spot in zip(shapes, spots, strict=True):
        placer.draft.give_back(spot, shape.request, now=False)
    return place(placer, demand, now=False)


def in_domains(placer: Placer, candidates: Candidates, key: GroupKey, queues: Sequence[str]) -> Iterator[GroupKey]:
    """The demand held to domains, in each of the ways that are worth trying; as it is where nothing says how close.

    `queues` are those of which anybody may go.
    """
    part = key.demand.part
    if part is None:
        yield key
        return
    most = placer.draft.future.copy()
    for name in queues:
        most += candidates.room(name)
    ways = _Ways(placer, np.maximum(most, 0))
    for runs, _ in ways.of(part, np.ones(len(most), np.bool_), (), ()):
        yield replace(key, demand=replace(key.demand, runs=runs, part=None))


class _Taken(NamedTuple):
    """A part that has been given nodes, and all that it asks for."""

    nodes: Mask
    total: Amounts


class _Ways:
    """Ways to hold the parts of a gang to domains."""

    def __init__(self, placer: Placer, most: Amounts) -> None:
        """`most` is what is there per row if everybody goes who may."""
        self._placer = placer
        self._most = most

    def of(
        self, part: Part, within: Mask, bounds: tuple[Requirement, ...], taken: tuple[_Taken, ...]
    ) -> Iterator[tuple[Runs, tuple[_Taken, ...]]]:
        """Its runs, held to nodes that meet the bounds and are close, and what has been taken then."""
        total = self._total(part)
        if total is None:
            return
        for nodes, more in self._domains(part, within):
            if not self._could_hold(_Taken(nodes, total), taken):
                continue
            held = (*bounds, *more)
            runs = tuple((_held(shape, held), count) for shape, count in part.runs)
            mine = taken if part.parts else (*taken, _Taken(nodes, total))
            for inner, after in islice(self._of_all(part.parts, nodes, held, mine), _MOST_WAYS):
                yield (*inner, *runs), after

    def _of_all(
        self, parts: Sequence[Part], within: Mask, bounds: tuple[Requirement, ...], taken: tuple[_Taken, ...]
    ) -> Iterator[tuple[Runs, tuple[_Taken, ...]]]:
        if not parts:
            yield (), taken
            return
        for first, mine in self.of(parts[0], within, bounds, taken):
            for others, after in self._of_all(parts[1:], within, bounds, mine):
                yield (*first, *others), after

    def _domains(self, part: Part, within: Mask) -> Iterator[tuple[Mask, tuple[Requirement, ...]]]:
        """The nodes of each domain to try, and what tells them from others."""
        draft = self._placer.draft
        close = Closeness.of(draft, part, within)
        if close is None:
            yield within, ()
            return
        assert part.topology is not None, "somebody is to be close, and nobody says how"
        levels = part.topology.levels
        there = tuple(Requirement(level, "Exists") for level in levels)
        copies = Copies(self._placer, part, now=False)
        for depth in close.depths:
            ids = close.tables[depth]
            for number in copies.emptiest(ids, close.inside):
                nodes = close.inside & (ids == number)
                labels = draft.nodes.at(int(nodes.argmax())).labels
                named = tuple(Requirement(level, "In", (labels[level],)) for level in levels[: depth + 1])
                yield nodes, (*named, *there[depth + 1 :])
        if not close.required:
            yield close.inside, there

    def _total(self, part: Part) -> Amounts | None:
        """All that it asks for, by column; None: for something that is nowhere."""
        nodes = self._placer.draft.nodes
        amounts = [(nodes.amounts(shape.request), count) for shape, count in runs_in(part)]
        total = np.zeros(self._most.shape[1], np.int64)
        for each, count in amounts:
            if each is None:
                return None
            total += each * count
        return total

    def _could_hold(self, new: _Taken, taken: Sequence[_Taken]) -> bool:
        """Whether some nodes could hold a part with all others that were given no other nodes than those."""
        total = new.total.copy()
        for other in taken:
            if not (other.nodes & ~new.nodes).any():
                total += other.total
        return bool((total <= self._most[new.nodes].sum(axis=0)).all())


def _held(shape: TaskShape, bounds: tuple[Requirement, ...]) -> TaskShape:
    """The same shape, on nodes that meet these bounds only."""
    if not bounds:
        return shape
    signature = shape.signature
    terms = signature.node_terms or (NodeTerm(),)
    held = tuple(NodeTerm((*term.labels, *bounds), term.fields) for term in terms)
    return replace(shape, signature=replace(signature, node_terms=held))
