"""What pods on hollow nodes do, as their annotations say: what a kubelet would have reported."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from aliquot_lab import Cluster
from aliquot_lab.hollow import ANNOTATIONS
from aliquot_lab.processes import eventually
from aliquot_lab.pytest_plugin import NodeMaker

pytestmark = pytest.mark.cluster
SECONDS = 120.0
Document = dict[str, Any]


class Pods:
    """The pods of one test, all on one hollow node and out of the default scheduler's way."""

    def __init__(self, lab: Cluster, namespace: str, node: str) -> None:
        self._lab, self.node = lab, node
        self.path = f"/api/v1/namespaces/{namespace}/pods"

    def run(
        self,
        name: str,
        annotations: dict[str, str] | None = None,
        *,
        restart: str = "Never",
        grace: int = 30,
        gpus: int = 0,
    ) -> None:
        marks = {ANNOTATIONS + key: value for key, value in (annotations or {}).items()}
        metadata = {"name": name, "annotations": marks}
        limits = {"limits": {"nvidia.com/gpu": str(gpus)}} if gpus else {}
        spec = {
            "nodeName": self.node,
            "restartPolicy": restart,
            "terminationGracePeriodSeconds": grace,
            "containers": [{"name": "main", "image": "registry.example.com/train:1", "resources": limits}],
        }
        self._lab.api.call("POST", self.path, {"metadata": metadata, "spec": spec})

    def get(self, name: str) -> Document:
        return self._lab.api.call("GET", f"{self.path}/{name}")

    def delete(self, name: str, *, grace: int | None = None) -> None:
        query = "" if grace is None else f"?gracePeriodSeconds={grace}"
        self._lab.api.call("DELETE", f"{self.path}/{name}{query}")

    def annotate(self, name: str, key: str, value: str) -> None:
        patch = {"metadata": {"annotations": {ANNOTATIONS + key: value}}}
        self._lab.api.call("PATCH", f"{self.path}/{name}", patch, content_type="application/merge-patch+json")

    def until(self, name: str, condition: Callable[[Document], bool]) -> Document:
        found: Document = {}

        def holds() -> bool:
            found.update(self.get(name))
            return condition(found)

        assert eventually(holds, seconds=SECONDS), found["status"]
        return found

    def gone(self, name: str) -> bool:
        return eventually(lambda: not self._lab.api.answers(f"{self.path}/{name}"), seconds=SECONDS)


@pytest.fixture
def pods(lab: Cluster, lab_namespace: str, lab_nodes: NodeMaker) -> Pods:
    [node] = lab_nodes(1)
    return Pods(lab, lab_namespace, node)


def phase(wanted: str) -> Callable[[Document], bool]:
    return lambda pod: pod["status"]["phase"] == wanted


def waits(reason: str) -> Callable[[Document], bool]:
    return lambda pod: (
        reason
        in (status["state"].get("waiting", {}).get("reason") for status in pod["status"].get("containerStatuses", ()))
    )


def condition(pod: Document, kind: str) -> str:
    return next(entry["status"] for entry in pod["status"]["conditions"] if entry["type"] == kind)


def container(pod: Document) -> Document:
    return pod["status"]["containerStatuses"][0]


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_pod_without_annotations_runs_until_it_is_deleted(pods: Pods) -> None:
    pods.run("plain")
    pod = pods.until("plain", phase("Running"))
    assert condition(pod, "Ready") == "True"
    assert container(pod)["ready"] is True
    assert pod["status"]["podIP"]
    pods.delete("plain")
    assert pods.gone("plain")


@pytest.mark.parametrize(
    ("annotations", "end", "code", "reason"),
    [
        ({}, "Succeeded", 0, "Completed"),
        ({"exit-code": "0"}, "Succeeded", 0, "Completed"),
        ({"exit-code": "3"}, "Failed", 3, "Error"),
        ({"oom": "true"}, "Failed", 137, "OOMKilled"),
    ],
)
def test_a_pod_ends_after_its_duration_as_it_is_told(
    pods: Pods, annotations: dict[str, str], end: str, code: int, reason: str
) -> None:
    pods.run("ends", annotations | {"duration": "1500ms"})
    pod = pods.until("ends", phase(end))
    ended = container(pod)["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, reason)
    assert condition(pod, "Ready") == "False"
    # Times have whole seconds.
    assert 1 <= (when(ended["finishedAt"]) - when(ended["startedAt"])).total_seconds() < SECONDS


def test_a_change_of_a_pod_does_not_prolong_its_run(pods: Pods) -> None:
    """It is changed all the time: it would never end if its time began anew."""
    pods.run("changed")
    pod = pods.until("changed", phase("Running"))
    pods.annotate("changed", "duration", "3s")

    def changed_and_ended(pod: Document) -> bool:
        pods.annotate("changed", "looked-at", pod["metadata"]["resourceVersion"])
        return phase("Succeeded")(pod)

    ended = container(pods.until("changed", changed_and_ended))["state"]["terminated"]
    assert ended["startedAt"] == container(pod)["state"]["running"]["startedAt"]


def test_a_running_pod_ends_at_once_when_it_is_told_to(pods: Pods) -> None:
    pods.run("told", {"exit-code": "3"})
    pods.until("told", phase("Running"))
    pods.annotate("told", "duration", "1ms")
    assert container(pods.until("told", phase("Failed")))["state"]["terminated"]["exitCode"] == 3


def test_an_image_that_cannot_be_pulled_keeps_a_pod_waiting(pods: Pods) -> None:
    pods.run("pulls", {"image-pull": "fail", "duration": "1s"})
    pod = pods.until("pulls", waits("ImagePullBackOff"))
    assert phase("Pending")(pod)
    assert "registry.example.com/train:1" in container(pod)["state"]["waiting"]["message"]
    pods.delete("pulls")
    assert pods.gone("pulls")


def test_a_start_delay_keeps_containers_in_creation(pods: Pods) -> None:
    pods.run("late", {"start-delay": "1h"})
    pod = pods.until("late", waits("ContainerCreating"))
    assert phase("Pending")(pod)
    pods.annotate("late", "start-delay", "3s")
    running = container(pods.until("late", phase("Running")))["state"]["running"]
    assert (when(running["startedAt"]) - when(pod["status"]["startTime"])).total_seconds() >= 2


@pytest.mark.parametrize(("restart", "code"), [("Always", "0"), ("Always", "1"), ("OnFailure", "1")])
def test_a_restart_policy_starts_the_container_again(pods: Pods, restart: str, code: str) -> None:
    pods.run("again", {"duration": "200ms", "exit-code": code}, restart=restart)
    pod = pods.until("again", lambda pod: pod["status"].get("containerStatuses", [{}])[0].get("restartCount", 0) >= 2)
    assert phase("Running")(pod)
    assert container(pod)["lastState"]["terminated"]["exitCode"] == int(code)


def test_on_failure_lets_a_success_end(pods: Pods) -> None:
    pods.run("done", {"duration": "200ms"}, restart="OnFailure")
    assert container(pods.until("done", phase("Succeeded")))["restartCount"] == 0


def test_a_deleted_pod_may_take_its_time_but_not_more_than_its_grace_period(pods: Pods) -> None:
    pods.run("slow", {"stop-delay": "2h"}, grace=3600)
    pods.until("slow", phase("Running"))
    pods.delete("slow")
    pod = pods.get("slow")
    assert pod["metadata"]["deletionTimestamp"]
    assert phase("Running")(pod)
    pods.delete("slow", grace=1)
    assert pods.gone("slow")


def test_a_pod_that_has_ended_goes_at_once_when_it_is_deleted(pods: Pods) -> None:
    pods.run("ended", {"duration": "100ms", "exit-code": "1", "stop-delay": "1h"})
    pods.until("ended", phase("Failed"))
    pods.delete("ended")
    assert pods.gone("ended")


def test_several_containers_all_end(lab: Cluster, pods: Pods) -> None:
    spec = {
        "nodeName": pods.node,
        "restartPolicy": "Never",
        "initContainers": [{"name": "first", "image": "example.com/first"}],
        "containers": [{"name": name, "image": f"example.com/{name}"} for name in ("main", "sidecar")],
    }
    metadata = {"name": "two", "annotations": {f"{ANNOTATIONS}duration": "300ms"}}
    lab.api.call("POST", pods.path, {"metadata": metadata, "spec": spec})
    pod = pods.until("two", phase("Succeeded"))
    assert [status["name"] for status in pod["status"]["containerStatuses"]] == ["main", "sidecar"]
    assert all(status["state"]["terminated"]["exitCode"] == 0 for status in pod["status"]["containerStatuses"])
    assert pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


def test_pods_with_gpus_say_which_ones_and_no_two_have_the_same(pods: Pods) -> None:
    for name, gpus in (("one", 1), ("two", 2), ("none", 0)):
        pods.run(name, gpus=gpus)
    devices: list[str] = []
    for name, gpus in (("one", 1), ("two", 2), ("none", 0)):
        [status] = pods.until(name, phase("Running"))["status"]["containerStatuses"]
        allocated = status.get("allocatedResourcesStatus", [])
        assert [each["name"] for each in allocated] == ["nvidia.com/gpu"] * bool(gpus)
        found = [device["resourceID"] for each in allocated for device in each["resources"]]
        assert len(found) == gpus
        devices += found
    assert len({*devices}) == 3
