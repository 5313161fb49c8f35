"""Fourth step of a round: within a queue, jobs of strictly higher priority take the place of lower ones."""

from collections.abc import Callable
from functools import partial

from aliquot.core.scheduling.round.pool_round import PoolRound
from aliquot.core.scheduling.round.turns import Why, help_in_turn
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.jobs import Ask, GroupKey, Line
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.close import search_close
from aliquot.core.scheduling.victims.rules import Clock, LowerPriority
from aliquot.core.scheduling.victims.search import Found
from aliquot.core.scheduling.wording import queue_label, short_name


def preempt(
    state: ClusterState, line: Line, rounds: dict[str, PoolRound], candidates: dict[str, Candidates], now: float
) -> None:
    """Help those who are left at the cost of others of their queue. `now` in Unix seconds."""
    clock = Clock(now, state.active_tasks)
    help_in_turn(state, line, rounds, candidates, partial(_attempt, clock), "preempt", _hope)


def _hope(done: PoolRound, candidates: Candidates) -> Callable[[GroupKey], bool]:
    del done

    def has_lower(key: GroupKey) -> bool:
        lowest = candidates.lowest_priority(key.queue)
        return lowest is not None and lowest < key.priority

    return has_lower


def _attempt(
    clock: Clock, done: PoolRound, candidates: Candidates, key: GroupKey, wanted: Ask
) -> tuple[Found, Why] | None:
    if not _hope(done, candidates)(key):
        return None
    rule = LowerPriority(key.queue, key.priority, done.draft.tree, clock)
    found = search_close(done.draft, done.placer, candidates, key, rule)
    if found is None:
        return None
    queue = done.draft.tree.queues[key.queue]
    who = f"stopped for {short_name(queue)}/{wanted.job.name}"
    return (
        found,
        lambda unit: (
            f"{who}: in {queue_label(queue)}, its priority {key.priority} goes before priority {unit.job.priority}"
        ),
    )
