"""A workload's status, made of facts alone: the same facts again give the same status, and nothing is written.

`owned_resources` stays empty, and `created_resources` names only what carries a workload out: pods are found by their
owner references, and a list of them in every status would cost the API server more than all the rest. Members that
others write are kept as they are.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from aliquot.contracts.kinds.status import (
    MAX_EVENTS,
    MAX_EXTERNAL_URLS,
    CreationStatus,
    Severity,
    WorkloadEvent,
    WorkloadStatus,
)
from aliquot.core.lifecycle.account import Account
from aliquot.core.lifecycle.conditions import conditions, submission
from aliquot.core.lifecycle.facts import Facts
from aliquot.core.lifecycle.happenings import happenings
from aliquot.core.lifecycle.limits import NO_LIMITS, Timing, kept, timing_of, written
from aliquot.core.lifecycle.phase import BACKOFF_LIMIT_EXCEEDED, Stand, clip, stand, wanted_pods
from aliquot.core.lifecycle.pods import PodPhase
from aliquot.core.lifecycle.preemptions import each_alone, tally
from aliquot.core.lifecycle.record import INVALID_SPEC, PREEMPTED, record_of, write_indexes
from aliquot.core.lifecycle.times import moment

KEPT_EVENTS: Final = 20
"""Entries of `status.events`; more than people read, and every status write carries them."""
assert KEPT_EVENTS <= MAX_EVENTS

CREATED: Final = "all the resources were created successfully"
"""The compatible text of a submission that worked (cluster-api.md 1.6)."""

NOTHING_MORE: Final[Mapping[str, object]] = MappingProxyType({})

_FOREIGN: Final = (
    "total_allocated_gpu_memory",
    "created_resources",
    "owned_resources",
    "inherited",
    "sync_status",
)


def status(facts: Facts, before: WorkloadStatus, now: float) -> WorkloadStatus:
    """Make a workload's status.

    Args:
        facts: what is known of the workload.
        before: its status so far, as it was last written; what pods no longer tell is read from it.
        now: Unix seconds.

    Returns:
        `before` itself if there is nothing to write. Members without a value are unset, not null.
    """
    facts = facts.seen()
    account = facts.reckon(record_of(before), now)
    return assemble(facts, account, stand(facts, account, before), before, now)


def assemble(
    facts: Facts,
    account: Account,
    stands: Stand,
    before: WorkloadStatus,
    now: float,
    further: Mapping[str, object] = NOTHING_MORE,
    *,
    made: bool = False,
) -> WorkloadStatus:
    """Put a status together from what was found out about a workload of whatever kind.

    Args:
        facts: what is known of it.
        account: the balance of its pods.
        stands: how it stands.
        before: its status so far.
        now: Unix seconds.
        further: members of the status of which the facts do not know, by name.
        made: everything was made that the workload needs, whether there are pods or not.

    Returns:
        As `status`.
    """
    ended = account.outcome is not None
    preemptions = account.preemptions or tally(record_of(before).preemptions, facts.pods, each_alone(facts.pods))
    creation: CreationStatus | None = "Submitted" if made else _creation(facts, stands, before)
    members: dict[str, object] = {
        "phase": stands.phase,
        "phase_message": stands.message,
        "reason": stands.reason,
        "project": facts.project or (before.project if ended else None),
        "job_name": facts.job_name or before.job_name,
        "requested_gpu": _requested_gpus(facts, account),
        "total_allocated_gpu": _written(sum((pod.gpus for pod in facts.pods if pod.alive and pod.node), Decimal(0))),
        "creation_status": creation,
        "conditions": (*submission(creation, before, now), *conditions(facts, account, stands, before, now)),
        "external_urls": before.external_urls if facts.urls is None else facts.urls[:MAX_EXTERNAL_URLS],
        "completed_indexes": write_indexes(account.completed) or None,
        "pending_pods": sum(pod.phase in (PodPhase.WAITING, PodPhase.STARTING) for pod in facts.pods),
        "running_pods": sum(pod.phase is PodPhase.RUNNING for pod in facts.pods),
        "succeeded_pods": len(account.completed),
        "failed_pods": account.failed,
        "first_acknowledged_time": before.first_acknowledged_time or moment(now),
        "start_time": before.start_time or _started(facts),
        "completion_time": _completed(account, now),
        "preemptions": preemptions.count or None,
        "counted_pods": preemptions.counted,
        "time_limits": written(kept(_timing(facts, before), facts.pods, now, ended=ended)),
        "last_status_change_time": before.last_status_change_time,
        "observed_generation": facts.generation,
        **{name: getattr(before, name) for name in _FOREIGN},
        **further,
    }
    after = WorkloadStatus.model_validate({name: value for name, value in members.items() if value not in (None, ())})
    events = (*before.events, *_new_events(before, after, now))[-KEPT_EVENTS:]
    if events:
        after = after.model_copy(update={"events": events})
    return before if after == before else after.model_copy(update={"last_status_change_time": moment(now)})


def settled(status: WorkloadStatus) -> bool:
    """Whether nothing will overtake the status, so that it is worth writing at once."""
    return status.phase in ("Completed", "Failed") or status.reason == INVALID_SPEC


def _requested_gpus(facts: Facts, account: Account) -> str | None:
    """Return the GPUs of all pods that should be alive now, whether they are or not."""
    course = facts.course
    if course is None:
        return None
    return _written(course.gpus(account) if wanted_pods(facts, account) else Decimal(0))


def _written(gpus: Decimal) -> str:
    return f"{gpus.normalize():f}"


def _creation(facts: Facts, stands: Stand, before: WorkloadStatus) -> CreationStatus | None:
    if stands.reason == INVALID_SPEC:
        return "Failed"
    if facts.pods or before.creation_status == "Submitted":
        return "Submitted"
    return "Failed" if facts.trouble is not None else None


def _started(facts: Facts) -> datetime | None:
    started = min((pod.started_at for pod in facts.pods if pod.started_at is not None), default=None)
    return None if started is None else moment(started)


def _timing(facts: Facts, before: WorkloadStatus) -> Timing | None:
    """Return what is known of its time: the limits are those of when its first pod began to run."""
    if before.start_time is not None or facts.limits == NO_LIMITS or _started(facts) is None:
        return timing_of(before.time_limits)
    return Timing(facts.limits)


def _completed(account: Account, now: float) -> datetime | None:
    if account.outcome is None:
        return None
    return moment(now if account.ended_at is None else account.ended_at)


def _new_events(before: WorkloadStatus, after: WorkloadStatus, now: float) -> list[WorkloadEvent]:
    """Return what happened since, in words, for `status.events`."""
    told: list[tuple[Severity, str]] = []
    if after.creation_status == "Submitted" and before.creation_status != "Submitted":
        told.append(("Info", CREATED))
    for happening in happenings(before, after):
        severity: Severity = "Info" if happening.type == "Normal" else "Warning"
        if happening.reason in (INVALID_SPEC, BACKOFF_LIMIT_EXCEEDED, PREEMPTED):
            severity = "Error"
        told.append((severity, f"{happening.reason}: {happening.message}"))
    if after.phase == "Completed" and before.phase != "Completed":
        told.append(("Info", f"Completed: {after.phase_message}"))
    return [WorkloadEvent(severity=severity, details=clip(details), time=moment(now)) for severity, details in told]
