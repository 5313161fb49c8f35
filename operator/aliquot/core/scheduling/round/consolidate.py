"""Second step of a round: jobs that fit nowhere although there is room enough in pieces; others move for them.

For preemptible jobs of which nothing runs, at the cost of preemptible ones of any queue, all of which get another
place in the same plan (scheduling.md 2.9). What is stopped for another reason may move, too; see `mark_moves`.
"""

from collections.abc import Callable
from dataclasses import replace

from aliquot.core.scheduling.fairness.capacity import excess
from aliquot.core.scheduling.round.pool_round import PoolRound
from aliquot.core.scheduling.round.turns import Attempt, Why, help_in_turn
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.jobs import Ask, Demand, GroupKey, Line
from aliquot.core.scheduling.state.queues import Amount
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.moving import find_moves, free_in_all, place_again
from aliquot.core.scheduling.victims.search import Found
from aliquot.core.scheduling.wording import amount_of, short_name


def consolidate(
    state: ClusterState,
    line: Line,
    rounds: dict[str, PoolRound],
    candidates: dict[str, Candidates],
    most_jobs: int | None,
) -> None:
    """Help those who are left by moving others; at most `most_jobs` jobs for one."""
    help_in_turn(state, line, rounds, candidates, _attempt(most_jobs), "consolidate", _hope)


def _hope(done: PoolRound, candidates: Candidates) -> Callable[[GroupKey], bool]:
    """Whether there is room enough in pieces."""
    del candidates
    free: list[int] = free_in_all(done.draft)[:3].tolist()

    def fits_in_pieces(key: GroupKey) -> bool:
        special = any(shape.request.mig or shape.request.part for shape, _ in key.demand.runs)
        return special or all(needed <= there for needed, there in zip(key.demand.total, free, strict=True))

    return fits_in_pieces


def _attempt(most_jobs: int | None) -> Attempt:
    in_vain: dict[str, set[Demand]] = {}

    def attempt(done: PoolRound, candidates: Candidates, key: GroupKey, wanted: Ask) -> tuple[Found, Why] | None:
        draft = done.draft
        refused = in_vain.setdefault(done.name, set())
        if not key.preemptible or key.growing or wanted.nodes or key.demand in refused:
            return None
        if key.demand.part is not None or excess(draft, key.queue, key.demand.total, preemptible=True) is not None:
            return None
        found = find_moves(draft, done.placer, candidates, key, wanted.job.id, most_jobs)
        if found is None:
            refused.add(key.demand)
            return None
        refused.clear()
        return found, _why(done, key, wanted)

    return attempt


def _why(done: PoolRound, key: GroupKey, wanted: Ask) -> Why:
    asked = next(((axis, total) for axis, total in enumerate(key.demand.total) if total > 0), None)
    who = f"moved for {short_name(done.draft.tree.queues[key.queue])}/{wanted.job.name}"
    needs = f"it needs {amount_of(*asked) if asked is not None else 'room'}, free only in pieces"
    return lambda _: f"{who}: {needs}, and there is room for this pod on another node"


def mark_moves(done: PoolRound) -> None:
    """Promise room elsewhere to those who were stopped and fit there; they move, and lose nothing but time."""
    draft = done.draft
    free: list[int] = free_in_all(draft).tolist() if done.stopped else []
    for at, (unit, evicts) in enumerate(done.stopped):
        if unit in done.moved or any(paid > there for paid, there in zip(_without_mig(unit), free, strict=False)):
            continue
        if excess(draft, unit.queue, unit.total, preemptible=True) is None and (
            spots := place_again(done.placer, unit)
        ):
            free = free_in_all(draft).tolist()
            done.moved[unit] = spots
            draft.charge(unit.queue, unit.total, 1, preemptible=True)
            done.stopped[at] = (unit, tuple(replace(evict, moves=True) for evict in evicts))


def _without_mig(unit: Unit) -> Amount:
    """What the unit needs of GPUs outside MIG, CPU and memory, at least."""
    gpu = 0 if any(task.request.mig or task.request.part for task in unit.tasks) else unit.total[0]
    return (gpu, unit.total[1], unit.total[2])
