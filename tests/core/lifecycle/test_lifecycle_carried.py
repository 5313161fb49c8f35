"""Workloads that another object carries out: what it says and what its pods do → status, and when the workload goes."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from aliquot.contracts.kinds.status import CreatedResource, WorkloadStatus
from aliquot.contracts.kubernetes import Carrier
from aliquot.core.lifecycle import (
    Facts,
    Limits,
    ObservedCarrier,
    ObservedPod,
    Record,
    Steps,
    Wait,
    carried_status,
    observe_carrier,
    plan_carried,
    record_of,
)
from aliquot.core.submission import ValidInference
from aliquot.errors import UserError
from tests.core.lifecycle.lifecycle_world import (
    NEW,
    WHY_TAKEN,
    facts,
    failed,
    gang,
    running,
    starting,
    succeeded,
    taken,
    waiting,
)

MPI = gang(job_type="MPIJob")
READY = ObservedCarrier(ready=True)
NOT_READY = ObservedCarrier()
ENDED = ObservedCarrier(outcome="Failed", ended_at=600)
BROKEN = ObservedCarrier(trouble=Wait("RevisionFailed", "image not found"))
WAIT = Wait("OverLimit", "the project has 8 of 8 GPUs")


def carrier(kind: str, generation: int = 1, **status: Any) -> ObservedCarrier:
    written = {"kind": kind, "metadata": {"generation": generation}, "status": {"observedGeneration": 1, **status}}
    return observe_carrier(msgspec.convert(written, Carrier))


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    at = "1970-01-01T00:05:00Z"
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at}


OBSERVED: dict[str, tuple[ObservedCarrier, ObservedCarrier]] = {
    "a Deployment that is new": (carrier("Deployment"), NOT_READY),
    "… that is available, as it may be before it has its only pod": (
        carrier("Deployment", conditions=[condition("Available", "True")]),
        NOT_READY,
    ),
    "… whose pods are refused": (
        carrier(
            "Deployment",
            conditions=[
                condition("Available", "False", "MinimumReplicasUnavailable"),
                condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota"),
            ],
        ),
        ObservedCarrier(trouble=Wait("FailedCreate", "exceeded quota")),
    ),
    "… that gets nowhere": (
        carrier("Deployment", conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded")]),
        ObservedCarrier(trouble=Wait("ProgressDeadlineExceeded", "ProgressDeadlineExceeded")),
    ),
    "… that spoke of an earlier wish": (
        carrier("Deployment", generation=2, conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded")]),
        NOT_READY,
    ),
    "a Knative Service that is ready": (
        carrier("Service", url="http://chat.team-a.example.com", conditions=[condition("Ready", "True")]),
        ObservedCarrier(ready=True, url="http://chat.team-a.example.com"),
    ),
    "… that is not yet": (carrier("Service", conditions=[condition("Ready", "Unknown", "Deploying")]), NOT_READY),
    "… that failed": (
        carrier("Service", conditions=[condition("Ready", "False", "RevisionFailed", "image not found")]),
        BROKEN,
    ),
    "an MPIJob that runs": (carrier("MPIJob", conditions=[condition("Running", "True")]), NOT_READY),
    "… that succeeded": (
        carrier("MPIJob", completionTime="1970-01-01T00:10:00Z", conditions=[condition("Succeeded", "True")]),
        ObservedCarrier(outcome="Completed", ended_at=600),
    ),
    "… whose launcher failed": (
        carrier("MPIJob", conditions=[condition("Failed", "True", "BackoffLimitExceeded", "launcher failed")]),
        ObservedCarrier(outcome="Failed", ended_at=300, trouble=Wait("BackoffLimitExceeded", "launcher failed")),
    ),
}


@pytest.mark.parametrize(("found", "wanted"), OBSERVED.values(), ids=OBSERVED)
def test_what_an_object_says(found: ObservedCarrier, wanted: ObservedCarrier) -> None:
    assert found == wanted


def after(
    given: Facts, carrier: ObservedCarrier | None, before: WorkloadStatus = NEW, now: float = 1000, *notes: str
) -> WorkloadStatus:
    return carried_status(replace(given, spec=None), carrier, Decimal(2), notes, before, now)


STANDS: dict[str, tuple[Facts, ObservedCarrier | None, tuple[str, str | None, str]]] = {
    "nothing is made yet": (facts(), None, ("Creating", None, "pods are being created")),
    "it has no pods yet": (facts(), NOT_READY, ("Creating", None, "pods are being created")),
    "a pod waits": (facts(waiting(), wait=WAIT), NOT_READY, ("Pending", "OverLimit", WAIT.sentence)),
    "all have nodes": (facts(starting()), NOT_READY, ("Initializing", None, "1 pod starting")),
    "it runs": (facts(running()), READY, ("Running", None, "1 pod running")),
    "it is scaled to zero": (facts(), READY, ("Running", None, "no pods: the first request starts one")),
    "something is wrong with it": (facts(running()), BROKEN, ("Degraded", "RevisionFailed", "image not found")),
    "a pod waits, which says more": (
        facts(waiting(), wait=WAIT),
        BROKEN,
        ("Pending", "OverLimit", WAIT.sentence),
    ),
    "it cannot be made": (
        facts(trouble=Wait("NoMPIJob", "this cluster serves no MPIJob")),
        None,
        ("Pending", "NoMPIJob", "this cluster serves no MPIJob"),
    ),
    "it cannot be read": (
        facts(errors=(UserError("spec.ports", None, "one port"),)),
        None,
        ("Failed", "InvalidSpec", "spec.ports: missing: one port"),
    ),
    "it is being deleted": (
        facts(running(), deleting=True),
        READY,
        ("Terminating", None, "is being deleted; 1 pod still to end"),
    ),
    "it has completed": (
        facts(succeeded()),
        ObservedCarrier(outcome="Completed", ended_at=600),
        ("Completed", None, "it has completed; pods that succeeded: 1"),
    ),
    "it has failed": (
        facts(running()),
        ObservedCarrier(outcome="Failed", trouble=Wait("BackoffLimitExceeded", "launcher failed")),
        ("Failed", "BackoffLimitExceeded", "it has failed: launcher failed"),
    ),
}


@pytest.mark.parametrize(("given", "said", "wanted"), STANDS.values(), ids=STANDS)
def test_phase_reason_and_message(
    given: Facts, said: ObservedCarrier | None, wanted: tuple[str, str | None, str]
) -> None:
    found = after(given, said)
    assert (found.phase, found.reason, found.phase_message) == wanted
    assert after(given, said, found, 1100) is found, "the same again is nothing to write"


def test_members_that_only_the_object_tells() -> None:
    found = after(facts(running()), ObservedCarrier(ready=True, url="http://chat.example.com"))
    assert found.external_urls == ("http://chat.example.com",)
    assert (found.requested_gpu, found.total_allocated_gpu, found.creation_status) == ("2", "2", "Submitted")


def test_notes_follow_the_message_while_it_goes_on() -> None:
    note = "the number of pods stays"
    assert after(facts(running()), READY, NEW, 1000, note).phase_message == f"1 pod running; {note}"
    ended = after(facts(), ObservedCarrier(outcome="Completed"), NEW, 1000, note)
    assert ended.phase_message == "it has completed; pods that succeeded: 0"


def test_an_end_is_for_good() -> None:
    ended = after(facts(succeeded()), ObservedCarrier(outcome="Completed", ended_at=600))
    assert record_of(ended).finished == "Completed"
    later = after(facts(), None, ended, 2000)
    assert (later.phase, later.phase_message) == ("Completed", ended.phase_message)
    assert later.completion_time == ended.completion_time


def test_what_is_wrong_with_a_service_can_be_cured() -> None:
    broken = after(facts(running()), BROKEN)
    assert record_of(broken).finished is None
    assert after(facts(running()), READY, broken, 1100).phase == "Running"


def test_a_time_limit_is_an_end_for_good() -> None:
    begun = after(facts(running(started_at=500), limits=Limits(seconds=60)), READY, NEW, 510)
    assert (begun.phase, begun.reason) == ("Running", None)
    assert plan_carried(MPI, READY, (running(started_at=500),), record_of(begun), 520) == Steps(look_again_at=560)
    ended = after(facts(running(started_at=500)), READY, begun, 561)
    assert (ended.phase, ended.reason, ended.requested_gpu) == ("Failed", "TimedOut", "0")
    assert "60 s" in (ended.phase_message or "")
    assert plan_carried(MPI, READY, (), record_of(ended), 600) == Steps(outcome="Failed")
    later = after(facts(), None, ended, 700)
    assert (later.phase, later.reason, later.phase_message) == ("Failed", "TimedOut", ended.phase_message)


def test_pods_that_fail_are_counted_and_told() -> None:
    found = after(facts(failed(), running(attempt=1)), READY)
    assert (found.phase, found.reason, found.failed_pods) == ("Running", None, 1)


def test_what_carries_it_out_is_remembered() -> None:
    made = (CreatedResource(api_version="apps/v1", kind="Deployment", name="chat", namespace="team-a"),)
    found = carried_status(replace(facts(running()), spec=None), READY, Decimal(1), (), NEW, 1000, made)
    assert found.created_resources == made
    assert after(facts(), None, found, 1100).created_resources == made


LAUNCHER, WORKER = running(name="mpi-launcher-x", uid="l1"), running(name="mpi-worker-0", uid="w1")
LATER, LATER_WORKER = replace(LAUNCHER, uid="l2", created=300.0), replace(WORKER, uid="w2", created=301.0)
LEFT = taken(failed(name="mpi-launcher-w", uid="l1", finished_at=250.0))
PREEMPTED: dict[str, tuple[list[ObservedPod], list[ObservedPod], int]] = {
    # the pods of one look and those of the next; how many preemptions were counted then
    "nobody": ([LAUNCHER, WORKER], [LAUNCHER, WORKER], 0),
    "a gang, once": ([taken(LAUNCHER), taken(WORKER)], [taken(LAUNCHER), taken(WORKER)], 1),
    "… of which one is marked first": ([LAUNCHER, taken(WORKER)], [taken(LAUNCHER), taken(WORKER)], 1),
    "… of which one is gone first": ([taken(LAUNCHER), taken(WORKER)], [taken(WORKER, deleting=True)], 1),
    "the next gang, too": ([taken(LAUNCHER), taken(WORKER)], [taken(LATER), taken(LATER_WORKER)], 2),
    "… beside a pod of the first that has ended and stays": ([LEFT, taken(WORKER)], [LEFT, taken(LATER)], 2),
    "a pod that has ended and stays is none again": ([LEFT, taken(WORKER)], [LEFT, LATER, LATER_WORKER], 1),
}


@pytest.mark.parametrize(("first", "then", "count"), PREEMPTED.values(), ids=PREEMPTED)
def test_a_gang_counts_once_each_time_it_is_preempted(
    first: list[ObservedPod], then: list[ObservedPod], count: int
) -> None:
    before = carried_status(facts(*first, spec=MPI), NOT_READY, Decimal(2), (), NEW, 1000)
    found = carried_status(facts(*then, spec=MPI), NOT_READY, Decimal(2), (), before, 1001)
    assert (found.preemptions or 0) == count
    assert {pod.uid for pod in then if pod.preempted} <= set(found.counted_pods), "what is marked may go now"
    assert (found.phase, found.reason) != ("Failed", "Preempted"), "it bears any number"


@pytest.mark.parametrize("limit", [0, 2])
def test_one_preemption_too_many_is_an_end_for_good(limit: int) -> None:
    asked, pods = replace(MPI, preemption_limit=limit), (taken(LAUNCHER), taken(WORKER))
    borne = NEW.model_copy(update={"preemptions": limit - 1}) if limit else NEW
    if limit:
        borne = carried_status(facts(*pods, spec=asked), NOT_READY, Decimal(2), (), borne, 900)
        assert (borne.preemptions, borne.phase) == (limit, "Pending"), "the last that it bears"
        pods = (taken(LATER), taken(LATER_WORKER))
    assert plan_carried(asked, NOT_READY, pods, record_of(borne), 1000) == Steps(outcome="Failed")
    ended = carried_status(facts(*pods, spec=asked), NOT_READY, Decimal(2), (), borne, 1000)
    assert (ended.phase, ended.reason, ended.preemptions) == ("Failed", "Preempted", limit + 1)
    assert ended.requested_gpu == "0"
    assert f"was {WHY_TAKEN}" in (ended.phase_message or "")
    assert plan_carried(asked, NOT_READY, (), record_of(ended), 1001) == Steps(outcome="Failed"), "the object may go on"
    later = carried_status(facts(spec=asked), None, Decimal(2), (), ended, 1002)
    assert (later.phase, later.reason, later.phase_message) == ("Failed", "Preempted", ended.phase_message)


def test_each_pod_of_inference_counts_and_none_ends_it() -> None:
    service = ValidInference(pod=MPI.worker, port=8000)
    pods = (taken(running(uid="a")), taken(running(uid="b")))
    found = carried_status(facts(*pods, spec=service), READY, Decimal(2), (), NEW, 1000)
    assert (found.preemptions, set(found.counted_pods)) == (2, {"a", "b"})
    assert plan_carried(service, READY, pods, record_of(found), 1000) == Steps()


@pytest.mark.parametrize(
    ("ttl_seconds", "carrier", "record", "now", "wanted"),
    [
        (None, READY, Record(), 700, Steps()),
        (60, READY, Record(), 700, Steps()),
        (None, ENDED, Record(), 700, Steps(outcome="Failed")),
        (
            60,
            ObservedCarrier(outcome="Failed", ended_at=600),
            Record(),
            650,
            Steps(look_again_at=660, outcome="Failed"),
        ),
        (60, None, Record(finished="Failed", completed_at=600), 660, Steps(delete_workload=True, outcome="Failed")),
    ],
)
def test_the_workload_goes_when_its_time_is_over(
    ttl_seconds: int | None, carrier: ObservedCarrier | None, record: Record, now: float, wanted: Steps
) -> None:
    assert plan_carried(replace(MPI, ttl_seconds=ttl_seconds), carrier, (), record, now) == wanted
