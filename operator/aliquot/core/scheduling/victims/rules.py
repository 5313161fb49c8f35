"""Who may be stopped for whom.

*Preempt*: within a queue, lower priorities for a higher one. Priorities mean nothing across queues.

*Reclaim*: queues that are over their quota, for one that is owed. The two are compared where their branches meet:
projects of one department with each other, those of different departments through their departments (scheduling.md
2.10). `Grade`s are tried in order; each takes more than the one before it:

1. `SURPLUS`: only what every queue of the branch has above its quota; the owner stays within its own.
2. `BRANCH`: only what the branch has above its quota where it meets the owner's, though a project below is within its
   own: departments may deserve less than their projects together.
3. `STRADDLING`: also a unit that is partly above the quota and partly below it. A quota is a guarantee: it is not lost
   because others run large jobs. Such a unit cannot come back by the same right, for it does not fit its queue's quota.
4. `BALANCE`: beyond quotas, from a branch that stays at or above its quota and has, in proportion to its quota, no
   less than the taker's in the end. Taken back by the same right it would have to be strictly less.

Grades 1 to 3 ask that the taker stays within its quota, from its queue up to the branch. For all of them: what may be
stopped as a set may be stopped as any part of it.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.facts import Queue
from aliquot.core.scheduling.fairness.capacity import is_over_deserved, within_deserved
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.queues import Amount, QueueTree, shares
from aliquot.core.scheduling.victims.units import Unit


class Rule(Protocol):
    """Says whose units may be considered, and which of them may go together."""

    @property
    def queues(self) -> Sequence[str]:
        """The queues that may have to give something."""
        ...

    def may_add(self, unit: Unit) -> bool:
        """Whether the unit may go too, after those pushed so far."""
        ...

    def push(self, unit: Unit) -> None:
        """The unit goes."""
        ...

    def pop(self, unit: Unit) -> None:
        """It stays after all; in any order."""
        ...

    def accepts(self) -> bool:
        """Whether the end state with all pushed gone and the taker in place is allowed."""
        ...


@dataclass(frozen=True, slots=True)
class LowerPriority:
    """The rule of preemption."""

    queue: str
    priority: int

    @property
    def queues(self) -> Sequence[str]:
        """Its own queue only."""
        return (self.queue,)

    def may_add(self, unit: Unit) -> bool:
        """Any of strictly lower priority."""
        return unit.job.priority < self.priority

    def push(self, unit: Unit) -> None:
        """Others may go all the same."""

    def pop(self, unit: Unit) -> None:
        """Others may go all the same."""

    def accepts(self) -> bool:
        """Always."""
        return True


class Grade(IntEnum):
    """How far a queue may reach into others; see above."""

    SURPLUS = 1
    BRANCH = 2
    STRADDLING = 3
    BALANCE = 4


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two queues, seen from where their branches meet.

    Attributes:
        takers: the taker's queue and those above it, below the meeting point; lowest first.
        givers: the same of the other.
    """

    takers: tuple[Queue, ...]
    givers: tuple[Queue, ...]

    @staticmethod
    def of(tree: QueueTree, taker: str, giver: str) -> "Meeting | None":
        """Where they meet; None when one of them is not there, or is the other or above it."""
        takers, givers = list(tree.chain(taker)), list(tree.chain(giver))
        while takers and givers and takers[-1] is givers[-1]:
            takers.pop()
            givers.pop()
        return Meeting(tuple(takers), tuple(givers)) if takers and givers else None

    @property
    def taker(self) -> Queue:
        """The taker's branch."""
        return self.takers[-1]

    @property
    def giver(self) -> Queue:
        """The other branch."""
        return self.givers[-1]


class OverQuota:
    """The rule of reclaiming, at one grade, for one demand of one queue."""

    def __init__(self, draft: Draft, wanted: Amount, grade: Grade, meetings: Mapping[str, Meeting]) -> None:
        self._draft = draft
        self._wanted = wanted
        self._asked = tuple(axis for axis in range(3) if wanted[axis] > 0)
        self._grade = grade
        levels = {level.name: level for meeting in meetings.values() for level in meeting.givers}
        self._less = {name: [0, 0, 0] for name in levels}
        self._surplus = {name: self._above(level) for name, level in levels.items()}
        self._sizes: dict[str, tuple[list[int], list[int], list[int]]] = {name: ([], [], []) for name in levels}
        self.meetings = {name: meeting for name, meeting in meetings.items() if self._qualifies(meeting)}

    @property
    def queues(self) -> Sequence[str]:
        """Those that are over, where it counts."""
        return tuple(self.meetings)

    def may_add(self, unit: Unit) -> bool:
        """Whether its branch can spare it beside those that go."""
        meeting = self.meetings[unit.queue]
        if self._grade is Grade.STRADDLING:
            return self._straddles(meeting.giver, unit.total)
        if self._grade is Grade.SURPLUS:
            return all(self._stays(level, unit.total) for level in meeting.givers)
        if not self._stays(meeting.giver, unit.total):
            return False
        if self._grade is Grade.BRANCH:
            return True
        less = self._less[meeting.giver.name]
        return self._balanced(meeting, [less[axis] + unit.total[axis] for axis in range(3)])

    def push(self, unit: Unit) -> None:
        """The unit goes."""
        self._change(unit, 1)

    def pop(self, unit: Unit) -> None:
        """It stays after all."""
        self._change(unit, -1)

    def _change(self, unit: Unit, sign: int) -> None:
        gpu, cpu, memory = unit.total
        for level in self.meetings[unit.queue].givers:
            less = self._less[level.name]
            less[0] += sign * gpu
            less[1] += sign * cpu
            less[2] += sign * memory
            if self._grade is Grade.STRADDLING:
                for amount, sizes in zip(unit.total, self._sizes[level.name], strict=True):
                    if sign > 0:
                        insort(sizes, amount)
                    else:
                        del sizes[bisect_left(sizes, amount)]

    def accepts(self) -> bool:
        """Always: what may go one by one may go together."""
        return True

    def _qualifies(self, meeting: Meeting) -> bool:
        draft, wanted = self._draft, self._wanted
        if not is_over_deserved(draft, meeting.giver, wanted):
            return False
        if self._grade is Grade.BALANCE:
            return self._may_grow(meeting) and self._balanced(meeting, [0, 0, 0])
        if self._grade is Grade.SURPLUS and not all(is_over_deserved(draft, level, wanted) for level in meeting.givers):
            return False
        return all(within_deserved(draft, level, wanted) for level in meeting.takers)

    def _straddles(self, giver: Queue, more: Amount) -> bool:
        """Whether the queue, had it kept the largest of what goes, would be over its quota."""
        less, sizes = self._less[giver.name], self._sizes[giver.name]
        return any(
            surplus - (less[axis] + more[axis] - max(more[axis], sizes[axis][-1] if sizes[axis] else 0)) > 0
            for axis, surplus in self._surplus[giver.name]
        )

    def _stays(self, queue: Queue, more: Amount) -> bool:
        """Whether a queue that is over its quota in something asked for stays at or above it there."""
        less = self._less[queue.name]
        for axis, surplus in self._surplus[queue.name]:  # noqa: SIM110 - asked for every unit there is
            if surplus >= less[axis] + more[axis]:
                return True
        return False

    def _above(self, queue: Queue) -> list[tuple[int, int]]:
        """What is asked for and the queue holds more of than its quota, with how much more."""
        held = self._draft.held[queue.name]
        deserved = [share.deserved for share in shares(queue)]
        return [(axis, held[axis] - deserved[axis]) for axis in self._asked if held[axis] > deserved[axis]]

    def _may_grow(self, meeting: Meeting) -> bool:
        """Whether the taker has a part in what nobody deserves."""
        return all(
            level.gpu.over_quota_weight > 0 or within_deserved(self._draft, level, self._wanted)
            for level in meeting.takers
        )

    def _balanced(self, meeting: Meeting, less: Sequence[int]) -> bool:
        """Whether the taker, where it goes beyond its quota, ends with no larger part of it than the giver."""
        taker, giver = meeting.taker, meeting.giver
        for axis in self._asked:
            mine, theirs = shares(taker)[axis].deserved, shares(giver)[axis].deserved
            after = self._draft.held[taker.name][axis] + self._wanted[axis]
            left = self._draft.held[giver.name][axis] - less[axis]
            if after <= mine:
                continue
            if mine == 0 and (theirs != 0 or after > left):
                return False
            if mine > 0 and (theirs >= UNLIMITED or after * theirs > left * mine):
                return False
        return True


def meetings(tree: QueueTree, taker: str, others: Sequence[str]) -> dict[str, Meeting]:
    """Where the queue meets each of the others."""
    found = ((name, Meeting.of(tree, taker, name)) for name in others)
    return {name: meeting for name, meeting in found if meeting is not None}
