"""What we have asked the API server for, until it says what came of it; and for whom room is kept meanwhile."""

from collections.abc import Iterable

from aliquot.core.scheduling.events import EvictionFailed, EvictionStarted, Granted, GrantFailed
from aliquot.core.scheduling.facts import TaskState
from aliquot.core.scheduling.state.books import Books
from aliquot.core.scheduling.state.lining_up import next_of
from aliquot.core.scheduling.state.tasks import TaskRecord

Asked = Granted | GrantFailed | EvictionStarted | EvictionFailed
"""That we ask for something, or that it was refused."""
_WAITS = (TaskState.PENDING, TaskState.GATED)


def take_in(books: Books, record: TaskRecord, event: Asked) -> None:
    """Assume of the task what we ask for, or what was so before if that was refused."""
    promises, stopped_for = books.promises, record.stopped_for
    if isinstance(event, EvictionStarted) and not (stopped_for and event.for_job == stopped_for):
        promises.forget_unless_stopping(event.for_job)  # all who were stopped for it have gone, and it was no use
        promises.end(record.fact.job)
        if record.node is not None:
            promise(books, event.for_job, record.node)
    books.lift(record)
    match event:
        case Granted(_, node, devices):
            record.assume_granted(node, devices)
        case GrantFailed():
            record.forget_grant()
        case EvictionStarted(_, for_job):
            record.assume_evicted(for_job)
        case EvictionFailed():
            record.forget_eviction()
    books.settle(record)
    books.sort_out(record.fact.job)
    if isinstance(event, EvictionFailed):
        promises.forget_unless_stopping(stopped_for)


def promise(books: Books, job_id: str, node: str, until: int | None = None) -> None:
    """Keep room on the node for the job, until so many of its tasks have one.

    Args:
        books: where tasks count.
        job_id: the job; one that is not there, or asks for nothing, is promised nothing.
        node: where others were stopped for it.
        until: None: as was promised before, if that is not kept yet, or else until those have a node that start next.
    """
    job, promises = books.jobs.get(job_id), books.promises
    if job is None:
        return
    if until is None and promises.is_kept(job_id):
        records = books.by_job.get(job_id, {}).values()
        wanted = next_of(job, records)
        if (wanted is None or not wanted.next) and not _may_be_refused(records):
            return
        until = promises.placed[job_id] + (wanted.next if wanted is not None else 0)
    promises.give(job_id, node, until)


def review(books: Books, job_id: str) -> None:
    """End what the job was promised once its places are confirmed, or none of its tasks waits for one any more."""
    promises = books.promises
    if job_id not in promises.given:
        return
    records = books.by_job.get(job_id, {}).values()
    if _may_be_refused(records):
        return
    if promises.is_kept(job_id) or not any(record.state in _WAITS for record in records):
        promises.end(job_id)


def _may_be_refused(records: Iterable[TaskRecord]) -> bool:
    return any(record.granted is not None for record in records)
