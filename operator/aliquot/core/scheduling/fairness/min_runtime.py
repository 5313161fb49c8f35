"""How long jobs are left alone after they began to run (scheduling.md 2.8). Times are Unix seconds.

What is protected is a job's minimum. What it runs beyond that may be stopped at any time.
"""

from collections.abc import Callable, Iterable

from aliquot.core.scheduling.facts import Job, Task
from aliquot.core.scheduling.state.gangs import short_of
from aliquot.core.scheduling.state.queues import QueueTree

ActiveTasks = Callable[[str], Iterable[Task]]
"""The tasks of a job that have a node and keep it, by the job's id."""


def preempt_seconds(tree: QueueTree, victim: str) -> float:
    """How long a job of the queue runs before it may be preempted: what the lowest queue says that says anything."""
    return _first(queue.preempt_min_runtime_seconds for queue in tree.chain(victim))


def reclaim_seconds(tree: QueueTree, taker: str, victim: str) -> float:
    """How long a job of a queue runs before another queue may reclaim from it.

    Asked from where the two branches meet upwards, so that a project cannot protect itself against other departments
    longer than its own department does.
    """
    above = {queue.name for queue in tree.chain(taker)}
    chain = tree.chain(victim)
    apart = [queue for queue in chain if queue.name not in above]
    return _first(queue.reclaim_min_runtime_seconds for queue in chain[max(0, len(apart) - 1) :])


def protected_until(job: Job, seconds: float) -> float | None:
    """Until when the job is left alone; None when it has not begun to run, as far as is known."""
    return None if job.last_started is None else job.last_started + seconds


def is_protected(job: Job, seconds: float, now: float) -> bool:
    """Whether the job is still left alone."""
    until = protected_until(job, seconds)
    return until is not None and until > now


def protected_for(jobs: Iterable[Job], seconds: float, now: float) -> float | None:
    """How many seconds pass until the first of these jobs that are left alone is so no longer; None: none is."""
    ends = (protected_until(job, seconds) for job in jobs) if seconds > 0 else ()
    return min((until - now for until in ends if until is not None and until > now), default=None)


def keeps_minimum(job: Job, active: Iterable[Task], stopped: Iterable[Task]) -> bool:
    """Whether the job runs on with its minimum, in each of its parts, when these of its active tasks are stopped."""
    gone = {task.id for task in stopped}
    return short_of(job, (task for task in active if task.id not in gone)) is None


def _first(values: Iterable[float | None]) -> float:
    return next((value for value in values if value is not None), 0.0)
