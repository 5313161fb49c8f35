"""GPUs that fail on hollow nodes: the node's agent is the test, and writes what an agent would."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.arena import POOLS, Arena

pytestmark = pytest.mark.cluster

INTERACTIVE = "InteractiveWorkload"
GPUS = "aliquot.dev/shared-gpus"
DEVICES = "aliquot.dev/gpu-ids"


def tell(arena: Arena, node: str, devices: Iterable[str], reason: str = "lost") -> None:
    """The agent says which GPUs of the node cannot be used."""
    troubles = {device: {"reason": reason, "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"} for device in devices}
    said = json.dumps(troubles) if troubles else None
    arena.patch(f"/api/v1/nodes/{node}", {"metadata": {"annotations": {"aliquot.dev/gpu-health": said}}})


def offer(arena: Arena, node: str, gpus: int) -> None:
    """The device plugin offers so many GPUs of the node."""
    arena.patch(f"/api/v1/nodes/{node}/status", {"status": {"allocatable": {"nvidia.com/gpu": str(gpus)}}})


def devices_of(pod: dict[str, Any]) -> list[str]:
    """The GPUs that a pod has, as the kubelet says it, or its record."""
    recorded = pod["metadata"].get("annotations", {}).get(DEVICES)
    if recorded:
        return recorded.split(",")
    return [
        device["resourceID"]
        for container in pod["status"].get("containerStatuses", ())
        for resource in container.get("allocatedResourcesStatus", ())
        for device in resource["resources"]
    ]


def reservations(arena: Arena) -> list[dict[str, Any]]:
    """The pods that hold GPUs of the test's nodes for others."""
    every = arena.lab.api.call("GET", "/api/v1/namespaces/runai-reservation/pods")["items"]
    return [pod for pod in every if pod["spec"]["nodeName"].startswith(f"{arena.name}-")]


def until_anew(arena: Arena, namespace: str, before: set[str], count: int) -> list[dict[str, Any]]:
    """Wait until so many pods run that are none of those; returns them."""

    def there() -> list[dict[str, Any]]:
        return [pod for pod in arena.running_pods(namespace) if pod["metadata"]["uid"] not in before]

    arena.until(lambda: len(there()) == count, f"{count} new pods in {namespace} to run")
    return there()


def condition(arena: Arena, namespace: str, name: str, kind: str) -> dict[str, Any]:
    """A condition of a workload; empty: it has none of that type."""
    found = arena.status(namespace, name, INTERACTIVE).get("conditions", ())
    named: list[dict[str, Any]] = [each for each in found if each["type"] == kind]
    return named[0] if named else {}


def test_sharers_move_off_a_gpu_that_fails_and_it_comes_back_when_it_is_well(arena: Arena) -> None:
    """Until the device plugin knows it, too, its reservation keeps the GPU from being given to others."""
    [node] = arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=2)
    arena.submit(namespace, "halves", gpu="0.5", completions=2, parallelism=2, backoffLimit=0)
    arena.until_running_pods(namespace, 2)
    before = arena.running_pods(namespace)
    [broken] = {device for pod in before for device in devices_of(pod)}
    tell(arena, node, [broken])
    now = until_anew(arena, namespace, {pod["metadata"]["uid"] for pod in before}, 2)
    assert broken not in {device for pod in now for device in devices_of(pod)}
    assert len({device for pod in now for device in devices_of(pod)}) == 1
    assert arena.until_phase(namespace, "halves", "Running").get("failedPods", 0) == 0
    arena.submit(namespace, "third", gpu="0.7")
    waits = arena.until_reason(namespace, "third", "NotEnoughResources")
    assert f"; 1 GPU of node {node} cannot be used; " in waits["phaseMessage"]
    kept = [pod for pod in reservations(arena) if broken in devices_of(pod)]
    assert len(kept) == 1
    offer(arena, node, 1)
    arena.until(
        lambda: all(broken not in devices_of(pod) for pod in reservations(arena)), "the reservation of the GPU to go"
    )
    offer(arena, node, 2)
    tell(arena, node, [])
    arena.until_phase(namespace, "third", "Running")


def test_a_whole_gpu_that_fails_counts_once_and_its_pod_starts_elsewhere(arena: Arena) -> None:
    first, second = arena.nodes(2, gpus=2)
    namespace = arena.project("a", deserved=4)
    arena.submit(namespace, "whole", gpu="1", backoffLimit=0)
    arena.until_phase(namespace, "whole", "Running")
    [pod] = arena.running_pods(namespace)
    node, uid = pod["spec"]["nodeName"], pod["metadata"]["uid"]
    offer(arena, node, 1)
    tell(arena, node, devices_of(pod))
    until_anew(arena, namespace, {uid}, 1)
    said = f"it has GPUs of node {node} that cannot be used: {devices_of(pod)[0]} (lost, since "
    arena.until(
        lambda: any(each["reason"] == "Evicted" and said in each["note"] for each in arena.events(namespace, "whole")),
        "the Event of the move",
    )
    # three GPUs are left of four, not two: one holds the moved pod
    arena.submit(namespace, "rest", gpu="1", completions=3, parallelism=3)
    arena.until_running_pods(namespace, 3)
    arena.until_reason(namespace, "rest", "NotEnoughResources")
    assert len(arena.running_pods(namespace)) == 3
    tell(arena, node, [])
    offer(arena, node, 2)
    arena.until_running_pods(namespace, 4)
    assert {each["spec"]["nodeName"] for each in arena.running_pods(namespace)} == {first, second}


def test_one_that_may_not_be_stopped_is_told_and_its_neighbour_on_the_node_is_not(arena: Arena) -> None:
    [node] = arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=2)
    for name in ("sick", "well"):
        arena.submit(namespace, name, gpu="1", kind=INTERACTIVE)
        arena.until_phase(namespace, name, "Running", kind=INTERACTIVE)
    [pod] = arena.pods(namespace, "sick")
    tell(arena, node, devices_of(pod), "reset_required")
    arena.until(lambda: condition(arena, namespace, "sick", "GpusHealthy"), "the workload to be told")
    told = condition(arena, namespace, "sick", "GpusHealthy")
    assert (told["status"], told["reason"]) == ("False", "GpuBroken")
    assert f"it has GPUs of node {node} that cannot be used: {devices_of(pod)[0]} (needs a reset, " in told["message"]
    arena.until(
        lambda: [event for event in arena.events(namespace, "sick") if event["reason"] == "GpuBroken"], "the Event"
    )
    said = f"node {node}: 1 of 2 GPUs cannot be used (needs a reset)"
    arena.until(lambda: arena.get(f"{POOLS}/{arena.name}")["status"].get("message") == said, "the node pool to say so")
    assert condition(arena, namespace, "well", "GpusHealthy") == {}
    tell(arena, node, [])
    arena.until(lambda: not condition(arena, namespace, "sick", "GpusHealthy"), "the condition to go")
    assert {each["metadata"]["uid"] for each in arena.running_pods(namespace, "sick")} == {pod["metadata"]["uid"]}
