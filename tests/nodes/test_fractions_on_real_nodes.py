"""Parts of GPUs with a real kubelet: what a container sees inside is what was written down; no card has too many."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pytest

from aliquot_lab import LabError
from aliquot_lab.nodes.images import BUSYBOX
from tests.nodes.gpu_node import GpuNode
from tests.support.arena import Arena

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("real-nodes")]

DEVICES: Final = "aliquot.dev/gpu-ids"
SCRIPT: Final = 'sh -c "trap exit TERM; env; echo that is all; sleep 100000 & wait"'


def worker() -> dict[str, Any]:
    """Parameters of workloads whose containers tell their environment and run until they are stopped."""
    return {"image": BUSYBOX, "imagePullPolicy": "Never", "command": SCRIPT, "cpu": "0.01", "memory": "10Mi"}


def submit(arena: Arena, namespace: str, name: str, gpu: str | None, **given: Any) -> None:
    arena.submit(namespace, name, gpu=gpu, **worker(), **given)


def seen_inside(arena: Arena, namespace: str, pod: str) -> dict[str, str]:
    """The environment of a pod's container, as the container says it."""
    said = ""

    def whole() -> bool:
        nonlocal said
        try:
            said = arena.lab.kubectl("logs", "-n", namespace, pod)
        except LabError as problem:  # a kubelet that starts answers before it knows its pods
            said = str(problem)
        return "that is all" in said

    arena.until(whole, f"{pod} to tell its environment")
    return {name: value for name, is_one, value in (line.partition("=") for line in said.splitlines()) if is_one}


def visible(arena: Arena, namespace: str, pods: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The GPUs that containers see, by pod; each sees what the record on the pod says, if there is one."""
    found: dict[str, list[str]] = {}
    for pod in pods:
        name, annotations = pod["metadata"]["name"], pod["metadata"].get("annotations", {})
        inside = seen_inside(arena, namespace, name)["NVIDIA_VISIBLE_DEVICES"]
        assert annotations.get(DEVICES, inside) == inside, name
        found[name] = inside.split(",")
    return found


def test_halves_and_a_whole_one_see_what_they_were_given(arena: Arena, gpus: GpuNode) -> None:
    """S34, seen from inside: two halves on each card that is shared, and nobody beside a pod with a whole one."""
    namespace = arena.project("a", deserved=4)
    submit(arena, namespace, "whole", "1")
    submit(arena, namespace, "halves", "0.5", completions=6, parallelism=6)
    seen = visible(arena, namespace, arena.until_running_pods(namespace, 7))
    shared = Counter(each for name, cards in seen.items() if name.startswith("halves") for each in cards)
    [whole] = seen["whole-0-0"]
    assert sorted(shared.values()) == [2, 2, 2]
    assert {whole, *shared} == set(gpus.uuids)
    inside = seen_inside(arena, namespace, "halves-0-0")
    assert (inside["RUNAI_NUM_OF_GPUS"], inside["GPU_PORTION"]) == ("0.5", "0.5")
    submit(arena, namespace, "late", "0.1")
    arena.until_reason(namespace, "late", "NotEnoughResources")
    arena.delete(arena.path(namespace, "whole"))
    arena.until_phase(namespace, "late", "Running")
    assert visible(arena, namespace, [arena.only_pod(namespace, "late")]) == {"late-0-0": [whole]}


def test_sharers_go_on_when_the_kubelet_starts_anew(arena: Arena, gpus: GpuNode) -> None:
    namespace = arena.project("a", deserved=4)
    submit(arena, namespace, "halves", "0.5", completions=4, parallelism=4)
    before = {pod["metadata"]["uid"] for pod in arena.until_running_pods(namespace, 4)}
    gpus.node.restart_kubelet()
    gpus.until_allocatable(4)
    submit(arena, namespace, "third", "0.5", completions=2, parallelism=2)
    pods = arena.until_running_pods(namespace, 6)
    assert before <= {pod["metadata"]["uid"] for pod in pods}
    seen = visible(arena, namespace, pods)
    assert sorted(Counter(each for cards in seen.values() for each in cards).values()) == [2, 2, 2]


def test_after_a_power_cut_nobody_keeps_a_card_that_may_be_given_twice(arena: Arena, gpus: GpuNode) -> None:
    """The plugin comes after the kubelet: it refuses the reservations, while sharers would simply start again."""
    namespace = arena.project("a", deserved=4)
    submit(arena, namespace, "halves", "0.5", completions=4, parallelism=4)
    before = {pod["metadata"]["uid"] for pod in arena.until_running_pods(namespace, 4)}
    held = {pod["metadata"]["uid"] for pod in gpus.reservations()}
    gpus.stop_plugin()
    gpus.node.power_off()
    gpus.node.power_on()
    arena.until(
        lambda: held.isdisjoint(pod["metadata"]["uid"] for pod in gpus.reservations()), "the refused ones to be gone"
    )
    gpus.start_plugin()
    gpus.until_allocatable(4)

    def others() -> list[dict[str, Any]]:
        pods = arena.running_pods(namespace)
        return pods if len(pods) == 4 and before.isdisjoint(pod["metadata"]["uid"] for pod in pods) else []

    seen = visible(arena, namespace, arena.until(others, "four others to run"))
    assert sorted(Counter(each for cards in seen.values() for each in cards).values()) == [2, 2]


def test_an_amount_of_memory_is_a_part_of_the_card(arena: Arena, gpus: GpuNode) -> None:
    namespace = arena.project("a", deserved=4)
    submit(arena, namespace, "amounts", None, gpuMemory="40000Mi", completions=2, parallelism=2)
    seen = visible(arena, namespace, arena.until_running_pods(namespace, 2))
    assert len({each for cards in seen.values() for each in cards}) == 1
    portion = seen_inside(arena, namespace, "amounts-0-0")["GPU_PORTION"]
    assert re.fullmatch(r"0\.\d+", portion), portion
