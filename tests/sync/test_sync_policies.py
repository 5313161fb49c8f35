"""Policies over REST count in the cluster, whoever submits; those that people made there stay theirs."""

from typing import Any, Final

import pytest

from tests.crashes.stage import tried
from tests.sync.meeting import Meeting
from tests.sync.test_sync_submissions import NAMESPACE, POLICIES, TRAININGS, Team

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("sync")]

REST: Final = "/api/v2/policy/trainings"
OURS: Final = f"{POLICIES}/control-plane"
SHARED: Final = "/apis/run.ai/v2alpha1/namespaces/runai/trainingpolicies/control-plane"
AT_MOST_TWO: Final = {"rules": {"compute": {"gpuDevicesRequest": {"max": 2}}}}


def set_policy(meeting: Meeting, policy: dict[str, Any], **place: Any) -> dict[str, Any]:
    body = {"meta": {"name": "limits", **place}, "policy": policy}
    return meeting.admin.done("PUT", REST, body)


def until_status(meeting: Meeting, status: str, **place: Any) -> dict[str, Any]:
    """Wait until the control plane shows a policy so in the cluster."""

    def shown() -> dict[str, Any]:
        found = meeting.admin.done("GET", REST, **place)["status"]["clusters"]
        (here,) = [each for each in found if each["clusterId"] == meeting.cluster]
        if here["status"] != status:
            raise ValueError(str(here))
        return here

    return meeting.until(shown, f"the policy to be {status}")


def spec(meeting: Meeting, path: str) -> dict[str, Any] | None:
    return meeting.get(path).get("spec")


def test_a_policy_of_a_project_binds_who_submits_over_rest_and_who_submits_with_kubectl(meeting: Meeting) -> None:
    meeting.connected()
    team = Team(meeting)
    team.until_ready()
    place = {"scope": "project", "projectId": team.project["id"]}
    set_policy(meeting, {**AT_MOST_TWO, "defaults": {"image": "debian"}}, **place)
    until_status(meeting, "Ready", **place)
    expected = {"image": {"value": "debian"}, "gpu": {"rules": {"canEdit": True, "max": "2"}}}
    assert spec(meeting, OURS) == {**expected, "gpuDevices": {"rules": {"canEdit": True, "max": 2}}}

    spec_ = {"image": "ubuntu", "compute": {"gpuDevicesRequest": 3}}
    body = {"name": "large", "projectId": team.project["id"], "clusterId": meeting.cluster, "spec": spec_}
    said = meeting.admin.call("POST", TRAININGS, body).json()
    assert said["complianceIssues"] == [
        {"field": "compute.gpuDevicesRequest", "details": "value must be no greater than 2"}
    ]
    team.until_shown(team.submit("small", compute={"gpuDevicesRequest": 2}), "Running")
    meeting.submit(NAMESPACE, "by-hand", gpu="3")
    meeting.until_status(NAMESPACE, "by-hand", lambda status: "no greater than 2" in str(status), "it to be refused")

    set_policy(meeting, {"defaults": {"image": "debian"}}, **place)
    meeting.until(tried(lambda: spec(meeting, OURS) == {"image": {"value": "debian"}}), "the rules to be gone")
    meeting.patch(OURS, {"spec": {"image": {"value": "mine"}}})
    meeting.until(tried(lambda: spec(meeting, OURS) == {"image": {"value": "debian"}}), "it to be put back")
    meeting.admin.done("DELETE", REST, **place)
    meeting.until(tried(lambda: not meeting.get(OURS)), "the policy to be gone")


def test_a_policy_of_the_cluster_counts_where_a_project_has_none_and_comes_before_namespaces(meeting: Meeting) -> None:
    cluster = {"scope": "cluster", "clusterId": meeting.cluster}
    set_policy(meeting, AT_MOST_TWO, **cluster)
    project = meeting.make_project("team-a", deserved=4)
    place = {"scope": "project", "projectId": project["id"]}
    set_policy(meeting, {"defaults": {"image": "debian"}}, **place)
    meeting.connected()
    until_status(meeting, "Ready", **place)
    until_status(meeting, "Ready", **cluster)
    whole = spec(meeting, SHARED)
    assert whole is not None
    assert spec(meeting, OURS) == {**whole, "image": {"value": "debian"}}
    meeting.admin.done("DELETE", REST, **place)
    meeting.until(tried(lambda: not meeting.get(OURS)), "the project's to be gone")
    meeting.admin.done("DELETE", REST, **cluster)
    meeting.until(tried(lambda: not meeting.get(SHARED)), "the cluster's to be gone")


def test_what_people_made_stays_theirs_and_is_told_of(meeting: Meeting) -> None:
    meeting.connected()
    team = Team(meeting)
    team.until_ready()
    mine = {"apiVersion": "run.ai/v2alpha1", "kind": "TrainingPolicy", "metadata": {"name": "mine"}}
    meeting.make(POLICIES, {**mine, "spec": {"gpu": {"rules": {"max": "1"}}}})
    meeting.until(tried(lambda: meeting.get(f"{POLICIES}/mine")["status"]["conditions"]), "somebody to have looked")
    place = {"scope": "project", "projectId": team.project["id"]}
    set_policy(meeting, AT_MOST_TWO, **place)
    failed = until_status(meeting, "Failed", **place)
    assert "mine of this namespace is older and counts" in failed["errorMessage"]
    assert spec(meeting, f"{POLICIES}/mine") == {"gpu": {"rules": {"canEdit": True, "max": "1"}}}
    meeting.delete(f"{POLICIES}/mine")
    until_status(meeting, "Ready", **place)
    meeting.admin.done("DELETE", REST, **place)
    assert meeting.admin.done("GET", "/api/v2/policy")["policies"] == []
