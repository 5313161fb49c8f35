"""Who may be stopped for whom, as a game of moves: a unit is pushed, another, one is taken back, the end is judged.

*Preempt*: within a queue, lower priorities for a higher one. Priorities mean nothing across queues.

*Reclaim* (scheduling.md 2.10): the two queues are compared where their branches meet: projects of one department with
each other, those of different departments through their departments. A branch gives while it holds more than it may
have (`allocatable`), or, for one that stays within its quota, more than its quota. It is enough that this is so before
the last unit goes: large jobs straddle the line, and a quota would be lost otherwise.

What counts is the set of units, never their order: a set may go when its units can be put into an order in which each
may go. So what may go as a set may go as any part of it, and a unit can be taken back whenever one likes. The decision
is docs/decisions/0003.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aliquot.core.scheduling.fairness.capacity import over_quota
from aliquot.core.scheduling.fairness.min_runtime import (
    ActiveTasks,
    is_protected,
    keeps_minimum,
    preempt_seconds,
    reclaim_seconds,
)
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.queues import Amount, QueueTree
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.branches import NOTHING, Giver, Level, Meeting


def _nothing_known(_: str) -> tuple[Amount, ...]:
    return (NOTHING,)


class Rule(Protocol):
    """Says whose units may be considered, and which of them may go together."""

    @property
    def queues(self) -> Sequence[str]:
        """The queues whose units may be considered at all, given the taker."""
        ...

    def may_add(self, unit: Unit) -> bool:
        """Whether this unit may go, too, with those that were pushed."""
        ...

    def push(self, unit: Unit) -> None:
        """It goes."""
        ...

    def pop(self, unit: Unit) -> None:
        """It stays after all; in whatever order."""
        ...

    def accepts(self) -> bool:
        """Whether what comes of it is allowed: all that were pushed gone, the taker in their place."""
        ...


@dataclass(frozen=True, slots=True)
class Clock:
    """What it takes to know how long a job has run.

    Attributes:
        now: Unix seconds.
        active: the tasks of a job that have a node and keep it.
    """

    now: float
    active: ActiveTasks

    def spares(self, unit: Unit, seconds: float) -> bool:
        """Whether the unit is left alone for now: its job has not run so long, and would fall below its minimum."""
        if seconds <= 0 or not is_protected(unit.job, seconds, self.now):
            return False
        return not keeps_minimum(unit.job, self.active(unit.job.id), unit.tasks)


class LowerPriority:
    """The rule of preemption: of its own queue, whatever has strictly lower priority and has run long enough."""

    def __init__(self, queue: str, priority: int, tree: QueueTree | None = None, clock: Clock | None = None) -> None:
        self.queue = queue
        self.priority = priority
        self._clock = clock
        self._seconds = 0.0 if tree is None else preempt_seconds(tree, queue)

    @property
    def queues(self) -> Sequence[str]:
        """Its own queue only."""
        return (self.queue,)

    def may_add(self, unit: Unit) -> bool:
        """Any number of them."""
        return unit.job.priority < self.priority and not (self._clock and self._clock.spares(unit, self._seconds))

    def push(self, unit: Unit) -> None:
        """It goes."""

    def pop(self, unit: Unit) -> None:
        """It stays after all."""

    def accepts(self) -> bool:
        """Always: the queue holds no more than before."""
        return True


class Reclaim:
    """The rule of reclaiming, for one demand of one queue. The draft must not be charged while it is in use."""

    def __init__(
        self,
        draft: Draft,
        fair: Mapping[str, Amount],
        queue: str,
        wanted: Amount,
        *,
        preemptible: bool,
        others: Sequence[str],
        waiting: Callable[[str], Iterable[Amount]] = _nothing_known,
        clock: Clock | None = None,
    ) -> None:
        """Find out who may give anything at all.

        Args:
            draft: the pool.
            fair: the fair share of each queue.
            queue: the taker.
            wanted: what it asks for.
            preemptible: whether what it asks for may be stopped itself.
            others: the queues that have something to stop.
            waiting: what jobs ask for that wait in a queue or below it, what has just been stopped included.
            clock: None: nobody is left alone for having begun lately.
        """
        self._wanted = wanted
        self._clock = clock
        self._permitted = preemptible or over_quota(draft, queue, wanted) is None
        self._levels = {
            level.name: Level(draft.held[level.name], fair[level.name]) for level in draft.tree.chain(queue)
        }
        self._givers: dict[str, Giver] = {}
        self._seconds: dict[str, float] = {}
        branches: dict[str, Giver] = {}
        for name in others:
            meeting = Meeting.of(draft.tree, queue, name)
            if meeting is None:
                continue
            branch = branches.get(meeting.giver.name)
            if branch is None:
                branch = branches[meeting.giver.name] = Giver.of(draft, fair, meeting, wanted, waiting)
                self._levels[meeting.taker.name].givers.append(branch)
            if branch.may_give():
                self._givers[name] = branch
                self._seconds[name] = 0.0 if clock is None else reclaim_seconds(draft.tree, queue, name)

    @property
    def queues(self) -> Sequence[str]:
        """Those whose branch holds more than it may have, or than its quota where that counts."""
        return tuple(self._givers)

    def meeting(self, queue: str) -> Meeting:
        """Where the taker meets one of `queues`."""
        return self._givers[queue].meeting

    def within_quota(self, queue: str) -> bool:
        """Whether the taker stays within its quota where it meets one of `queues`."""
        return self._givers[queue].within_quota

    def may_add(self, unit: Unit) -> bool:
        """While its branch holds enough, with this unit and those that were pushed in the best order."""
        branch = self._givers.get(unit.queue)
        if branch is None or not branch.may_give(unit.total):
            return False
        return self._clock is None or not self._clock.spares(unit, self._seconds[unit.queue])

    def push(self, unit: Unit) -> None:
        """It goes."""
        self._change(unit, 1)

    def pop(self, unit: Unit) -> None:
        """It stays after all."""
        self._change(unit, -1)

    def accepts(self) -> bool:
        """Whether the taker may hold it, and leaves the balance at every level of its branch as it should be."""
        return self._permitted and all(level.accepts(self._wanted) for level in self._levels.values())

    def _change(self, unit: Unit, sign: int) -> None:
        branch = self._givers[unit.queue]
        branch.change(unit.total, sign)
        for name in branch.meeting.above:
            lost = self._levels[name].lost
            for axis, part in enumerate(unit.total):
                lost[axis] += sign * part
