"""What a queue may hold: limits for everybody, deserved for what may not be stopped (scheduling.md 2.6)."""

from dataclasses import dataclass

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.facts import Queue
from aliquot.core.scheduling.reasons import WaitCode
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.queues import Amount, shares


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


def parts_per_million(draft: Draft, queue: Queue, more: Amount) -> int:
    """How much of its quota the queue holds with so much more: its dominant share, in millionths.

    A resource without a bound is measured against the whole pool. One of which the queue deserves nothing counts a
    thousand times its part of the pool, so that who has a quota goes first, and those without are still compared.
    """
    held, worst = draft.held[queue.name], 0
    for axis, share in enumerate(shares(queue)):
        has = held[axis] + more[axis]
        if has <= 0:
            continue
        if 0 < share.deserved < UNLIMITED:
            part = has * 1_000_000 // share.deserved
        else:
            part = has * (1_000_000 if share.deserved else 1_000_000_000) // max(1, draft.capacity[axis])
        worst = max(worst, part)
    return worst
