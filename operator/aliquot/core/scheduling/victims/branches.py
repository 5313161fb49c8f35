"""What reclaiming keeps account of: where two branches meet, what one gives, and the balance that comes of it.

Everything costs O(depth of the tree) per unit, however many were pushed before; only a taker's branch that ends beyond
its fair share is compared with every branch that gave.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import add, ge, le
from typing import Final

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.facts import Queue
from aliquot.core.scheduling.fairness.capacity import allocatable
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.queues import Amount, QueueTree, shares

NOTHING: Final[Amount] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where the branches of two queues meet.

    Attributes:
        taker: the taker's queue, or the one above it, just below that point.
        giver: the same of the other.
        above: names of the queues that both are below.
    """

    taker: Queue
    giver: Queue
    above: tuple[str, ...]

    @staticmethod
    def of(tree: QueueTree, taker: str, giver: str) -> "Meeting | None":
        """Where they meet; None when one of them is not there, is the other or above it, or in a ring with it."""
        takers, givers, above = list(tree.chain(taker)), list(tree.chain(giver)), list[str]()
        while takers and givers and takers[-1] is givers[-1]:
            above.append(takers.pop().name)
            givers.pop()
        if not takers or not givers or any(queue in takers for queue in givers):
            return None
        return Meeting(takers[-1], givers[-1], tuple(above))


class Sizes:
    """Amounts, each as often as it was counted.

    Attributes:
        largest: the largest of them; 0 when there are none.
    """

    def __init__(self) -> None:
        self.largest = 0
        self._times: dict[int, int] = {}
        self._sorted: list[int] = []

    def count(self, amount: int, sign: int) -> None:
        """Once more (1), or once less (-1)."""
        times = self._times.get(amount, 0) + sign
        if times:
            self._times[amount] = times
            if times > 1 or sign < 0:
                return
            insort(self._sorted, amount)
        else:
            del self._times[amount]
            del self._sorted[bisect_left(self._sorted, amount)]
        self.largest = self._sorted[-1] if self._sorted else 0


@dataclass(slots=True)
class Giver:
    """A branch that may give, and what was pushed of it.

    Attributes:
        meeting: where it meets the taker.
        held: what it holds at the beginning.
        fair: its fair share.
        floors: per resource, it gives while it holds more than this of one of them.
        within_quota: whether the taker stays within its quota here.
        quota: what it deserves, as far as its limit.
        waiting: see `Reclaim`.
        lost: what was pushed.
        units: how many units that was.
        parts: per resource, what each of them holds of it; those without any are left out.
        asks: what was waiting when first asked.
    """

    meeting: Meeting
    held: Sequence[int]
    fair: Amount
    floors: Amount
    within_quota: bool
    quota: Amount
    waiting: Callable[[str], Iterable[Amount]]
    lost: list[int] = field(default_factory=lambda: [0, 0, 0])
    units: int = 0
    parts: tuple[Sizes, Sizes, Sizes] = field(default_factory=lambda: (Sizes(), Sizes(), Sizes()))
    asks: set[Amount] | None = None

    @staticmethod
    def of(
        draft: Draft,
        fair: Mapping[str, Amount],
        meeting: Meeting,
        wanted: Amount,
        waiting: Callable[[str], Iterable[Amount]],
    ) -> "Giver":
        """The branch as it is, for one who wants so much."""
        taker, giver = meeting.taker, meeting.giver
        within_quota = all(
            has + more <= share.deserved or share.deserved >= UNLIMITED
            for has, more, share in zip(draft.held[taker.name], wanted, shares(taker), strict=True)
        )
        gpu, cpu, memory = (min(share.deserved, share.limit) for share in shares(giver))
        quota = (gpu, cpu, memory)
        gpu, cpu, memory = allocatable(giver, fair[giver.name])
        if within_quota:
            gpu, cpu, memory = map(min, (gpu, cpu, memory), quota)
        held = draft.held[giver.name]
        return Giver(meeting, held, fair[giver.name], (gpu, cpu, memory), within_quota, quota, waiting)

    def may_give(self, more: Amount = NOTHING) -> bool:
        """Whether it holds enough before the last unit goes, with so large a unit more, in the best order."""
        left = (
            self.held[0] - self.lost[0] - more[0],
            self.held[1] - self.lost[1] - more[1],
            self.held[2] - self.lost[2] - more[2],
        )
        for axis, parts in enumerate(self.parts):
            if left[axis] + max(more[axis], parts.largest) > self.floors[axis]:
                break
        else:
            return False
        if self.within_quota or any(map(ge, left, self.quota)):
            return True
        return not self.units and not any(all(map(le, map(add, left, asks), self.quota)) for asks in self._asks())

    def _asks(self) -> set[Amount]:
        if self.asks is None:
            self.asks = set(self.waiting(self.meeting.giver.name))
        return self.asks

    def change(self, unit: Amount, sign: int) -> None:
        """A unit of that size is pushed (1), or taken back (-1)."""
        self.units += sign
        for axis, part in enumerate(unit):
            self.lost[axis] += sign * part
            if part:
                self.parts[axis].count(part, sign)


@dataclass(slots=True)
class Level:
    """A queue of the taker's branch, and those beside it.

    Attributes:
        held: what it holds at the beginning.
        fair: its fair share.
        lost: what was pushed of what is below it.
        givers: the branches beside it that may give.
    """

    held: Sequence[int]
    fair: Amount
    lost: list[int] = field(default_factory=lambda: [0, 0, 0])
    givers: list[Giver] = field(default_factory=list[Giver])

    def accepts(self, wanted: Amount) -> bool:
        """Whether it ends within its fair share, or less beyond its own than each that gave is beyond its own."""
        after = [has - lost + more for has, lost, more in zip(self.held, self.lost, wanted, strict=True)]
        beyond = [axis for axis in range(3) if after[axis] > self.fair[axis]]
        return not beyond or all(
            _less_beyond(after[axis], self.fair[axis], giver.held[axis] - giver.lost[axis], giver.fair[axis])
            for giver in self.givers
            if giver.units
            for axis in beyond
            if wanted[axis] or giver.parts[axis].largest
        )


def _less_beyond(mine: int, fair: int, theirs: int, their_fair: int) -> bool:
    """Whether one part is less beyond its fair share than another; where both shares are nothing, the less is less."""
    if their_fair == 0:
        return fair > 0 or mine < theirs
    return mine * their_fair < theirs * fair
