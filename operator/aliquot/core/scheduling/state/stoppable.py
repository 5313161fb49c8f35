"""What may be stopped of a queue, kept up to date: only jobs are reckoned anew of which other tasks hold room now."""

from collections.abc import Collection, Iterable, Mapping

from aliquot.core.quantities import Request
from aliquot.core.scheduling.facts import Job
from aliquot.core.scheduling.state.nodes import NodeTable
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.tasks import TaskRecord
from aliquot.core.scheduling.state.units import Placed, QueueUnits, Ranked, Room, gain_of, ranked_units


def units_of(
    pool: PoolState, queue: str, jobs: Mapping[str, Job], tasks: Mapping[str, Mapping[str, TaskRecord]]
) -> QueueUnits:
    """The units of a queue in a pool, brought up to date; `tasks` are by job."""
    there, shape = pool.stoppable.get(queue, {}), pool.nodes.allocatable.shape
    known = pool.units.get(queue)
    changed: Collection[str] = pool.changed.pop(queue, ())
    if known is None or known.room.shape != shape:
        known = pool.units[queue] = QueueUnits(shape)
        changed = there
    if changed:
        gains: dict[Request, Room] = {}
        units: dict[str, list[Ranked]] = {}
        for job_id in changed:
            placed = _placed(pool.nodes, tasks[job_id].values(), gains) if job_id in there else []
            units[job_id] = ranked_units(jobs[job_id], queue, placed) if placed else []
        known.update(units)
    return known


def _placed(nodes: NodeTable, records: Iterable[TaskRecord], gains: dict[Request, Room]) -> list[Placed]:
    """The tasks that hold room on the nodes; `gains` are those of requests that have been met before."""
    placed: list[Placed] = []
    for record in records:
        counted = record.counted
        if counted is None or counted.kind != "held" or counted.nodes is not nodes:
            continue
        request = counted.task.request
        gain = gains.get(request)
        if gain is None:
            gain = gains[request] = gain_of(nodes, request)
        placed.append(Placed(counted.task, nodes.row[counted.node], gain, counted.amount))
    return placed
