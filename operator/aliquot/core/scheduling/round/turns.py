"""Those whom `allocate` left without room, taken one after the other in the order in which it would serve them.

`reclaim` and `preempt` are two ways to try to help one of them. Jobs of equal shape share a refusal. A job that may use
several pools is tried in the pool that it likes best first. When all have been helped, `let_stay` looks once more at
everybody who is to be stopped.
"""

from collections.abc import Callable

from aliquot.core.scheduling.fairness.queue_order import Row, Turns
from aliquot.core.scheduling.plan import Evict
from aliquot.core.scheduling.round.allocate import PoolRound, waiting_queues, write_down
from aliquot.core.scheduling.settings import Action
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.jobs import Ask, GroupKey, Line
from aliquot.core.scheduling.state.queues import shares
from aliquot.core.scheduling.victims.search import Found, settle
from aliquot.core.scheduling.victims.units import Candidates, Unit

Why = Callable[[Unit], str]
"""The sentence for the stopped."""

Attempt = Callable[[PoolRound, Candidates, GroupKey, Ask], "tuple[Found, Why] | None"]
"""Finds whom to stop for a job, and what to tell them; leaves the draft as `search` does."""


def help_in_turn(
    state: ClusterState,
    line: Line,
    rounds: dict[str, PoolRound],
    candidates: dict[str, Candidates],
    attempt: Attempt,
    action: Action,
) -> None:
    """Try to help everybody who is left; whoever is helped is promised room."""
    most = max((len(row.key.pools) for done in rounds.values() for row in done.left), default=0)
    for choice in range(most):
        for name, done in rounds.items():
            served = given_room(rounds)
            rows = [
                Row(row.key, row.left, tied=row.tied)
                for row in done.left
                if row.key.pools.index(name) == choice and row.left
            ]
            if rows and state.pool(name).stoppable:
                _help_pool(line, done, candidates[name], _without(rows, served), attempt, action)


def given_room(rounds: dict[str, PoolRound]) -> set[str]:
    """The jobs that start or were promised room; some of them may still ask for more."""
    given: set[str] = set()
    for done in rounds.values():
        given.update(done.started)
    return given


def _without(rows: list[Row], served: set[str]) -> list[Row]:
    """The rows without those that were served elsewhere. What a job that has started here lacks further stays."""
    fresh = [row if row.tied else Row(row.key, [entry for entry in row.jobs if entry[2] not in served]) for row in rows]
    return [row for row in fresh if row.jobs]


def _help_pool(
    line: Line, done: PoolRound, candidates: Candidates, rows: list[Row], attempt: Attempt, action: Action
) -> None:
    waiting, _ = waiting_queues(done.draft, rows)
    turns = Turns(done.draft, waiting, lambda _: True)
    refused: set[GroupKey] = set()
    while (queue := turns.next()) is not None:
        row = queue.head()
        assert row is not None, "a queue without waiting jobs has no turn"
        job_id = row.jobs[row.at][2]
        wanted = line.asks[job_id]
        if job_id in done.promised or candidates.shrinks(job_id):
            queue.served()  # it has its place; or it loses some, and asks anew when that has happened
        elif row.key in refused or (helped := attempt(done, candidates, row.key, wanted)) is None:
            refused.add(row.key)
            queue.give_up()
        else:
            found, why = helped
            settle(done.draft, candidates, row.key, found)
            done.stopped += [
                (unit, tuple(Evict(task.id, job_id, why(unit), action) for task in unit.tasks)) for unit in found.units
            ]
            write_down(done, row.key, done.tasks(row.key, wanted), found.spots, now=False)
            queue.served()
            refused.clear()
        turns.put_back()


def let_stay(done: PoolRound) -> None:
    """Stop nobody who turned out not to be needed: what a later job needs may leave room for an earlier one, too."""
    draft = done.draft
    given = {nominate.node for nominations in done.promised.values() for nominate in nominations}
    used = {draft.nodes.row[node] for node in (*given, *(bind.node for bind in done.binds))}
    for at in reversed(range(len(done.stopped))):
        unit, _ = done.stopped[at]
        room = all(
            not gain or gain <= draft.future[row, axis]
            for row, gains in unit.on.items()
            if row in used
            for axis, gain in enumerate(gains)
        )
        bounds = all(
            not unit.total[axis] or draft.held[level.name][axis] + unit.total[axis] <= share.limit
            for level in draft.tree.chain(unit.queue)
            for axis, share in enumerate(shares(level))
        )
        if room and bounds:
            del done.stopped[at]
            draft.charge(unit.queue, unit.total, 1, preemptible=True)
            for task, row in zip(unit.tasks, unit.rows, strict=True):
                draft.keep(row, task)
