"""How workloads of other kinds are doing: phases and sentences of our own, made of their account and their pods."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.kinds.external import ExternalCondition, ObservedStatus
from aliquot.core.lifecycle import ForeignFacts, ObservedPod, Wait, observed_status
from tests.core.lifecycle.lifecycle_world import failed, going, running, starting, succeeded, waiting

NOW = 1000.0
WAIT = Wait("OverLimit", "vision quota has reached the allowable limit")


def of(*pods: ObservedPod, **changes: Any) -> ForeignFacts:
    return replace(ForeignFacts(pods=pods, latest=pods), **changes)


ROWS: dict[str, tuple[ForeignFacts, str, str]] = {
    "nothing of it runs or waits": (of(), "Pending", "it has no pods that run or wait"),
    "a pod waits, and the scheduler says why": (
        of(waiting(), wait=WAIT),
        "Pending",
        "vision quota has reached the allowable limit",
    ),
    "a pod waits, and no round has seen it": (of(waiting()), "Pending", "1 pod without a node"),
    "all have nodes": (of(starting(), starting(1)), "Initializing", "2 pods starting"),
    "an image cannot be pulled": (
        of(starting(reason="ImagePullBackOff", message="no such image")),
        "Initializing",
        "pod train-0-0 cannot start: ImagePullBackOff: no such image",
    ),
    "what ends in it is started again": (
        of(starting(reason="CrashLoopBackOff", message="its container ended with exit code 1 and is started again")),
        "Initializing",
        (
            "pod train-0-0 does not keep running: CrashLoopBackOff: "
            "its container ended with exit code 1 and is started again"
        ),
    ),
    "one runs, one waits": (
        of(running(), waiting(1), wait=WAIT),
        "Running",
        "1 of 2 pods running, 1 not: vision quota has reached the allowable limit",
    ),
    "a failed pod lies beside one that runs": (of(failed(), running(1)), "Running", "1 pod running"),
    "it says that it is done": (of(succeeded(), outcome="Completed"), "Completed", "1 pod succeeded"),
    "it says so though a pod still runs": (of(running(), outcome="Completed"), "Completed", "it has completed"),
    "it says that it has failed": (
        of(failed(), outcome="Failed"),
        "Failed",
        "it has failed; pod train-0-0 failed (Error)",
    ),
    "its pods are done, and it has no words for that": (of(succeeded()), "Completed", "1 pod succeeded"),
    "one of them failed": (of(succeeded(), failed(1)), "Failed", "it has failed; pod train-1-0 failed (Error)"),
    "an earlier one failed, the last ones did not": (
        of(failed(), succeeded(1), latest=(succeeded(1),)),
        "Completed",
        "1 pod succeeded",
    ),
    "its pods are done, but it has words for that": (
        of(succeeded(), tells_its_end=True),
        "Pending",
        "it has no pods that run or wait",
    ),
    "its pods were evicted": (of(failed(disrupted=True)), "Pending", "it has no pods that run or wait"),
    "it is suspended": (of(stopped=True), "Stopped", "suspended"),
    "it is suspended, and a pod still ends": (
        of(going(running()), stopped=True),
        "Stopped",
        "suspended; 1 pod still to end",
    ),
    "it is being deleted": (of(running(), deleting=True), "Terminating", "is being deleted; 1 pod still to end"),
    "it says something that makes no sense": (
        of(running(), problems=("spec.size is 'x': allowed is a whole number",)),
        "Running",
        "1 pod running; spec.size is 'x': allowed is a whole number",
    ),
}


@pytest.mark.parametrize(("given", "phase", "message"), ROWS.values(), ids=ROWS)
def test_phase_and_message(given: ForeignFacts, phase: str, message: str) -> None:
    found = observed_status(given, None, NOW)
    assert (found.phase, found.message) == (phase, message)


def test_conditions_say_why_pods_have_no_node_and_since_when() -> None:
    first = observed_status(of(waiting(), wait=WAIT), None, NOW)
    later = observed_status(of(starting()), first, NOW + 60)
    assert said(first) == [("PodsScheduled", "False", "OverLimit", 1000), ("Running", "False", "OverLimit", 1000)]
    assert said(later) == [("PodsScheduled", "True", "PodsScheduled", 1060), ("Running", "False", "Initializing", 1000)]


def said(status: ObservedStatus) -> list[tuple[str, str, str | None, int]]:
    return [(each.type, each.status, each.reason, seconds(each)) for each in status.conditions]


def seconds(condition: ExternalCondition) -> int:
    assert condition.last_transition_time is not None
    return int(condition.last_transition_time.timestamp())


def test_a_time_says_when_something_last_changed() -> None:
    first = observed_status(of(running()), None, NOW)
    assert observed_status(of(running()), first, NOW + 60) is first
    ended = observed_status(of(succeeded()), first, NOW + 60)
    assert ended.last_status_change_time == datetime.fromtimestamp(1060, UTC)


PODS = st.sampled_from([waiting, starting, running, succeeded, failed])


@given(
    st.lists(PODS, max_size=4),
    st.sampled_from([None, "Completed", "Failed"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, WAIT]),
)
def test_the_same_again_is_nothing_to_write(
    makers: list[Callable[[int], ObservedPod]], outcome: str | None, stopped: bool, deleting: bool, wait: Wait | None
) -> None:
    pods = [maker(number) for number, maker in enumerate(makers)]
    facts = of(*pods, outcome=outcome, stopped=stopped, deleting=deleting, wait=wait)
    first = observed_status(facts, None, NOW)
    assert observed_status(facts, first, NOW + 5) is first
    assert first.phase in {"Pending", "Initializing", "Running", "Completed", "Failed", "Stopped", "Terminating"}
    assert first.message
