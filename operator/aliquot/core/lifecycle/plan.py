"""What to create and what to delete next, so that a workload runs its course, and what happens at its end.

A plan depends on nothing but what it is given: the same world again gives the same plan, and a world in which it was
carried out gives an empty one.
"""

from collections.abc import Iterable, Sequence

from aliquot.core.lifecycle.account import Account, succeeded_indexes
from aliquot.core.lifecycle.course import Course
from aliquot.core.lifecycle.courses import course_of
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.record import Outcome, Record
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.lifecycle.steps import Steps, to_delete
from aliquot.core.submission import Valid


def plan(spec: Valid, pods: Sequence[ObservedPod], record: Record, now: float, retry: Retry) -> Steps:
    """Decide what to do next.

    Args:
        spec: what was asked for.
        pods: all that exist of the workload, in any order, also those that have ended.
        record: what the workload's status remembers.
        now: Unix seconds.
        retry: how long failed indexes wait.
    """
    course = course_of(spec)
    seen = course.seen(pods)
    account = course.reckon(seen, record)
    alive = [pod for pod in seen if pod.alive]
    if account.outcome is not None:
        return _wind_up(course, account, account.outcome, alive, now)
    return course.steps(account, seen, now, retry) if course.active else Steps(delete=to_delete(alive))


def has_unsaved(spec: Valid, pods: Sequence[ObservedPod], record: Record) -> bool:
    """Whether a pod has succeeded that the workload's status does not tell of yet: the status is to be written at once.

    Until then that is known by the pod alone, and would be lost with it. Arguments as of `plan`.
    """
    return not succeeded_indexes(course_of(spec).seen(pods)) <= record.completed


def _wind_up(course: Course, account: Account, outcome: Outcome, alive: Iterable[ObservedPod], now: float) -> Steps:
    """End what still runs; pods that have ended stay for their logs until the workload goes."""
    goes_at = None
    if course.ttl_seconds is not None:
        goes_at = (now if account.ended_at is None else account.ended_at) + course.ttl_seconds
    goes_now = goes_at is not None and now >= goes_at
    return Steps(
        delete=to_delete(alive),
        delete_workload=goes_now,
        look_again_at=None if goes_now else goes_at,
        outcome=outcome,
    )
