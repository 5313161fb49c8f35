"""Who may be stopped, as units: tasks of one job that go together or not at all, the first to go first.

Lowest priority first, then what a job runs beyond its minimum, then the youngest (scheduling.md 2.9). A job that runs
beyond its minimum is offered task by task, and as a whole; one at its minimum only as a whole.
"""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from operator import add, itemgetter
from typing import Final, NamedTuple

import numpy as np

from aliquot.core.quantities import PERCENT_PER_DEVICE, Request
from aliquot.core.scheduling.facts import Job, Task
from aliquot.core.scheduling.fairness.capacity import dominant_share
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.gangs import beyond_minimum, task_order
from aliquot.core.scheduling.state.nodes import Amounts, NodeTable
from aliquot.core.scheduling.state.queues import Amount

Room = tuple[int, ...]
"""An amount in the columns of a `NodeTable`."""


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """Tasks that are stopped together.

    Attributes:
        job: whose they are.
        queue: name of the queue that holds them.
        tasks: which.
        rows: the row of each.
        total: what the queue holds less without them.
        on: what each row gains at most, by row. Exact, but for whom parts of devices are held: how much of a device
            comes free depends on who else has a part of it, so each part counts as all of its devices.
        parts: those tasks that hold parts of devices, with their rows.
    """

    job: Job
    queue: str
    tasks: tuple[Task, ...]
    rows: tuple[int, ...]
    total: Amount
    on: dict[int, Room] = field(repr=False)
    parts: tuple[tuple[int, Task], ...] = field(repr=False)

    @staticmethod
    def of(job: Job, queue: str, placed: Sequence["Placed"]) -> "Unit":
        """The unit of these tasks."""
        if len(placed) == 1:
            [one] = placed
            return Unit(
                job,
                queue,
                (one.task,),
                (one.row,),
                one.paid,
                {one.row: one.gain},
                ((one.row, one.task),) if one.task.request.part is not None else (),
            )
        on: dict[int, Room] = {}
        for one in placed:
            there = on.get(one.row)
            on[one.row] = one.gain if there is None else tuple(map(add, there, one.gain))
        total = [sum(one.paid[axis] for one in placed) for axis in range(3)]
        return Unit(
            job,
            queue,
            tuple(one.task for one in placed),
            tuple(one.row for one in placed),
            (total[0], total[1], total[2]),
            on,
            tuple((one.row, one.task) for one in placed if one.task.request.part is not None),
        )

    def overlaps(self, tasks: Collection[str]) -> bool:
        """Whether one of its tasks is among them."""
        return any(task.id in tasks for task in self.tasks)


class Placed(NamedTuple):
    """A task with what stopping it means.

    Attributes:
        task: the task.
        row: where it is.
        gain: what its row gains at most.
        paid: what its queue pays for it.
    """

    task: Task
    row: int
    gain: Room
    paid: Amount


_MOST_TAKEN: Final = 64
"""So many units are passed over before they are sorted out."""


class QueueUnits:
    """The units of one queue, first to go first.

    Attributes:
        units: all of them, and a few of those that were taken.
        room: per row, what would come free at most if all were stopped.
    """

    def __init__(self, units: list[Unit], shape: tuple[int, int]) -> None:
        self.units = units
        self.room: Amounts = np.zeros(shape, np.int64)
        self._taken: set[Unit] = set()
        rows: list[int] = []
        gains: list[Room] = []
        whole: set[str] = set()
        for unit in reversed(units):  # the whole of a job comes after its parts
            if unit.job.id in whole:
                continue
            if len(unit.tasks) > 1:
                whole.add(unit.job.id)
            rows += unit.on
            gains += unit.on.values()
        if rows:
            np.add.at(self.room, np.array(rows), np.array(gains, np.int64))

    def take(self, units: Sequence[Unit]) -> None:
        """They are chosen: they are no candidates any more."""
        self._taken.update(units)
        if len(self._taken) > _MOST_TAKEN:
            self.units = [unit for unit in self.units if unit not in self._taken]
            self._taken.clear()
        rows = [row for unit in units for row in unit.on]
        np.subtract.at(self.room, np.array(rows), np.array([gain for unit in units for gain in unit.on.values()]))


def units_of(state: ClusterState, pool_name: str, queue: str) -> QueueUnits:
    """What may be stopped of a queue in a pool at this moment."""
    pool = state.pool(pool_name)
    nodes = pool.nodes
    gains: dict[Request, Room] = {}
    ranked: list[tuple[tuple[int, bool, float], tuple[str, str], Unit]] = []
    for job_id in pool.stoppable.get(queue, {}):
        job = state.job(job_id)
        assert job is not None, "a job counts as stoppable that nobody knows"
        placed: list[Placed] = []
        for record in state.tasks_of(job_id).values():
            counted = record.counted
            if counted is not None and counted.kind == "held" and counted.nodes is nodes:
                request = counted.task.request
                gain = gains.get(request)
                if gain is None:
                    gain = gains[request] = _gain(nodes, request)
                placed.append(Placed(counted.task, nodes.row[counted.node], gain, counted.amount))
        if len(placed) == 1:
            ranked.append(((job.priority, True, -job.created), (job.name, job.id), Unit.of(job, queue, placed)))
            continue
        placed.sort(key=lambda one: task_order(one.task))
        beyond = beyond_minimum(job, [one.task for one in placed])
        for one in placed:
            if one.task.id not in beyond:
                continue
            unit = Unit.of(job, queue, [one])
            ranked.append(((job.priority, False, -one.task.created), (one.task.name, one.task.id), unit))
        ranked.append(((job.priority, True, -job.created), (job.name, job.id), Unit.of(job, queue, placed)))
    ranked.sort(key=itemgetter(1), reverse=True)
    ranked.sort(key=itemgetter(0))
    return QueueUnits([unit for _, _, unit in ranked], nodes.allocatable.shape)


def _gain(nodes: NodeTable, request: Request) -> Room:
    """What a row gains at most when such a task stops."""
    amounts = nodes.amounts(request)
    assert amounts is not None, "a task is on a node that has not heard of what it holds"
    gain: list[int] = amounts.tolist()
    if request.part is not None:
        gain[0] += PERCENT_PER_DEVICE * request.part.devices
    return tuple(gain)


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
        self._by_row: dict[int, list[Unit]] | None = None

    def lowest_priority(self, queue: str) -> int | None:
        """The lowest priority of what may be stopped of a queue; None when nothing may."""
        return self._state.pool(self._pool).lowest_priority(queue)

    def room(self, queue: str) -> Amounts:
        """Per row, what would come free if everything were stopped that may be. To read only."""
        return self._of(queue).room

    def take(self, units: Iterable[Unit]) -> None:
        """They are chosen."""
        theirs: dict[str, list[Unit]] = {}
        for unit in units:
            theirs.setdefault(unit.queue, []).append(unit)
            self._gone.setdefault(unit.job.id, set()).update(task.id for task in unit.tasks)
        for queue, taken in theirs.items():
            self._of(queue).take(taken)

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
                -dominant_share(self._draft, level, (less[level.name][0], less[level.name][1], less[level.name][2]))
                for level in chains[name]
            )

        order = sorted(chains, reverse=True)
        order.sort(key=lambda name: -tree.queues[name].created)
        rest = {name: filter(useful, iter(list(self._of(name).units))) for name in order}
        heap = [(share(name), number, name) for number, name in enumerate(order)]
        heapify(heap)
        while heap:
            before, number, name = heappop(heap)
            if len(chains[name]) > 1 and (now := share(name)) != before:  # others below the same queue were yielded
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

    def on_row(self, row: int) -> list[Unit]:
        """All units of all queues that make room on a row, in a fixed order."""
        if self._by_row is None:
            self._by_row = {}
            for queue in self.queues:
                for unit in self._of(queue).units:
                    for there in unit.on:
                        self._by_row.setdefault(there, []).append(unit)
        return [unit for unit in self._by_row.get(row, ()) if not self._is_gone(unit)]

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
