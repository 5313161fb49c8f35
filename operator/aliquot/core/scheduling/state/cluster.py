"""What the scheduler knows, kept up to date by events in O(change).

Used by one thread at a time: events are applied between rounds, not during one. Looking up what a queue holds is safe
at any moment.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain
from typing import assert_never

from aliquot.core.scheduling.events import (
    Event,
    EvictionFailed,
    EvictionStarted,
    Granted,
    GrantFailed,
    JobChanged,
    JobRemoved,
    NodeChanged,
    NodeRemoved,
    Promised,
    QueueChanged,
    QueueRemoved,
    TaskChanged,
    TaskRemoved,
)
from aliquot.core.scheduling.facts import Job, Node, Task
from aliquot.core.scheduling.state.asked import promise, review, take_in
from aliquot.core.scheduling.state.books import Books, active_of
from aliquot.core.scheduling.state.ground import Ground
from aliquot.core.scheduling.state.jobs import Ask, Line
from aliquot.core.scheduling.state.lining_up import bring_up_to_date, next_of
from aliquot.core.scheduling.state.moments import Moments
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.queues import QueueUsage
from aliquot.core.scheduling.state.stoppable import units_of
from aliquot.core.scheduling.state.tasks import TaskRecord
from aliquot.core.scheduling.state.units import QueueUnits


class ClusterState:
    """Nodes, queues, jobs and tasks, and what follows from them.

    Attributes:
        pools: by name; one is there as soon as a node, a queue or a job names it.
        line: the waiting jobs.
        moments: when time alone makes a difference.
    """

    def __init__(self) -> None:
        self.line = Line()
        self.moments = Moments()
        self._books = Books(self.line.mentioned)
        self._ground = Ground(self._books, self.moments)
        self._incomplete: dict[str, Job] = {}
        self.pools: Mapping[str, PoolState] = self._books.pools

    @classmethod
    def rebuild(cls, events: Iterable[Event]) -> "ClusterState":
        """A state from facts in any order, such as those of `facts()` or of a fresh list."""
        state = cls()
        for event in events:
            state.apply(event)
        return state

    def facts(self) -> Iterator[Event]:
        """Events that rebuild this state, in a fixed order."""
        for _, pool in sorted(self.pools.items()):
            yield from (NodeChanged(node) for _, node in sorted(pool.nodes.nodes.items()))
            yield from (QueueChanged(queue) for _, queue in sorted(pool.queues.queues.items()))
        yield from (JobChanged(job) for _, job in sorted(self._books.jobs.items()))
        records = sorted(self._books.records.items())
        for task_id, record in records:
            yield TaskChanged(record.fact)
            if record.granted is not None:
                yield Granted(task_id, record.granted, record.granted_devices)
        for task_id, record in records:
            if record.evicting or record.stopped_for:
                yield EvictionStarted(task_id, record.stopped_for)
        for job_id, given in sorted(self._books.promises.given.items()):
            yield from (Promised(job_id, node, given.until) for node in sorted(given.nodes))

    def apply(self, event: Event) -> None:
        """Take in what happened. Idempotent; what names unknown ids is kept where it is a fact, and ignored else."""
        match event:
            case NodeChanged(node):
                self._ground.node_changed(node)
            case NodeRemoved(name):
                self._ground.node_removed(name)
            case QueueChanged(queue):
                self._ground.queue_changed(queue)
            case QueueRemoved(pool, name):
                self._ground.queue_removed(pool, name)
            case JobChanged(job):
                self._job_changed(job)
            case JobRemoved(job_id):
                self._job_removed(job_id)
            case TaskChanged(task):
                self._task_changed(task)
            case TaskRemoved(task_id):
                self._task_removed(task_id)
            case Promised(job_id, node_name, until):
                promise(self._books, job_id, node_name, until)
            case Granted() | GrantFailed() | EvictionStarted() | EvictionFailed():
                if (record := self._books.records.get(event.task)) is not None:
                    take_in(self._books, record, event)
            case _:
                assert_never(event)

    # Looking up

    def pool(self, name: str) -> PoolState:
        """The pool; an empty one when nothing was known of it."""
        return self._books.pool(name)

    def job(self, job_id: str) -> Job | None:
        """The job as last said."""
        return self._books.jobs.get(job_id)

    def jobs(self) -> Mapping[str, Job]:
        """All jobs by id. To read only."""
        return self._books.jobs

    def incomplete(self) -> Iterable[Job]:
        """The jobs that run with fewer tasks than their minimum (`Job.stale_since`)."""
        return self._incomplete.values()

    def task(self, task_id: str) -> TaskRecord | None:
        """The task, with what is assumed of it. To read only."""
        return self._books.records.get(task_id)

    def tasks(self) -> Mapping[str, TaskRecord]:
        """All tasks by id. To read only."""
        return self._books.records

    def tasks_of(self, job_id: str) -> Mapping[str, TaskRecord]:
        """The tasks of a job, by id. To read only."""
        return self._books.by_job.get(job_id, {})

    def active_tasks(self, job_id: str) -> list[Task]:
        """The tasks of a job that have a node and keep it."""
        return active_of(self.tasks_of(job_id).values())

    def next_of(self, job: Job, stopped: Container[str] = ()) -> Ask | None:
        """What the job asks for next, when those of its tasks that are to be stopped wait again; None: for nothing."""
        return next_of(job, self.tasks_of(job.id).values(), stopped)

    def making_room(self) -> Mapping[str, Mapping[str, TaskRecord]]:
        """The tasks that are stopping for the sake of a job, by that job's id. To read only."""
        return self._books.promises.making_room

    def promises(self) -> Mapping[str, Iterable[str]]:
        """Per job that others were stopped for and that still waits for the room, the nodes where they were."""
        return self._books.promises.open()

    def node(self, name: str) -> Node | None:
        """The node as last said."""
        return self._books.node(name)

    def usage(self, pool: str, queue: str) -> QueueUsage:
        """What counts against a queue in a pool; nothing for an unknown one."""
        state = self.pools.get(pool)
        found = state.queues.usage.get(queue) if state is not None else None
        return QueueUsage() if found is None else QueueUsage.of(found)

    def waiting(self) -> Line:
        """The waiting jobs, brought up to date."""
        bring_up_to_date(self.line, self._books)
        return self.line

    def units(self, pool_name: str, queue: str) -> QueueUnits:
        """What may be stopped of a queue in a pool, brought up to date."""
        return units_of(self.pool(pool_name), queue, self._books.jobs, self._books.by_job)

    def pool_of(self, record: TaskRecord) -> str | None:
        """The pool of the node that the task is on; None when it has none or that is unknown."""
        return self._books.pool_of(record)

    def queue_names(self) -> Iterator[tuple[str, str]]:
        """Pool and name of every queue, in a fixed order."""
        return chain.from_iterable(
            ((pool, name) for name in sorted(state.queues.queues)) for pool, state in sorted(self.pools.items())
        )

    # Jobs and tasks

    def _job_changed(self, job: Job) -> None:
        if not job.pools:
            raise ValueError(f"job {job.name}: pools is empty; allowed: at least one node pool")
        before = self.job(job.id)
        if before == job:
            return
        self.moments.job(before, job)
        theirs = self._books.lift_all(self.tasks_of(job.id).values())
        self._books.jobs[job.id] = job
        if job.stale_since is None:
            self._incomplete.pop(job.id, None)
        else:
            self._incomplete[job.id] = job
        self._books.stale[job.id] = None
        self._books.settle_all(theirs)
        self._books.sort_out(job.id)

    def _job_removed(self, job_id: str) -> None:
        for task_id in list(self.tasks_of(job_id)):
            self._task_removed(task_id)
        self.moments.job(self._books.jobs.pop(job_id, None), None)
        self._incomplete.pop(job_id, None)
        self._books.surplus.pop(job_id, None)
        self._books.stale[job_id] = None
        self._books.promises.end(job_id)

    def _task_changed(self, task: Task) -> None:
        record = self._books.records.get(task.id)
        if record is None:
            record = self._books.records[task.id] = TaskRecord(task)
            self._mention(task, 1)
        elif record.fact == task:
            return
        else:
            if record.fact.affinity != task.affinity:
                self._mention(task, 1)
                self._mention(record.fact, -1)
            self._books.lift(record)
            record.learn(task)
        self._books.settle(record)
        self._books.sort_out(task.job)
        review(self._books, task.job)

    def _task_removed(self, task_id: str) -> None:
        record = self._books.records.pop(task_id, None)
        if record is None:
            return
        self._books.lift(record)
        self._mention(record.fact, -1)
        if record.fact.node is not None:
            self._books.promises.one_has_gone(record.fact.job)
        self._books.sort_out(record.fact.job)
        review(self._books, record.fact.job)

    def _mention(self, task: Task, sign: int) -> None:
        """A task has come or gone; waiting tasks that its terms alone speak of have other shapes."""
        changed = self.line.mentioned.count(task, sign)
        for job_id, wanted in self.line.asks.items() if changed else ():
            if any(each.selects(other.namespace, other.labels) for each in changed for other in wanted.pending):
                self._books.stale[job_id] = None
