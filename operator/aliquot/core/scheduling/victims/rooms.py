"""What would come free on each node if everybody seen so far stopped, for tasks of one shape.

Per row at most what is kept here comes free: columns add up, and a device of which parts are held comes free when the
last of its parts goes. What really comes free only a draft can say.
"""

from collections.abc import Iterable

import numpy as np

from aliquot.core.quantities import PERCENT_PER_DEVICE
from aliquot.core.scheduling.facts import Task
from aliquot.core.scheduling.state.devices import devices_held
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.scheduling.state.units import Unit


class Rooms:
    """Units that could go, by the rows where they make room for tasks of a shape.

    Attributes:
        seen: per row, the units added, in their order.
    """

    def __init__(self, draft: Draft, shape: TaskShape, most: Amounts) -> None:
        """`most` is what is there per row at most if everybody goes."""
        nodes = draft.nodes
        self.seen: dict[int, list[Unit]] = {}
        self._draft = draft
        self._shape = shape
        self._more: dict[int, list[int]] = {}
        self._closing: dict[int, dict[str, int]] = {}
        amounts = nodes.amounts(shape.request)
        fits = nodes.matching(shape.signature) & nodes.usable
        self.asked: list[tuple[int, int]] = []
        if amounts is None:
            fits = np.zeros_like(fits)
        else:
            self.asked = [(column, need) for column, need in enumerate(amounts.tolist()) if need > 0]
            for column, need in self.asked:
                fits &= most[:, column] >= need
        self._fits: list[bool] = fits.tolist()
        self._whole = any(column == 0 for column, _ in self.asked)
        many = np.where(fits, np.iinfo(np.int64).max, 0)
        for column, need in self.asked:
            np.minimum(many, most[:, column] // need, out=many)
        self._many: int = int(np.minimum(many, 1 << 40).sum()) if shape.request.part is None else int(fits.any()) << 40

    def enough_for(self, count: int) -> bool:
        """Whether there could be room for so many tasks."""
        return self._many >= count

    def concerns(self, unit: Unit) -> bool:
        """Whether the unit could make room anywhere."""
        fits = self._fits
        for row in unit.on:  # noqa: SIM110 - thousands are asked, each mostly of one row
            if fits[row]:
                return True
        return False

    def add(self, unit: Unit) -> list[int]:
        """One more that could go. Returns the rows where that could make room for a task."""
        rows = [row for row in unit.on if self._fits[row]]
        for row in rows:
            self.seen.setdefault(row, []).append(unit)
            self._count(unit, row)
        return [row for row in rows if self.may_do(row)]

    def remove(self, units: Iterable[Unit]) -> None:
        """They are stopped: the draft knows."""
        gone = set(units)
        for row in {row for unit in gone for row in unit.on if row in self.seen}:
            self.seen[row] = [unit for unit in self.seen[row] if unit not in gone]
            self._more.pop(row, None)
            self._closing.pop(row, None)
            for unit in self.seen[row]:
                self._count(unit, row)

    def may_do(self, row: int) -> bool:
        """Whether a task could fit on the row if all go who were seen there."""
        more = self._more.get(row)
        if more is None:
            return False
        future: list[int] = self._draft.future[row].tolist()
        for column, need in self.asked:  # noqa: SIM110 - as often as units are seen
            if future[column] + more[column] < need:
                return False
        return True

    def lacking(self, row: int) -> list[int]:
        """What a task lacks on the row in each column asked for; negative where it lacks nothing."""
        future: list[int] = self._draft.future[row].tolist()
        return [need - future[column] for column, need in self.asked]

    def at_least(self, row: int) -> int:
        """At least so many of the units seen on the row have to go before a task fits there."""
        here, least = self.seen.get(row, ()), 0
        for lack, (column, _) in zip(self.lacking(row), self.asked, strict=True):
            if lack > 0:
                least = max(least, -(-lack // max(1, max((unit.on[row][column] for unit in here), default=0))))
        return least

    def _count(self, unit: Unit, row: int) -> None:
        more = self._more.get(row)
        if more is None:
            more = self._more[row] = [0] * len(unit.on[row])
        for column, gain in enumerate(unit.on[row]):
            more[column] += gain
        if self._whole and unit.parts:
            for where, task in unit.parts:
                if where == row:
                    more[0] += self._closes(row, task) - _opened(task)

    def _closes(self, row: int, task: Task) -> int:
        """What comes free in whole devices where the task goes after those seen before."""
        part = task.request.part
        assert part is not None
        need = part.need(int(self._draft.nodes.units[row]))
        closing, shared = self._closing.setdefault(row, {}), self._draft.shared_on(row)
        free = 0
        for device in devices_held(task):
            before = closing.get(device, 0)
            closing[device] = before + need
            held = shared[device].later if device in shared else 0
            free += PERCENT_PER_DEVICE * (before < held <= before + need)
        return free


def _opened(task: Task) -> int:
    return PERCENT_PER_DEVICE * (task.request.part.devices if task.request.part is not None else 0)
