"""RunaiJobs: the life of a training workload, told in the words of a Job of Kubernetes (cluster-api.md 1.7).

    Suspended   spec.suspend is true; its pods are ended
    Complete    every completion has succeeded                          } for good
    Failed      BackoffLimitExceeded, DeadlineExceeded, TimedOut        }
    Failed      InvalidSpec: it cannot be carried out as it is written; curable

The deadline counts from `startTime`, whether pods run or wait, and begins anew when the job is resumed, as for Jobs.
The time limits of its project count as for workloads (`limits`), and those hold that held when its first pod began to
run: as `startTime` is another moment here, the status says of them also that there were none.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.runaijob import RunaiJobStatus
from aliquot.core.conditions import condition, timed
from aliquot.core.lifecycle.account import Account, unread_account, within_time
from aliquot.core.lifecycle.indexed import Indexed
from aliquot.core.lifecycle.limits import NO_LIMITS, Limits, Timing, kept, timing_of, written
from aliquot.core.lifecycle.phase import BACKOFF_LIMIT_EXCEEDED, clip
from aliquot.core.lifecycle.plan import steps_of
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.record import FAILED, INVALID_SPEC, TIMED_OUT, Record, read_indexes, write_indexes
from aliquot.core.lifecycle.retries import Retry
from aliquot.core.lifecycle.steps import Steps
from aliquot.core.lifecycle.times import moment
from aliquot.core.submission import ValidJob
from aliquot.errors import UserError, told

COMPLETE: Final = "Complete"
SUSPENDED: Final = "Suspended"
DEADLINE_EXCEEDED: Final = "DeadlineExceeded"


def plan_job(job: ValidJob, pods: Sequence[ObservedPod], status: RunaiJobStatus, now: float, retry: Retry) -> Steps:
    """Decide what to do next; arguments as of `plan`, with the job's status so far."""
    record = _record(status)
    steps = steps_of(Indexed(job), _account(job, pods, status, now), pods, record, now, retry)
    due = _deadline(job, status)
    if due is None or steps.outcome is not None:
        return steps
    return replace(steps, look_again_at=min(due, steps.look_again_at or due))


def job_status(
    job: ValidJob | None,
    errors: Sequence[UserError],
    pods: Sequence[ObservedPod],
    before: RunaiJobStatus,
    now: float,
    limits: Limits = NO_LIMITS,
) -> RunaiJobStatus:
    """Make the status of a job.

    Args:
        job: what it asks for; None exactly if there are errors.
        errors: everything that is wrong with what it asks for.
        pods: all that exist of it.
        before: its status so far; what pods no longer tell is read from it.
        now: Unix seconds.
        limits: the time limits that hold if it starts now.

    Returns:
        What is `before` again if there is nothing to write.
    """
    account = unread_account(pods, _record(before)) if job is None else _account(job, pods, before, now)
    completed_at = _ended_at(before, COMPLETE, account, now) if account.outcome == "Completed" else None
    members: dict[str, object] = {
        "conditions": timed(_conditions(job, errors, account, before, now), before.conditions, now),
        "start_time": _started(job, before, now),
        "completion_time": completed_at,
        "active": sum(pod.alive for pod in pods),
        "succeeded": len(account.completed),
        "failed": account.failed,
        "completed_indexes": write_indexes(account.completed) or None,
        "time_limits": written(_timing(account, pods, before, limits, now)),
    }
    return RunaiJobStatus.model_validate({name: value for name, value in members.items() if value not in (None, ())})


def _record(status: RunaiJobStatus) -> Record:
    complete, failed = _holding(status, COMPLETE), _holding(status, FAILED)
    if failed is not None and failed.reason == INVALID_SPEC:
        failed = None
    end = complete or failed
    return Record(
        completed=read_indexes(status.completed_indexes or ""),
        failed=max(0, status.failed or 0),
        finished="Completed" if complete is not None else "Failed" if failed is not None else None,
        completed_at=end.last_transition_time.timestamp() if end and end.last_transition_time else None,
        timing=timing_of(status.time_limits),
        timed_out=failed is not None and failed.reason in (DEADLINE_EXCEEDED, TIMED_OUT),
    )


def _holding(status: RunaiJobStatus, kind: str) -> Condition | None:
    return next((each for each in status.conditions if (each.type, each.status) == (kind, "True")), None)


def _account(job: ValidJob, pods: Sequence[ObservedPod], status: RunaiJobStatus, now: float) -> Account:
    record = _record(status)
    account = Indexed(job).reckon(pods, record)
    if record.timed_out or account.outcome is not None or not _past_deadline(job, status, now):
        return within_time(account, record, pods, now)
    over = f"activeDeadlineSeconds: {job.deadline_seconds}, since it was started"
    return replace(account, outcome="Failed", ended_at=record.completed_at, time_over=over)


def _past_deadline(job: ValidJob, status: RunaiJobStatus, now: float) -> bool:
    due = _deadline(job, status)
    return due is not None and due <= now


def _deadline(job: ValidJob, status: RunaiJobStatus) -> float | None:
    """When the job has to be over; None: it may go on, or is not started."""
    if job.deadline_seconds is None or status.start_time is None or not job.active:
        return None
    return status.start_time.timestamp() + job.deadline_seconds


def _timing(
    account: Account, pods: Sequence[ObservedPod], before: RunaiJobStatus, limits: Limits, now: float
) -> Timing | None:
    """What is to be remembered of its time: the limits are those of when its first pod began to run."""
    ended, timing = account.outcome is not None, timing_of(before.time_limits)
    if timing is None and not ended and any(pod.started_at is not None for pod in pods):
        timing = Timing(limits)
    return kept(timing, pods, now, ended=ended)


def _started(job: ValidJob | None, before: RunaiJobStatus, now: float) -> datetime | None:
    if job is None or (not job.active and _record(before).finished is None):
        return before.start_time if job is None else None
    return before.start_time or moment(now)


def _ended_at(before: RunaiJobStatus, kind: str, account: Account, now: float) -> datetime:
    known = _holding(before, kind)
    if known is not None and before.completion_time is not None:
        return before.completion_time
    return moment(now if account.ended_at is None else account.ended_at)


def _conditions(
    job: ValidJob | None, errors: Sequence[UserError], account: Account, before: RunaiJobStatus, now: float
) -> tuple[Condition, ...]:
    found: list[Condition] = []
    was_suspended = any(each.type == SUSPENDED for each in before.conditions)
    if job is not None and account.outcome is None and (was_suspended or not job.active):
        reason, message = (
            ("JobResumed", "suspend is no longer true") if job.active else ("JobSuspended", "suspend is true")
        )
        found.append(condition(SUSPENDED, holds=not job.active, reason=reason, message=message))
    if account.outcome is not None:
        found.append(_end(job, account, before, now))
    elif errors:
        found.append(condition(FAILED, holds=True, reason=INVALID_SPEC, message=clip(told(errors))))
    return tuple(found)


def _end(job: ValidJob | None, account: Account, before: RunaiJobStatus, now: float) -> Condition:
    """How it has ended; what was said of that once stays."""
    kind = COMPLETE if account.outcome == "Completed" else FAILED
    known = _holding(before, kind)
    if known is not None and known.reason != INVALID_SPEC:
        return known
    if account.outcome == "Completed":
        message = f"pods that succeeded: {len(account.completed)}"
        return condition(COMPLETE, holds=True, reason="CompletionsReached", message=message)
    if account.time_over is not None:
        late = job is not None and _past_deadline(job, before, now)
        reason = DEADLINE_EXCEEDED if late else TIMED_OUT
        return condition(FAILED, holds=True, reason=reason, message=clip(account.time_over))
    limit = "" if job is None else f", backoffLimit: {job.backoff_limit}"
    return condition(FAILED, holds=True, reason=BACKOFF_LIMIT_EXCEEDED, message=f"failures: {account.failed}{limit}")
