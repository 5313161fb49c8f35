"""Parts of GPUs on hollow nodes: who gets which card, what containers are told, what is left when they have gone."""

from collections import Counter
from typing import Any, Final

import pytest

from aliquot_lab.api import ApiError
from tests.support.arena import Arena
from tests.support.foreign import needs_policies

pytestmark = pytest.mark.cluster

RESERVATIONS: Final = "/api/v1/namespaces/runai-reservation/pods"
GPUS: Final = "aliquot.dev/shared-gpus"
DEVICES: Final = "aliquot.dev/gpu-ids"


def holders(arena: Arena) -> list[dict[str, Any]]:
    """The pods that hold cards on the nodes of the test."""
    every = arena.lab.api.call("GET", RESERVATIONS)["items"]
    return [pod for pod in every if pod["spec"]["nodeName"].startswith(f"{arena.name}-")]


def reservations(arena: Arena) -> dict[str, str]:
    """The device of each card on the nodes of the test that is held for sharers, by the scheduler's id."""
    found: dict[str, str] = {}
    for pod in holders(arena):
        told = [
            device["resourceID"]
            for container in pod["status"].get("containerStatuses", ())
            for resource in container.get("allocatedResourcesStatus", ())
            for device in resource["resources"]
        ]
        found[pod["metadata"]["annotations"][GPUS]] = told[0] if told else ""
    return found


def cards(arena: Arena, *namespaces: str) -> Counter[str]:
    """How many running pods share each device; each of them says what its reservation says."""
    held, found = reservations(arena), Counter[str]()
    for namespace in namespaces:
        for pod in arena.running_pods(namespace):
            annotations = pod["metadata"].get("annotations", {})
            gpus, devices = (annotations.get(key, "").split(",") for key in (GPUS, DEVICES))
            if gpus != [""]:
                assert [held.get(gpu) for gpu in gpus] == devices, pod["metadata"]["name"]
                found.update(devices)
    return found


def anew(arena: Arena, namespace: str, before: set[str]) -> int:
    """How many pods run that are not among those of before."""
    return len([pod for pod in arena.running_pods(namespace) if pod["metadata"]["uid"] not in before])


def until_no_reservations(arena: Arena) -> None:
    arena.until(lambda: not reservations(arena), "the reservations to go")


def test_two_workloads_share_a_gpu_and_the_last_gives_it_back(arena: Arena) -> None:
    """S34, but for what is seen inside: 0.5 and 0.3 of the same GPU; then it is a whole one again."""
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "frac05", gpu="0.5", kind="InteractiveWorkload")
    arena.submit(namespace, "frac03", gpu="0.3", kind="InteractiveWorkload")
    for name in ("frac05", "frac03"):
        arena.until_phase(namespace, name, "Running", kind="InteractiveWorkload")
    assert list(cards(arena, namespace).values()) == [2]
    for name, part in (("frac05", "0.5"), ("frac03", "0.3")):
        status = arena.status(namespace, name, "InteractiveWorkload")
        assert (status["requestedGPU"], status["totalAllocatedGPU"]) == (part, part)
    for pod, portion in zip(arena.pods(namespace), ("0.3", "0.5"), strict=True):
        metadata = pod["metadata"]
        assert metadata["annotations"]["aliquot.dev/gpu-portion"] == portion
        assert metadata["annotations"]["received-resource-type"] == "Fraction"
        assert metadata["labels"]["runai-gpu-group"] == metadata["annotations"][GPUS]
    arena.submit(namespace, "whole", gpu="1")
    arena.until_reason(namespace, "whole", "NotEnoughResources")
    for name in ("frac05", "frac03"):
        arena.delete(arena.path(namespace, name, kind="InteractiveWorkload"))
    arena.until_phase(namespace, "whole", "Running")
    until_no_reservations(arena)
    pod = arena.only_pod(namespace, "whole")
    assert pod["metadata"]["annotations"]["received-resource-type"] == "Regular"


def test_sixteen_halves_at_once_end_as_two_on_each_of_eight(arena: Arena) -> None:
    arena.nodes(2, gpus=4)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "halves", gpu="0.5", completions=16, parallelism=16)
    arena.until_running_pods(namespace, 16)
    shared = cards(arena, namespace)
    assert sorted(shared.values()) == [2] * 8
    arena.delete(arena.path(namespace, "halves"))
    until_no_reservations(arena)


def test_what_fits_by_memory_runs_and_the_next_one_waits_with_its_reason(arena: Arena) -> None:
    """A card of 46,068 MiB counts as 46,000 (scheduling.md 1.3): 23 pods of 2000 MiB, and not 24."""
    arena.nodes(1, gpus=1, labels={"nvidia.com/gpu.memory": "46068"})
    namespace = arena.project("a", deserved=4)
    arena.submit(namespace, "many", gpu=None, gpuMemory="2000Mi", completions=24, parallelism=24)
    arena.until_running_pods(namespace, 23)
    arena.submit(namespace, "late", gpu=None, gpuMemory="2000Mi")
    late = arena.until_reason(namespace, "late", "NotEnoughResources")
    assert "needs 2000 MiB of one GPU" in late["phaseMessage"], late["phaseMessage"]
    assert list(cards(arena, namespace).values()) == [23]
    waiting = [pod["metadata"]["name"] for pod in arena.pods(namespace, "many") if not pod["spec"].get("nodeName")]
    assert len(waiting) == 1
    first = arena.running_pods(namespace, "many")[0]
    assert first["metadata"]["annotations"]["aliquot.dev/gpu-portion"] == "0.05"
    arena.end(namespace, first["metadata"]["name"])
    arena.until_running_pods(namespace, 23)  # whichever of the two that wait
    assert list(cards(arena, namespace).values()) == [23]


def test_whole_gpus_thirds_and_parts_of_several_go_together(arena: Arena) -> None:
    [node] = arena.nodes(1, gpus=4)
    namespace = arena.project("a", deserved=4)
    arena.submit(namespace, "whole", gpu="1")
    arena.submit(namespace, "thirds", gpu="0.33", completions=3, parallelism=3)
    arena.submit(namespace, "pair", gpu="0.9", gpuDevices=2)
    arena.until_running_pods(namespace, 5)
    shared = cards(arena, namespace)
    assert sorted(shared.values()) == [1, 1, 3]
    pair = arena.only_pod(namespace, "pair")
    annotations, labels = pair["metadata"]["annotations"], pair["metadata"]["labels"]
    assert len({*annotations[DEVICES].split(",")}) == 2
    assert annotations["aliquot.dev/number-of-gpus"] == "1.8"
    assert {f"runai-gpu-group/{gpu}" for gpu in annotations[GPUS].split(",")} <= {*labels}
    assert {pod["spec"]["nodeName"] for pod in arena.pods(namespace)} == {node}
    arena.end(namespace, "thirds")
    arena.submit(namespace, "second", gpu="1")
    arena.until_phase(namespace, "second", "Running")
    arena.until(lambda: len(reservations(arena)) == 2, "the card that nobody shares any more to be held no longer")


def test_sharers_go_when_their_reservation_is_deleted_and_start_again_on_a_new_one(arena: Arena) -> None:
    """The GPU may be given to others from then on; that costs the workload no retry."""
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "halves", gpu="0.5", completions=2, parallelism=2, backoffLimit=0)
    arena.until_running_pods(namespace, 2)
    before = {pod["metadata"]["uid"] for pod in arena.pods(namespace)}
    [device] = reservations(arena).values()
    [holder] = holders(arena)
    arena.lab.api.call("DELETE", f"{RESERVATIONS}/{holder['metadata']['name']}")
    arena.until(lambda: anew(arena, namespace, before) == 2, "other pods to run")
    assert list(cards(arena, namespace).values()) == [2]
    assert device not in reservations(arena).values()
    assert arena.status(namespace, "halves").get("failedPods", 0) == 0
    assert "was stopped, as the pod that held its GPU is gone" in arena.event(namespace, "halves", "Evicted")["note"]


def test_sharers_go_when_their_node_refuses_to_hold_the_gpu_any_longer(arena: Arena) -> None:
    """As after a reboot, when the device plugin comes later than the kubelet: sharers restart, reservations do not."""
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "halves", gpu="0.5", completions=2, parallelism=2, backoffLimit=0)
    arena.until_running_pods(namespace, 2)
    before = {pod["metadata"]["uid"] for pod in arena.pods(namespace)}
    [holder] = holders(arena)
    refused = {"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": "Pod was rejected: no devices"}
    arena.patch(f"{RESERVATIONS}/{holder['metadata']['name']}/status", {"status": refused})
    arena.until(lambda: anew(arena, namespace, before) == 2, "other pods to run")
    assert list(cards(arena, namespace).values()) == [2]
    assert holder["metadata"]["uid"] not in {pod["metadata"]["uid"] for pod in holders(arena)}
    assert arena.status(namespace, "halves").get("failedPods", 0) == 0


def told(container: dict[str, Any]) -> dict[str, str]:
    """The annotations that say what variables of a container are."""
    fields = {each["name"]: each.get("valueFrom", {}).get("fieldRef", {}) for each in container.get("env", ())}
    return {name: field["fieldPath"] for name, field in fields.items() if field}


IN_ANNOTATIONS: Final = {
    "NVIDIA_VISIBLE_DEVICES": "metadata.annotations['aliquot.dev/gpu-ids']",
    "RUNAI_NUM_OF_GPUS": "metadata.annotations['aliquot.dev/number-of-gpus']",
    "GPU_PORTION": "metadata.annotations['aliquot.dev/gpu-portion']",
}


def test_foreign_pods_get_their_parts_and_one_container_of_each_is_told(arena: Arena) -> None:
    """cluster-api.md S7, scheduling.md 1.4; the variables are added where the API server has the policies for it."""
    needs_policies(arena)
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    metadata = {"annotations": {"gpu-fraction": "0.5"}}
    arena.pod(namespace, "first", gpu=0, metadata=metadata)
    metadata = {"annotations": {"gpu-fraction": "0.5", "gpu-fraction-container-name": "side"}}
    containers = [
        {"name": "main", "image": "x", "env": [{"name": "MINE", "value": "1"}]},
        {"name": "side", "image": "x", "env": [{"name": "MINE", "value": "1"}]},
    ]
    arena.pod(namespace, "second", metadata=metadata, containers=containers)
    arena.until_running_pods(namespace, 2)
    assert list(cards(arena, namespace).values()) == [2]
    first, second = (pod["spec"]["containers"] for pod in arena.pods(namespace))
    assert [told(container) for container in (*first, *second)] == [IN_ANNOTATIONS, {}, IN_ANNOTATIONS]
    assert second[1]["env"][0] == {"name": "MINE", "value": "1"}


def test_our_own_pods_are_told_once(arena: Arena) -> None:
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "half", gpu="0.5")
    arena.until_phase(namespace, "half", "Running")
    [container] = arena.only_pod(namespace)["spec"]["containers"]
    assert IN_ANNOTATIONS.items() <= told(container).items()
    assert [each["name"] for each in container["env"]].count("NVIDIA_VISIBLE_DEVICES") == 1


MPS: Final = "aliquot.dev/mps"
LIMITS: Final = {
    "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT": "metadata.annotations['aliquot.dev/mps-memory-limit']",
    "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": "metadata.annotations['aliquot.dev/mps-thread-percentage']",
}


def limits_of(pod: dict[str, Any]) -> dict[str, str]:
    """What is written on a pod of what it may use through the service."""
    prefix = f"{MPS}-"
    return {
        key.removeprefix(prefix): value
        for key, value in pod["metadata"]["annotations"].items()
        if key.startswith(prefix)
    }


def test_who_shares_through_a_service_waits_for_a_node_with_it_and_is_told_its_limits(arena: Arena) -> None:
    needs_policies(arena)
    [node] = arena.nodes(1, gpus=1, labels={"nvidia.com/gpu.memory": "80000"})
    namespace = arena.project("a", deserved=1)
    metadata = {"annotations": {"gpu-fraction": "0.25", "runai-gpu-limit": "0.5", "mps": "true"}}
    arena.pod(namespace, "foreign", gpu=0, metadata=metadata)
    arena.pod(namespace, "without", gpu=0, metadata={"annotations": {"gpu-fraction": "0.25"}})
    arena.until_running_pods(namespace, 1)
    assert [pod["metadata"]["name"] for pod in arena.running_pods(namespace)] == ["without"]
    arena.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {MPS: "true"}}})
    arena.until_running_pods(namespace, 2)
    foreign, without = arena.pods(namespace)
    assert limits_of(foreign) == {"memory-limit": "0=40000M", "thread-percentage": "25"}
    assert limits_of(without) == {}
    assert told(foreign["spec"]["containers"][0]) == {**IN_ANNOTATIONS, **LIMITS}
    assert told(without["spec"]["containers"][0]) == IN_ANNOTATIONS


def test_what_a_pod_asked_of_a_gpu_cannot_be_changed_once_it_has_it(arena: Arena) -> None:
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "half", gpu="0.5", gpuLimit="0.8")
    arena.until_running_pods(namespace, 1)
    pod = arena.only_pod(namespace)
    assert pod["metadata"]["annotations"]["runai-gpu-limit"] == "0.8"
    path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
    for changed in ({"runai-gpu-limit": "1"}, {"gpu-memory": "4000"}, {"mps": "true"}, {"gpu-fraction": None}):
        with pytest.raises(ApiError, match="it has it by now: leave them as they are"):
            arena.patch(path, {"metadata": {"annotations": changed}})
    arena.patch(path, {"metadata": {"annotations": {"mine": "1"}}})


VISIBLE: Final = "NVIDIA_VISIBLE_DEVICES"
HELPED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "its GPU": ({"annotations": {GPUS: "n1-shared-1"}}, {}, "metadata.annotations: aliquot.dev/shared-gpus"),
    "its device": ({"annotations": {DEVICES: "GPU-1"}}, {}, "metadata.annotations: aliquot.dev/shared-gpus"),
    "what it received": ({"annotations": {"received-resource-type": "Fraction"}}, {}, "metadata.annotations: aliquot"),
    "the label of its GPU": ({"labels": {"runai-gpu-group": "g"}}, {}, "metadata.labels: runai-gpu-group"),
    "labels of several": ({"labels": {"runai-gpu-group/g": "g"}}, {}, "metadata.labels: runai-gpu-group"),
    "all GPUs": ({}, {"env": [{"name": VISIBLE, "value": "all"}]}, f"{VISIBLE} of a container"),
    "an annotation of its own": (
        {},
        {"env": [{"name": VISIBLE, "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['mine']"}}}]},
        f"{VISIBLE} of a container",
    ),
}


def refused(arena: Arena, namespace: str) -> bool:
    """Whether a pod that says which GPU it has is refused there, by a dry run."""
    metadata = {"name": "dry", "annotations": {DEVICES: "GPU-1"}}
    spec = {"schedulerName": "runai-scheduler", "containers": [{"name": "main", "image": "x"}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    try:
        arena.lab.api.call("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)
    except ApiError as problem:
        return "metadata.annotations: aliquot.dev/shared-gpus" in str(problem)
    return False


def test_nobody_helps_themselves(arena: Arena) -> None:
    namespace, elsewhere = arena.project("a", deserved=1), arena.namespace("elsewhere")
    arena.pod(namespace, "plain", metadata={"annotations": {"mine": "1"}}, containers=[{"name": "main", "image": "x"}])
    arena.until(lambda: refused(arena, namespace), "the API server to know that the namespace is a project's")
    for number, (metadata, container, said) in enumerate(HELPED.values()):
        containers = [{"name": "main", "image": "x", **container}]
        with pytest.raises(ApiError, match=said):
            arena.pod(namespace, "mine", metadata=metadata, containers=containers)
        arena.pod(elsewhere, f"mine-{number}", metadata=metadata, containers=containers)
        if metadata:
            with pytest.raises(ApiError, match=said):
                arena.patch(f"/api/v1/namespaces/{namespace}/pods/plain", {"metadata": metadata})


def test_a_container_may_say_that_it_wants_no_gpu(arena: Arena) -> None:
    namespace = arena.project("a", deserved=1)
    containers = [
        {"name": value, "image": "x", "env": [{"name": VISIBLE, "value": value}]} for value in ("none", "void")
    ]
    arena.pod(namespace, "none", containers=containers)
