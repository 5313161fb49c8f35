"""Those whom `allocate` left without room, taken one after the other in the order in which it would serve them.

`consolidate`, `reclaim` and `preempt` are ways to try to help one of them. Jobs of equal shape share a refusal. A job
that may use several pools is tried in the pool that it likes best first. When all have been helped, `let_stay` looks
once more at everybody who is to be stopped.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Final

from aliquot.core.scheduling.fairness.capacity import excess
from aliquot.core.scheduling.fairness.queue_order import Row, Turns
from aliquot.core.scheduling.plan import Evict
from aliquot.core.scheduling.round.allocate import waiting_queues
from aliquot.core.scheduling.round.pool_round import PoolRound, write_down
from aliquot.core.scheduling.settings import Action
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.draft import Spot
from aliquot.core.scheduling.state.jobs import Ask, GroupKey, Line
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.moving import place_again
from aliquot.core.scheduling.victims.search import Found, settle
from aliquot.core.scheduling.victims.stopping import let_go_on
from aliquot.core.scheduling.waiters import Entry

_MOST_MOVED: Final = 32
"""If no more units move, all of them are placed anew to see whether one of them could stay."""

Why = Callable[[Unit], str]
"""The sentence for the stopped."""

Attempt = Callable[[PoolRound, Candidates, GroupKey, Ask], "tuple[Found, Why] | None"]
"""Finds whom to stop for a job, and what to tell them; leaves the draft as `search` does."""

Hope = Callable[[PoolRound, Candidates], Callable[[GroupKey], bool]]
"""Says of jobs whether they might be helped in a pool as it is: cheap, and never no where an attempt would succeed."""


def help_in_turn(
    state: ClusterState,
    line: Line,
    rounds: dict[str, PoolRound],
    candidates: dict[str, Candidates],
    attempt: Attempt,
    action: Action,
    hope: Hope,
) -> None:
    """Try to help everybody who is left, where there is hope for one of them; whoever is helped is promised room."""
    most = max((len(row.key.pools) for done in rounds.values() for row in done.left), default=0)
    for choice in range(most):
        for name, done in rounds.items():
            served = given_room(rounds)
            rows = [
                Row(row.key, row.left, tied=row.tied)
                for row in done.left
                if row.key.pools.index(name) == choice and row.left
            ]
            if (
                rows
                and state.pool(name).stoppable
                and any(map(hope(done, candidates[name]), (row.key for row in rows)))
            ):
                _help_pool(line, done, candidates[name], _without(rows, served, line), attempt, action)


def given_room(rounds: dict[str, PoolRound]) -> set[str]:
    """The jobs that start or were promised room; some of them may still ask for more."""
    given: set[str] = set()
    for done in rounds.values():
        given.update(done.started)
    return given


def _without(rows: list[Row], served: set[str], line: Line) -> list[Row]:
    """The rows without those that were served elsewhere. What a job that has started here lacks further stays."""
    entries = [line.asks[job_id].entry for job_id in served]
    fresh = [row if row.tied else Row(row.key, unserved(row.jobs, served, entries)) for row in rows]
    return [row for row in fresh if row.jobs]


def unserved(jobs: list[Entry], served: set[str], entries: list[Entry]) -> list[Entry]:
    """The jobs that were not served; `entries` are those of all that were."""
    if len(entries) * 16 > len(jobs):
        return [entry for entry in jobs if entry[2] not in served]
    at = [bisect_left(jobs, entry) for entry in entries]
    gone = {place for place, entry in zip(at, entries, strict=True) if place < len(jobs) and jobs[place] == entry}
    return [entry for place, entry in enumerate(jobs) if place not in gone] if gone else jobs


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
            done.moved |= found.moves
            done.stopped += [
                (
                    unit,
                    tuple(Evict(task.id, job_id, why(unit), action, moves=unit in found.moves) for task in unit.tasks),
                )
                for unit in found.units
            ]
            write_down(done, row.key, done.tasks(row.key, wanted), found.spots, now=False)
            queue.served()
            refused.clear()
        turns.put_back()


def let_stay(state: ClusterState, done: PoolRound) -> None:
    """Stop nobody who turned out not to be needed: what a later job needs may leave room for an earlier one, too."""
    draft = done.draft
    given = {nominate.node for nominations in done.promised.values() for nominate in nominations}
    used = {draft.nodes.row[node] for node in (*given, *(bind.node for bind in done.binds))}
    taken = used | _rows_of(done.moved)
    for at in reversed(range(len(done.stopped))):
        unit, _ = done.stopped[at]
        if unit in done.moved:
            if _stays_after_all(state, done, unit, used):
                del done.stopped[at]
                taken = used | _rows_of(done.moved)
            continue
        mark = draft.checkpoint()
        if not let_go_on(draft, unit, taken):
            continue
        if excess(draft, unit.queue, unit.total, preemptible=True) is None:
            del done.stopped[at]
            draft.charge(unit.queue, unit.total, 1, preemptible=True)
        else:
            draft.rollback(mark)


def _stays_after_all(state: ClusterState, done: PoolRound, unit: Unit, used: set[int]) -> bool:
    """Leave a unit that was to move where it is, if all others can move all the same. Returns whether."""
    draft = done.draft
    mark = draft.checkpoint()
    others = list(done.moved) if len(done.moved) <= _MOST_MOVED else [unit]
    for other in others:
        for task, spot in zip(other.tasks, done.moved[other], strict=True):
            draft.give_back(spot, task.request, now=False)
    taken = _rows_of(done.moved) if len(others) < len(done.moved) else set[int]()
    if let_go_on(draft, unit, used | taken):
        again: dict[Unit, list[Spot]] = {}
        for other in others:
            spots = place_again(state, done.placer, other) if other is not unit else []
            if spots is None:
                break
            again[other] = spots
        else:
            done.moved |= again
            del done.moved[unit]
            return True
    draft.rollback(mark)
    return False


def _rows_of(moved: Mapping[Unit, list[Spot]]) -> set[int]:
    return {spot.row for spots in moved.values() for spot in spots}
