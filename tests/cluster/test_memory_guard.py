"""Pods that use more of a GPU's memory than they were given, on hollow nodes: the test writes what an agent would."""

import json
import time
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from aliquot_lab import LabError
from aliquot_lab.api import ApiError
from tests.cluster.conftest import GUARD_GRACE_SECONDS
from tests.support.arena import Arena

pytestmark = pytest.mark.cluster

OVERUSE: Final = "aliquot.dev/gpu-memory-overuse"
ADA: Final = "--as=ada@example.com"


def path(pod: dict[str, Any]) -> str:
    metadata = pod["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def overuse(pod: dict[str, Any], seconds: float, **more: int) -> str:
    """What the agent writes of a pod that has used 9000 of 8192 MiB for so long."""
    since = f"{datetime.fromtimestamp(time.time() - seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    device = pod["metadata"]["annotations"]["aliquot.dev/gpu-ids"]
    return json.dumps({device: {"usedMib": 9000, "limitMib": 8192, "since": since, **more}})


def tell(arena: Arena, pod: dict[str, Any], seconds: float | None, **more: int) -> None:
    """The agent says that the pod has used too much for so long; None: it does not any more."""
    said = None if seconds is None else overuse(pod, seconds, **more)
    arena.patch(path(pod), {"metadata": {"annotations": {OVERUSE: said}}})


def conditions(holder: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The conditions of an object, by type."""
    return {each["type"]: each for each in holder.get("status", {}).get("conditions", ())}


def two_sharers(arena: Arena, backoff: int) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Two workloads with half a GPU each, on the same one; returns the namespace and their pods."""
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    for name in ("greedy", "modest"):
        arena.submit(namespace, name, gpu="0.5", backoffLimit=backoff)
    arena.until_running_pods(namespace, 2)
    [greedy], [modest] = arena.pods(namespace, "greedy"), arena.pods(namespace, "modest")
    assert (
        greedy["metadata"]["annotations"]["aliquot.dev/gpu-ids"]
        == modest["metadata"]["annotations"]["aliquot.dev/gpu-ids"]
    )
    return namespace, greedy, modest


def test_who_uses_too_much_is_told_while_it_does(arena: Arena) -> None:
    namespace, greedy, modest = two_sharers(arena, backoff=0)
    tell(arena, greedy, 0)
    arena.until(lambda: "GpuMemoryKept" in conditions(arena.workload(namespace, "greedy")), "the workload to be told")
    told = conditions(arena.workload(namespace, "greedy"))["GpuMemoryKept"]
    assert (told["status"], told["reason"]) == ("False", "GpuMemoryOveruse")
    device = greedy["metadata"]["annotations"]["aliquot.dev/gpu-ids"]
    assert f"it uses 9000 MiB of {device}, where it may use 8192 MiB (since " in told["message"]
    for name in ("greedy", greedy["metadata"]["name"]):
        arena.until(
            lambda name=name: "GpuMemoryOveruse" in {event["reason"] for event in arena.events(namespace, name)},
            f"the Event about {name}",
        )
    tell(arena, greedy, None)
    arena.until(lambda: "GpuMemoryKept" not in conditions(arena.workload(namespace, "greedy")), "the condition to go")
    [same], [neighbour] = arena.pods(namespace, "greedy"), arena.pods(namespace, "modest")
    assert conditions(same)["aliquot.dev/GpuMemoryKept"]["status"] == "True"
    assert same["metadata"]["uid"] == greedy["metadata"]["uid"]
    assert neighbour["metadata"]["uid"] == modest["metadata"]["uid"]
    assert "aliquot.dev/GpuMemoryKept" not in conditions(neighbour)


def test_who_uses_too_much_for_too_long_is_stopped_and_that_is_a_failure_of_its_own(arena: Arena) -> None:
    namespace, greedy, modest = two_sharers(arena, backoff=1)
    tell(arena, greedy, GUARD_GRACE_SECONDS + 1)

    def again() -> list[dict[str, Any]]:
        found = arena.running_pods(namespace, "greedy")
        return [pod for pod in found if pod["metadata"]["uid"] != greedy["metadata"]["uid"]]

    arena.until(again, "its next pod to run")
    arena.until(lambda: arena.status(namespace, "greedy").get("failedPods") == 1, "the failure to be counted")
    [second] = again()
    tell(arena, second, GUARD_GRACE_SECONDS + 1)
    status = arena.until_phase(namespace, "greedy", "Failed")
    assert status["reason"] == "BackoffLimitExceeded"
    assert status["failedPods"] == 2
    assert "failures: 2, backoffLimit: 1" in status["phaseMessage"]
    [neighbour] = arena.running_pods(namespace, "modest")
    assert neighbour["metadata"]["uid"] == modest["metadata"]["uid"]


def test_memory_that_was_lent_is_taken_back_without_blame(arena: Arena) -> None:
    namespace, greedy, modest = two_sharers(arena, backoff=0)
    tell(arena, greedy, GUARD_GRACE_SECONDS + 1, burstMib=10_000)

    def again() -> list[dict[str, Any]]:
        found = arena.running_pods(namespace, "greedy")
        return [pod for pod in found if pod["metadata"]["uid"] != greedy["metadata"]["uid"]]

    arena.until(again, "its next pod to run")
    assert arena.until_phase(namespace, "greedy", "Running").get("failedPods", 0) == 0
    [neighbour] = arena.running_pods(namespace, "modest")
    assert neighbour["metadata"]["uid"] == modest["metadata"]["uid"]


def test_users_cannot_say_how_a_pod_uses_its_gpus(arena: Arena) -> None:
    """They may change their pods otherwise, and the agent may say so."""
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "half", gpu="0.5")
    arena.until_running_pods(namespace, 1)
    [pod] = arena.pods(namespace)
    name = pod["metadata"]["name"]
    edit = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "ada"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ada@example.com"},
            {"kind": "ServiceAccount", "namespace": "runai", "name": "aliquot-agent"},
        ],
    }
    arena.make(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", edit)

    def annotate(who: str, said: str) -> str:
        return arena.lab.kubectl(who, "annotate", "pod", name, "--namespace", namespace, "--overwrite", said)

    def may(said: str) -> bool:
        try:
            annotate(ADA, said)
        except (LabError, ApiError):
            return False
        return True

    arena.until(lambda: may("mine=1"), "the user to be allowed to edit")
    for said in (f"{OVERUSE}={{}}", "aliquot.dev/gpu-idle-since=2026-01-31T12:00:00Z"):
        with pytest.raises(LabError, match="only the agent of"):
            annotate(ADA, said)
    annotate("--as=system:serviceaccount:runai:aliquot-agent", "aliquot.dev/gpu-idle-since=2026-01-31T12:00:00Z")
    with pytest.raises(LabError, match="only the agent of"):
        annotate(ADA, "aliquot.dev/gpu-idle-since-")
