"""Units that are stopped in a draft while victims are looked for, and what it takes to let one of them go on."""

from collections.abc import Container
from itertools import islice
from typing import NamedTuple

from aliquot.core.scheduling.facts import Task
from aliquot.core.scheduling.state.devices import devices_held
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.rules import Rule


class Mark(NamedTuple):
    """A moment to go back to."""

    draft: int
    units: int


class Stopping:
    """What is stopped so far; the draft has its room released, and the rule knows of it.

    Attributes:
        units: in the order in which they were stopped.
    """

    def __init__(self, draft: Draft, rule: Rule) -> None:
        self.units: dict[Unit, None] = {}
        self._draft = draft
        self._rule = rule
        self._tasks: dict[str, set[str]] = {}

    def may_stop(self, unit: Unit) -> bool:
        """Whether none of it is stopped yet, and the rule lets it go."""
        theirs = self._tasks.get(unit.job.id)
        return not (theirs and unit.overlaps(theirs)) and self._rule.may_add(unit)

    def stop(self, unit: Unit) -> None:
        """Stop it."""
        self.units[unit] = None
        self._rule.push(unit)
        self._tasks.setdefault(unit.job.id, set()).update(task.id for task in unit.tasks)
        release(self._draft, unit)

    def spare(self, unit: Unit) -> None:
        """Let it go on."""
        keep(self._draft, unit)
        self.forget(unit)

    def forget(self, unit: Unit) -> None:
        """It goes on; the draft knows."""
        del self.units[unit]
        self._forget(unit)

    def _forget(self, unit: Unit) -> None:
        self._rule.pop(unit)
        self._tasks[unit.job.id].difference_update(task.id for task in unit.tasks)

    def mark(self) -> Mark:
        """This moment. None of those stopped before may be spared between it and the return to it."""
        return Mark(self._draft.checkpoint(), len(self.units))

    def since(self, mark: Mark) -> list[Unit]:
        """Who was stopped since then, in order."""
        latest = list(islice(reversed(self.units), len(self.units) - mark.units))
        latest.reverse()
        return latest

    def back_to(self, mark: Mark) -> None:
        """Undo everything since: what was stopped, and what the draft gave."""
        self._draft.rollback(mark.draft)
        while len(self.units) > mark.units:
            unit, _ = self.units.popitem()
            self._forget(unit)


def release(draft: Draft, unit: Unit) -> None:
    """The unit is going to stop: its room comes."""
    for task, row in zip(unit.tasks, unit.rows, strict=True):
        draft.release(row, task)


def keep(draft: Draft, unit: Unit) -> None:
    """Undo a `release`."""
    for task, row in zip(unit.tasks, unit.rows, strict=True):
        draft.keep(row, task)


def let_go_on(draft: Draft, unit: Unit, used: Container[int], asked: Container[int] | None = None) -> bool:
    """Take back that the unit is stopped, if nobody who was given room is in its way. Returns whether.

    Args:
        draft: where its room is released.
        unit: the unit.
        used: the rows where room was given or promised.
        asked: the columns that were asked for there; None: any may have been.
    """
    mark = draft.checkpoint()
    tight = [row for row in unit.on if row in used]
    if not unit.parts:  # nothing but columns to look at: no need to try
        for row in tight:
            left: list[int] = draft.future[row].tolist()
            if any(0 < gain > left[at] and (asked is None or at in asked) for at, gain in enumerate(unit.on[row])):
                return False
    before: list[list[int]] = [draft.future[row].tolist() for row in tight]
    keep(draft, unit)
    if unit.parts:
        after: list[list[int]] = [draft.future[row].tolist() for row in tight]
        lost = any(
            left < was and left < 0 and (asked is None or at in asked)
            for there, here in zip(before, after, strict=True)
            for at, (was, left) in enumerate(zip(there, here, strict=True))
        )
        if lost or any(not _holds(draft, row, task) for row, task in unit.parts):
            draft.rollback(mark)
            return False
    return True


def _holds(draft: Draft, row: int, task: Task) -> bool:
    """Whether the devices of which the task has parts have room for all that is counted on them."""
    units, shared = int(draft.nodes.units[row]), draft.shared_on(row)
    return all(shared[device].later <= units for device in devices_held(task))
