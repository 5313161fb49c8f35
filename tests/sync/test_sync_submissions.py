"""What is submitted over REST runs in the cluster, once, whatever is lost or dies; and what cannot be made says why."""

from typing import Any, Final

import pytest

from aliquot_lab import ApiRequest, FaultProxy
from tests.crashes.aim import Aim
from tests.crashes.stage import tried
from tests.support.arena import TRAINING
from tests.sync.meeting import ControlPlane, Meeting

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("sync")]

WORKLOADS: Final = "/api/v1/workloads"
TRAININGS: Final = f"{WORKLOADS}/trainings"
WORKSPACES: Final = f"{WORKLOADS}/workspaces"
NAMESPACE: Final = "runai-team-a"
INTERACTIVE: Final = "InteractiveWorkload"
ADMINISTRATOR: Final = "admin@aliquot.local"
POLICIES: Final = f"/apis/run.ai/v2alpha1/namespaces/{NAMESPACE}/trainingpolicies"


class Team:
    """A project with room for its workloads, and what is submitted to it."""

    def __init__(self, meeting: Meeting) -> None:
        self.meeting = meeting
        meeting.some_nodes("gpu-1")
        self.project = meeting.make_project("team-a", deserved=4)

    def until_ready(self) -> None:
        """Wait until pods can be made."""
        account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
        self.meeting.until_ready("team-a")
        self.meeting.until(lambda: self.meeting.get(account), "the ServiceAccount")

    def submit(self, name: str, path: str = TRAININGS, **spec: Any) -> str:
        given = {"image": "ubuntu", "compute": {"gpuDevicesRequest": 1}, **spec}
        body = {"name": name, "projectId": self.project["id"], "clusterId": self.meeting.cluster, "spec": given}
        return self.meeting.admin.done("POST", path, body)["workloadId"]

    def shown(self, workload_id: str) -> dict[str, Any]:
        return self.meeting.admin.done("GET", f"{WORKLOADS}/{workload_id}")

    def until_shown(self, workload_id: str, phase: str) -> dict[str, Any]:
        def in_phase() -> dict[str, Any]:
            found = self.shown(workload_id)
            if found["phase"] != phase:
                raise ValueError(f"{found['phase']}: {found['phaseMessage']}")
            return found

        return self.meeting.until(in_phase, f"{workload_id} to be shown as {phase}")

    def until_gone(self, workload_id: str) -> None:
        self.meeting.until(lambda: self.shown(workload_id)["deletedAt"], f"{workload_id} to be gone")

    def made(self) -> list[str]:
        """Names of all workloads of the project's namespace, of the two kinds that are submitted here."""
        paths = (self.meeting.path(NAMESPACE, kind=kind) for kind in (TRAINING, INTERACTIVE))
        return [each["metadata"]["name"] for path in paths for each in self.meeting.get(path)["items"]]


def test_a_training_runs_and_ends_and_is_deleted(meeting: Meeting) -> None:
    meeting.connected()
    team = Team(meeting)
    workload_id = team.submit("train", environmentVariables=[{"name": "A", "value": "b"}])
    team.until_ready()
    shown = team.until_shown(workload_id, "Running")
    assert (shown["source"], shown["submittedBy"]) == ("Control-plane", ADMINISTRATOR)
    (pod,) = meeting.pods(NAMESPACE)
    assert {"name": "A", "value": "b"} in pod["spec"]["containers"][0]["env"]
    meeting.end(NAMESPACE, "train")
    team.until_shown(workload_id, "Completed")
    meeting.admin.done("DELETE", f"{TRAININGS}/{workload_id}")
    team.until_gone(workload_id)
    assert team.made() == []


def test_a_workspace_is_suspended_resumed_and_deleted(meeting: Meeting) -> None:
    meeting.connected()
    team = Team(meeting)
    team.until_ready()
    workload_id = team.submit("notebook", WORKSPACES, priorityClass="interactive-preemptible")
    team.until_shown(workload_id, "Running")
    meeting.admin.done("POST", f"{WORKSPACES}/{workload_id}/suspend")
    team.until_shown(workload_id, "Stopped")
    meeting.admin.done("POST", f"{WORKSPACES}/{workload_id}/resume")
    team.until_shown(workload_id, "Running")
    meeting.admin.done("DELETE", f"{WORKSPACES}/{workload_id}")
    team.until_gone(workload_id)


def test_what_a_policy_or_the_api_server_refuses_fails_with_their_words(meeting: Meeting) -> None:
    meeting.connected()
    team = Team(meeting)
    team.until_ready()
    policy = {"apiVersion": "run.ai/v2alpha1", "kind": "TrainingPolicy", "metadata": {"name": "small"}}
    meeting.make(POLICIES, {**policy, "spec": {"gpu": {"rules": {"max": "2"}}}})
    meeting.submit(NAMESPACE, "taken", job_name="another")
    large = team.submit("large", compute={"gpuDevicesRequest": 3})
    assert "must be no greater than 2" in team.until_shown(large, "Failed")["phaseMessage"]
    twice = team.submit("taken")
    assert "already a TrainingWorkload called taken" in team.until_shown(twice, "Failed")["phaseMessage"]
    for workload_id in (large, twice):
        meeting.admin.done("DELETE", f"{TRAININGS}/{workload_id}")
        team.until_gone(workload_id)
    assert team.made() == ["taken"]


def test_what_somebody_deletes_in_the_cluster_stays_deleted(meeting: Meeting) -> None:
    first = meeting.connected()
    team = Team(meeting)
    team.until_ready()
    workload_id = team.submit("train")
    team.until_shown(workload_id, "Running")
    meeting.delete(meeting.path(NAMESPACE, "train"))
    team.until_gone(workload_id)
    first.kill()
    meeting.connected(name="second")
    after = team.submit("after")
    team.until_shown(after, "Running")
    assert team.made() == ["after"]


@pytest.mark.parametrize("done", [False, True], ids=["the call is lost", "the call is carried out"])
@pytest.mark.parametrize("between", ["the control plane", "the API server"])
def test_a_workload_is_made_once_whichever_call_is_the_last(
    meeting: Meeting, way: FaultProxy, api_proxy: FaultProxy, between: str, done: bool
) -> None:
    operator = meeting.mortal_operator(api_proxy, meeting.settings(way))
    meeting.until(tried(lambda: meeting.state() == "Connected"), "the cluster to be connected")
    team = Team(meeting)
    team.until_ready()

    def about_orders(request: ApiRequest) -> bool:
        if request.path.startswith("/cluster-sync/"):
            return request.method == "POST"
        return request.resource == "trainingworkloads" and request.method == "POST"

    aim = Aim(way if between == "the control plane" else api_proxy, operator, about_orders, done=done)
    made: list[str] = []
    for nth in range(1, 4):
        aim.at(nth if between == "the control plane" else 1)
        made.append(team.submit(f"train-{nth}"))
        team.until_shown(made[-1], "Running")
    assert sorted(team.made()) == ["train-1", "train-2", "train-3"]
    uids = {each["metadata"]["uid"] for each in meeting.get(meeting.path(NAMESPACE))["items"]}
    assert len(uids) == 3
    aim.at(10_000)
    for workload_id in made:
        meeting.admin.done("DELETE", f"{TRAININGS}/{workload_id}")
    for workload_id in made:
        team.until_gone(workload_id)


def test_what_is_submitted_while_the_cluster_is_away_runs_when_it_is_back(
    meeting: Meeting, control_plane: ControlPlane
) -> None:
    first = meeting.connected()
    team = Team(meeting)
    team.until_ready()
    first.kill()
    waiting, gone = team.submit("train"), team.submit("never")
    meeting.admin.done("DELETE", f"{TRAININGS}/{gone}")
    assert team.shown(waiting)["phase"] == "Creating"
    control_plane.kill()
    control_plane.start()
    meeting.connected(name="second")
    team.until_shown(waiting, "Running")
    team.until_gone(gone)
    assert team.made() == ["train"]
