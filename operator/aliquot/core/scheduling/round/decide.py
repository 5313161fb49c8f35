"""A round: what to do now, from what is known. The only door to the steps."""

from collections.abc import Collection
from itertools import chain

from aliquot.core.scheduling.plan import Plan
from aliquot.core.scheduling.round.allocate import PoolRound, allocate, give_nothing
from aliquot.core.scheduling.round.consolidate import consolidate, mark_moves, moves_hold
from aliquot.core.scheduling.round.preempt import preempt
from aliquot.core.scheduling.round.reclaim import reclaim
from aliquot.core.scheduling.round.stale import stop_stale_gangs
from aliquot.core.scheduling.round.turns import given_room, let_stay
from aliquot.core.scheduling.round.waiting import reasons
from aliquot.core.scheduling.settings import Action, SchedulingSettings
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.jobs import Line
from aliquot.core.scheduling.victims.candidates import Candidates


def decide(state: ClusterState, now: float, settings: SchedulingSettings = SchedulingSettings()) -> Plan:
    """Decide everything that can be decided, and nothing twice.

    The state is not changed, but for bringing its line of waiting jobs, and what may be stopped, up to date. The same
    facts give the same plan, in whatever order they came.

    Args:
        state: what is known, incl. what was asked of the API server and not answered yet.
        now: Unix seconds.
        settings: how the scheduler is set.
    """
    line = state.waiting()
    without_moves: tuple[Action, ...] = tuple(step for step in settings.actions if step != "consolidate")
    for steps in (settings.actions, without_moves):
        rounds = _give_room(state, line, now, settings, steps)
        if moves_hold(state, line, rounds):  # else somebody whom another step stops takes the place of one who moves
            break
    evictions = tuple(chain.from_iterable(done.evictions for done in rounds.values()))
    # 6. What is left of gangs that cannot go on is stopped.
    if "stale-gangs" in settings.actions:
        stopped = {evict.task for evict in evictions}
        grace = settings.stale_gang_grace_seconds
        evictions += stop_stale_gangs(state, now, grace, given_room(rounds), stopped)
    # 7. Everybody who still waits learns why.
    waiting = reasons(state, line, rounds, now)
    return Plan(
        binds=tuple(chain.from_iterable(done.binds for done in rounds.values())),
        nominations=tuple(
            chain.from_iterable(nominations for done in rounds.values() for nominations in done.promised.values())
        ),
        evictions=evictions,
        waiting=waiting,
    )


def _give_room(
    state: ClusterState, line: Line, now: float, settings: SchedulingSettings, steps: Collection[Action]
) -> dict[str, PoolRound]:
    """Who starts, who is stopped and who is promised room, by pool."""
    # 1. Room that is free, or comes free anyway, goes to whoever's turn it is.
    rounds = allocate(state, line, settings) if "allocate" in steps else give_nothing(state, line, settings)
    candidates = {name: Candidates(state, name, done.draft, done.started) for name, done in rounds.items()}
    # 2. Where there is room in pieces only, others move.
    if "consolidate" in steps:
        consolidate(state, line, rounds, candidates, settings.max_consolidation_victims)
    # 3. Queues that are owed room take it back from those that are over their quota.
    if "reclaim" in steps:
        reclaim(state, line, rounds, candidates, now)
    # 4. Within a queue, higher priorities take the place of lower ones.
    if "preempt" in steps:
        preempt(state, line, rounds, candidates, now)
    # 5. Nobody is stopped who is not needed for all that was promised, and who fits elsewhere moves there.
    for done in rounds.values():
        let_stay(state, done)
        if settings.consolidating_reclaim:
            mark_moves(state, done)
    return rounds
