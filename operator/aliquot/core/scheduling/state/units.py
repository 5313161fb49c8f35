"""Who may be stopped, as units: tasks of one job that go together or not at all, the first to go first.

Lowest priority first, then what a job runs beyond its minimum, then the youngest (scheduling.md 2.9). A job that runs
beyond its minimum is offered task by task, and as a whole; one at its minimum only as a whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import add, itemgetter
from typing import NamedTuple

import numpy as np

from aliquot.core.quantities import Request
from aliquot.core.scheduling.facts import Job, Task
from aliquot.core.scheduling.state.devices import OPENING, OPENS
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


Ranked = tuple[tuple[int, bool, float], tuple[str, str], Unit]
"""A unit after what it is ranked by: first its right to stay, the least first, then its name, the last first."""


def ranked_units(job: Job, queue: str, placed: list[Placed]) -> list[Ranked]:
    """The units of a job that has these tasks, in whatever order: the whole of it last, as far as it may be stopped."""
    if not job.preemptible:
        beyond = beyond_minimum(job, [one.task for one in placed])
        placed = [one for one in placed if one.task.id in beyond]
        units = [_beyond(job, queue, one) for one in sorted(placed, key=lambda one: task_order(one.task))]
        return units if len(units) < 2 else [*units, _whole(job, queue, placed)]
    if len(placed) == 1:
        return [_whole(job, queue, placed)]
    placed.sort(key=lambda one: task_order(one.task))
    beyond = beyond_minimum(job, [one.task for one in placed])
    return [*(_beyond(job, queue, one) for one in placed if one.task.id in beyond), _whole(job, queue, placed)]


def _beyond(job: Job, queue: str, one: Placed) -> Ranked:
    """A task that the job could go on without."""
    return ((job.priority, False, -one.task.created), (one.task.name, one.task.id), Unit.of(job, queue, [one]))


def _whole(job: Job, queue: str, placed: list[Placed]) -> Ranked:
    return ((job.priority, True, -job.created), (job.name, job.id), Unit.of(job, queue, placed))


def gain_of(nodes: NodeTable, request: Request) -> Room:
    """What a row gains at most when such a task stops."""
    amounts = nodes.amounts(request)
    assert amounts is not None, "a task is on a node that has not heard of what it holds"
    gain: list[int] = amounts.tolist()
    if request.part is not None:
        for column, more in zip(OPENING, OPENS.tolist(), strict=True):
            gain[column] += more * request.part.devices
    return tuple(gain)


class QueueUnits:
    """The units of one queue in one pool, kept up to date job by job.

    Attributes:
        units: all of them, first to go first.
        room: per row, what would come free at most if all were stopped.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        """None, on nodes with amounts of this shape."""
        self.units: list[Unit] = []
        self.room: Amounts = np.zeros(shape, np.int64)
        self._ranked: list[Ranked] = []
        self._wholes: dict[str, Unit] = {}

    def update(self, changed: Mapping[str, Sequence[Ranked]]) -> None:
        """Take over the units that these jobs have now, by id of the job."""
        before = [whole for job_id in changed if (whole := self._wholes.pop(job_id, None)) is not None]
        now = {job_id: theirs[-1][2] for job_id, theirs in changed.items() if theirs}
        count_room(self.room, before, -1)
        count_room(self.room, now.values(), 1)
        self._wholes.update(now)
        if before:
            self._ranked = [each for each in self._ranked if each[2].job.id not in changed]
        for theirs in changed.values():
            self._ranked += theirs
        self._ranked.sort(key=itemgetter(1), reverse=True)
        self._ranked.sort(key=itemgetter(0))
        self.units = [unit for _, _, unit in self._ranked]


def count_room(room: Amounts, units: Iterable[Unit], sign: int) -> None:
    """Add what the units make room for, per row (`sign` 1), or take it away (-1)."""
    rows: list[int] = []
    gains: list[Room] = []
    for unit in units:
        rows += unit.on
        gains += unit.on.values()
    if rows:
        np.add.at(room, rows, np.array(gains, np.int64) * sign)
