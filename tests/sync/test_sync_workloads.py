"""What runs in a cluster is seen over REST, whatever its kind, until it is gone; and what came and went meanwhile."""

from typing import Any, Final

import pytest

from tests.support import runai_jobs
from tests.sync.meeting import ControlPlane, Meeting

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("sync")]

WORKLOADS: Final = "/api/v1/workloads"
NAMESPACE: Final = "runai-team-a"
DEPLOYMENTS: Final = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


def a_project(meeting: Meeting, gpus: int = 4) -> dict[str, Any]:
    """Make a project with room for its workloads; wait until pods can be made in it."""
    meeting.some_nodes("gpu-1")
    made = meeting.make_project("team-a", deserved=gpus)
    meeting.until_ready("team-a")
    meeting.until(lambda: meeting.get(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"), "the ServiceAccount")
    return made


def listed(meeting: Meeting, **asked: str) -> dict[str, dict[str, Any]]:
    """Workloads of the cluster, as they are shown, by name; of several that were called so the youngest."""
    order = {"sortBy": "createdAt", "sortOrder": "asc"}
    found = meeting.admin.done("GET", WORKLOADS, filterBy=f"clusterId=={meeting.cluster}", limit=500, **order, **asked)
    return {each["name"]: each for each in found["workloads"]}


def until_shown(meeting: Meeting, name: str, phase: str) -> dict[str, Any]:
    """Wait until a workload is shown in a phase."""

    def shown() -> dict[str, Any]:
        found = listed(meeting)[name]
        return found if found["phase"] == phase else {}

    return meeting.until(shown, f"{name} to be shown as {phase}")


def pods_of(meeting: Meeting, shown: dict[str, Any], **asked: str) -> list[dict[str, Any]]:
    return meeting.admin.done("GET", f"{WORKLOADS}/{shown['id']}/pods", **asked)["pods"]


def test_a_workload_is_seen_from_its_submission_until_it_is_gone(meeting: Meeting) -> None:
    meeting.connected()
    project = a_project(meeting)
    meeting.submit(NAMESPACE, "first", gpu="2", job_name="train", username="ada")
    shown = until_shown(meeting, "train", "Running")
    uid = meeting.get(meeting.path(NAMESPACE, "first"))["metadata"]["uid"]
    assert (shown["id"], shown["type"], shown["namespace"]) == (uid, "TrainingWorkload", NAMESPACE)
    assert (shown["projectId"], shown["projectName"], shown["departmentName"]) == (project["id"], "team-a", "default")
    assert (shown["submittedBy"], shown["source"], shown["priorityClassName"]) == ("ada", "Other", "train")
    assert (shown["preemptible"], shown["currentNodePools"]) == (True, ["default"])
    assert shown["workloadRequestedResources"]["gpu"]["request"] == 2
    meeting.until(lambda: listed(meeting)["train"]["allocatedResources"]["gpu"] == 2, "its GPUs to be shown")
    meeting.until(lambda: listed(meeting)["train"]["runningPods"] == 1, "its pod to be counted")
    (pod,) = pods_of(meeting, shown)
    assert (pod["nodeName"], pod["currentNodePool"], pod["allocatedResources"]["gpu"]) == ("gpu-1", "default", 2)
    assert (pod["workloadId"], pod["projectId"], pod["k8sPhase"]) == (uid, project["id"], "Running")

    def reasons() -> list[str]:
        return [each["reason"] for each in meeting.admin.done("GET", f"{WORKLOADS}/{uid}/events")["events"]]

    meeting.until(lambda: "Scheduled" in reasons(), "the Event to be told")
    meeting.end(NAMESPACE, "first")
    ended = until_shown(meeting, "train", "Completed")
    assert ended["completedAt"] is not None
    meeting.until(lambda: listed(meeting)["train"]["allocatedResources"]["gpu"] == 0, "its GPUs to be free")
    meeting.until(lambda: pods_of(meeting, shown)[0]["completedAt"] is not None, "its pod to have ended")
    meeting.delete(meeting.path(NAMESPACE, "first"))

    def by_its_id(deleted: str) -> list[dict[str, Any]]:
        return [each for each in listed(meeting, deleted=deleted).values() if each["id"] == uid]

    (gone,) = meeting.until(lambda: by_its_id("true"), "it to be gone")
    assert gone["deletedAt"] is not None
    assert gone["phase"] in ("Completed", "Terminating")
    assert not by_its_id("false")
    meeting.until(lambda: pods_of(meeting, shown, deleted="true"), "its pod to be gone")
    history = meeting.admin.done("GET", f"{WORKLOADS}/{uid}/history")["records"]
    phases = [each["spec"]["phaseUpdate"]["phase"] for each in history if each["meta"]["type"] == "PhaseUpdate"]
    assert {"Running", "Completed"} <= set(phases)


def test_whatever_the_kind_of_a_workload_it_is_seen_with_its_pods(meeting: Meeting) -> None:
    meeting.connected()
    project = a_project(meeting)
    meeting.submit(NAMESPACE, "template", usage="Template")
    job_path = runai_jobs.submit(meeting, NAMESPACE, "job", gpus=1, labels={"priorityClassName": "train"})
    template = {
        "metadata": {
            "labels": {"app": "web", "user": "bob", "priorityClassName": "train"},
            "annotations": {"gpu-fraction": "0.5"},
        },
        "spec": {"schedulerName": "runai-scheduler", "containers": [{"name": "main", "image": "x"}]},
    }
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    made = meeting.lab.api.call("POST", DEPLOYMENTS, web)
    job, deployment = until_shown(meeting, "job", "Running"), until_shown(meeting, "web", "Running")
    assert (job["type"], job["projectId"], job["submittedBy"]) == ("RunaiJob", project["id"], "ada")
    assert job["requestedPods"]["completions"] == 1
    assert (deployment["id"], deployment["type"]) == (made["metadata"]["uid"], "Deployment")
    assert (deployment["projectId"], deployment["submittedBy"]) == (project["id"], "bob")
    meeting.until(lambda: listed(meeting)["web"]["allocatedResources"]["gpu"] == 1, "two halves of a GPU")
    halves = [each["requestedResources"] for each in pods_of(meeting, deployment)]
    assert [(each["gpuRequestType"], each["gpu"]["request"]) for each in halves] == [("portion", 0.5)] * 2
    assert "template" not in listed(meeting)
    assert len(pods_of(meeting, job)) == 1
    assert meeting.admin.done("GET", f"{WORKLOADS}/pods/count") == {"count": 3}
    meeting.delete(f"{DEPLOYMENTS}/web")
    meeting.until(lambda: set(listed(meeting)) == {"job"}, "the Deployment to be gone")
    meeting.delete(job_path)
    meeting.until(lambda: not listed(meeting), "the job to be gone")
    meeting.until(lambda: not meeting.pods(NAMESPACE), "its pod to go")


def test_what_came_and_went_while_the_operator_and_the_control_plane_were_away_is_told_when_they_are_back(
    meeting: Meeting, control_plane: ControlPlane
) -> None:
    operator = meeting.connected()
    a_project(meeting)
    meeting.submit(NAMESPACE, "stays")
    meeting.submit(NAMESPACE, "goes")
    for name in ("stays", "goes"):
        until_shown(meeting, name, "Running")
    control_plane.kill()
    meeting.submit(NAMESPACE, "comes")
    meeting.until_phase(NAMESPACE, "comes", "Running")
    operator.kill()
    meeting.delete(meeting.path(NAMESPACE, "goes"))
    meeting.until(lambda: not meeting.get(meeting.path(NAMESPACE, "goes")), "the workload to be gone")
    control_plane.start()
    assert set(listed(meeting)) == {"stays", "goes"}, "what was said last"
    meeting.connected(name="second")
    meeting.until(lambda: set(listed(meeting)) == {"stays", "comes"}, "what is there")
    assert set(listed(meeting, deleted="true")) == {"goes"}
    until_shown(meeting, "comes", "Running")
    meeting.end(NAMESPACE)
    for name in ("stays", "comes"):
        until_shown(meeting, name, "Completed")
