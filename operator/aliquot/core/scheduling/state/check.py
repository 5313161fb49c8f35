"""Whether a state is sound, from its facts alone: a book-keeper that shares no arithmetic with the ledgers.

Used by tests after every event; O(everything). An empty list is good news.
"""

from collections.abc import Iterator

from aliquot.core.scheduling.events import Promised
from aliquot.core.scheduling.facts import TaskState
from aliquot.core.scheduling.plan import Plan
from aliquot.core.scheduling.state.check_nodes import nodes, room
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.gangs import beyond_minimum
from aliquot.core.scheduling.state.queues import Amount, amount
from aliquot.core.scheduling.state.shapes import TaskShape, runs_of
from aliquot.core.scheduling.state.tasks import TaskRecord

_LEDGER = {
    TaskState.PENDING: "waiting",
    TaskState.BOUND: "held",
    TaskState.RUNNING: "held",
    TaskState.TERMINATING: "releasing",
}


def check(state: ClusterState, plan: Plan | None = None) -> list[str]:
    """What is wrong with the state, and with a plan made for it: a sentence each."""
    found = [*nodes(state), *_queues(state), *_stoppable(state), *_incomplete(state), *_line(state), *_promises(state)]
    return found if plan is None else [*found, *_plan(state, plan), *room(state, plan)]


def _pool_that_counts(state: ClusterState, record: TaskRecord) -> str | None:
    """The pool in which the task's queue pays for it."""
    job = state.job(record.fact.job)
    if job is None or job.queue is None or record.state not in _LEDGER:
        return None
    here = state.pool_of(record) if record.state.uses_node else None
    return here or job.pools[0]


def _device_memory(state: ClusterState, record: TaskRecord, pool: str) -> int:
    node = state.node(record.node) if record.node is not None and record.state.uses_node else None
    if node is not None:
        return node.device_memory_mib
    known = [node.device_memory_mib for node in state.pools[pool].nodes.nodes.values() if node.device_memory_mib]
    return min(known, default=0)


def _queues(state: ClusterState) -> Iterator[str]:
    wanted: dict[tuple[str, str, str], Amount] = {}
    fixed = _fixed(state)
    for record in state.tasks().values():
        pool, job = _pool_that_counts(state, record), state.job(record.fact.job)
        if pool is None or job is None or job.queue is None:
            continue
        ledgers = [_LEDGER[record.state]]
        if ledgers == ["held"] and record.fact.id in fixed:
            ledgers.append("held_non_preemptible")
        change = amount(record.fact.request, _device_memory(state, record, pool))
        for queue in state.pools[pool].queues.chain(job.queue):
            for ledger in ledgers:
                before = wanted.get((pool, queue.name, ledger), (0, 0, 0))
                after = (before[0] + change[0], before[1] + change[1], before[2] + change[2])
                wanted[pool, queue.name, ledger] = after
    for pool, queue in state.queue_names():
        usage = state.pools[pool].queues.usage[queue]
        for ledger in ("held", "held_non_preemptible", "releasing", "waiting"):
            is_, should = tuple(getattr(usage, ledger)), wanted.get((pool, queue, ledger), (0, 0, 0))
            if is_ != should:
                yield f"queue {queue} of pool {pool}: {ledger} is {is_}, by its tasks {should}"


def _fixed(state: ClusterState) -> set[str]:
    """The tasks that have a node, keep it, and may not be stopped for others."""
    fixed: set[str] = set()
    for job in state.jobs().values():
        if not job.preemptible:
            active = state.active_tasks(job.id)
            fixed |= {task.id for task in active} - (beyond_minimum(job, active) if job.surplus_preemptible else set())
    return fixed


def _stoppable(state: ClusterState) -> Iterator[str]:
    wanted: dict[tuple[str, str, str], int] = {}
    fixed = _fixed(state)
    for record in state.tasks().values():
        job, pool = state.job(record.fact.job), state.pool_of(record)
        may_go = record.state.active and record.fact.id not in fixed
        if job is not None and job.queue is not None and may_go and pool is not None:
            key = (pool, job.queue, job.id)
            wanted[key] = wanted.get(key, 0) + 1
    counted = {
        (name, queue, job_id): number
        for name, pool in state.pools.items()
        for queue, jobs in pool.stoppable.items()
        for job_id, number in jobs.items()
    }
    if counted != wanted:
        yield f"stoppable tasks differ: counted {counted}, by the tasks {wanted}"
    priorities: dict[tuple[str, str, int], int] = {}
    for (pool, queue, job_id), number in wanted.items():
        job = state.jobs()[job_id]
        priorities[pool, queue, job.priority] = priorities.get((pool, queue, job.priority), 0) + number
    counted_priorities = {
        (name, queue, priority): number
        for name, pool in state.pools.items()
        for queue, numbers in pool.priorities.items()
        for priority, number in numbers.items()
    }
    if counted_priorities != priorities:
        yield f"priorities differ: counted {counted_priorities}, by the tasks {priorities}"


def _incomplete(state: ClusterState) -> Iterator[str]:
    wanted = sorted(job.id for job in state.jobs().values() if job.stale_since is not None)
    counted = sorted(job.id for job in state.incomplete())
    if counted != wanted:
        yield f"incomplete jobs differ: counted {counted}, by the jobs {wanted}"


def _line(state: ClusterState) -> Iterator[str]:
    line = state.waiting()
    for job_id, job in sorted(state.jobs().items()):
        records = state.tasks_of(job_id).values()
        waits = job.queue is not None and any(
            record.state in (TaskState.PENDING, TaskState.GATED) for record in records
        )
        if waits != (job_id in line.asks):
            yield f"job {job_id} {'waits' if waits else 'does not wait'}, the line says otherwise"
    in_groups = [entry[2] for groups in line.groups.values() for group in groups.values() for entry in group.jobs]
    if sorted(in_groups) != sorted(line.asks.keys() - line.blocked.keys()):
        yield "the line's groups and its jobs differ"
    for groups in line.groups.values():
        for key, group in groups.items():
            for _, _, job_id in group.jobs:
                next_ = line.asks[job_id].pending[: line.asks[job_id].next]
                if runs_of(TaskShape.of(task, line.mentioned) for task in next_) != key.demand.runs:
                    yield f"job {job_id} has another shape than the line says"


def _promises(state: ClusterState) -> Iterator[str]:
    wanted = {
        (record.stopped_for, task_id)
        for task_id, record in state.tasks().items()
        if record.stopped_for and record.state is TaskState.TERMINATING and record.node is not None
    }
    counted = {(job_id, task_id) for job_id, records in state.making_room().items() for task_id in records}
    if counted != wanted:
        yield f"tasks that make room differ: counted {sorted(counted)}, by the tasks {sorted(wanted)}"
    given = {(event.job, event.node) for event in state.facts() if isinstance(event, Promised)}
    for job_id, task_id in sorted(wanted):
        node = state.tasks()[task_id].node
        if node is not None and (job_id, node) not in given:
            yield f"task {task_id} makes room on node {node} for job {job_id}, which is not promised it"
    for job_id in sorted({job_id for job_id, _ in given}):
        if job_id not in state.jobs():
            yield f"job {job_id} is promised room, and is not there"
        elif not any(record.fact.node is None for record in state.tasks_of(job_id).values()):
            yield f"job {job_id} is promised room, and none of its tasks is without a node"


def _plan(state: ClusterState, plan: Plan) -> Iterator[str]:
    """States and rights that every plan keeps to, whatever the rules of fairness say."""
    starts = [("bind", bind.task) for bind in plan.binds]
    starts += [("nominate", nominate.task) for nominate in plan.nominations]
    for what, task in starts:
        record = state.task(task)
        if record is None or record.state is not TaskState.PENDING:
            yield f"{what} {task}: it does not wait for a node"
    fixed = _fixed(state)
    for evict in plan.evictions:
        record = state.task(evict.task)
        job = None if record is None else state.job(record.fact.job)
        if record is None or record.node is None or not record.state.active:
            yield f"evict {evict.task}: it is not running"
            continue
        stale = evict.action == "stale-gangs"  # stopped for its own sake
        if job is None or not (evict.task not in fixed or stale) or job.queue is None:
            yield f"evict {evict.task}: it may not be stopped"
    for tasks in ([bind.task for bind in plan.binds], [evict.task for evict in plan.evictions]):
        if len(set(tasks)) != len(tasks):
            yield f"decided twice: {sorted(tasks)}"
