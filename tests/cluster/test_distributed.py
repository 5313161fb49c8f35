"""Distributed workloads: pods that start together or not at all, on a real API server."""

from typing import Any

import pytest

from tests.support.arena import Arena, names_of

pytestmark = pytest.mark.cluster
DISTRIBUTED = "DistributedWorkload"


def submit(arena: Arena, namespace: str, name: str, **given: Any) -> None:
    whole: dict[str, Any] = {"jobType": "PyTorchJob", "workers": 3, **given}
    arena.submit(namespace, name, kind=DISTRIBUTED, **whole)


def until_phase(arena: Arena, namespace: str, name: str, phase: str) -> dict[str, Any]:
    return arena.until_phase(namespace, name, phase, kind=DISTRIBUTED)


def variables(pod: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in pod["spec"]["containers"][0]["env"]}


def nodes_of(pods: list[dict[str, Any]]) -> list[str | None]:
    return [pod["spec"].get("nodeName") for pod in pods]


def test_a_gang_of_one_and_three_is_told_of_one_another(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "llm", gpu="2")
    status = until_phase(arena, namespace, "llm", "Running")
    pods = arena.pods(namespace, "llm")
    assert names_of(pods) == [f"llm-{rank}-0" for rank in range(4)]
    assert (status["requestedGPU"], status["creationStatus"]) == ("8", "Submitted")
    told = [variables(pod) for pod in pods]
    assert [(each["RANK"], each["WORLD_SIZE"]) for each in told] == [(str(rank), "4") for rank in range(4)]
    [address] = {each["MASTER_ADDR"] for each in told}
    host, _, service = address.partition(".")
    assert (pods[0]["spec"]["hostname"], pods[0]["spec"]["subdomain"]) == (host, service)
    made = arena.get(f"/api/v1/namespaces/{namespace}/services/{service}")
    assert (made["spec"]["clusterIP"], made["spec"]["publishNotReadyAddresses"]) == ("None", True)
    selector = made["spec"]["selector"].items()
    assert all(selector <= pod["metadata"]["labels"].items() for pod in pods)
    arena.delete(arena.path(namespace, "llm", DISTRIBUTED))
    arena.until(lambda: not arena.pods(namespace), "its pods to be gone")
    arena.until(lambda: not arena.get(f"/api/v1/namespaces/{namespace}/services/{service}"), "its Service to be gone")


def test_s54_a_gang_starts_whole_or_not_at_all(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=16)
    arena.submit(namespace, "in-the-way", gpu="1")
    arena.until_phase(namespace, "in-the-way", "Running")
    submit(arena, namespace, "llm", gpu="2")
    status = arena.until_reason(namespace, "llm", "NotEnoughResources", kind=DISTRIBUTED)
    assert (status["phase"], status["pendingPods"], status["totalAllocatedGPU"]) == ("Pending", 4, "0")
    assert nodes_of(arena.pods(namespace, "llm")) == [None] * 4
    arena.delete(arena.path(namespace, "in-the-way"))
    status = until_phase(arena, namespace, "llm", "Running")
    arena.until(lambda: None not in nodes_of(arena.pods(namespace, "llm")), "all of it to have nodes")


def test_one_lost_member_restarts_the_gang_without_a_retry(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "llm", gpu="2", runPolicy={"values": {"backoffLimit": {"value": 0}}})
    until_phase(arena, namespace, "llm", "Running")
    arena.until(lambda: arena.running(namespace) == 8, "all of it to run")
    before = {pod["metadata"]["uid"] for pod in arena.pods(namespace, "llm")}
    arena.delete(f"/api/v1/namespaces/{namespace}/pods/llm-2-0")

    def anew() -> bool:
        pods = arena.pods(namespace, "llm")
        return (
            len(pods) == 4 and not before & {pod["metadata"]["uid"] for pod in pods} and arena.running(namespace) == 8
        )

    arena.until(anew, "all four to run anew")
    status = until_phase(arena, namespace, "llm", "Running")
    assert status.get("failedPods", 0) == 0


def test_the_master_decides_and_the_rest_is_cleaned_up(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(
        arena, namespace, "llm", workers=1, duration="1s", runPolicy={"values": {"cleanPodPolicy": {"value": "All"}}}
    )
    status = until_phase(arena, namespace, "llm", "Completed")
    arena.until(lambda: not arena.pods(namespace, "llm"), "all of its pods to be gone")
    assert status["completionTime"] >= status["startTime"]
    assert arena.status(namespace, "llm", DISTRIBUTED)["phase"] == "Completed"


def test_a_gang_that_fails_is_tried_again_as_a_whole(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    retries = {"values": {"backoffLimit": {"value": 1}}}
    submit(arena, namespace, "bad", workers=1, duration="300ms", annotations={"exit-code": "3"}, runPolicy=retries)
    status = until_phase(arena, namespace, "bad", "Failed")
    assert (status["reason"], status["failedPods"]) == ("BackoffLimitExceeded", 2)
    assert {pod["metadata"]["labels"]["aliquot.dev/attempt"] for pod in arena.pods(namespace, "bad")} == {"0", "1"}


def test_s37_an_elastic_gang_starts_with_its_minimum_and_grows(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=16)
    elastic = {"values": {"minReplicas": {"value": 2}, "maxReplicas": {"value": 4}}}
    arena.submit(namespace, "in-the-way", gpu="4")
    arena.until_phase(namespace, "in-the-way", "Running")
    submit(arena, namespace, "llm", gpu="2", pyTorchJob=elastic)
    arena.until(lambda: arena.running(namespace) == 8, "two of its pods to run")
    arena.delete(arena.path(namespace, "in-the-way"))
    arena.until(lambda: len(arena.pods(namespace)) == 4 and arena.running(namespace) == 8, "it to grow to four")
