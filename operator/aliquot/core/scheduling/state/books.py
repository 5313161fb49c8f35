"""The books: every task in every index and ledger where it counts, and nowhere else.

Whatever changes about a task, its job, its node or its queue: the task is lifted out of the books before, and settled
in them afterwards. So nothing is counted that is not so any more.
"""

from collections.abc import Iterable

from aliquot.core.scheduling.facts import Job, Node, Task, TaskState
from aliquot.core.scheduling.state.affinity import Mentioned
from aliquot.core.scheduling.state.gangs import beyond_minimum
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.promises import Promises
from aliquot.core.scheduling.state.queues import Kind, amount
from aliquot.core.scheduling.state.tasks import Counted, TaskRecord

_KINDS: dict[TaskState, Kind] = {
    TaskState.PENDING: "waiting",
    TaskState.BOUND: "held",
    TaskState.RUNNING: "held",
    TaskState.TERMINATING: "releasing",
}


def active_of(records: Iterable[TaskRecord]) -> list[Task]:
    """Those that have a node and keep it."""
    return [record.fact for record in records if record.state.active]


class Books:
    """Where tasks count.

    A task counts where its facts put it, in whatever order they came: against its node as soon as the node is known,
    and against its job's queue as soon as the job is. It counts in the pool of its node; while that node is unknown
    (not yet, or no longer), and while the task waits, in the job's first pool.

    Args:
        mentioned: whom the affinity of tasks speaks of.

    Attributes:
        pools: by name; one is there as soon as a node, a queue or a job names it.
        node_pool: the pool of each node that is known.
        jobs: by id.
        records: the tasks by id.
        by_job: the tasks of each job.
        by_node: the tasks on each node, of whatever job.
        promises: what jobs have been promised.
        surplus: of semi-preemptible jobs, the ids of the tasks that they run beyond their minimum.
        stale: ids of the jobs that may ask for something else since `waiting` was last brought up to date.
    """

    def __init__(self, mentioned: Mentioned) -> None:
        self.pools: dict[str, PoolState] = {}
        self.node_pool: dict[str, str] = {}
        self.jobs: dict[str, Job] = {}
        self.records: dict[str, TaskRecord] = {}
        self.by_job: dict[str, dict[str, TaskRecord]] = {}
        self.by_node: dict[str, dict[str, TaskRecord]] = {}
        self.promises = Promises()
        self.surplus: dict[str, set[str]] = {}
        self.stale: dict[str, None] = {}
        self._mentioned = mentioned

    def pool(self, name: str) -> PoolState:
        """The pool; an empty one when nothing was known of it."""
        pool = self.pools.get(name)
        if pool is None:
            pool = self.pools[name] = PoolState(mentioned=self._mentioned)
        return pool

    def node(self, name: str) -> Node | None:
        """The node as last said."""
        pool = self.node_pool.get(name)
        return None if pool is None else self.pools[pool].nodes.get(name)

    def pool_of(self, record: TaskRecord) -> str | None:
        """The pool of the node that the task is on; None when it has none or that is unknown."""
        return self.node_pool.get(record.node) if record.node is not None else None

    def lift(self, record: TaskRecord) -> None:
        """Take the task out of every index and ledger, before anything about it changes."""
        fact = record.fact
        theirs = self.by_job[fact.job]
        del theirs[fact.id]
        if not theirs:
            del self.by_job[fact.job]
        self.stale[fact.job] = None
        if record.node is not None:
            there = self.by_node[record.node]
            del there[fact.id]
            if not there:
                del self.by_node[record.node]
            self.promises.place(fact.job, -1)
        self.promises.discount(record)
        self._count(record.counted, -1)
        record.counted = None

    def settle(self, record: TaskRecord) -> None:
        """Put the task where it belongs now."""
        fact, node = record.fact, record.node
        self.by_job.setdefault(fact.job, {})[fact.id] = record
        self.stale[fact.job] = None
        if node is not None:
            self.by_node.setdefault(node, {})[fact.id] = record
            self.promises.place(fact.job, 1)
        if record.stopped_for not in self.promises.given:
            record.stopped_for = ""
        elif record.state is TaskState.TERMINATING and node is not None:
            self.promises.count(record, node)
        record.counted = self._counted(record)
        self._count(record.counted, 1)

    def lift_all(self, records: Iterable[TaskRecord]) -> list[TaskRecord]:
        """Take these tasks out of the books; returns them, for `settle_all`."""
        lifted = list(records)
        for record in lifted:
            self.lift(record)
        return lifted

    def settle_all(self, records: Iterable[TaskRecord]) -> None:
        """Put these tasks back where they belong now."""
        for record in records:
            self.settle(record)

    def sort_out(self, job_id: str) -> None:
        """Count those tasks of the job anew that are in its minimum now and were not before, or the other way round."""
        job, before = self.jobs.get(job_id), self.surplus.get(job_id, set())
        semi = job is not None and job.surplus_preemptible and not job.preemptible
        if job is None or not (semi or before):
            return
        records = self.by_job.get(job_id, {})
        now = beyond_minimum(job, active_of(records.values())) if semi else set[str]()
        changed = self.lift_all([records[task_id] for task_id in sorted(now ^ before) if task_id in records])
        self.surplus[job_id] = now
        if not now:
            del self.surplus[job_id]
        self.settle_all(changed)

    def _counted(self, record: TaskRecord) -> Counted | None:
        """Where the task counts as it is; None: nowhere."""
        fact, node, state = record.fact, record.node, record.state
        kind = _KINDS.get(state)
        if kind is None:
            return None
        job = self.jobs.get(fact.job)
        here = self.node_pool.get(node) if node is not None and state.uses_node else None
        queue = job.queue if job is not None else None
        paid = None if job is None or queue is None else self.pool(here or job.pools[0])
        unpaid = here is not None and state.active and (paid is None or queue not in paid.queues.queues)
        memory = self._device_memory(paid, here, node)
        return Counted(
            task=record.task,
            nodes=None if here is None else self.pools[here].nodes,
            node=node or "",
            stopping=state is TaskState.TERMINATING,
            pool=paid,
            unpaid=unpaid,
            queue=queue or "",
            kind=kind,
            amount=amount(fact.request, memory) if unpaid or paid is not None else (0, 0, 0),
            preemptible=job is None or job.preemptible or fact.id in self.surplus.get(job.id, ()),
            priority=job.priority if job is not None else 0,
        )

    def _device_memory(self, paid: PoolState | None, here: str | None, node: str | None) -> int:
        """Memory of the devices that a task counts in, in MiB; 0: not known."""
        if here is not None and node is not None:
            table = self.pools[here].nodes
            return table.device_memory_mib(table.row[node])
        return 0 if paid is None else paid.nodes.smallest_device_mib()

    @staticmethod
    def _count(counted: Counted | None, sign: int) -> None:
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
