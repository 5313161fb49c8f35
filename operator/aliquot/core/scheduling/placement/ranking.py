"""Where tasks of one shape fit in a draft, best node first.

Bin packing: the node with the least of what the task needs most (free GPUs for tasks with GPUs, free CPU for the
others) goes first; tasks without GPUs stay off nodes that have some while they can; names decide ties
(cluster-api.md 5.6, scheduling.md 2.4).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from aliquot.core.quantities import PERCENT_PER_DEVICE
from aliquot.core.scheduling.state.devices import roomy
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.nodes import Amounts, Mask
from aliquot.core.scheduling.state.shapes import TaskShape

_NONE: Final = np.iinfo(np.int64).max
_NAME_BITS: Final = 20
"""Room for the order of names in a score: a million nodes in a pool."""
_LAST: Final = 1 << 62
"""Nodes with GPUs, for tasks without; nodes without a shared device that has room, for parts of devices."""
_MOST_SCORE: Final = (1 << 62 - _NAME_BITS) - 1


class Ranking:
    """Scores of all nodes for tasks of one shape; follows the changes of its draft.

    A node's score is smaller the better it is; where the task does not fit, it is the largest int64.
    """

    def __init__(self, draft: Draft, shape: TaskShape, *, now: bool) -> None:
        self._draft = draft
        self._now = now
        self._part = shape.request.part
        amounts = draft.nodes.amounts(shape.request)
        self._asked = (
            [] if amounts is None else [(axis, value) for axis, value in enumerate(amounts.tolist()) if value > 0]
        )
        self._main = 0 if shape.request.wants_gpu else 1
        nodes = draft.nodes
        self._rank = nodes.rank()
        assert len(self._rank) < 1 << _NAME_BITS, "more nodes in a pool than a score has room for"
        self._allowed = nodes.matching(shape.signature) & nodes.usable
        if amounts is None:
            self._allowed = np.zeros_like(self._allowed)
        self._penalty = np.zeros(len(self._rank), np.int64)
        if self._main == 1:
            self._penalty[nodes.allocatable[:, 0] > 0] = _LAST
        self._seen = len(draft.touched)
        self._scores: Amounts = self._all_scores()

    def best(self, within: Mask | None = None) -> int | None:
        """The row to put the next task on, among some; None when it fits nowhere."""
        self._follow()
        if not len(self._scores):
            return None
        scores = self._scores if within is None else np.where(within, self._scores, _NONE)
        row = int(scores.argmin())
        return None if scores[row] == _NONE else row

    def capacity(self, most: int) -> Amounts:
        """Per row, how many of the tasks fit there, up to so many; never too few."""
        self._follow()
        rows = np.flatnonzero(self._scores != _NONE)
        capacity = np.zeros(len(self._scores), np.int64)
        capacity[rows] = self._how_many(rows, most)
        return capacity

    def fits(self, row: int) -> bool:
        """Whether one more fits on the node."""
        self._follow()
        return bool(self._scores[row] != _NONE)

    def spread(self, count: int, within: Mask | None = None) -> list[tuple[int, int]] | None:
        """Rows and how many tasks to put on each, best first, for so many tasks; None when they do not all fit.

        Not for parts of devices: each changes the order for the next.
        """
        self._follow()
        fits = self._scores != _NONE
        rows = np.flatnonzero(fits if within is None else fits & within)
        rows = rows[np.argsort(self._scores[rows])]
        each = self._how_many(rows, count)
        upto = each.cumsum()
        if not len(rows) or upto[-1] < count:
            return None
        last = int(upto.searchsorted(count))
        numbers: list[int] = each[: last + 1].tolist()
        numbers[last] = count - (int(upto[last - 1]) if last else 0)
        return list(zip(rows[: last + 1].tolist(), numbers, strict=True))

    def room(self, count: int) -> bool:
        """Whether so many tasks fit, all together; never false when they do."""
        self._follow()
        rows = np.flatnonzero(self._scores != _NONE)
        return int(self._how_many(rows, count).sum()) >= count

    def _how_many(self, rows: npt.NDArray[np.intp], most: int) -> Amounts:
        numbers = np.full(len(rows), most, np.int64)
        for axis, value in self._asked:
            np.minimum(numbers, self._available(axis)[rows] // value, out=numbers)
        if self._part is not None:
            for at, row in enumerate(rows.tolist()):
                numbers[at] = min(int(numbers[at]), self._parts(row))
        return numbers

    def _parts(self, row: int) -> int:
        """How many such parts there is room for on a node, where each task could use one device for several of them."""
        assert self._part is not None
        units = int(self._draft.nodes.units[row])
        need = self._part.need(units)
        shared = self._draft.shared_on(row)
        taken = (max(held) if self._now else held.later for held in shared.values() if held.later > 0)
        return (sum((units - used) // need for used in taken) + self._whole(row) * (units // need)) // (
            self._part.devices
        )

    def _whole(self, row: int) -> int:
        """Whole devices that are free on a node."""
        return max(0, int(self._available(0)[row])) // PERCENT_PER_DEVICE

    def _available(self, axis: int) -> Amounts:
        future = self._draft.future[:, axis]
        return np.minimum(self._draft.free[:, axis], future) if self._now else future

    def _all_scores(self) -> Amounts:
        fits = self._allowed.copy()
        for axis, value in self._asked:
            fits &= self._available(axis) >= value
        left = np.clip(self._available(self._main), 0, _MOST_SCORE)
        scores = np.where(fits, (left << _NAME_BITS) + self._rank + self._penalty, _NONE)
        if self._part is not None:
            for row in np.flatnonzero(fits).tolist():
                scores[row] = self._with_part(row, int(scores[row]))
        return scores

    def _follow(self) -> None:
        touched = self._draft.touched
        behind = len(touched) - self._seen
        if not behind:
            return
        if behind > 8:
            self._scores = self._all_scores()
        else:
            for row in touched[self._seen :]:
                self._scores[row] = self._score(row)
        self._seen = len(touched)

    def _score(self, row: int) -> int:
        if not self._allowed[row]:
            return _NONE
        room: list[int] = self._draft.future[row].tolist()
        if self._now:
            room = [min(pair) for pair in zip(room, self._draft.free[row].tolist(), strict=True)]
        for axis, value in self._asked:
            if room[axis] < value:
                return _NONE
        left = min(max(room[self._main], 0), _MOST_SCORE)
        return self._with_part(row, (left << _NAME_BITS) + int(self._rank[row]) + int(self._penalty[row]))

    def _with_part(self, row: int, score: int) -> int:
        """The score, with regard to the devices: those that are shared already are filled before another is opened."""
        part = self._part
        if part is None:
            return score
        units = int(self._draft.nodes.units[row])
        if part.need(units) > units:
            return _NONE
        open_already = len(roomy(self._draft.shared_on(row), part, units, now=self._now))
        if open_already + self._whole(row) < part.devices:
            return _NONE
        return score if open_already else score | _LAST


class Placer:
    """Puts demands into a draft; keeps the rankings that it made."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._rankings: dict[tuple[TaskShape, bool], Ranking] = {}

    def ranking(self, shape: TaskShape, *, now: bool) -> Ranking:
        """The ranking for a shape."""
        ranking = self._rankings.get((shape, now))
        if ranking is None:
            ranking = self._rankings[shape, now] = Ranking(self.draft, shape, now=now)
        return ranking

    def place(
        self, runs: tuple[tuple[TaskShape, int], ...], *, now: bool, rather: Sequence[int] = ()
    ) -> list[Spot] | None:
        """Take room for all tasks, or none. Returns where each goes, in order; None when they do not all fit.

        Tasks go to the rows `rather`, as far as they fit there.
        """
        mark = self.draft.checkpoint()
        spots: list[Spot] = []
        for shape, count in runs:
            placed = self.run(shape, count, now=now, rather=rather)
            if placed is None:
                self.draft.rollback(mark)
                return None
            spots += placed
        return spots

    def run(
        self, shape: TaskShape, count: int, *, now: bool, rather: Sequence[int] = (), within: Mask | None = None
    ) -> list[Spot] | None:
        """Take room for equal tasks, on some nodes only; what was taken stays so when they do not all fit."""
        ranking = self.ranking(shape, now=now)
        if count > 1 and not rather and shape.request.part is None:
            spread = ranking.spread(count, within)
            if spread is None:
                return None
            return [spot for row, many in spread for spot in self.draft.take_many(row, shape.request, many, now=now)]
        spots: list[Spot] = []
        for _ in range(count):
            row = next((row for row in rather if ranking.fits(row)), None)
            row = ranking.best(within) if row is None else row
            if row is None:
                return None
            spots.append(self.draft.take(row, shape.request, now=now))
        return spots

    def might_fit(self, runs: tuple[tuple[TaskShape, int], ...]) -> bool:
        """Whether each run by itself fits into the room to come: necessary for `place`, and cheap."""
        return all(self.ranking(shape, now=False).room(count) for shape, count in runs)
