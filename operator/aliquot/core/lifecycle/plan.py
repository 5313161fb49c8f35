"""What to create and what to delete next, so that a workload runs its course, and what happens at its end.

A plan depends on nothing but what it is given: the same world again gives the same plan, and a world in which it was
carried out gives an empty one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from aliquot.core.lifecycle.account import Account, succeeded_indexes
from aliquot.core.lifecycle.course import Course, reckoned
from aliquot.core.lifecycle.courses import course_of
from aliquot.core.lifecycle.limits import over_at
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.preemptions import uncounted
from aliquot.core.lifecycle.record import Outcome, Record
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.lifecycle.steps import Steps, to_delete
from aliquot.core.submission import Valid

_STATUS_SECONDS: Final = 1.0
"""In which a status is mostly written; what waits for that is looked at again then."""


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
    steps = steps_of(course, reckoned(course, seen, record, now), seen, record, now, retry)
    waits = uncounted(record.preemptions, seen)
    if waits.isdisjoint(steps.delete):
        return steps
    # What is counted by its pod alone would be lost with it.
    later = now + _STATUS_SECONDS
    return replace(
        steps,
        delete=tuple(name for name in steps.delete if name not in waits),
        look_again_at=min(later, steps.look_again_at or later),
    )


def steps_of(
    course: Course, account: Account, seen: Sequence[ObservedPod], record: Record, now: float, retry: Retry
) -> Steps:
    """Decide what to do next for whatever runs such a course.

    Args:
        course: how it runs.
        account: the balance, with what may have ended it.
        seen: all pods that exist, as the kind takes them.
        record: what its status remembers.
        now: Unix seconds.
        retry: how long failed indexes wait.
    """
    if account.outcome is not None:
        remembered = record.finished is not None
        if account.cut_short is not None:
            remembered = record.timed_out or record.preempted
        return _wind_up(course, account, account.outcome, seen, remembered, now)
    if not course.active:
        return Steps(delete=to_delete(pod for pod in seen if pod.alive))
    steps = course.steps(account, seen, now, retry)
    over = over_at(record.timing, seen, now) if record.timing is not None else None
    if over is None:
        return steps
    return replace(steps, look_again_at=min(over[0], steps.look_again_at or over[0]))


def has_unsaved(spec: Valid, pods: Sequence[ObservedPod], record: Record) -> bool:
    """Whether the workload's status does not tell yet that a pod has succeeded or is preempted: it is written at once.

    Until then that is known by the pod alone, and would be lost with it. Arguments as of `plan`.
    """
    if uncounted(record.preemptions, pods):
        return True
    return not succeeded_indexes(course_of(spec).seen(pods)) <= record.completed


def _wind_up(
    course: Course, account: Account, outcome: Outcome, pods: Sequence[ObservedPod], remembered: bool, now: float
) -> Steps:
    """Clean up, until the workload itself goes."""
    goes_at = None
    if course.ttl_seconds is not None:
        goes_at = (now if account.ended_at is None else account.ended_at) + course.ttl_seconds
    goes_now = goes_at is not None and now >= goes_at
    delete = to_delete(_to_clean(course, account, pods, remembered=remembered))
    looks = [] if goes_now or goes_at is None else [goes_at]
    if delete != to_delete(_to_clean(course, account, pods, remembered=True)):
        looks.append(now + _STATUS_SECONDS)
    return Steps(
        delete=delete,
        delete_workload=goes_now,
        look_again_at=min(looks, default=None),
        outcome=outcome,
    )


def _to_clean(
    course: Course, account: Account, pods: Sequence[ObservedPod], *, remembered: bool
) -> Iterable[ObservedPod]:
    """Return the pods that go; when the workload is cut short, all that live, once the status says so.

    Until then pods alone tell why, such as that they are idle: without them, the workload would begin anew.
    """
    if account.cut_short is None:
        return course.to_clean(pods, remembered=remembered)
    if not remembered:
        return ()
    cleaned = {pod.name for pod in course.to_clean(pods, remembered=True)}
    return [pod for pod in pods if pod.alive or pod.name in cleaned]
