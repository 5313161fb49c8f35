"""What the scheduler knows, kept up to date by events in O(change).

Used by one thread at a time: events are applied between rounds, not during one. Looking up what a queue holds is safe
at any moment.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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
from aliquot.core.scheduling.facts import Job, Node, Task, TaskState
from aliquot.core.scheduling.state.jobs import Line, ask
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.queues import Kind, amount
from aliquot.core.scheduling.state.tasks import Counted, TaskRecord

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
        self._stale_jobs: dict[str, None] = {}
        self._making_room: dict[str, dict[str, TaskRecord]] = {}
        self._promises: dict[str, dict[str, None]] = {}
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
        for job_id, nodes in sorted(self._promises.items()):
            yield from (Promised(job_id, node) for node in sorted(nodes))

    def apply(self, event: Event) -> None:
        """Take in what happened. Idempotent; what names unknown ids is kept where it is a fact, and ignored else."""
        match event:
            case NodeChanged(node):
                self._node_changed(node)
            case NodeRemoved(name):
                self._node_removed(name)
            case QueueChanged(queue):
                self.pool(queue.pool).queues.put(queue)
            case QueueRemoved(pool, name):
                self.pool(pool).queues.remove(name)
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
                    if stopped_for not in self._making_room:
                        self._promises.pop(stopped_for, None)
            case Promised(job_id, node_name):
                if job_id in self._jobs:
                    self._promises.setdefault(job_id, {})[node_name] = None
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

    def making_room(self) -> Mapping[str, Mapping[str, TaskRecord]]:
        """The tasks that are stopping for the sake of a job, by that job's id. To read only."""
        return self._making_room

    def promises(self) -> Mapping[str, Iterable[str]]:
        """Per waiting job that others were stopped for, the nodes where they were. To read only."""
        return self._promises

    def node(self, name: str) -> Node | None:
        """The node as last said."""
        pool = self._node_pool.get(name)
        return None if pool is None else self.pools[pool].nodes.nodes.get(name)

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

    def _job_changed(self, job: Job) -> None:
        if not job.pools:
            raise ValueError(f"job {job.name}: pools is empty; allowed: at least one node pool")
        if self._jobs.get(job.id) == job:
            return
        theirs = list(self._by_job.get(job.id, {}).values())
        for record in theirs:
            self._lift(record)
        self._jobs[job.id] = job
        self._stale_jobs[job.id] = None
        for record in theirs:
            self._settle(record)

    def _job_removed(self, job_id: str) -> None:
        for task_id in list(self._by_job.get(job_id, {})):
            self._task_removed(task_id)
        self._jobs.pop(job_id, None)
        self._stale_jobs[job_id] = None
        self._end_promise(job_id)

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
                self._end_promise(task.job)
        self._settle(record)

    def _task_removed(self, task_id: str) -> None:
        record = self._records.pop(task_id, None)
        if record is not None:
            self._lift(record)
            self._mention(record.fact, -1)
            if record.fact.job not in self._by_job:
                self._end_promise(record.fact.job)

    def _mention(self, task: Task, sign: int) -> None:
        """A task has come or gone; waiting tasks that its terms alone speak of have other shapes."""
        changed = self.line.mentioned.count(task, sign)
        for job_id, wanted in self.line.asks.items() if changed else ():
            if any(each.selects(other.namespace, other.labels) for each in changed for other in wanted.pending):
                self._stale_jobs[job_id] = None

    def _evict(self, record: TaskRecord, for_job: str) -> None:
        if for_job not in self._making_room:
            self._promises.pop(for_job, None)  # all who were stopped for it before have gone, and it was no use
        self._end_promise(record.fact.job)
        self._lift(record)
        record.assume_evicted(for_job)
        self._settle(record)

    def _end_promise(self, job_id: str) -> None:
        """The job has a place, or does not want one any more."""
        self._promises.pop(job_id, None)
        for record in self._making_room.pop(job_id, {}).values():
            record.stopped_for = ""

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
        stopping = self._making_room.get(record.stopped_for, {})
        if stopping.pop(fact.id, None) is not None and not stopping:
            del self._making_room[record.stopped_for]
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
            self._making_room.setdefault(record.stopped_for, {})[fact.id] = record
            self._promises.setdefault(record.stopped_for, {})[node] = None
        kind = _KINDS.get(state)
        if kind is None:
            return
        here = self._node_pool.get(node) if node is not None and state.uses_node else None
        paid = None if job is None or job.queue is None else self.pool(here or job.pools[0])
        record.counted = Counted(
            task=record.task,
            nodes=None if here is None else self.pools[here].nodes,
            node=node or "",
            stopping=state is TaskState.TERMINATING,
            pool=paid,
            queue=job.queue or "" if job is not None else "",
            kind=kind,
            amount=(0, 0, 0) if paid is None else amount(fact.request, self._device_memory(paid, here, node)),
            preemptible=job.preemptible if job is not None else True,
            priority=job.priority if job is not None else 0,
        )
        self._count(record.counted, 1)

    def _device_memory(self, paid: PoolState, here: str | None, node: str | None) -> int:
        """Memory of the devices that a task counts in, in MiB; 0: not known."""
        if here is not None and node is not None:
            table = self.pools[here].nodes
            return table.device_memory_mib(table.row[node])
        return paid.nodes.smallest_device_mib()

    def _count(self, counted: Counted | None, sign: int) -> None:
        if counted is None:
            return
        if counted.nodes is not None:
            counted.nodes.use(counted.node, counted.task, sign, stopping=counted.stopping)
        if counted.pool is not None:
            queues = counted.pool.queues
            queues.count(counted.queue, counted.kind, counted.amount, sign, preemptible=counted.preemptible)
            if counted.kind == "held" and counted.preemptible and counted.nodes is not None:
                counted.pool.count_stoppable(counted.queue, counted.task.job, counted.priority, sign)

    def _line_up(self, job_id: str) -> None:
        job = self._jobs.get(job_id)
        records = self._by_job.get(job_id, {}).values()
        pending = [record.fact for record in records if record.state is TaskState.PENDING]
        gated = Counter(record.fact.pod_set for record in records if record.state is TaskState.GATED)
        if job is None or job.queue is None or not (pending or gated):
            self.line.remove(job_id)
            return
        active = [record for record in records if record.state.active]
        nodes: dict[str, list[str]] = {}
        for record in active:
            nodes.setdefault(record.fact.pod_set, []).append(record.node or "")
        pools = self._pools_left(job, active)
        self.line.put(ask(job, pending, nodes, gated), pools, self.pool(pools[0]).nodes.smallest_device_mib())

    def _pools_left(self, job: Job, active: list[TaskRecord]) -> tuple[str, ...]:
        """The pools that its further tasks may use: all tasks of a job are in one (cluster-api.md 5.5)."""
        taken = {self.pool_of(record) for record in active}
        return next(((pool,) for pool in job.pools if pool in taken), job.pools)

    def queue_names(self) -> Iterator[tuple[str, str]]:
        """Pool and name of every queue, in a fixed order."""
        return chain.from_iterable(
            ((pool, name) for name in sorted(state.queues.queues)) for pool, state in sorted(self.pools.items())
        )
