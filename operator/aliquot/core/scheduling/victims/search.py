"""The search for victims: what to stop so that a whole demand fits, its bounds included; nothing more, or nothing.

First what the waiting job's bounds demand (a queue at its limit has to lose something before it may gain), then node by
node what its tasks lack, at last everything is given back that turned out to be needless. A node is found by going
through the units in order and asking of each node that it touches whether the units seen so far make room there, the
new one with them: so nobody is stopped while somebody with less right to stay would do, and of several on a node the
ones with least right are taken that may go together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from aliquot.core.quantities import AXES, UNLIMITED
from aliquot.core.scheduling.fairness.capacity import over_quota
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.jobs import GroupKey
from aliquot.core.scheduling.state.nodes import Mask
from aliquot.core.scheduling.state.queues import Amount, shares
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.scheduling.victims.rules import Rule
from aliquot.core.scheduling.victims.units import Candidates, Unit

_MOST_TRIES: Final = 512
"""Combinations of units looked at for one node and one new unit. Enough for every combination of nine."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found.

    Attributes:
        units: to stop, in the order of their right to stay, least first.
        spots: where each task of the demand will be.
    """

    units: tuple[Unit, ...]
    spots: list[Spot]


@dataclass(frozen=True, slots=True)
class Bound:
    """What a queue holds too much of for the demand."""

    queue: str
    axis: int
    lacking: int


def search(draft: Draft, placer: Placer, candidates: Candidates, key: GroupKey, rule: Rule) -> Found | None:
    """Find victims for the demand. When found, the draft has them released and the demand's room promised.

    The queues are not charged: that is left to `settle`, so that a rule sees them as they were.
    """
    return _Search(draft, placer, candidates, key, rule).run()


def settle(draft: Draft, candidates: Candidates, key: GroupKey, found: Found) -> None:
    """Charge the queues with what was found."""
    for unit in found.units:
        draft.charge(unit.queue, unit.total, -1, preemptible=True)
        candidates.take(unit)
    draft.charge(key.queue, key.demand.total, 1, preemptible=key.preemptible)


class _Search:
    def __init__(self, draft: Draft, placer: Placer, candidates: Candidates, key: GroupKey, rule: Rule) -> None:
        self.draft = draft
        self.placer = placer
        self.candidates = candidates
        self.key = key
        self.rule = rule
        self.chosen: list[Unit] = []
        self.spots: list[Spot] = []
        self.place: dict[Unit, int] = {}

    def run(self) -> Found | None:
        mark = self.draft.checkpoint()
        bounds = self._bounds()
        if bounds is None or not self._loosen(bounds) or not self._fill():
            self.draft.rollback(mark)
            return None
        self._give_back(bounds)
        return Found(tuple(sorted(self.chosen, key=lambda unit: self.place[unit])), self.spots)

    # 1. Bounds

    def _bounds(self) -> list[Bound] | None:
        """The limits in the way; None when stopping others cannot help."""
        draft, key = self.draft, self.key
        wanted = key.demand.total
        if not key.preemptible and over_quota(draft, key.queue, wanted) is not None:
            return None
        return [
            Bound(level.name, axis, draft.held[level.name][axis] + wanted[axis] - share.limit)
            for level in draft.tree.chain(key.queue)
            for axis, share in enumerate(shares(level))
            if wanted[axis] > 0 and draft.held[level.name][axis] + wanted[axis] > share.limit < UNLIMITED
        ]

    def _loosen(self, bounds: list[Bound]) -> bool:
        """Choose units of the queues whose limit is in the way. Returns whether enough."""
        if not bounds:
            return True

        def useful(unit: Unit) -> bool:
            return any(unit.total[bound.axis] > 0 and self._below(unit.queue, bound.queue) for bound in bounds)

        for unit in self.candidates.in_order(self.rule.queues, useful):
            if self._covers(bounds):
                break
            self.place.setdefault(unit, len(self.place))
            if not self._clashes(unit) and self.rule.allows([*self.chosen, unit]):
                self._stop(unit)
        return self._covers(bounds)

    def _covers(self, bounds: list[Bound], without: Unit | None = None) -> bool:
        return all(
            sum(
                unit.total[bound.axis]
                for unit in self.chosen
                if unit is not without and self._below(unit.queue, bound.queue)
            )
            >= bound.lacking
            for bound in bounds
        )

    def _below(self, queue: str, upper: str) -> bool:
        return any(level.name == upper for level in self.draft.tree.chain(queue))

    # 2. Room

    def _fill(self) -> bool:
        """Find room for every task, stopping more where there is none."""
        for shape, count in self.key.demand.runs:
            ranking = self.placer.ranking(shape, now=False)
            for _ in range(count):
                row = ranking.best()
                if row is None:
                    row = self._make_room(shape)
                if row is None:
                    return False
                self.spots.append(self.draft.take(row, shape.request, now=False))
        return True

    def _make_room(self, shape: TaskShape) -> int | None:
        """Choose units of one node so that the task fits there. Returns its row."""
        mask = self._promising(shape)
        if not mask.any():
            return None
        rows: list[bool] = mask.tolist()
        seen: dict[int, list[Unit]] = {}
        alone: dict[tuple[str, Amount, int], bool] = {}

        def useful(unit: Unit) -> bool:
            if not any(rows[row] for row in unit.on):
                return False
            key = (unit.queue, unit.total, unit.job.priority)
            if key not in alone:
                alone[key] = self.rule.allows([*self.chosen, unit])
            return alone[key]

        for unit in self.candidates.in_order(self.rule.queues, useful):
            self.place.setdefault(unit, len(self.place))
            if self._clashes(unit):
                continue
            for row in unit.on:
                if rows[row]:
                    here = seen.setdefault(row, [])
                    picked = self._pick(shape, row, unit, here)
                    here.append(unit)
                    if picked is not None:
                        for one in picked:
                            self._stop(one)
                        return row
        return None

    def _promising(self, shape: TaskShape) -> Mask:
        """The rows where the task fits if everybody goes who is considered at all."""
        nodes = self.draft.nodes
        most = self.draft.future.copy()
        for name in self.rule.queues:
            most[:, : len(AXES)] += self.candidates.room(name)
        request = nodes.amounts(shape.request)
        if request is None:
            return np.zeros_like(nodes.usable)
        fits = ((most >= request) | (request == 0)).all(axis=1)
        return fits & nodes.matching(shape.signature) & nodes.usable

    def _pick(self, shape: TaskShape, row: int, new: Unit, before: Sequence[Unit]) -> list[Unit] | None:
        """The new unit, and as many of those before it as the task needs; None when they may not, or would not do."""
        future: list[int] = self.draft.future[row].tolist()
        request = shape.request.base.as_tuple()
        lacks = [(axis, need - future[axis]) for axis, need in enumerate(request) if need > 0 and need > future[axis]]
        rest = [[0] * len(lacks)]
        for unit in reversed(before):
            rest.append([sum_ + unit.on[row][axis] for sum_, (axis, _) in zip(rest[-1], lacks, strict=True)])
        rest.reverse()
        tries = _MOST_TRIES

        def extend(start: int, picked: list[Unit], lacking: list[int]) -> list[Unit] | None:
            nonlocal tries
            if all(lack <= 0 for lack in lacking):
                return picked
            for at in range(start, len(before)):
                if any(lack > more for lack, more in zip(lacking, rest[at], strict=True)):
                    return None
                tries -= 1
                if tries < 0:
                    return None
                unit = before[at]
                if unit.overlaps({task.id for one in picked for task in one.tasks}):
                    continue
                if not self.rule.allows([*self.chosen, *picked, unit]):
                    continue
                left = [lack - unit.on[row][axis] for lack, (axis, _) in zip(lacking, lacks, strict=True)]
                done = extend(at + 1, [*picked, unit], left)
                if done is not None:
                    return done
            return None

        with_new = [lack - new.on[row][axis] for axis, lack in lacks]
        if any(lack > more for lack, more in zip(with_new, rest[0], strict=True)):
            return None
        return extend(0, [new], with_new)

    # 3. Nothing in vain

    def _give_back(self, bounds: list[Bound]) -> None:
        """Let everybody go on who is not needed, those with most right to stay first."""
        asked = [any(shape.request.base.as_tuple()[axis] > 0 for shape, _ in self.key.demand.runs) for axis in range(4)]
        used = {spot.row for spot in self.spots}
        for unit in sorted(self.chosen, key=lambda unit: -self.place[unit]):
            needed = any(
                row in used and asked[axis] and 0 < gain > self.draft.future[row, axis]
                for row, gains in unit.on.items()
                for axis, gain in enumerate(gains)
            )
            if not needed and self._covers(bounds, without=unit):
                self.chosen.remove(unit)
                for task, row in zip(unit.tasks, unit.rows, strict=True):
                    self.draft.keep(row, task)

    # Stopping

    def _clashes(self, unit: Unit) -> bool:
        return any(one.job is unit.job and unit.overlaps({task.id for task in one.tasks}) for one in self.chosen)

    def _stop(self, unit: Unit) -> None:
        self.chosen.append(unit)
        for task, row in zip(unit.tasks, unit.rows, strict=True):
            self.draft.release(row, task)
