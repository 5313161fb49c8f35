"""Tasks that are to be close to one another: which sets of nodes to try, tightest first (scheduling.md 2.11).

A topology is a list of node labels from coarse to fine; a *domain* is the nodes with equal values of all labels down to
a level. Nodes that lack one of the labels are in no domain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
_MOST_RETRIES: Final = 64
"""So often the parts of a gang that come first are put elsewhere, where there is no room left for those that follow."""


def place(placer: Placer, demand: Demand, *, now: bool, rather: Sequence[int] = ()) -> list[Spot] | None:
    """Take room for all tasks of a demand, or none. Returns where each goes, in order; None when they do not all fit.

    Tasks go to the rows `rather`, as far as they fit there and nothing says how close they are to be.
    """
    if demand.part is None:
        return placer.place(demand.runs, now=now, rather=rather)
    everywhere = np.ones(len(placer.draft.nodes.usable), np.bool_)
    return next(_Places(placer, now).ways(demand.part, everywhere, ()), None)


class _Places:
    """Puts parts of a gang into a draft, in one way after the other: the draft has the one that was yielded last."""

    def __init__(self, placer: Placer, now: bool) -> None:
        self._placer = placer
        self._now = now
        self._retries = 0

    def ways(self, part: Part, within: Mask, order: tuple[Mask, ...]) -> Iterator[list[Spot]]:
        """Take room for all of it among some nodes; domains in `order`, if there are any, are filled one by one."""
        for nodes, steered in self._candidates(part, within, order):
            yield from self._together(part.parts, part.runs, nodes, steered)

    def _together(
        self, parts: Sequence[Part], runs: Runs, nodes: Mask, order: tuple[Mask, ...]
    ) -> Iterator[list[Spot]]:
        """The same for parts of one part, and its own tasks after them."""
        if not parts:
            mark = self._placer.draft.checkpoint()
            spots = self._runs(runs, nodes, order)
            if spots is not None:
                yield spots
            self._placer.draft.rollback(mark)
            return
        for first in self.ways(parts[0], nodes, order):
            for others in self._together(parts[1:], runs, nodes, order):
                yield [*first, *others]
            self._retries += 1
            if self._retries > _MOST_RETRIES:
                return

    def _runs(self, runs: Runs, nodes: Mask, order: tuple[Mask, ...]) -> list[Spot] | None:
        spots: list[Spot] = []
        for shape, count in runs:
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
        close = Closeness.of(self._placer.draft, part, within)
        if close is None:
            yield within, order
            return
        if not close.depths:
            return
        copies = Copies(self._placer, part, now=self._now)
        finest = close.tables[close.depths[0]]
        for depth in close.depths:
            ids = close.tables[depth]
            for number in copies.tightest(ids, close.inside):
                nodes = close.inside & (ids == number)
                yield nodes, () if ids is finest else _emptiest(copies, finest, nodes)
        if not close.required:
            yield close.inside, _emptiest(copies, finest, close.inside)


def _emptiest(copies: "Copies", ids: Amounts, inside: Mask) -> tuple[Mask, ...]:
    """The finest domains among some nodes, those with most room first: so few of them are used."""
    return tuple(ids == number for number in copies.emptiest(ids, inside))


@dataclass(frozen=True, slots=True)
class Closeness:
    """The domains in one of which a part is to be.

    Attributes:
        tables: per level, from coarse to fine, the number of each row's domain; -1 for those in none.
        depths: the levels to try, the tightest first.
        required: whether it has to be in a domain of one of them; else anywhere inside will do at last.
        inside: the rows that are in domains at all; where that is required, in those where others of it are.
    """

    tables: Sequence[Amounts]
    depths: range
    required: bool
    inside: Mask

    @staticmethod
    def of(draft: Draft, part: Part, within: Mask) -> "Closeness | None":
        """For a part, among some nodes; None where nothing is said of it."""
        topology = part.topology
        if topology is None or (topology.required is None and topology.preferred is None):
            return None
        if topology.missing is not None:  # whoever runs already in a topology that is gone has no other place
            return Closeness((), range(0), required=True, inside=np.zeros_like(within))
        levels = topology.levels
        tables = draft.nodes.domains_within(levels)
        required = -1 if topology.required is None else levels.index(topology.required)
        finest = required if topology.preferred is None else max(required, levels.index(topology.preferred))
        inside = within & (tables[-1] >= 0)
        if required >= 0 and part.anchors:
            ids, row = tables[required], draft.nodes.row
            inside &= np.isin(ids, [ids[row[name]] for name in part.anchors if name in row])
        return Closeness(tables, range(finest, max(required, 0) - 1, -1), required >= 0, inside)


class Copies:
    """How often each run of a part fits on each node."""

    def __init__(self, placer: Placer, part: Part, *, now: bool) -> None:
        self._runs = [(count, placer.ranking(shape, now=now).capacity(_ANY)) for shape, count in runs_in(part)]

    def tightest(self, ids: Amounts, inside: Mask) -> list[int]:
        """The domains in which every run fits by itself, the fullest first."""
        numbers, rooms = self._rooms(ids, inside)
        fits = numbers[(rooms[:, numbers] >= 1).all(axis=0)]
        return _in_order(fits, rooms.sum(axis=0))

    def emptiest(self, ids: Amounts, inside: Mask) -> list[int]:
        """All domains, those with most room first."""
        numbers, rooms = self._rooms(ids, inside)
        return _in_order(numbers, -rooms.sum(axis=0))

    def roomiest(self, ids: Amounts, inside: Mask) -> tuple[int, int, int]:
        """The domain that holds most of the tasks, how many domains there are, and how many it holds, run by run."""
        numbers, rooms = self._rooms(ids, inside)
        if not len(numbers):
            return -1, 0, 0
        counts = np.array([count for count, _ in self._runs])
        held = np.minimum(np.rint(rooms * counts[:, None]), counts[:, None]).sum(axis=0)[numbers]
        best = int(held.argmax())
        return int(numbers[best]), len(numbers), int(held[best])

    def _rooms(self, ids: Amounts, inside: Mask) -> tuple[Amounts, npt.NDArray[np.float64]]:
        """The domains of some nodes, and how often each run fits into each."""
        there = ids[inside]
        rooms = np.zeros((len(self._runs), int(there.max(initial=-1)) + 1))
        for room, (count, each) in zip(rooms, self._runs, strict=True):
            room[:] = np.bincount(there, each[inside], len(room)) / count
        return np.unique(there), rooms


def _in_order(numbers: Amounts, rooms: npt.NDArray[np.float64]) -> list[int]:
    """The domains with the smallest number first."""
    return sorted(numbers.tolist(), key=lambda number: (float(rooms[number]), number))


def runs_in(part: Part) -> Runs:
    """The runs of a part, those of its parts included, in the order of the tasks."""
    return (*(run for inner in part.parts for run in runs_in(inner)), *part.runs)
