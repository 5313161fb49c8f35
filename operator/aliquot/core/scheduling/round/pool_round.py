"""What a round has decided in one pool so far: every step reads it and adds to it."""

from dataclasses import dataclass, field

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.facts import Task
from aliquot.core.scheduling.fairness.queue_order import Row
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.plan import Bind, Evict, Nominate
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.jobs import Ask, GroupKey
from aliquot.core.scheduling.state.queues import amount
from aliquot.core.scheduling.state.units import Unit


@dataclass(slots=True)
class PoolRound:
    """What a round has decided in one pool so far.

    Attributes:
        name: the pool.
        draft: the pool after it.
        placer: what places tasks in the draft.
        binds: who starts.
        stopped: who is stopped, and how it is told.
        promised: who will start when others have gone, by job.
        started: how many of its waiting tasks a job has been given or promised room for.
        left: who got nothing.
        moved: those of the stopped who have another place already, and where each of their tasks will be.
    """

    name: str
    draft: Draft
    placer: Placer
    binds: list[Bind] = field(default_factory=list[Bind])
    stopped: list[tuple[Unit, tuple[Evict, ...]]] = field(default_factory=list[tuple[Unit, tuple[Evict, ...]]])
    promised: dict[str, tuple[Nominate, ...]] = field(default_factory=dict[str, tuple[Nominate, ...]])
    started: dict[str, int] = field(default_factory=dict[str, int])
    left: list[Row] = field(default_factory=list[Row])
    moved: dict[Unit, list[Spot]] = field(default_factory=dict[Unit, list[Spot]])

    @property
    def evictions(self) -> tuple[Evict, ...]:
        """Who is stopped, task by task."""
        return tuple(evict for _, evicts in self.stopped for evict in evicts)

    def tasks(self, key: GroupKey, wanted: Ask) -> tuple[Task, ...]:
        """Which tasks of the job are next."""
        first = self.started.get(wanted.job.id, 0)
        return wanted.pending[first : first + key.demand.tasks]


def write_down(done: PoolRound, key: GroupKey, tasks: tuple[Task, ...], spots: list[Spot], *, now: bool) -> None:
    """These tasks start there, now or when what is stopping has gone; room and queue are charged already."""
    draft, job_id = done.draft, tasks[0].job
    done.started[job_id] = done.started.get(job_id, 0) + len(tasks)
    if not now:
        done.promised[job_id] = tuple(
            Nominate(task.id, draft.nodes.name(spot.row)) for task, spot in zip(tasks, spots, strict=True)
        )
        return
    deserved = draft.tree.queues[key.queue].gpu.deserved
    held = draft.held[key.queue][0]
    over = held > deserved < UNLIMITED
    done.binds += [
        Bind(
            task.id,
            draft.nodes.name(spot.row),
            amount(task.request, draft.nodes.device_memory_mib(spot.row))[0],
            over,
            held,
            deserved,
            spot.devices,
        )
        for task, spot in zip(tasks, spots, strict=True)
    ]
