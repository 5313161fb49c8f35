"""An operator that is killed while the first part of a GPU is given, and while its last sharer leaves: all goes on."""

from typing import Any

import pytest

from aliquot_lab import Act, ApiRequest, Cut, FaultProxy, Rule
from tests.crashes.stage import Stage, tried
from tests.crashes.test_killed_operator import Killer

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-killed")]

RESERVATIONS = "/api/v1/namespaces/runai-reservation/pods"
POINTS: dict[str, tuple[str, str, bytes, bool]] = {
    "before the GPU is reserved": ("create", "pods", b"aliquot.dev/shared-gpus", False),
    "when the GPU is reserved": ("create", "pods", b"aliquot.dev/shared-gpus", True),
    "before a sharer is bound": ("create", "pods/binding", b"aliquot.dev/gpu-ids", False),
    "when a sharer is bound": ("create", "pods/binding", b"aliquot.dev/gpu-ids", True),
    "before the GPU is free": ("delete", "pods", b"", False),
    "when the GPU is free": ("delete", "pods", b"", True),
}
"""The first such write is the last of the operator's life; whether it is carried out."""


def holders(stage: Stage) -> list[dict[str, Any]]:
    """The pods that hold GPUs of the test's nodes for others."""
    every = stage.lab.api.call("GET", RESERVATIONS)["items"]
    return [pod for pod in every if pod["spec"]["nodeName"].startswith(f"{stage.name}-")]


def shared(stage: Stage, namespace: str) -> list[str]:
    """The device of each running sharer; it is the one that a reservation holds."""
    held = [
        device["resourceID"]
        for pod in holders(stage)
        for container in pod["status"].get("containerStatuses", ())
        for resource in container.get("allocatedResourcesStatus", ())
        for device in resource["resources"]
    ]
    found = [
        pod["metadata"]["annotations"]["aliquot.dev/gpu-ids"]
        for pod in stage.pods(namespace)
        if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    ]
    return [device for device in found if device in held]


def play(stage: Stage) -> None:
    """Two halves of one GPU, from the first part to the last, and then all of it."""
    namespace = stage.project("a", deserved=1)
    stage.submit(namespace, "halves", gpu="0.5", completions=2, parallelism=2)

    def both() -> list[str]:
        devices = shared(stage, namespace)
        return devices if len(devices) == 2 else []

    one, other = stage.until(both, "both halves to run", seconds=300)
    assert one == other
    stage.end(namespace, "halves")
    stage.submit(namespace, "whole")
    stage.until(tried(lambda: stage.running(namespace) == 1), "the whole GPU to be given", seconds=300)
    stage.until(tried(lambda: not holders(stage)), "no GPU to be held for nobody")
    stage.until(tried(lambda: stage.status(namespace, "halves").get("phase") == "Completed"), "the halves to be done")
    assert stage.status(namespace, "halves").get("failedPods", 0) == 0


@pytest.mark.parametrize(("verb", "resource", "said", "done"), POINTS.values(), ids=POINTS)
def test_a_gpu_is_shared_and_freed_though_the_operator_is_killed(
    stage: Stage, proxy: FaultProxy, verb: str, resource: str, said: bytes, done: bool
) -> None:
    stage.nodes(1, gpus=1)
    operator = stage.mortal_operator(proxy)
    struck: list[ApiRequest] = []

    def is_it(request: ApiRequest) -> bool:
        if not struck and (request.verb, request.resource) == (verb, resource) and said in request.body:
            struck.append(request)
        return bool(struck) and struck[0] is request

    proxy.add(
        Rule(Act(lambda _: operator.kill(), after=done), when=is_it, times=1),
        Rule(Cut(after=done), when=is_it, times=1),
    )
    play(stage)
    assert struck, "it was never killed"
    assert not operator.ended_by_itself, operator.process.log()[-4000:]


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_an_operator_that_dies_again_and_again_shares_gpus_all_the_same(
    stage: Stage, proxy: FaultProxy, nth: int
) -> None:
    stage.nodes(1, gpus=1)
    killer = Killer(proxy, operator := stage.mortal_operator(proxy), nth)
    try:
        play(stage)
    except AssertionError as failure:
        failure.add_note("\n".join(["it was last killed at:", *killer.last()]))
        raise
    assert {request.resource for request in killer.struck} >= {"pods"}
    assert not operator.ended_by_itself, operator.process.log()[-4000:]
