"""Second step of a round: jobs that fit nowhere although there is room enough in pieces; others move for them.

For preemptible jobs of which nothing runs, at the cost of preemptible ones of any queue, all of which have another
place (scheduling.md 2.9). That they will really get it is seen in a rehearsal of the next round, before anybody moves.
What is stopped for another reason may move, too; see `mark_moves`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from aliquot.core.scheduling.fairness.capacity import excess
from aliquot.core.scheduling.round.pool_round import PoolRound
from aliquot.core.scheduling.round.rehearsal import Outlook, run_again
from aliquot.core.scheduling.round.turns import Attempt, Why, help_in_turn
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.jobs import Ask, Demand, GroupKey, Line
from aliquot.core.scheduling.state.queues import Amount
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.close import in_domains
from aliquot.core.scheduling.victims.moving import Terms, find_moves, free_in_all, place_again
from aliquot.core.scheduling.victims.search import Found
from aliquot.core.scheduling.wording import amount_of, short_name

_MOST_DOMAINS: Final = 64
"""In so many ways a gang is held to domains for which others move."""

_MOST_REHEARSED: Final = 1 << 11
"""So many units are placed in the rehearsals of one round. Who is not helped then is helped in the next."""


def consolidate(
    state: ClusterState,
    line: Line,
    rounds: dict[str, PoolRound],
    candidates: dict[str, Candidates],
    most_jobs: int | None,
) -> None:
    """Help those who are left by moving others; at most `most_jobs` jobs for one."""
    attempt = _attempt(state, line, rounds, most_jobs)
    help_in_turn(state, line, rounds, candidates, attempt, "consolidate", _hope)


def _hope(done: PoolRound, candidates: Candidates) -> Callable[[GroupKey], bool]:
    """Whether there is room enough in pieces."""
    del candidates
    free: list[int] = free_in_all(done.draft)[:3].tolist()

    def fits_in_pieces(key: GroupKey) -> bool:
        special = any(shape.request.mig or shape.request.part for shape, _ in key.demand.runs)
        return special or all(needed <= there for needed, there in zip(key.demand.total, free, strict=True))

    return fits_in_pieces


def _attempt(state: ClusterState, line: Line, rounds: Mapping[str, PoolRound], most_jobs: int | None) -> Attempt:
    in_vain: dict[str, set[Demand]] = {}
    rehearsed = 0

    def attempt(done: PoolRound, candidates: Candidates, key: GroupKey, wanted: Ask) -> tuple[Found, Why] | None:
        draft = done.draft
        refused = in_vain.setdefault(done.name, set())
        if not key.preemptible or key.growing or wanted.nodes or key.demand in refused or rehearsed > _MOST_REHEARSED:
            return None
        if excess(draft, key.queue, key.demand.total, preemptible=True) is not None:
            return None

        def accepts(units: Collection[Unit]) -> bool:
            nonlocal rehearsed
            after = Outlook.of(done, rounds.values()).plus(units, wanted.job.id, key.demand.tasks)
            rehearsed += len(after.stopped)
            return after.movers <= run_again(state, line, done, after)

        terms = Terms(wanted.job.id, most_jobs, accepts)
        for close in islice(in_domains(done.placer, candidates, key, candidates.queues), _MOST_DOMAINS):
            found = find_moves(state, done.placer, candidates, close.demand, terms)
            if found is not None:
                refused.clear()
                return found, _why(done, key, wanted)
        refused.add(key.demand)
        return None

    return attempt


def moves_hold(state: ClusterState, line: Line, rounds: Mapping[str, PoolRound]) -> bool:
    """Whether all who move for others will run again at once, and these others run.

    Who was stopped otherwise is said to move only if it will.
    """
    for done in rounds.values():
        if not done.moved:
            continue
        outlook = Outlook.of(done, rounds.values())
        served = run_again(state, line, done, outlook)
        if not outlook.movers <= served:
            return False
        for at, (unit, evicts) in enumerate(done.stopped):
            if unit in done.moved and unit.job.id not in served:
                done.stopped[at] = (unit, tuple(replace(evict, moves=False) for evict in evicts))
    return True


def _why(done: PoolRound, key: GroupKey, wanted: Ask) -> Why:
    asked = next(((axis, total) for axis, total in enumerate(key.demand.total) if total > 0), None)
    who = f"moved for {short_name(done.draft.tree.queues[key.queue])}/{wanted.job.name}"
    needs = f"it needs {amount_of(*asked) if asked is not None else 'room'}, free only in pieces"
    return lambda _: f"{who}: {needs}, and there is room for this pod on another node"


def mark_moves(state: ClusterState, done: PoolRound) -> None:
    """Promise room elsewhere to those who were stopped and fit there; they move, and lose nothing but time."""
    draft = done.draft
    free: list[int] = free_in_all(draft).tolist() if done.stopped else []
    for at, (unit, evicts) in enumerate(done.stopped):
        if unit in done.moved or any(paid > there for paid, there in zip(_without_mig(unit), free, strict=False)):
            continue
        if excess(draft, unit.queue, unit.total, preemptible=True) is None and (
            spots := place_again(state, done.placer, unit)
        ):
            free = free_in_all(draft).tolist()
            done.moved[unit] = spots
            draft.charge(unit.queue, unit.total, 1, preemptible=True)
            done.stopped[at] = (unit, tuple(replace(evict, moves=True) for evict in evicts))


def _without_mig(unit: Unit) -> Amount:
    """What the unit needs of GPUs outside MIG, CPU and memory, at least."""
    gpu = 0 if any(task.request.mig or task.request.part for task in unit.tasks) else unit.total[0]
    return (gpu, unit.total[1], unit.total[2])
