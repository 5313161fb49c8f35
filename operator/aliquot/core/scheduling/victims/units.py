"""Who may be stopped, as units: tasks of one job that go together or not at all, the first to go first.

Lowest priority first, then what a job runs beyond its minimum, then the youngest (scheduling.md 2.9). A job that runs
beyond its minimum is offered task by task, and as a whole; one at its minimum only as a whole.
"""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np

from aliquot.core.quantities import AXES
from aliquot.core.scheduling.facts import Job, Task
from aliquot.core.scheduling.fairness.capacity import parts_per_million
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.queues import Amount

Room = tuple[int, int, int, int]
"""An amount in the order of `AXES`."""

_NOTHING: Final[Room] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """Tasks that are stopped together.

    Attributes:
        job: whose they are.
        queue: name of the queue that holds them.
        tasks: which.
        rows: the row of each.
        total: what the queue holds less without them.
        on: what each row gains, by row.
    """

    job: Job
    queue: str
    tasks: tuple[Task, ...]
    rows: tuple[int, ...]
    total: Amount
    on: dict[int, Room] = field(repr=False)

    @staticmethod
    def of(job: Job, queue: str, placed: Sequence[tuple[Task, int]]) -> "Unit":
        """The unit of these tasks, each with the row that it is on."""
        on: dict[int, Room] = {}
        gpu = cpu = memory = 0
        for task, row in placed:
            request = task.request.base.as_tuple()
            there = on.get(row, _NOTHING)
            on[row] = (
                there[0] + request[0],
                there[1] + request[1],
                there[2] + request[2],
                there[3] + request[3],
            )
            gpu, cpu, memory = gpu + request[0], cpu + request[1], memory + request[2]
        tasks, rows = tuple(task for task, _ in placed), tuple(row for _, row in placed)
        return Unit(job, queue, tasks, rows, (gpu, cpu, memory), on)

    def overlaps(self, tasks: Collection[str]) -> bool:
        """Whether one of its tasks is among them."""
        return any(task.id in tasks for task in self.tasks)


class QueueUnits:
    """The units of one queue, first to go first.

    Attributes:
        units: all of them that are not taken.
        room: per row, what would come free if all were stopped.
    """

    def __init__(self, units: list[Unit], rows: int) -> None:
        self.units = units
        self.room: Amounts = np.zeros((rows, len(AXES)), np.int64)
        counted: set[str] = set()
        for unit in sorted(units, key=lambda unit: -len(unit.tasks)):
            if not unit.overlaps(counted):
                counted.update(task.id for task in unit.tasks)
                for row, gain in unit.on.items():
                    self.room[row] += gain

    def take(self, unit: Unit) -> None:
        """The unit is chosen: it is no candidate any more."""
        self.units.remove(unit)
        for row, gain in unit.on.items():
            self.room[row] -= gain


def units_of(state: ClusterState, pool_name: str, queue: str) -> QueueUnits:
    """What may be stopped of a queue in a pool at this moment."""
    pool = state.pool(pool_name)
    row_of = pool.nodes.row
    ranked: list[tuple[tuple[int, bool, float], tuple[str, str], Unit]] = []
    for job_id in pool.stoppable.get(queue, {}):
        job = state.job(job_id)
        assert job is not None, "a job counts as stoppable that nobody knows"
        placed = [
            (record.fact, row_of[record.node])
            for record in state.tasks_of(job_id).values()
            if record.state.active and record.node in row_of
        ]
        if len(placed) > 1:
            placed.sort(key=lambda item: (item[0].created, item[0].name, item[0].id))
        beyond = max(0, len(placed) - max(1, job.min_member))
        for task, row in placed[len(placed) - beyond :]:
            unit = Unit.of(job, queue, [(task, row)])
            ranked.append(((job.priority, False, -task.created), (task.name, task.id), unit))
        ranked.append(((job.priority, True, -job.created), (job.name, job.id), Unit.of(job, queue, placed)))
    ranked.sort(key=lambda item: item[1], reverse=True)
    ranked.sort(key=lambda item: item[0])
    return QueueUnits([unit for _, _, unit in ranked], len(pool.nodes.usable))


class Candidates:
    """What may be stopped in one pool in one round, less what has been chosen already; made when first asked for.

    Attributes:
        queues: those that have something to stop.
        spared: ids of jobs that start something in this round or were promised room: none of theirs is stopped.
    """

    def __init__(self, state: ClusterState, pool: str, draft: Draft, spared: Container[str]) -> None:
        self.queues = sorted(state.pool(pool).stoppable)
        self.spared = spared
        self._state = state
        self._pool = pool
        self._draft = draft
        self._units: dict[str, QueueUnits] = {}
        self._gone: dict[str, set[str]] = {}

    def lowest_priority(self, queue: str) -> int | None:
        """The lowest priority of what may be stopped of a queue; None when nothing may."""
        return self._state.pool(self._pool).lowest_priority(queue)

    def room(self, queue: str) -> Amounts:
        """Per row, what would come free if everything were stopped that may be. To read only."""
        return self._of(queue).room

    def take(self, unit: Unit) -> None:
        """The unit is chosen."""
        self._of(unit.queue).take(unit)
        self._gone.setdefault(unit.job.id, set()).update(task.id for task in unit.tasks)

    def in_order(self, queues: Iterable[str], useful: Callable[[Unit], bool]) -> Iterator[Unit]:
        """The useful units of these queues, from the queue that is most over its quota first.

        Queues are compared from the root down, each as it would be after what was yielded before; among equals the
        younger queue goes first.
        """
        tree = self._draft.tree
        chains = {name: tree.chain(name)[::-1] for name in queues}
        less: dict[str, list[int]] = {level.name: [0, 0, 0] for chain in chains.values() for level in chain}

        def share(name: str) -> tuple[int, ...]:
            return tuple(
                -parts_per_million(self._draft, level, (less[level.name][0], less[level.name][1], less[level.name][2]))
                for level in chains[name]
            )

        order = sorted(chains, reverse=True)
        order.sort(key=lambda name: -tree.queues[name].created)
        rest = {name: filter(useful, iter(list(self._of(name).units))) for name in order}
        heap = [(share(name), number, name) for number, name in enumerate(order)]
        heapify(heap)
        while heap:
            before, number, name = heappop(heap)
            now = share(name)
            if now != before:
                heappush(heap, (now, number, name))
                continue
            unit = next((unit for unit in rest[name] if not self._is_gone(unit)), None)
            if unit is None:
                continue
            yield unit
            for level in chains[name]:
                for axis in range(3):
                    less[level.name][axis] -= unit.total[axis]
            heappush(heap, (share(name), number, name))

    def shrinks(self, job_id: str) -> bool:
        """Whether something of the job has been chosen."""
        return job_id in self._gone

    def _is_gone(self, unit: Unit) -> bool:
        gone = self._gone.get(unit.job.id)
        return unit.job.id in self.spared or (gone is not None and unit.overlaps(gone))

    def _of(self, queue: str) -> QueueUnits:
        units = self._units.get(queue)
        if units is None:
            units = self._units[queue] = units_of(self._state, self._pool, queue)
        return units
