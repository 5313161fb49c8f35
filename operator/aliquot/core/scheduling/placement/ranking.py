"""Where tasks of one shape fit in a draft, best node first.

Bin packing: the node with the least of what the task needs most (free GPUs for tasks with GPUs, free CPU for the
others) goes first; tasks without GPUs stay off nodes that have some while they can; names decide ties
(cluster-api.md 5.6, scheduling.md 2.4).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.jobs import TaskShape
from aliquot.core.scheduling.state.nodes import Amounts

_NONE: Final = np.iinfo(np.int64).max
_NAME_BITS: Final = 20
"""Room for the order of names in a score: a million nodes in a pool."""
_HAS_GPUS: Final = 1 << 62
_MOST_SCORE: Final = (1 << 62 - _NAME_BITS) - 1


class Ranking:
    """Scores of all nodes for tasks of one shape; follows the changes of its draft.

    A node's score is smaller the better it is; where the task does not fit, it is the largest int64.
    """

    def __init__(self, draft: Draft, shape: TaskShape, *, now: bool) -> None:
        self._draft = draft
        self._now = now
        self._request = shape.request.as_tuple()
        self._asked = [(axis, value) for axis, value in enumerate(self._request) if value > 0]
        self._main = 0 if self._request[0] > 0 else 1
        nodes = draft.nodes
        self._rank = nodes.rank()
        assert len(self._rank) < 1 << _NAME_BITS, "more nodes in a pool than a score has room for"
        self._allowed = nodes.matching(shape.signature) & nodes.usable
        self._penalty = np.zeros(len(self._rank), np.int64)
        if self._main == 1:
            self._penalty[nodes.allocatable[:, 0] > 0] = _HAS_GPUS
        self._seen = len(draft.touched)
        self._scores: Amounts = self._all_scores()

    def best(self) -> int | None:
        """The row to put the next task on; None when it fits nowhere."""
        self._follow()
        if not len(self._scores):
            return None
        row = int(self._scores.argmin())
        return None if self._scores[row] == _NONE else row

    def fits(self, row: int) -> bool:
        """Whether one more fits on the node."""
        self._follow()
        return bool(self._scores[row] != _NONE)

    def spread(self, count: int) -> list[tuple[int, int]] | None:
        """Rows and how many tasks to put on each, best first, for so many tasks; None when they do not all fit."""
        self._follow()
        rows = np.flatnonzero(self._scores != _NONE)
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
        """Whether so many tasks fit, all together."""
        self._follow()
        rows = np.flatnonzero(self._scores != _NONE)
        return int(self._how_many(rows, count).sum()) >= count

    def _how_many(self, rows: npt.NDArray[np.intp], most: int) -> Amounts:
        numbers = np.full(len(rows), most, np.int64)
        for axis, value in self._asked:
            np.minimum(numbers, self._available(axis)[rows] // value, out=numbers)
        return numbers

    def _available(self, axis: int) -> Amounts:
        future = self._draft.future[:, axis]
        return np.minimum(self._draft.free[:, axis], future) if self._now else future

    def _all_scores(self) -> Amounts:
        fits = self._allowed.copy()
        for axis, value in self._asked:
            fits &= self._available(axis) >= value
        left = np.clip(self._available(self._main), 0, _MOST_SCORE)
        return np.where(fits, (left << _NAME_BITS) + self._rank + self._penalty, _NONE)

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
        return (left << _NAME_BITS) + int(self._rank[row]) + int(self._penalty[row])


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
    ) -> list[int] | None:
        """Take room for all tasks, or none. Returns the row of each in order; None when they do not all fit.

        Tasks go to the rows `rather`, as far as they fit there.
        """
        mark = self.draft.checkpoint()
        rows: list[int] = []
        for shape, count in [(shape, 1) for shape, many in runs for _ in range(many)] if rather else runs:
            ranking = self.ranking(shape, now=now)
            if count == 1:
                row = next((row for row in rather if ranking.fits(row)), None)
                row = ranking.best() if row is None else row
                spread = None if row is None else [(row, 1)]
            else:
                spread = ranking.spread(count)
            if spread is None:
                self.draft.rollback(mark)
                return None
            for row, number in spread:
                self.draft.take(row, shape.request, number, now=now)
                rows.extend([row] * number)
        return rows

    def might_fit(self, runs: tuple[tuple[TaskShape, int], ...]) -> bool:
        """Whether each run by itself fits into the room to come: necessary for `place`, and cheap."""
        return all(self.ranking(shape, now=False).room(count) for shape, count in runs)
