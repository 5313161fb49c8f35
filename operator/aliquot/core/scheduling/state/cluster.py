"""What the scheduler knows, kept up to date by events in O(change).

Used by one thread at a time: events are applied between rounds, not during one. Looking up what a queue holds is safe
at any moment.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import assert_never

from aliquot.core.quantities import ZERO, Vector
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
from aliquot.core.scheduling.facts import Job, Node, Queue, Task, TaskState
from aliquot.core.scheduling.state.jobs import Ask, Line, ask
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.promises import Promises
from aliquot.core.scheduling.state.queues import Kind, QueueTree, amount
from aliquot.core.scheduling.state.stoppable import units_of
from aliquot.core.scheduling.state.tasks import Counted, TaskRecord
from aliquot.core.scheduling.state.units import QueueUnits

_KINDS: dict[TaskState, Kind] = {
    TaskState.PENDING: "waiting",
    TaskState.BOUND: "held",
    TaskState.RUNNING: "held",
    TaskState.TERMINATING: "releasing",
}


@dataclass(frozen=True, slots=True)
class QueueUsage:
    """What counts against a queue and those below it, in one pool. GPU in hundredths of a device, CPU in milli, bytes.

    Attributes:
        allocated: held by tasks that have a node and keep it; stopping tasks no longer count.
        allocated_non_preemptible: the part of it that may not be stopped.
        requested: allocated, and asked for by waiting tasks.
    """

    allocated: Vector = ZERO
    allocated_non_preemptible: Vector = ZERO
    requested: Vector = ZERO


class ClusterState:
    """Nodes, queues, jobs and tasks, and what follows from them.

    A task counts where its facts put it, in whatever order they came: against its node as soon as the node is known,
    and against its job's queue as soon as the job is. It counts in the pool of its node; while that node is unknown
    (not yet, or no longer), and while the task waits, in the job's first pool.

    Attributes:
        pools: by name; one is there as soon as a node, a queue or a job names it.
        line: the waiting jobs.
    """

    def __init__(self) -> None:
        self.pools: dict[str, PoolState] = {}
        self.line = Line()
        self._node_pool: dict[str, str] = {}
        self._jobs: dict[str, Job] = {}
        self._records: dict[str, TaskRecord] = {}
        self._by_job: dict[str, dict[str, TaskRecord]] = {}
        self._by_node: dict[str, dict[str, TaskRecord]] = {}
        self._incomplete: dict[str, Job] = {}
        self._stale_jobs: dict[str, None] = {}
        self._promises = Promises()
        self._smallest: dict[str, int] = {}

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
        yield from (JobChanged(job) for _, job in sorted(self._jobs.items()))
        for task_id, record in sorted(self._records.items()):
            yield TaskChanged(record.fact)
            if record.granted is not None:
                yield Granted(task_id, record.granted, record.granted_devices)
            if record.evicting or record.stopped_for:
                yield EvictionStarted(task_id, record.stopped_for)
        for job_id, nodes in sorted(self._promises.nodes.items()):
            yield from (Promised(job_id, node) for node in sorted(nodes))

    def apply(self, event: Event) -> None:
        """Take in what happened. Idempotent; what names unknown ids is kept where it is a fact, and ignored else."""
        match event:
            case NodeChanged(node):
                self._node_changed(node)
            case NodeRemoved(name):
                self._node_removed(name)
            case QueueChanged(queue):
                self._queue_changed(queue)
            case QueueRemoved(pool, name):
                self._queue_removed(pool, name)
            case JobChanged(job):
                self._job_changed(job)
            case JobRemoved(job_id):
                self._job_removed(job_id)
            case TaskChanged(task):
                self._task_changed(task)
            case TaskRemoved(task_id):
                self._task_removed(task_id)
            case Granted(task_id, node_name, devices):
                if (record := self._records.get(task_id)) is not None:
                    self._lift(record)
                    record.assume_granted(node_name, devices)
                    self._settle(record)
            case GrantFailed(task_id):
                if (record := self._records.get(task_id)) is not None:
                    self._lift(record)
                    record.forget_grant()
                    self._settle(record)
            case EvictionStarted(task_id, for_job):
                if (record := self._records.get(task_id)) is not None:
                    self._evict(record, for_job if for_job in self._jobs else "")
            case EvictionFailed(task_id):
                if (record := self._records.get(task_id)) is not None:
                    self._lift(record)
                    stopped_for = record.stopped_for
                    record.forget_eviction()
                    self._settle(record)
                    self._promises.forget_unless_stopping(stopped_for)
            case Promised(job_id, node_name):
                if job_id in self._jobs:
                    self._promises.give(job_id, node_name)
            case _:
                assert_never(event)

    # Looking up

    def pool(self, name: str) -> PoolState:
        """The pool; an empty one when nothing was known of it."""
        pool = self.pools.get(name)
        if pool is None:
            pool = self.pools[name] = PoolState(mentioned=self.line.mentioned)
        return pool

    def job(self, job_id: str) -> Job | None:
        """The job as last said."""
        return self._jobs.get(job_id)

    def jobs(self) -> Mapping[str, Job]:
        """All jobs by id. To read only."""
        return self._jobs

    def incomplete(self) -> Iterable[Job]:
        """The jobs that run with fewer tasks than their minimum (`Job.stale_since`)."""
        return self._incomplete.values()

    def task(self, task_id: str) -> TaskRecord | None:
        """The task, with what is assumed of it. To read only."""
        return self._records.get(task_id)

    def tasks(self) -> Mapping[str, TaskRecord]:
        """All tasks by id. To read only."""
        return self._records

    def tasks_of(self, job_id: str) -> Mapping[str, TaskRecord]:
        """The tasks of a job, by id. To read only."""
        return self._by_job.get(job_id, {})

    def active_tasks(self, job_id: str) -> list[Task]:
        """The tasks of a job that have a node and keep it."""
        return [record.fact for record in self._by_job.get(job_id, {}).values() if record.state.active]

    def next_of(self, job: Job, stopped: Container[str] = ()) -> Ask | None:
        """What the job asks for next, when those of its tasks that are to be stopped wait again; None: for nothing."""
        records = self._by_job.get(job.id, {}).values()
        pending: list[Task] = []
        nodes: dict[str, list[str]] = {}
        for record in records:
            if record.state is TaskState.PENDING or record.fact.id in stopped:
                pending.append(record.fact)
            elif record.state.active:
                nodes.setdefault(record.fact.pod_set, []).append(record.node or "")
        gated = Counter(record.fact.pod_set for record in records if record.state is TaskState.GATED)
        return None if job.queue is None or not (pending or gated) else ask(job, pending, nodes, gated)

    def making_room(self) -> Mapping[str, Mapping[str, TaskRecord]]:
        """The tasks that are stopping for the sake of a job, by that job's id. To read only."""
        return self._promises.making_room

    def promises(self) -> Mapping[str, Iterable[str]]:
        """Per waiting job that others were stopped for, the nodes where they were. To read only."""
        return self._promises.nodes

    def node(self, name: str) -> Node | None:
        """The node as last said."""
        pool = self._node_pool.get(name)
        return None if pool is None else self.pools[pool].nodes.get(name)

    def usage(self, pool: str, queue: str) -> QueueUsage:
        """What counts against a queue in a pool; nothing for an unknown one."""
        state = self.pools.get(pool)
        found = state.queues.usage.get(queue) if state is not None else None
        if found is None:
            return QueueUsage()
        return QueueUsage(
            allocated=Vector(*found.held),
            allocated_non_preemptible=Vector(*found.held_non_preemptible),
            requested=Vector(*found.held) + Vector(*found.waiting),
        )

    def waiting(self) -> Line:
        """The waiting jobs, brought up to date."""
        for job_id in self._stale_jobs:
            self._line_up(job_id)
        self._stale_jobs.clear()
        return self.line

    def units(self, pool_name: str, queue: str) -> QueueUnits:
        """What may be stopped of a queue in a pool, brought up to date."""
        return units_of(self.pool(pool_name), queue, self._jobs, self._by_job)

    def pool_of(self, record: TaskRecord) -> str | None:
        """The pool of the node that the task is on; None when it has none or that is unknown."""
        return self._node_pool.get(record.node) if record.node is not None else None

    # Changing

    def _node_changed(self, node: Node) -> None:
        before = self._node_pool.get(node.name)
        known = self.node(node.name)
        if before == node.pool and known is not None and known.device_memory_mib == node.device_memory_mib:
            self.pool(node.pool).nodes.put(node)
            return
        there = list(self._by_node.get(node.name, {}).values())
        for record in there:
            self._lift(record)
        if before is not None and before != node.pool:
            self.pools[before].nodes.remove(node.name)
        self._node_pool[node.name] = node.pool
        self.pool(node.pool).nodes.put(node)
        for record in there:
            self._settle(record)
        self._recount_memory()

    def _node_removed(self, name: str) -> None:
        if name not in self._node_pool:
            return
        there = list(self._by_node.get(name, {}).values())
        for record in there:
            self._lift(record)
        self.pools[self._node_pool.pop(name)].nodes.remove(name)
        for record in there:
            self._settle(record)
        self._recount_memory()

    def _recount_memory(self) -> None:
        """An amount of GPU memory counts by the smallest device there is, which may be another one now."""
        smallest = {name: pool.nodes.smallest_device_mib() for name, pool in self.pools.items()}
        if smallest == self._smallest:
            return
        self._smallest = smallest
        for record in list(self._records.values()):
            part = record.fact.request.part
            if part is not None and part.memory_mib:
                self._lift(record)
                self._settle(record)

    def _queue_changed(self, queue: Queue) -> None:
        queues = self.pool(queue.pool).queues
        theirs = [] if queue.name in queues.queues else self._tasks_of_queue(queues, queue.name)
        for record in theirs:
            self._lift(record)
        queues.put(queue)
        for record in theirs:
            self._settle(record)

    def _queue_removed(self, pool: str, name: str) -> None:
        queues = self.pool(pool).queues
        theirs = self._tasks_of_queue(queues, name)
        for record in theirs:
            self._lift(record)
        queues.remove(name)
        for record in theirs:
            self._settle(record)

    def _tasks_of_queue(self, queues: QueueTree, name: str) -> list[TaskRecord]:
        """Those whose queue is about to come or go: somebody pays for what they hold, or nobody does any more."""
        if name not in queues.direct:
            return []
        jobs = [job.id for job in self._jobs.values() if job.queue == name]
        return [record for job_id in jobs for record in self._by_job.get(job_id, {}).values()]

    def _job_changed(self, job: Job) -> None:
        if not job.pools:
            raise ValueError(f"job {job.name}: pools is empty; allowed: at least one node pool")
        if self._jobs.get(job.id) == job:
            return
        theirs = list(self._by_job.get(job.id, {}).values())
        for record in theirs:
            self._lift(record)
        self._jobs[job.id] = job
        if job.stale_since is None:
            self._incomplete.pop(job.id, None)
        else:
            self._incomplete[job.id] = job
        self._stale_jobs[job.id] = None
        for record in theirs:
            self._settle(record)

    def _job_removed(self, job_id: str) -> None:
        for task_id in list(self._by_job.get(job_id, {})):
            self._task_removed(task_id)
        self._jobs.pop(job_id, None)
        self._incomplete.pop(job_id, None)
        self._stale_jobs[job_id] = None
        self._promises.end(job_id)

    def _task_changed(self, task: Task) -> None:
        record = self._records.get(task.id)
        if record is None:
            record = self._records[task.id] = TaskRecord(task)
            self._mention(task, 1)
        elif record.fact == task:
            return
        else:
            if record.fact.affinity != task.affinity:
                self._mention(task, 1)
                self._mention(record.fact, -1)
            self._lift(record)
            placed = record.fact.node is None and task.node is not None
            record.learn(task)
            if placed:
                self._promises.end(task.job)
        self._settle(record)

    def _task_removed(self, task_id: str) -> None:
        record = self._records.pop(task_id, None)
        if record is not None:
            self._lift(record)
            self._mention(record.fact, -1)
            if record.fact.job not in self._by_job:
                self._promises.end(record.fact.job)

    def _mention(self, task: Task, sign: int) -> None:
        """A task has come or gone; waiting tasks that its terms alone speak of have other shapes."""
        changed = self.line.mentioned.count(task, sign)
        for job_id, wanted in self.line.asks.items() if changed else ():
            if any(each.selects(other.namespace, other.labels) for each in changed for other in wanted.pending):
                self._stale_jobs[job_id] = None

    def _evict(self, record: TaskRecord, for_job: str) -> None:
        self._promises.forget_unless_stopping(for_job)  # all who were stopped for it have gone, and it was no use
        self._promises.end(record.fact.job)
        self._lift(record)
        record.assume_evicted(for_job)
        self._settle(record)

    def _lift(self, record: TaskRecord) -> None:
        """Take the task out of every index and ledger, before anything about it changes."""
        fact = record.fact
        theirs = self._by_job[fact.job]
        del theirs[fact.id]
        if not theirs:
            del self._by_job[fact.job]
        self._stale_jobs[fact.job] = None
        if record.node is not None:
            there = self._by_node[record.node]
            del there[fact.id]
            if not there:
                del self._by_node[record.node]
        self._promises.discount(record)
        self._count(record.counted, -1)
        record.counted = None

    def _settle(self, record: TaskRecord) -> None:
        """Put the task where it belongs now."""
        fact, node = record.fact, record.node
        self._by_job.setdefault(fact.job, {})[fact.id] = record
        self._stale_jobs[fact.job] = None
        if node is not None:
            self._by_node.setdefault(node, {})[fact.id] = record
        state, job = record.state, self._jobs.get(fact.job)
        if record.stopped_for not in self._jobs:
            record.stopped_for = ""
        if record.stopped_for and state is TaskState.TERMINATING and node is not None:
            self._promises.count(record, node)
        kind = _KINDS.get(state)
        if kind is None:
            return
        here = self._node_pool.get(node) if node is not None and state.uses_node else None
        queue = job.queue if job is not None else None
        paid = None if job is None or queue is None else self.pool(here or job.pools[0])
        unpaid = here is not None and state.active and (paid is None or queue not in paid.queues.queues)
        memory = self._device_memory(paid, here, node)
        record.counted = Counted(
            task=record.task,
            nodes=None if here is None else self.pools[here].nodes,
            node=node or "",
            stopping=state is TaskState.TERMINATING,
            pool=paid,
            unpaid=unpaid,
            queue=queue or "",
            kind=kind,
            amount=amount(fact.request, memory) if unpaid or paid is not None else (0, 0, 0),
            preemptible=job.preemptible if job is not None else True,
            priority=job.priority if job is not None else 0,
        )
        self._count(record.counted, 1)

    def _device_memory(self, paid: PoolState | None, here: str | None, node: str | None) -> int:
        """Memory of the devices that a task counts in, in MiB; 0: not known."""
        if here is not None and node is not None:
            table = self.pools[here].nodes
            return table.device_memory_mib(table.row[node])
        return 0 if paid is None else paid.nodes.smallest_device_mib()

    def _count(self, counted: Counted | None, sign: int) -> None:
        if counted is None:
            return
        if counted.nodes is not None:
            counted.nodes.use(counted.node, counted.task, sign, stopping=counted.stopping)
            if counted.unpaid:
                counted.nodes.count_others(counted.node, counted.amount, sign)
        if counted.pool is not None:
            queues = counted.pool.queues
            queues.count(counted.queue, counted.kind, counted.amount, sign, preemptible=counted.preemptible)
            if counted.kind == "held" and counted.preemptible and counted.nodes is not None:
                counted.pool.count_stoppable(counted.queue, counted.task.job, counted.priority, sign)

    def _line_up(self, job_id: str) -> None:
        job = self._jobs.get(job_id)
        wanted = None if job is None else self.next_of(job)
        if wanted is None:
            self.line.remove(job_id)
            return
        pools = self._pools_left(wanted.job)
        self.line.put(wanted, pools, self.pool(pools[0]).nodes.smallest_device_mib())

    def _pools_left(self, job: Job) -> tuple[str, ...]:
        """The pools that its further tasks may use: all tasks of a job are in one (cluster-api.md 5.5)."""
        taken = {self.pool_of(record) for record in self._by_job.get(job.id, {}).values() if record.state.active}
        return next(((pool,) for pool in job.pools if pool in taken), job.pools)

    def queue_names(self) -> Iterator[tuple[str, str]]:
        """Pool and name of every queue, in a fixed order."""
        return chain.from_iterable(
            ((pool, name) for name in sorted(state.queues.queues)) for pool, state in sorted(self.pools.items())
        )
