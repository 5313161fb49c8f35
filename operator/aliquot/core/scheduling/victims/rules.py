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

    def allows(self, units: Sequence[Unit]) -> bool:
        """Whether all these may be stopped together."""
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

    def allows(self, units: Sequence[Unit]) -> bool:
        """Any number of them, of strictly lower priority."""
        return all(unit.job.priority < self.priority for unit in units)


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
        self.meetings = {name: meeting for name, meeting in meetings.items() if self._qualifies(meeting)}

    @property
    def queues(self) -> Sequence[str]:
        """Those that are over, where it counts."""
        return tuple(self.meetings)

    def allows(self, units: Sequence[Unit]) -> bool:
        """Whether the branches can spare them together."""
        less: dict[str, list[int]] = {}
        largest: dict[str, list[int]] = {}
        for unit in units:
            for level in self.meetings[unit.queue].givers:
                sums = less.setdefault(level.name, [0, 0, 0])
                most = largest.setdefault(level.name, [0, 0, 0])
                for axis in range(3):
                    sums[axis] += unit.total[axis]
                    most[axis] = max(most[axis], unit.total[axis])
        return all(self._spares(self.meetings[name], less, largest) for name in {unit.queue: None for unit in units})

    def _qualifies(self, meeting: Meeting) -> bool:
        draft, wanted = self._draft, self._wanted
        if not is_over_deserved(draft, meeting.giver, wanted):
            return False
        if self._grade is Grade.BALANCE:
            return self._may_grow(meeting) and self._balanced(meeting, [0, 0, 0])
        if self._grade is Grade.SURPLUS and not all(is_over_deserved(draft, level, wanted) for level in meeting.givers):
            return False
        return all(within_deserved(draft, level, wanted) for level in meeting.takers)

    def _spares(self, meeting: Meeting, less: Mapping[str, list[int]], largest: Mapping[str, list[int]]) -> bool:
        giver = meeting.giver
        if self._grade is Grade.SURPLUS:
            return all(self._stays(level, less[level.name]) for level in meeting.givers)
        if self._grade is Grade.BRANCH:
            return self._stays(giver, less[giver.name])
        if self._grade is Grade.STRADDLING:
            others = [all_ - one for all_, one in zip(less[giver.name], largest[giver.name], strict=True)]
            return any(self._above(giver, axis, others[axis]) > 0 for axis in self._asked)
        return self._stays(giver, less[giver.name]) and self._balanced(meeting, less[giver.name])

    def _above(self, queue: Queue, axis: int, less: int) -> int:
        """How much more than its quota the queue holds; negative when it holds less, or has no bound."""
        deserved = shares(queue)[axis].deserved
        return self._draft.held[queue.name][axis] - less - deserved if deserved < UNLIMITED else -1

    def _stays(self, queue: Queue, less: Sequence[int]) -> bool:
        """Whether a queue that is over its quota in something asked for stays at or above it there."""
        return any(
            self._above(queue, axis, 0) > 0 and self._above(queue, axis, less[axis]) >= 0 for axis in self._asked
        )

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
