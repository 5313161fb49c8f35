"""A workload that another object carries out: inference a Deployment or a Knative Service, MPI an MPIJob.

The object says whether it has ended and what is wrong with it; its pods say where they are, as those of every workload.
An inference workload never ends by itself. One whose time is over, or that was preempted once too often, has ended,
whatever the object says: the object goes.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from aliquot.contracts.kinds.status import CreatedResource, WorkloadStatus
from aliquot.contracts.kubernetes import Carrier, CarrierStatus, Condition
from aliquot.core.lifecycle.account import Account, with_preemptions, within_time
from aliquot.core.lifecycle.facts import Facts, Wait
from aliquot.core.lifecycle.limits import over_at
from aliquot.core.lifecycle.phase import Stand, clip, stand, standing
from aliquot.core.lifecycle.pods import ObservedPod, PodPhase
from aliquot.core.lifecycle.record import FAILED, INVALID_SPEC, PREEMPTED, TIMED_OUT, Outcome, Record, record_of
from aliquot.core.lifecycle.status import assemble
from aliquot.core.lifecycle.steps import Steps
from aliquot.core.lifecycle.times import seconds
from aliquot.core.submission import Valid, ValidDistributed, ValidInference

NO_REQUESTS: Final = "no pods: the first request starts one"
"""What is said of a service that is scaled to zero."""
_NOT_YET: Final = frozenset({"", "Deploying", "MinimumReplicasUnavailable", "OutOfDate", "RevisionMissing", "Unknown"})
"""Reasons of which nothing is to be told: they pass by themselves."""


@dataclass(frozen=True, slots=True)
class ObservedCarrier:
    """What an object says of the workload that it carries out.

    Attributes:
        outcome: how it has ended; None: it goes on.
        ended_at: when, in Unix seconds; None: it goes on, or does not say.
        ready: whether it serves, even without a pod, as only a Knative Service does. (A Deployment that may do without
            one of its pods calls itself available before it has its only one.)
        trouble: what is wrong with it.
        url: where it is reached; None: it has no address of its own.
    """

    outcome: Outcome | None = None
    ended_at: float | None = None
    ready: bool = False
    trouble: Wait | None = None
    url: str | None = None


def observe_carrier(carrier: Carrier) -> ObservedCarrier:
    """Read how a Deployment, a Knative Service or an MPIJob is doing."""
    status = carrier.status
    said = {condition.type: condition for condition in status.conditions}
    if status.observed_generation and status.observed_generation < carrier.metadata.generation:
        said = {}  # it is about an earlier wish
    match carrier.kind:
        case "MPIJob":
            return _mpi_job(said, status.completion_time)
        case "Deployment":
            failures = [_trouble(said.get("ReplicaFailure"), "True"), _trouble(said.get("Progressing"), "False")]
            return ObservedCarrier(trouble=next((each for each in failures if each), None))
        case _:
            ready = said.get("Ready")
            return ObservedCarrier(ready=_is(ready, "True"), trouble=_trouble(ready, "False"), url=status.url or None)


def scaling_trouble(status: CarrierStatus) -> str | None:
    """Why an autoscaler does not scale, from its status, in its own words; None: it does, or has not been asked yet."""
    trouble = _trouble(next((each for each in status.conditions if each.type == "ScalingActive"), None), "False")
    return None if trouble is None else f"the number of pods does not follow the load: {clip(trouble.sentence)}"


def carried_status(
    facts: Facts,
    carrier: ObservedCarrier | None,
    requested_gpus: Decimal,
    notes: Sequence[str],
    before: WorkloadStatus,
    now: float,
    created: Sequence[CreatedResource] = (),
) -> WorkloadStatus:
    """Make the status of a workload that an object carries out.

    Args:
        facts: what is known of the workload; its pods are those of the object. Of what it asks for, only how many
            preemptions it bears is looked at.
        carrier: what the object says; None: there is none yet.
        requested_gpus: GPUs of all pods that should be alive now.
        notes: what else is to be said while it goes on, a sentence each.
        before: its status so far.
        now: Unix seconds.
        created: the objects that carry it out; empty: those of `before`.

    Returns:
        `before` itself if there is nothing to write.
    """
    given = replace(facts, spec=None)
    account = _account(facts.spec, carrier, facts.pods, record_of(before), now)
    stands = _stand(given, carrier, account, before)
    if account.outcome is None and stands.phase != "Terminating" and not given.errors and notes:
        stands = replace(stands, message="; ".join(clip(text) for text in (stands.message, *notes)))
    further: dict[str, object] = {}
    if not given.errors:
        further["requested_gpu"] = f"{(Decimal(0) if account.outcome else requested_gpus).normalize():f}"
    if carrier is not None and carrier.url is not None:
        further["external_urls"] = (carrier.url,)
    if created:
        further["created_resources"] = tuple(created)
    further["succeeded_pods"] = sum(pod.phase is PodPhase.SUCCEEDED for pod in given.pods)
    made = carrier is not None and carrier.ready and not given.errors
    return assemble(given, account, stands, before, now, further, made=made)


def plan_carried(
    spec: ValidDistributed | ValidInference,
    carrier: ObservedCarrier | None,
    pods: Sequence[ObservedPod],
    record: Record,
    now: float,
) -> Steps:
    """Decide what to do about the workload itself; to make the object, and to keep it as it should be, is not said.

    Args:
        spec: what was asked for.
        carrier: what the object says; None: there is none.
        pods: all that exist of it.
        record: what the workload's status remembers.
        now: Unix seconds.
    """
    account = _account(spec, carrier, pods, record, now)
    if account.outcome is None:
        over = over_at(record.timing, pods, now) if record.timing is not None else None
        return Steps(look_again_at=over[0] if over is not None else None)
    ttl_seconds = spec.ttl_seconds if isinstance(spec, ValidDistributed) else None
    if ttl_seconds is None:
        return Steps(outcome=account.outcome)
    goes_at = (now if account.ended_at is None else account.ended_at) + ttl_seconds
    goes_now = now >= goes_at
    return Steps(delete_workload=goes_now, look_again_at=None if goes_now else goes_at, outcome=account.outcome)


def _mpi_job(said: Mapping[str, Condition], completion_time: str | None) -> ObservedCarrier:
    succeeded, failed = said.get("Succeeded"), said.get("Failed")
    outcome: Outcome | None = None
    if _is(succeeded, "True"):
        outcome = "Completed"
    elif _is(failed, "True"):
        outcome = "Failed"
    ended = succeeded if outcome == "Completed" else failed
    ended_at = seconds(completion_time or (ended.last_transition_time if ended is not None else None))
    return ObservedCarrier(
        outcome=outcome,
        ended_at=ended_at if outcome is not None else None,
        trouble=_trouble(failed, "True"),
    )


def _is(condition: Condition | None, status: str) -> bool:
    return condition is not None and condition.status == status


def _trouble(condition: Condition | None, status: str) -> Wait | None:
    """What a condition says when it has that status, unless it is of no consequence."""
    if condition is None or condition.status != status or condition.reason in _NOT_YET:
        return None
    return Wait(condition.reason, condition.message or condition.reason)


def _account(
    spec: Valid | None, carrier: ObservedCarrier | None, pods: Sequence[ObservedPod], record: Record, now: float
) -> Account:
    outcome = record.finished or (carrier.outcome if carrier is not None else None)
    ended_at = record.completed_at
    if ended_at is None and carrier is not None:
        ended_at = carrier.ended_at
    failed = max(record.failed, sum(pod.own_failure for pod in pods))
    account = Account(frozenset(), {}, failed, {}, outcome, ended_at if outcome is not None else None)
    if isinstance(spec, ValidDistributed):
        account = with_preemptions(account, record, pods, _of_gangs(pods), spec.preemption_limit)
    return within_time(account, record, pods, now)


def _of_gangs(pods: Iterable[ObservedPod]) -> Iterable[Sequence[ObservedPod]]:
    """Return the preemptions of a gang that another controller makes anew, as of `preemptions.tally`.

    Nothing numbers its pods: one that was made after another had ended is of a later gang. So a pod that was marked and
    then failed by itself, and stays there for its logs, hides no later preemption.
    """
    together: list[ObservedPod] = []
    until = math.inf
    for pod in sorted((pod for pod in pods if pod.preempted), key=lambda pod: (pod.created, pod.name)):
        if pod.created > until:
            yield together
            together, until = [], math.inf
        together.append(pod)
        until = min(until, math.inf if pod.finished_at is None else pod.finished_at)
    if together:
        yield together


def _stand(facts: Facts, carrier: ObservedCarrier | None, account: Account, before: WorkloadStatus) -> Stand:
    if account.outcome is not None and not facts.deleting:
        return _end(account, account.outcome, facts.pods, carrier, before)
    found = stand(replace(facts, pods=facts.alive), account, before)  # for what failed, the object makes others
    if carrier is None or facts.deleting or facts.errors or facts.trouble is not None:
        return found
    if carrier.trouble is not None and found.reason is None:
        return Stand("Degraded", carrier.trouble.code, clip(carrier.trouble.sentence))
    if carrier.ready and not standing(facts.pods):
        return Stand("Running", None, NO_REQUESTS)
    return found


def _end(
    account: Account,
    outcome: Outcome,
    pods: Sequence[ObservedPod],
    carrier: ObservedCarrier | None,
    before: WorkloadStatus,
) -> Stand:
    if before.phase == outcome and before.reason != INVALID_SPEC:
        return Stand(outcome, before.reason, before.phase_message or "")
    if account.time_over is not None:
        return Stand(outcome, TIMED_OUT, account.time_over)
    if account.preempted is not None:
        return Stand(outcome, PREEMPTED, clip(account.preempted))
    if outcome == "Completed":
        succeeded = sum(pod.phase is PodPhase.SUCCEEDED for pod in pods)
        return Stand(outcome, None, f"it has completed; pods that succeeded: {succeeded}")
    trouble = carrier.trouble if carrier is not None else None
    reason, why = (trouble.code, f": {clip(trouble.sentence)}") if trouble is not None else (FAILED, "")
    return Stand(outcome, reason, f"it has failed{why}")
