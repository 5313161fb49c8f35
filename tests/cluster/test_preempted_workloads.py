"""What becomes of workloads whose GPUs others take, on a real API server (cluster-api.md 1.4, 5.4, S28, S69)."""

from typing import Any

import pytest

from tests.support.arena import TRAINING, WORKLOADS, Arena

pytestmark = pytest.mark.cluster

INTERACTIVE = "InteractiveWorkload"
DISTRIBUTED = "DistributedWorkload"
ENDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "training": (TRAINING, {"terminateAfterPreemption": True}, "it was preempted, and is not to wait"),
    "interactive": (
        INTERACTIVE,
        {"preemptible": True, "terminateAfterPreemption": True},
        "it was preempted, and is not to wait",
    ),
    "a gang": (DISTRIBUTED, {"jobType": "PyTorchJob", "workers": 1, "preemptionLimit": 0}, "it was preempted"),
}


def until_over(arena: Arena, namespace: str, name: str, kind: str) -> dict[str, Any]:
    """Wait until the workload has ended by a preemption and its pods are gone; returns its status."""
    arena.until_reason(namespace, name, "Preempted", kind=kind)
    arena.until(lambda: not arena.pods(namespace, name), f"the pods of {name} to be gone")
    status = arena.until_status(
        namespace, name, lambda status: status["totalAllocatedGPU"] == "0", "to hold nothing any more", kind=kind
    )
    assert (status["phase"], status["reason"]) == ("Failed", "Preempted")
    assert [each["reason"] for each in status["conditions"] if each["type"] == "Failed"] == ["Preempted"]
    return status


@pytest.mark.parametrize(("kind", "parameters", "sentence"), ENDS.values(), ids=ENDS)
def test_s69_a_workload_that_does_not_wait_for_its_next_turn_ends(
    arena: Arena, kind: str, parameters: dict[str, Any], sentence: str
) -> None:
    arena.nodes(1, gpus=2)
    a, b = arena.project("a", deserved=2), arena.project("b", deserved=0)
    arena.submit(b, "borrower", kind=kind, gpu="1" if kind == DISTRIBUTED else "2", **parameters)
    arena.until(lambda: arena.running(b) == 2, "the borrower to hold both GPUs")
    arena.submit(a, "owner", gpu="2")
    arena.until_phase(a, "owner", "Running")
    status = until_over(arena, b, "borrower", kind)
    assert status["phaseMessage"].startswith(sentence)
    assert f"was stopped for {a.removeprefix('runai-')}/owner" in status["phaseMessage"]
    assert status["preemptions"] == 1
    arena.event(b, "borrower", "Preempted")


def test_a_workload_ends_when_it_was_preempted_once_too_often(arena: Arena) -> None:
    arena.nodes(1, gpus=1)
    a, b = arena.project("a", deserved=1), arena.project("b", deserved=0)
    owner = f"{WORKLOADS}/namespaces/{a}/trainingworkloads/owner"
    arena.submit(b, "borrower", preemptionLimit=1)
    arena.until_phase(b, "borrower", "Running")
    arena.submit(a, "owner")
    arena.until_phase(a, "owner", "Running")
    assert arena.until_phase(b, "borrower", "Pending")["preemptions"] == 1
    arena.patch(owner, {"spec": {"active": {"value": False}}})
    arena.until_phase(b, "borrower", "Running")
    arena.patch(owner, {"spec": {"active": {"value": True}}})
    status = until_over(arena, b, "borrower", TRAINING)
    assert status["phaseMessage"].startswith("preemptions: 2, preemptionLimit: 1; pod borrower-0-")
    assert (status["preemptions"], status.get("failedPods", 0)) == (2, 0)


def test_who_is_moved_or_deleted_by_somebody_else_is_not_preempted(arena: Arena) -> None:
    """cluster-api.md S45: it loses nothing but time."""
    arena.nodes(2, gpus=2)
    a, b = arena.project("a", deserved=2), arena.project("b", deserved=2)
    for namespace, name in ((b, "b1"), (b, "b2"), (a, "a1")):
        arena.submit(namespace, name, terminateAfterPreemption=True)
        arena.until_phase(namespace, name, "Running")
    arena.patch(f"{WORKLOADS}/namespaces/{b}/trainingworkloads/b2", {"spec": {"active": {"value": False}}})
    arena.until_phase(b, "b2", "Stopped")
    before = {pod["metadata"]["uid"] for namespace in (a, b) for pod in arena.pods(namespace)}
    arena.submit(a, "a2", gpu="2")
    arena.until_phase(a, "a2", "Running")
    pods = {name: arena.only_pod(namespace, name, phase="Running") for namespace, name in ((a, "a1"), (b, "b1"))}
    assert len({pod["metadata"]["uid"] for pod in pods.values()} & before) == 1, "one of them was moved"
    for namespace, name in ((a, "a1"), (b, "b1")):
        assert "preemptions" not in arena.until_phase(namespace, name, "Running")
    deleted = pods["a1"]["metadata"]
    arena.delete(f"/api/v1/namespaces/{a}/pods/{deleted['name']}")
    arena.only_pod(a, "a1", phase="Running", but={deleted["uid"]})
    assert "preemptions" not in arena.until_phase(a, "a1", "Running")
