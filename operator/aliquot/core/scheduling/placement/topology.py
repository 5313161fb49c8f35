"""Tasks that are to be close to one another: which sets of nodes to try, tightest first (scheduling.md 2.11).

A topology is a list of node labels from coarse to fine; a *domain* is the nodes with equal values of all labels down to
a level. Nodes that lack one of the labels are in no domain.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.gangs import Part
from aliquot.core.scheduling.state.jobs import Demand
from aliquot.core.scheduling.state.nodes import Amounts, Mask
from aliquot.core.scheduling.state.shapes import Runs, TaskShape

_ANY: Final = 1 << 32
"""More tasks than there can be."""


def place(placer: Placer, demand: Demand, *, now: bool, rather: Sequence[int] = ()) -> list[Spot] | None:
    """Take room for all tasks of a demand, or none. Returns where each goes, in order; None when they do not all fit.

    Tasks go to the rows `rather`, as far as they fit there and nothing says how close they are to be.
    """
    if demand.part is None:
        return placer.place(demand.runs, now=now, rather=rather)
    return _Places(placer, now).part(demand.part, np.ones(len(placer.draft.nodes.usable), np.bool_), ())


class _Places:
    """Puts parts of a gang into a draft."""

    def __init__(self, placer: Placer, now: bool) -> None:
        self._placer = placer
        self._now = now

    def part(self, part: Part, within: Mask, order: tuple[Mask, ...]) -> list[Spot] | None:
        """Take room for all of it among some nodes; domains in `order`, if there are any, are filled one by one."""
        for nodes, steered in self._candidates(part, within, order):
            mark = self._placer.draft.checkpoint()
            spots = self._all(part, nodes, steered)
            if spots is not None:
                return spots
            self._placer.draft.rollback(mark)
        return None

    def _all(self, part: Part, nodes: Mask, order: tuple[Mask, ...]) -> list[Spot] | None:
        spots: list[Spot] = []
        for inner in part.parts:
            placed = self.part(inner, nodes, order)
            if placed is None:
                return None
            spots += placed
        for shape, count in part.runs:
            placed = self._run(shape, count, nodes, order)
            if placed is None:
                return None
            spots += placed
        return spots

    def _run(self, shape: TaskShape, count: int, nodes: Mask, order: tuple[Mask, ...]) -> list[Spot] | None:
        if not order:
            return self._placer.run(shape, count, now=self._now, within=nodes)
        spots: list[Spot] = []
        for domain in order:
            while len(spots) < count:
                most = min(count - len(spots), self._room(shape, count, domain & nodes))
                placed = self._placer.run(shape, most, now=self._now, within=domain & nodes) if most else None
                if placed is None:
                    break
                spots += placed
        return spots if len(spots) == count else None

    def _room(self, shape: TaskShape, most: int, nodes: Mask) -> int:
        return int(self._placer.ranking(shape, now=self._now).capacity(most)[nodes].sum())

    # Which nodes

    def _candidates(self, part: Part, within: Mask, order: tuple[Mask, ...]) -> Iterator[tuple[Mask, tuple[Mask, ...]]]:
        """Sets of nodes to try, and the domains to fill one after the other in them."""
        topology = part.topology
        if topology is None or (topology.required is None and topology.preferred is None):
            yield within, order
            return
        levels = topology.levels
        tables = self._placer.draft.nodes.domains_within(levels)
        required = -1 if topology.required is None else levels.index(topology.required)
        finest = required if topology.preferred is None else max(required, levels.index(topology.preferred))
        inside = within & (tables[-1] >= 0)
        if required >= 0 and part.anchors:
            inside &= with_anchors(self._placer.draft, tables[required], part.anchors)
        copies = self._copies(part)
        for level in range(finest, max(required, 0) - 1, -1):
            steered = tables[finest] if level < finest else None
            for nodes in self._fitting(copies, tables[level], inside):
                yield nodes, self._emptiest(copies, steered, nodes)
        if required < 0:
            yield inside, self._emptiest(copies, tables[finest], inside)

    def _copies(self, part: Part) -> list[tuple[int, Amounts]]:
        """Per run in it: how many tasks, and for how many there is room on each node."""
        return [(count, self._placer.ranking(shape, now=self._now).capacity(_ANY)) for shape, count in _runs(part)]

    def _fitting(self, copies: list[tuple[int, Amounts]], ids: npt.NDArray[np.int64], inside: Mask) -> Iterator[Mask]:
        """The domains in which every run fits by itself, the fullest first."""
        there = ids[inside]
        if not len(there):
            return
        sums = [np.bincount(there, room[inside], int(there.max()) + 1) for _, room in copies]
        fits = np.flatnonzero(np.bincount(there) > 0)
        for (count, _), room in zip(copies, sums, strict=True):
            fits = fits[room[fits] >= count]
        tightness = np.zeros(len(sums[0]) if sums else 0)
        for (count, _), room in zip(copies, sums, strict=True):
            tightness += room / count
        for number in sorted(fits.tolist(), key=lambda number: (float(tightness[number]), number)):
            yield inside & (ids == number)

    def _emptiest(
        self, copies: list[tuple[int, Amounts]], ids: npt.NDArray[np.int64] | None, inside: Mask
    ) -> tuple[Mask, ...]:
        """The finest domains among some nodes, those with most room first: so few of them are used."""
        if ids is None or not inside.any():
            return ()
        there = ids[inside]
        room = np.zeros(int(there.max()) + 1)
        for count, each in copies:
            room += np.bincount(there, each[inside], len(room)) / count
        numbers = sorted(set(there.tolist()), key=lambda number: (-float(room[number]), number))
        return tuple(ids == number for number in numbers)


def _runs(part: Part) -> Runs:
    return (*(run for inner in part.parts for run in _runs(inner)), *part.runs)


def with_anchors(draft: Draft, ids: Amounts, anchors: Iterable[str]) -> Mask:
    """Per row, whether it is in the domain of one of these nodes; `ids` are the domains."""
    row = draft.nodes.row
    return np.isin(ids, [ids[row[name]] for name in anchors if name in row])
