"""Third step of a round: queues below their fair share take it back from those that hold more than they may.

Who may take from whom is in `victims.rules`; whom it hits in `victims.search`.
"""

from collections.abc import Callable, Iterator
from functools import partial

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.facts import Queue
from aliquot.core.scheduling.fairness.capacity import allocatable, over_quota
from aliquot.core.scheduling.round.pool_round import PoolRound
from aliquot.core.scheduling.round.turns import Why, help_in_turn
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.jobs import Ask, GroupKey, Line
from aliquot.core.scheduling.state.queues import Amount, shares
from aliquot.core.scheduling.victims.branches import Meeting
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.close import search_close
from aliquot.core.scheduling.victims.rules import Clock, Reclaim
from aliquot.core.scheduling.victims.search import Found
from aliquot.core.scheduling.wording import amount_of, number, queue_label, short_name, standing


def reclaim(
    state: ClusterState, line: Line, rounds: dict[str, PoolRound], candidates: dict[str, Candidates], now: float
) -> None:
    """Help those who are left, where the rules of reclaiming let them take from others. `now` in Unix seconds."""
    clock = Clock(now, state.active_tasks)
    help_in_turn(state, line, rounds, candidates, partial(_attempt, clock), "reclaim", _hope)


def _hope(done: PoolRound, candidates: Candidates) -> Callable[[GroupKey], bool]:
    del candidates
    return lambda key: can_reclaim(done.draft, key.queue, key.demand.total, preemptible=key.preemptible)


def can_reclaim(draft: Draft, queue: str, wanted: Amount, *, preemptible: bool) -> bool:
    """Whether a queue may take anything at all for this.

    It has to end within its fair share, and what may not be stopped within its quota (scheduling.md 2.10).
    """
    fair = draft.fair.get(queue)
    if fair is None or any(has + more > part for has, more, part in zip(draft.held[queue], wanted, fair, strict=True)):
        return False
    return preemptible or over_quota(draft, queue, wanted) is None


def _attempt(
    clock: Clock, done: PoolRound, candidates: Candidates, key: GroupKey, wanted: Ask
) -> tuple[Found, Why] | None:
    draft, demand = done.draft, key.demand.total
    if not can_reclaim(draft, key.queue, demand, preemptible=key.preemptible):
        return None
    rule = Reclaim(
        draft,
        draft.fair,
        key.queue,
        demand,
        preemptible=key.preemptible,
        others=candidates.queues,
        waiting=partial(_waiting, done),
        clock=clock,
    )
    found = search_close(draft, done.placer, candidates, key, rule) if rule.queues else None
    return None if found is None else (found, _why(draft, key, wanted, rule))


def _waiting(done: PoolRound, queue: str) -> Iterator[Amount]:
    """What jobs ask for that are left in the queue or below it; that of what the round has stopped there, too."""
    tree = done.draft.tree
    for row in done.left:
        if row.left and any(level.name == queue for level in tree.chain(row.key.queue)):
            yield row.key.demand.total
    for unit, _ in done.stopped:
        if any(level.name == queue for level in tree.chain(unit.queue)):
            yield unit.total


def _why(draft: Draft, key: GroupKey, wanted: Ask, rule: Reclaim) -> Why:
    """What to tell the stopped; with the numbers as they are before."""
    taker, asked = draft.tree.queues[key.queue], key.demand.total
    who = f"stopped for {short_name(taker)}/{wanted.job.name}"
    sentences: dict[str, str] = {}
    for name in rule.queues:
        numbers = _quotas if rule.within_quota(name) else _fair_shares
        sentences[name] = f"{who}: {numbers(draft, rule.meeting(name), asked)}"
    return lambda unit: sentences[unit.queue]


def _quotas(draft: Draft, meeting: Meeting, asked: Amount) -> str:
    mine, theirs = meeting.taker, meeting.giver
    gpu, cpu, memory = (min(share.deserved, share.limit) for share in shares(theirs))
    quota = (gpu, cpu, memory)
    held, axis, owed = draft.held[theirs.name], *_contested(draft, theirs, quota, asked)
    deserved = shares(mine)[owed].deserved
    has = amount_of(owed, asked[owed])
    if deserved < UNLIMITED:
        has = f"{number(owed, deserved - draft.held[mine.name][owed])} of its {amount_of(owed, deserved)}"
    over = standing(axis, held[axis], quota[axis], unit=axis != owed)
    return f"{queue_label(mine)} is owed {has}, {queue_label(theirs)} {over}"


def _fair_shares(draft: Draft, meeting: Meeting, asked: Amount) -> str:
    mine, theirs = meeting.taker, meeting.giver
    most = allocatable(theirs, draft.fair[theirs.name])
    axis, owed = _contested(draft, theirs, most, asked)
    has = number(owed, draft.held[mine.name][owed])
    share = amount_of(owed, draft.fair[mine.name][owed])
    over = (number if axis == owed else amount_of)(axis, most[axis])
    return (
        f"{queue_label(mine)} holds {has} of its fair share of {share}, "
        f"{queue_label(theirs)} holds {number(axis, draft.held[theirs.name][axis])} of its fair share of {over}"
    )


def _contested(draft: Draft, giver: Queue, most: Amount, asked: Amount) -> tuple[int, int]:
    """The first resource that the giver has too much of, and the one that the taker is short of: the same if it can."""
    over = [axis for axis, bound in enumerate(most) if draft.held[giver.name][axis] > bound]
    wanted = [axis for axis, more in enumerate(asked) if more > 0]
    both = next((axis for axis in over if axis in wanted), None)
    return (over[0], wanted[0] if wanted else over[0]) if both is None else (both, both)
