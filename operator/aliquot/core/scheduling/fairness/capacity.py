"""What a queue may hold: limits for everybody, deserved for what may not be stopped (scheduling.md 2.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.core.quantities import PERCENT_PER_DEVICE, UNLIMITED
from aliquot.core.scheduling.facts import Queue
from aliquot.core.scheduling.reasons import WaitCode
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.queues import Amount, shares

UNIT: Final[Amount] = (PERCENT_PER_DEVICE, 1, 1)
"""One of each resource: a whole device, a milli-CPU, a byte."""

_NOTHING: Final[Amount] = (0, 0, 0)

_WHOLE: Final = 1 << 128
"""Fractions of amounts below `UNLIMITED` differ by more than one part in so many, or not at all."""


@dataclass(frozen=True, slots=True)
class Excess:
    """What a queue would have too much of.

    Attributes:
        code: `OVER_LIMIT` or `NON_PREEMPTIBLE_OVER_QUOTA`.
        queue: the queue, the lowest one that refuses.
        axis: which resource, as an index into `RESOURCES`.
        held: what counts against the bound already.
        bound: the bound.
    """

    code: WaitCode
    queue: Queue
    axis: int
    held: int
    bound: int


def excess(draft: Draft, queue: str, wanted: Amount, *, preemptible: bool) -> Excess | None:
    """The first bound that would be passed, limits before quotas, the leaf before those above; None when none would.

    A resource that is not asked for bounds nothing.
    """
    chain = draft.tree.chain(queue)
    for level in chain:
        held = draft.held[level.name]
        for axis, share in enumerate(shares(level)):
            if wanted[axis] > 0 and held[axis] + wanted[axis] > share.limit < UNLIMITED:
                return Excess(WaitCode.OVER_LIMIT, level, axis, held[axis], share.limit)
    return None if preemptible else over_quota(draft, queue, wanted)


def over_quota(draft: Draft, queue: str, wanted: Amount) -> Excess | None:
    """The first quota that would be passed by so much more that may not be stopped; None when none would."""
    for level in draft.tree.chain(queue):
        held = draft.held_non_preemptible[level.name]
        for axis, share in enumerate(shares(level)):
            if wanted[axis] > 0 and held[axis] + wanted[axis] > share.deserved < UNLIMITED:
                return Excess(WaitCode.NON_PREEMPTIBLE_OVER_QUOTA, level, axis, held[axis], share.deserved)
    return None


def within_deserved(draft: Draft, queue: Queue, wanted: Amount) -> bool:
    """Whether the queue stays within its quota with so much more, in everything that is asked for."""
    held = draft.held[queue.name]
    return not any(
        wanted[axis] > 0 and held[axis] + wanted[axis] > share.deserved < UNLIMITED
        for axis, share in enumerate(shares(queue))
    )


def is_over_deserved(draft: Draft, queue: Queue, wanted: Amount) -> bool:
    """Whether the queue holds more than its quota of something that `wanted` asks for."""
    held = draft.held[queue.name]
    return any(wanted[axis] > 0 and held[axis] > share.deserved < UNLIMITED for axis, share in enumerate(shares(queue)))


def allocatable(queue: Queue, fair: Amount) -> Amount:
    """Up to where a queue may feel safe: its fair share or its quota, whichever is more, and never above its limit."""
    gpu, cpu, memory = (
        share.limit if share.deserved >= UNLIMITED else min(share.limit, max(share.deserved, part))
        for share, part in zip(shares(queue), fair, strict=True)
    )
    return gpu, cpu, memory


def allocatable_in(draft: Draft, queue: Queue) -> Amount:
    """The same as the round sees it; where fair shares are not known, they are nothing."""
    return allocatable(queue, draft.fair.get(queue.name, _NOTHING))


def dominant_share(draft: Draft, queue: Queue, more: Amount = _NOTHING) -> int:
    """How much of what it may have the queue holds with so much more: the largest part of any resource.

    Parts are in the unit of `_WHOLE`, which is so fine that two are equal exactly when the fractions are. A resource
    without a bound is measured against the whole pool; of one of which the queue may have nothing, each unit counts as
    a thousand wholes.
    """
    held = draft.held[queue.name]
    after = (held[0] + more[0], held[1] + more[1], held[2] + more[2])
    return largest_part(after, allocatable_in(draft, queue), draft.capacity)


def largest_part(held: Sequence[int], bounds: Amount, capacity: Amount) -> int:
    """The same for one who holds so much and may have up to `bounds`, in a pool of that capacity."""
    worst = 0
    for axis, has in enumerate(held):
        if has > 0:
            bound = bounds[axis]
            most = capacity[axis] if bound >= UNLIMITED else bound
            worst = max(worst, has * _WHOLE // most if most > 0 else has * 1000 * _WHOLE // UNIT[axis])
    return worst
