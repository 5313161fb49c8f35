"""Interactive workloads: one pod, whatever happens to it, until somebody ends it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.core.lifecycle import (
    Facts,
    NewPod,
    ObservedPod,
    PodPhase,
    Record,
    Retry,
    Steps,
    Wait,
    happenings,
    has_unsaved,
    plan,
    record_of,
    status,
)
from aliquot.core.submission import ValidInteractive
from tests.core.lifecycle.lifecycle_world import (
    NEW,
    RETRY,
    facts,
    failed,
    going,
    pod,
    running,
    spec,
    starting,
    succeeded,
    waiting,
)

NOTEBOOK = ValidInteractive(pod=spec().pod)
PAUSED = replace(NOTEBOOK, active=False)
EVICTED = failed(disrupted=True, reason="EvictionByAliquot")
CRASHED = starting(
    reason="CrashLoopBackOff", message="its container ended with exit code 1 and is started again", node="n1"
)


def create(*pods: tuple[int, int, int], again: float | None = None, delete: tuple[str, ...] = ()) -> Steps:
    return Steps(create=tuple(NewPod(*pod) for pod in pods), look_again_at=again, delete=delete)


PLANS: dict[str, tuple[ValidInteractive, list[ObservedPod], Record, float, Steps]] = {
    "a new one gets its pod": (NOTEBOOK, [], Record(), 100, create((0, 0, 0))),
    "one pod is enough": (NOTEBOOK, [running()], Record(), 100, Steps()),
    "its node starts again what ended in it": (NOTEBOOK, [CRASHED], Record(), 100, Steps()),
    "a pod that is gone is made again": (NOTEBOOK, [], Record(failed=2), 300, create((0, 2, 2))),
    "a pod that was stopped for others is replaced at once": (NOTEBOOK, [EVICTED], Record(), 201, create((0, 1, 0))),
    "one that is still ending is waited for": (NOTEBOOK, [going(running())], Record(), 201, Steps()),
    "a pod that failed as a whole waits": (NOTEBOOK, [failed()], Record(), 201, Steps(look_again_at=210)),
    "… and is tried again then": (NOTEBOOK, [failed()], Record(), 210, create((0, 1, 1))),
    "so is one that succeeded, for it was not to end": (NOTEBOOK, [succeeded()], Record(), 210, create((0, 1, 1))),
    "… or succeeded on its way out": (NOTEBOOK, [going(succeeded())], Record(), 201, create((0, 1, 0))),
    "it is never given up": (
        NOTEBOOK,
        [failed(0, 70, failed_attempts=70)],
        Record(failed=71),
        200 + 360,
        create((0, 71, 71)),
    ),
    "what a status says of an end does not count": (
        NOTEBOOK,
        [],
        Record(completed=frozenset({0}), finished="Completed"),
        300,
        create((0, 0, 0)),
    ),
    "of the pods that have ended the latest stays": (
        NOTEBOOK,
        [failed(0, 0), failed(0, 1), failed(0, 2, disrupted=True), running(0, 3)],
        Record(),
        300,
        Steps(delete=("train-0-0", "train-0-1")),
    ),
    "of two pods the older one stays": (
        NOTEBOOK,
        [running(0, 0), running(0, 1)],
        Record(),
        300,
        Steps(delete=("train-0-1",)),
    ),
    "suspended, it has none": (PAUSED, [running()], Record(), 300, Steps(delete=("train-0-0",))),
    "… and gets none": (PAUSED, [failed()], Record(), 300, Steps()),
}


@pytest.mark.parametrize(("asked", "pods", "record", "now", "expected"), PLANS.values(), ids=PLANS)
def test_next_steps(
    asked: ValidInteractive, pods: list[ObservedPod], record: Record, now: float, expected: Steps
) -> None:
    assert plan(asked, pods, record, now, RETRY) == expected


def of(*pods: ObservedPod, asked: ValidInteractive = NOTEBOOK, wait: Wait | None = None) -> Facts:
    return facts(*pods, spec=asked, wait=wait)


STANDS: dict[str, tuple[Facts, tuple[str, str | None, str]]] = {
    "nothing is made yet": (of(), ("Creating", None, "pods are being created")),
    "beyond its quota": (
        of(waiting(), wait=Wait("NonPreemptibleOverQuota", "the quota is 0")),
        ("Pending", "NonPreemptibleOverQuota", "the quota is 0"),
    ),
    "it runs": (of(running()), ("Running", None, "1 pod running")),
    "it crashes again and again": (
        of(CRASHED),
        (
            "Initializing",
            "CrashLoopBackOff",
            (
                "pod train-0-0 does not keep running: CrashLoopBackOff: its container ended with exit code 1 "
                "and is started again"
            ),
        ),
    ),
    "its pod failed as a whole": (
        of(failed(reason="UnexpectedAdmissionError", message="no devices", exit_code=None)),
        (
            "Pending",
            "BackOff",
            (
                "pod train-0-0 failed (UnexpectedAdmissionError): no devices; next try at 1970-01-01T00:03:30Z "
                "or later, retry 1"
            ),
        ),
    ),
    "its pod succeeded as a whole": (
        of(succeeded()),
        (
            "Pending",
            "BackOff",
            "pod train-0-0 ended with exit code 0; next try at 1970-01-01T00:03:30Z or later, retry 1",
        ),
    ),
    "suspended": (of(asked=PAUSED), ("Stopped", "Suspended", "suspended: active is false")),
}


@pytest.mark.parametrize(("known", "expected"), STANDS.values(), ids=STANDS)
def test_how_it_stands(known: Facts, expected: tuple[str, str | None, str]) -> None:
    found = status(known, NEW, 1000)
    assert (found.phase, found.reason, found.phase_message) == expected


def test_a_crash_loop_is_not_running_and_holds_its_gpus() -> None:
    found = status(of(CRASHED), NEW, 1000)
    assert {each.type: each.status for each in found.conditions} == {
        "Submitted": "True",
        "PodsScheduled": "True",
        "Running": "False",
    }
    assert (found.requested_gpu, found.total_allocated_gpu) == ("2", "2")
    assert (found.running_pods, found.pending_pods, found.succeeded_pods, found.failed_pods) == (0, 1, 0, 0)


def test_a_crash_loop_is_told_each_time_that_it_begins() -> None:
    well, ill = status(of(running()), NEW, 1000), status(of(CRASHED), NEW, 1000)
    [told] = happenings(well, ill)
    assert (told.type, told.reason) == ("Warning", "CrashLoopBackOff")
    assert happenings(ill, well) == ()


def test_suspended_it_asks_for_nothing() -> None:
    assert status(of(asked=PAUSED), NEW, 1000).requested_gpu == "0"


def test_a_pod_that_succeeded_is_nothing_to_save() -> None:
    """Its status has no completed indexes; a training workload's would be written at once."""
    assert not has_unsaved(NOTEBOOK, [succeeded()], Record())
    assert has_unsaved(spec(), [succeeded()], Record())


def test_every_failure_counts_once_though_pods_come_and_go() -> None:
    before, pods, retry = NEW, list[ObservedPod](), Retry(0, 0)
    for number in range(5):
        [new] = plan(NOTEBOOK, pods, record_of(before), 1000, retry).create
        assert (new.attempt, new.failed_attempts) == (number, number)
        end = failed if number % 2 else succeeded
        pods = [*pods[-1:], end(0, new.attempt, failed_attempts=new.failed_attempts)]
        before = status(of(*pods), before, 1000)
        assert (before.failed_pods, before.phase) == (number + 1, "Pending")


@st.composite
def lives(draw: st.DrawFn) -> list[ObservedPod]:
    """Pods of any past: each attempt in any phase, deleted or stopped for others or neither."""
    attempts = draw(st.lists(st.integers(0, 9), unique=True, max_size=5))
    pods = [pod(0, attempt, draw(st.sampled_from(PodPhase))) for attempt in attempts]
    return [
        going(each) if draw(st.booleans()) else replace(each, disrupted=draw(st.booleans()) and not each.own_failure)
        for each in pods
    ]


@given(lives(), st.integers(0, 5))
def test_from_wherever_it_comes_it_ends_with_one_pod(pods: list[ObservedPod], known_failures: int) -> None:
    """Each look is carried out, deleted pods vanish, time passes: soon nothing is left to do but to run."""
    record, now = Record(failed=known_failures), 1000.0
    for _ in range(4):
        steps = plan(NOTEBOOK, pods, record, now, RETRY)
        assert steps.outcome is None
        assert not steps.delete_workload
        assert len(steps.create) <= 1 - min(1, sum(each.alive for each in pods)), "never two pods at a time"
        assert not {f"train-{new.index}-{new.attempt}" for new in steps.create} & {each.name for each in pods}
        made = [waiting(new.index, new.attempt, failed_attempts=new.failed_attempts) for new in steps.create]
        pods = [each for each in pods if each.name not in steps.delete and not each.deleting] + made
        now += 10_000
    assert plan(NOTEBOOK, pods, record, now, RETRY) == Steps()
    assert sum(each.alive for each in pods) == 1
    assert len(pods) <= 2, "ended pods do not gather"
