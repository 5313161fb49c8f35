"""Training workloads from `kubectl apply` to their end, on a real API server."""

import pytest

from aliquot_lab.api import ApiError
from tests.support.arena import WORKLOADS, Arena, names_of

pytestmark = pytest.mark.cluster


def test_a_workload_runs_and_completes(arena: Arena) -> None:
    """cluster-api.md S30."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "job-1", gpu="2", duration="1s")
    status = arena.until_phase(namespace, "job-1", "Completed")
    pod = arena.only_pod(namespace, "job-1")
    assert pod["metadata"]["name"] == "job-1-0-0"
    assert pod["spec"]["schedulerName"] == "runai-scheduler"
    assert pod["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "TrainingWorkload"
    assert (status["succeededPods"], status["totalAllocatedGPU"], status["creationStatus"]) == (1, "0", "Submitted")
    assert status["completionTime"] >= status["startTime"]
    assert status["project"] == f"{arena.name}-a"


def test_a_sweep_runs_its_completions_a_few_at_a_time(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "sweep", completions=6, parallelism=2)
    for first in (0, 2, 4):
        arena.until(lambda: arena.running(namespace) == 2, "two pods to run")
        assert names_of(arena.pods(namespace)) == [f"sweep-{index}-0" for index in range(first + 2)]
        arena.end(namespace)
    arena.until_phase(namespace, "sweep", "Completed")
    assert names_of(arena.pods(namespace, "sweep")) == [f"sweep-{index}-0" for index in range(6)]
    assert arena.status(namespace, "sweep")["completedIndexes"] == "0-5"


def test_a_failing_workload_is_tried_again_and_then_given_up(arena: Arena) -> None:
    """cluster-api.md S66."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "broken", backoffLimit=2, duration="100ms", annotations={"exit-code": "3"})
    status = arena.until_phase(namespace, "broken", "Failed")
    assert names_of(arena.pods(namespace, "broken")) == ["broken-0-0", "broken-0-1", "broken-0-2"]
    assert status["failedPods"] == 3
    assert "3" in status["phaseMessage"]
    arena.until(
        lambda: [event for event in arena.events(namespace, "broken") if event["type"] == "Warning"],
        "an event that says that it failed",
    )


def test_an_out_of_memory_kill_is_named(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "hungry", backoffLimit=0, duration="100ms", annotations={"oom": "true"})
    status = arena.until_phase(namespace, "hungry", "Failed")
    assert "OOMKilled" in (status["reason"] + status["phaseMessage"])


def test_an_image_that_cannot_be_pulled_is_named_and_holds_its_gpus(arena: Arena) -> None:
    """cluster-api.md S68."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "typo", annotations={"image-pull": "fail"})
    status = arena.until_reason(namespace, "typo", "ImagePullBackOff")
    assert status["phase"] == "Initializing"
    assert status["totalAllocatedGPU"] == "1"


def test_a_name_is_generated_where_none_is_given(arena: Arena) -> None:
    """cluster-api.md S3."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "foo", job_name=None, namePrefix="train")
    arena.submit(namespace, "bar", job_name=None)
    arena.until_phase(namespace, "foo", "Running")
    arena.until_phase(namespace, "bar", "Running")
    assert names_of(arena.pods(namespace)) == ["job-0-0-0", "train-0-0-0"]
    assert arena.status(namespace, "foo")["jobName"] == "train-0"


def test_deleting_a_workload_takes_its_pods_along(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")
    arena.delete(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/job-1")
    arena.until(lambda: not arena.pods(namespace), "its pod to be gone")


def test_a_finished_workload_deletes_itself_when_told_to(arena: Arena) -> None:
    """cluster-api.md S40."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "brief", autoDeletionTimeAfterCompletionSeconds=1)
    arena.until_phase(namespace, "brief", "Running")
    arena.end(namespace, "brief")
    arena.until(lambda: not arena.workload(namespace, "brief"), "the workload to be deleted")
    arena.until(lambda: not arena.pods(namespace), "its pod to be gone")


def test_a_suspended_workload_gives_its_gpus_back_and_resumes(arena: Arena) -> None:
    """cluster-api.md S41."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "job-1", gpu="8")
    arena.until_phase(namespace, "job-1", "Running")
    path = f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/job-1"
    arena.patch(path, {"spec": {"active": {"value": False}}})
    arena.until_phase(namespace, "job-1", "Stopped")
    arena.until(lambda: not arena.pods(namespace), "its pod to be gone")
    arena.until(lambda: arena.status(namespace, "job-1")["totalAllocatedGPU"] == "0", "its GPU to be given back")
    arena.patch(path, {"spec": {"active": {"value": True}}})
    arena.until_phase(namespace, "job-1", "Running")


def test_a_pod_deleted_by_hand_comes_back_and_costs_no_retry(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "job-1", backoffLimit=0)
    arena.until_phase(namespace, "job-1", "Running")
    before = arena.only_pod(namespace)
    arena.delete(f"/api/v1/namespaces/{namespace}/pods/{before['metadata']['name']}")
    arena.only_pod(namespace, phase="Running", but={before["metadata"]["uid"]})
    assert arena.status(namespace, "job-1").get("failedPods", 0) == 0


def test_a_completed_run_stays_completed_when_its_node_goes(arena: Arena) -> None:
    arena.nodes(2)
    namespace = arena.project("a", deserved=16)
    arena.submit(namespace, "sweep", gpu="8", completions=2, parallelism=1)
    arena.until(lambda: arena.running(namespace) == 8, "the first run to begin")
    node = arena.only_pod(namespace)["spec"]["nodeName"]
    arena.cordon(node)
    arena.end(namespace)
    arena.until(lambda: arena.running(namespace) == 8, "the second run to begin on the other node")
    arena.lab.remove_node(node)
    arena.until(lambda: arena.status(namespace, "sweep").get("completedIndexes") == "0", "the first run to be done")
    arena.end(namespace)
    status = arena.until_phase(namespace, "sweep", "Completed")
    assert status["succeededPods"] == 2
    assert status.get("failedPods", 0) == 0


def test_a_lost_node_costs_no_retry(arena: Arena) -> None:
    first, second = arena.nodes(2)
    namespace = arena.project("a", deserved=16)
    arena.submit(namespace, "job-1", gpu="8", backoffLimit=0)
    arena.until_phase(namespace, "job-1", "Running")
    pod = arena.only_pod(namespace)
    assert pod["spec"]["nodeName"] == first
    arena.lab.remove_node(first)
    arena.until(
        lambda: [pod for pod in arena.pods(namespace) if pod["spec"].get("nodeName") == second],
        "the workload to run on the other node",
        seconds=240,
    )
    assert arena.until_phase(namespace, "job-1", "Running").get("failedPods", 0) == 0


def test_a_cordoned_node_gets_nothing_new_and_keeps_what_it_has(arena: Arena) -> None:
    [node] = arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "before")
    arena.until_phase(namespace, "before", "Running")
    arena.cordon(node)
    arena.submit(namespace, "after")
    arena.until_reason(namespace, "after", "NoSuchNode")
    arena.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": False}})
    arena.until_phase(namespace, "after", "Running")
    assert arena.status(namespace, "before")["phase"] == "Running"


def test_what_is_asked_for_may_not_change_once_submitted(arena: Arena) -> None:
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "job-1")
    with pytest.raises(ApiError, match=r"spec\.gpu.*cannot change after submission"):
        arena.patch(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/job-1", {"spec": {"gpu": {"value": "2"}}})


def test_node_type_narrows_the_choice_of_nodes(arena: Arena) -> None:
    arena.nodes(1)
    [special] = arena.nodes(1, labels={"run.ai/type": "dgx"})
    namespace = arena.project("a", deserved=16)
    arena.submit(namespace, "picky", nodeType="dgx")
    arena.until_phase(namespace, "picky", "Running")
    assert arena.only_pod(namespace)["spec"]["nodeName"] == special
    arena.submit(namespace, "pickier", nodeType="none-such")
    status = arena.until_reason(namespace, "pickier", "NoSuchNode")
    assert status["phase"] == "Pending"
