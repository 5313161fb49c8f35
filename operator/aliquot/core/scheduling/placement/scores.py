"""Where tasks of one shape fit in a draft, best node first.

What decides, first difference first (scheduling.md 2.4, 2.5; cluster-api.md 5.6):

1. those whom it would rather be near to, or far from; then the labels of nodes that it would rather have
2. parts of devices: the fewest devices newly opened. Tasks without GPUs: off nodes that have some
3. packing: the node with the least of what the task needs most (free GPUs for tasks with GPUs, MIG devices of its
   profile, free CPU for the others). Spreading: the node with the largest part of it free
4. names
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from aliquot.core.quantities import AXES, Request
from aliquot.core.scheduling.placement.neighbours import Neighbours
from aliquot.core.scheduling.state.devices import roomy
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.nodes import Amounts, Mask
from aliquot.core.scheduling.state.shapes import TaskShape

_PODS: Final = AXES.index("pods")
_NONE: Final = np.iinfo(np.int64).max
_NAME_BITS: Final = 20
"""Room for the order of names in a score: a million nodes in a pool."""
_LEVEL: Final = 1 << 56
"""Worse than any packing: for tasks without GPUs a node that has some, for parts each device newly opened."""
_MOST_LEVELS: Final = 62
_MOST_SCORE: Final = (1 << 56 - _NAME_BITS) - 1
_PARTS_OF_ALL: Final = float(1 << 30)
"""How finely the part of a node that is free is told apart."""
_WEIGHT_BITS: Final = 20
"""Room for the weights of preferred node terms below those of pod affinity."""


class Ranking:
    """Scores of all nodes for tasks of one shape; follows the changes of its draft.

    A node's score is smaller the better it is; where the task does not fit, it is the largest int64. Wishes are kept
    apart and count first: the larger the better.
    """

    def __init__(self, draft: Draft, shape: TaskShape, *, now: bool) -> None:
        self._draft = draft
        self._now = now
        self._part = shape.request.part
        self._pods = shape.request.base.pods
        amounts = draft.amounts(shape.request)
        self._asked = (
            [] if amounts is None else [(axis, value) for axis, value in enumerate(amounts.tolist()) if value > 0]
        )
        nodes = draft.nodes
        self._main = _main_axis(draft, shape.request)
        settings = draft.settings
        self._spreads = (settings.gpu_placement if shape.request.wants_gpu else settings.cpu_placement) == "spread"
        self._rank = nodes.rank()
        assert len(self._rank) < 1 << _NAME_BITS, "more nodes in a pool than a score has room for"
        self._suitable: Mask = nodes.matching(shape.signature) & nodes.usable
        if amounts is None:
            self._suitable = np.zeros_like(self._suitable)
        self._allowed = self._suitable
        self._penalty = np.zeros(len(self._rank), np.int64)
        if not shape.request.wants_gpu:
            self._penalty[nodes.with_gpus()] = _LEVEL
        self._node_wishes = nodes.weights(shape.preferred) if shape.preferred else None
        self._wishes = self._node_wishes
        self._company = shape.company
        self._neighbours = None if shape.company is None else Neighbours(draft, shape.company, now=now)
        self._depends_on_equals = shape.company is not None and shape.company.demands
        self._wants_company = shape.company is not None and bool(shape.company.wishes)
        self._look_around()
        self._seen = len(draft.touched)
        self._rooms: dict[int, bool] = {}
        self._startable: bool | None = None
        self._scores: Amounts = self._all_scores()

    def best(self, within: Mask | None = None) -> int | None:
        """The row to put the next task on, among some; None when it fits nowhere."""
        self._follow()
        if not len(self._scores):
            return None
        scores = self._scores if within is None else np.where(within, self._scores, _NONE)
        if self._wishes is None:
            row = int(scores.argmin())
            return None if scores[row] == _NONE else row
        rows = np.flatnonzero(scores != _NONE)
        if not len(rows):
            return None
        wishes = self._wishes[rows]
        rows = rows[wishes == wishes.max()]
        return int(rows[self._scores[rows].argmin()])

    def fits(self, row: int) -> bool:
        """Whether one more fits on the node."""
        self._follow()
        return bool(self._scores[row] != _NONE)

    def capacity(self, most: int) -> Amounts:
        """Per row, how many of the tasks fit there, up to so many; never too few."""
        self._follow()
        rows = np.flatnonzero(self._scores != _NONE)
        capacity = np.zeros(len(self._scores), np.int64)
        capacity[rows] = self._how_many(rows, most)
        return capacity

    def spread(self, count: int, within: Mask | None = None) -> list[tuple[int, int]] | None:
        """Rows and how many tasks to put on each, best first, for so many tasks; None when they do not all fit.

        Only where `independent`: else each changes the order for the next.
        """
        self._follow()
        fits = self._scores != _NONE
        rows = np.flatnonzero(fits if within is None else fits & within)
        rows = rows[self._order(rows)]
        each = self._how_many(rows, count)
        upto = each.cumsum()
        if not len(rows) or upto[-1] < count:
            return None
        last = int(upto.searchsorted(count))
        numbers: list[int] = each[: last + 1].tolist()
        numbers[last] = count - (int(upto[last - 1]) if last else 0)
        return list(zip(rows[: last + 1].tolist(), numbers, strict=True))

    def begins(self, count: int) -> list[int]:
        """Rows where the first of so many tasks may begin that must be near to one another, best first: one per place.

        Only places that have room for all of them, as far as can be told from each node by itself.
        """
        self._follow()
        company = self._company
        rows = np.flatnonzero(self._scores != _NONE)
        if company is None or not len(rows):
            return []
        rows = rows[self._order(rows)]
        each = self._how_many(rows, count)
        for term in company.near_required:
            domains = self._draft.nodes.domains(term.topology_key)[rows]
            if company.meets(term):
                room = np.bincount(domains, each, int(domains.max()) + 1)
                rows, each = rows[room[domains] >= count], each[room[domains] >= count]
        found: dict[tuple[int, ...], int] = {}
        keys = [self._draft.nodes.domains(term.topology_key) for term in company.near_required]
        for row in rows.tolist():
            found.setdefault(tuple(int(domains[row]) for domains in keys), row)
        return list(found.values())

    def room(self, count: int) -> bool:
        """Whether so many tasks fit, all together; never false when they do, or may when others have been placed."""
        self._follow()
        answer = self._rooms.get(count)
        if answer is None:
            answer = self._rooms[count] = self._has_room(count)
        return answer

    def startable(self) -> bool:
        """Whether one could start at once if nothing were promised to anybody; never false when it could."""
        self._follow()
        if self._startable is None:
            fits = self._suitable.copy()
            for axis, value in self._asked:
                fits &= self._draft.free[:, axis] >= value
            self._startable = bool(fits.any())
        return self._startable

    def _has_room(self, count: int) -> bool:
        if self._neighbours is not None:
            rows = np.flatnonzero(self._fitting(self._suitable & self._neighbours.apart()))
        elif self._part is None and count == 1:
            return bool(self._scores.min(initial=_NONE) != _NONE)
        else:
            rows = np.flatnonzero(self._scores != _NONE)
        if self._part is None:
            return int(self._how_many(rows, count).sum()) >= count
        lacking = count
        for row in rows.tolist():
            lacking -= self._parts(row)
            if lacking <= 0:
                return True
        return lacking <= 0

    def _order(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """What sorts the rows, best first."""
        if self._wishes is None:
            return np.argsort(self._scores[rows])
        return np.lexsort((self._scores[rows], -self._wishes[rows]))

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
        shared, closed = self._draft.shared_on(row), self._draft.nodes.at(row).closed
        taken = (
            max(held) if self._now else held.later
            for device, held in shared.items()
            if held.later > 0 and device not in closed
        )
        return (
            sum((units - used) // need for used in taken)
            + self._draft.whole_devices(row, now=self._now) * (units // need)
        ) // (self._part.devices)

    def _available(self, axis: int) -> Amounts:
        future = self._draft.future[:, axis]
        return np.minimum(self._draft.free[:, axis], future) if self._now else future

    def _fitting(self, allowed: Mask) -> Mask:
        fits = allowed.copy()
        for axis, value in self._asked:
            fits &= self._available(axis) >= value
        return fits

    def _all_scores(self) -> Amounts:
        fits = self._fitting(self._allowed)
        left = np.clip(self._available(self._main), 0, _MOST_SCORE)
        if self._spreads:
            all_ = np.maximum(self._draft.nodes.allocatable[:, self._main], 1)
            left = ((1.0 - np.minimum(left / all_, 1.0)) * _PARTS_OF_ALL).astype(np.int64)
        scores = np.where(fits, (left << _NAME_BITS) + self._rank + self._penalty, _NONE)
        if self._part is not None:
            for row in np.flatnonzero(fits).tolist():
                scores[row] = self._with_part(row, int(scores[row]))
        return scores

    def _look_around(self) -> bool:
        """Whether affinity allows other nodes than before, or wishes differ."""
        around = self._neighbours
        if around is None or not around.changed():
            return False
        self._allowed = self._suitable & around.apart() & around.together()
        if self._wants_company:
            wishes = around.wishes() << _WEIGHT_BITS
            self._wishes = wishes if self._node_wishes is None else wishes + self._node_wishes
        return True

    def _follow(self) -> None:
        touched = self._draft.touched
        behind = len(touched) - self._seen
        if not behind:
            return
        self._rooms.clear()
        self._startable = None
        if self._look_around() or behind > 8:
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
        if self._spreads:
            all_ = max(int(self._draft.nodes.allocatable[row, self._main]), 1)
            left = int((1.0 - min(left / all_, 1.0)) * _PARTS_OF_ALL)
        return self._with_part(row, (left << _NAME_BITS) + int(self._rank[row]) + int(self._penalty[row]))

    def _with_part(self, row: int, score: int) -> int:
        """The score, with regard to the devices: those that are shared already are filled before another is opened."""
        part = self._part
        if part is None:
            return score
        units = int(self._draft.nodes.units[row])
        if part.need(units) > units:
            return _NONE
        closed = self._draft.nodes.at(row).closed
        open_already = len(roomy(self._draft.shared_on(row), part, units, now=self._now, closed=closed))
        lacking = max(0, part.devices - open_already)
        if self._draft.whole_devices(row, now=self._now) < lacking:
            return _NONE
        if lacking and int(self._room_for_pods(row)) < self._pods + lacking:
            return _NONE
        return score if self._spreads else score + _LEVEL * min(lacking, _MOST_LEVELS)

    def _room_for_pods(self, row: int) -> int:
        later = self._draft.future[row, _PODS]
        return min(later, self._draft.free[row, _PODS]) if self._now else later

    @property
    def independent(self) -> bool:
        """Whether where one is placed changes nothing for the next, but for the room that it takes."""
        return not (self._spreads or self._part is not None or self._depends_on_equals)


def _main_axis(draft: Draft, request: Request) -> int:
    """The column of what the task needs most."""
    if request.base.gpu_percent or request.part is not None:
        return 0
    columns = draft.nodes.columns
    return next((columns[name] for name, _ in request.mig if name in columns), 0 if request.wants_gpu else 1)
