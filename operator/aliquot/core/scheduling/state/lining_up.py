"""Which jobs wait, for what, and in which pool they stand first."""

from collections import Counter
from collections.abc import Container, Iterable

from aliquot.core.scheduling.facts import Job, Task, TaskState
from aliquot.core.scheduling.state.books import Books
from aliquot.core.scheduling.state.jobs import Ask, Line, ask
from aliquot.core.scheduling.state.tasks import TaskRecord


def next_of(job: Job, records: Iterable[TaskRecord], stopped: Container[str] = ()) -> Ask | None:
    """What a job with these tasks asks for next, when those that are to be stopped wait again; None: for nothing."""
    pending: list[Task] = []
    nodes: dict[str, list[str]] = {}
    gated = Counter[str]()
    for record in records:
        if record.state is TaskState.PENDING or record.fact.id in stopped:
            pending.append(record.fact)
        elif record.state.active:
            nodes.setdefault(record.fact.pod_set, []).append(record.node or "")
        elif record.state is TaskState.GATED:
            gated[record.fact.pod_set] += 1
    return None if job.queue is None or not (pending or gated) else ask(job, pending, nodes, gated)


def bring_up_to_date(line: Line, books: Books) -> None:
    """Let those jobs stand where they belong now that may ask for something else than before."""
    for job_id in books.stale:
        records = books.by_job.get(job_id, {}).values()
        job = books.jobs.get(job_id)
        wanted = None if job is None else next_of(job, records)
        if wanted is None:
            line.remove(job_id)
            continue
        pools = _pools_left(books, wanted.job, records)
        line.put(wanted, pools, books.pool(pools[0]).nodes.smallest_device_mib())
    books.stale.clear()


def _pools_left(books: Books, job: Job, records: Iterable[TaskRecord]) -> tuple[str, ...]:
    """The pools that its further tasks may use: all tasks of a job are in one (cluster-api.md 5.5)."""
    taken = {books.pool_of(record) for record in records if record.state.active}
    return next(((pool,) for pool in job.pools if pool in taken), job.pools)
