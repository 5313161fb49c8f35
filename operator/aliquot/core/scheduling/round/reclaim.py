"""Second step of a round: queues that are owed room take it back from those that are over their quota.

Who may take from whom is in `victims.rules`; whom it hits in `victims.search`.
"""

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.round.allocate import PoolRound
from aliquot.core.scheduling.round.turns import Why, help_in_turn
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.jobs import Ask, GroupKey, Line
from aliquot.core.scheduling.state.queues import Amount, shares
from aliquot.core.scheduling.victims.rules import Grade, Meeting, OverQuota, meetings
from aliquot.core.scheduling.victims.search import Found, search
from aliquot.core.scheduling.victims.units import Candidates
from aliquot.core.scheduling.wording import amount_of, number, queue_label, short_name, standing


def reclaim(state: ClusterState, line: Line, rounds: dict[str, PoolRound], candidates: dict[str, Candidates]) -> None:
    """Help those who are left, where the rules of reclaiming let them take from others."""
    help_in_turn(state, line, rounds, candidates, _attempt, "reclaim")


def _attempt(done: PoolRound, candidates: Candidates, key: GroupKey, wanted: Ask) -> tuple[Found, Why] | None:
    draft = done.draft
    met = meetings(draft.tree, key.queue, candidates.queues)
    for grade in Grade:
        rule = OverQuota(draft, key.demand.total, grade, met)
        found = search(draft, done.placer, candidates, key, rule) if rule.queues else None
        if found is not None:
            return found, _why(draft, key, wanted, grade, rule)
    return None


def _why(draft: Draft, key: GroupKey, wanted: Ask, grade: Grade, rule: OverQuota) -> Why:
    """What to tell the stopped; with the numbers as they are before."""
    taker = draft.tree.queues[key.queue]
    who = f"stopped for {short_name(taker)}/{wanted.job.name}"
    sentences = {
        name: f"{who}: {_numbers(draft, meeting, key.demand.total, grade)}" for name, meeting in rule.meetings.items()
    }
    return lambda unit: sentences[unit.queue]


def _numbers(draft: Draft, meeting: Meeting, asked: Amount, grade: Grade) -> str:
    axis = _contested(draft, meeting, asked)
    mine, theirs = meeting.taker, meeting.giver
    held, deserved = draft.held[mine.name][axis], shares(mine)[axis].deserved
    theirs_held, theirs_deserved = draft.held[theirs.name][axis], shares(theirs)[axis].deserved
    over = f"{queue_label(theirs)} {standing(axis, theirs_held, theirs_deserved, unit=False)}"
    if deserved >= UNLIMITED:
        return f"{queue_label(mine)} is owed {amount_of(axis, asked[axis])}, {over}"
    if grade is Grade.BALANCE:
        return f"{queue_label(mine)} {standing(axis, held, deserved)}, {over}"
    return f"{queue_label(mine)} is owed {number(axis, deserved - held)} of its {amount_of(axis, deserved)}, {over}"


def _contested(draft: Draft, meeting: Meeting, asked: Amount) -> int:
    """The first resource that is asked for and that the giver has too much of."""
    giver = meeting.giver
    return next(
        axis
        for axis, share in enumerate(shares(giver))
        if asked[axis] > 0 and draft.held[giver.name][axis] > share.deserved
    )
