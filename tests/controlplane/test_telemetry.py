"""Telemetry over REST: what clusters said last, counted within a caller's reach, as JSON and as CSV."""

import csv
import io
from datetime import datetime
from typing import Any

import pytest

from aliquot.contracts.cluster_sync import Gone
from tests.controlplane.cluster import BORN, Cluster, cluster_of, node, pod, workload
from tests.controlplane.plane import Caller, Plane, Tenant

NODES = "/api/v1/nodes/telemetry"
WORKLOADS = "/api/v1/workloads/telemetry"


@pytest.fixture
def tenant(planes: tuple[Plane, Plane]) -> Tenant:
    return planes[0].tenant()


@pytest.fixture
def cluster(tenant: Tenant) -> Cluster:
    """Two GPU nodes in a pool each, one that is not ready, and one without GPUs; 3.5 GPUs of them are held."""
    made = cluster_of(tenant)
    tenant.project(made.uuid, "team-a")
    made.report(
        node("n1", gpu_count=8),
        node("n2", gpu_count=4, node_pool="a100"),
        node("broken", gpu_count=2, status="NotReady"),
        node("cpu"),
        workload("w1", allocated={"gpu": 3.5}, currentNodePools=["default", "a100"]),
        workload("w2", phase="Pending", type="Deployment", project="by-hand", department=None),
        workload("w3", phase="Pending", project=None),
        pod("p1", "w1", node="n1", allocated={"gpu": 2}),
        pod("p2", "w1", node="n1", allocated={"gpu": 0.5}),
        pod("p3", "w1", node="n2", allocated={"gpu": 1}),
        pod("ended", "w1", node="n2", allocated={"gpu": 1}, completedAt=BORN),
        pod("gone", "w1", node="n2", allocated={"gpu": 1}),
    )
    made.report(gone=(Gone(kind="pod", name="gone"),))
    return made


def total(caller: Caller, path: str, kind: str, **asked: Any) -> str:
    found = caller.done("GET", path, telemetryType=kind, **asked)
    assert found["type"] == kind
    assert datetime.fromisoformat(found["timestamp"])
    [value] = found["values"]
    assert value["groups"] == []
    return value["value"]


def grouped(caller: Caller, path: str, kind: str, *keys: str, **asked: Any) -> dict[tuple[str, ...], str]:
    found = caller.done("GET", path, telemetryType=kind, groupBy=list(keys), **asked)["values"]
    assert all([group["key"] for group in each["groups"]] == list(keys) for each in found)
    return {tuple(group["value"] for group in each["groups"]): each["value"] for each in found}


def test_nodes_and_their_gpus_are_counted_as_they_are_now(tenant: Tenant, cluster: Cluster) -> None:
    counted = {
        "TOTAL_GPU_NODES": "3",
        "READY_GPU_NODES": "2",
        "TOTAL_GPUS": "14",
        "READY_GPUS": "12",
        "ALLOCATED_GPUS": "3.5",
        "FREE_GPUS": "8",
    }
    assert {kind: total(tenant.admin, NODES, kind) for kind in counted} == counted
    assert total(tenant.admin, NODES, "FREE_GPUS", nodepoolName="default") == "5", "two whole ones, and one in part"
    assert total(tenant.admin, NODES, "TOTAL_GPUS", nodepoolName="a100", clusterId=cluster.uuid) == "4"
    assert total(tenant.admin, NODES, "TOTAL_GPUS", nodepoolName="none-such") == "0"
    cluster.report(gone=(Gone(kind="node", name="n1"),))
    assert total(tenant.admin, NODES, "TOTAL_GPUS") == "6"


def test_nodes_are_grouped_by_cluster_pool_and_name(tenant: Tenant, cluster: Cluster) -> None:
    other = cluster_of(tenant)
    other.report(node("n1", gpu_count=1))
    assert grouped(tenant.admin, NODES, "TOTAL_GPUS", "ClusterId") == {(cluster.uuid,): "14", (other.uuid,): "1"}
    assert grouped(tenant.admin, NODES, "TOTAL_GPUS", "Nodepool", clusterId=cluster.uuid) == {
        ("a100",): "4",
        ("default",): "10",
    }
    assert grouped(tenant.admin, NODES, "FREE_GPUS", "ClusterId", "Node")[cluster.uuid, "n1"] == "5"
    [first, *_] = tenant.admin.done("GET", NODES, telemetryType="TOTAL_GPUS", groupBy="Nodepool,Node")["values"]
    assert first["groups"] == [
        {"key": "Nodepool", "value": "a100", "name": "a100"},
        {"key": "Node", "value": "n2", "name": "n2"},
    ]


def test_a26_workloads_and_the_gpus_that_they_have_are_counted_by_group(tenant: Tenant, cluster: Cluster) -> None:
    project = tenant.admin.done("GET", "/api/v1/org-unit/projects")["projects"][0]
    assert total(tenant.admin, WORKLOADS, "WORKLOADS_COUNT") == "3"
    assert total(tenant.admin, WORKLOADS, "GPU_ALLOCATION") == total(tenant.admin, WORKLOADS, "ALLOCATED_GPUS") == "3.5"
    found = tenant.admin.done("GET", WORKLOADS, telemetryType="WORKLOADS_COUNT", groupBy="ProjectId")["values"]
    assert found == [
        {"value": "2", "groups": [{"key": "ProjectId", "value": "", "name": None}]},
        {"value": "1", "groups": [{"key": "ProjectId", "value": project["id"], "name": "team-a"}]},
    ]
    assert grouped(tenant.admin, WORKLOADS, "WORKLOADS_COUNT", "Phase", "Type") == {
        ("Pending", "Deployment"): "1",
        ("Pending", "TrainingWorkload"): "1",
        ("Running", "TrainingWorkload"): "1",
    }
    assert grouped(tenant.admin, WORKLOADS, "GPU_ALLOCATION", "CurrentNodepools") == {
        ("",): "0",
        ("default,a100",): "3.5",
    }
    assert grouped(tenant.admin, WORKLOADS, "WORKLOADS_COUNT", "DepartmentId", departmentId=project["parentId"]) == {
        (project["parentId"],): "1"
    }
    [of_cluster] = tenant.admin.done("GET", WORKLOADS, telemetryType="WORKLOADS_COUNT", groupBy="ClusterId")["values"]
    name = next(each["name"] for each in tenant.admin.done("GET", "/api/v1/clusters") if each["uuid"] == cluster.uuid)
    assert of_cluster["groups"] == [{"key": "ClusterId", "value": cluster.uuid, "name": name}]
    for pool, count in (("a100", "1"), ("default", "1"), ("a10", "0")):
        assert total(tenant.admin, WORKLOADS, "WORKLOADS_COUNT", nodepoolName=pool) == count
    cluster.report(gone=(Gone(kind="workload", name="w1"),))
    assert total(tenant.admin, WORKLOADS, "GPU_ALLOCATION") == "0", "what is gone holds nothing"


REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    (NODES, {}, "telemetryType"),
    (NODES, {"telemetryType": "WORKLOADS_COUNT"}, "telemetryType"),
    (NODES, {"telemetryType": "TOTAL_GPUS", "groupBy": "Phase"}, "groupBy"),
    (NODES, {"telemetryType": "TOTAL_GPUS", "departmentId": "1"}, "departmentId"),
    (WORKLOADS, {"telemetryType": "WORKLOADS_COUNT", "groupBy": ["Type", "Phase", "ProjectId"]}, "groupBy"),
    (WORKLOADS, {"telemetryType": "WORKLOADS_COUNT", "groupBy": "Type,Phase,ProjectId"}, "groupBy"),
)


@pytest.mark.parametrize(("path", "asked", "field"), REFUSED)
def test_what_cannot_be_counted_is_refused_by_name(
    tenant: Tenant, path: str, asked: dict[str, Any], field: str
) -> None:
    assert field in tenant.admin.refused(400, "GET", path, **asked)


def test_only_what_is_within_reach_is_counted(tenant: Tenant, cluster: Cluster, planes: tuple[Plane, Plane]) -> None:
    other, project = cluster_of(tenant), tenant.project(cluster.uuid, "team-b")
    other.report(node("n9", gpu_count=1), workload("w9", project=None))
    cluster.report(workload("w4", project="team-b", allocated={"gpu": 1}))
    researcher = tenant.with_role(5, "project", project["id"])
    assert total(researcher, WORKLOADS, "WORKLOADS_COUNT") == "1"
    assert total(researcher, WORKLOADS, "GPU_ALLOCATION", clusterId=cluster.uuid) == "1"
    assert "sufficient" in researcher.refused(403, "GET", NODES, telemetryType="TOTAL_GPUS"), "it may not read nodes"
    editor = tenant.with_role(1, "cluster", other.uuid)
    assert (total(editor, NODES, "TOTAL_GPUS"), total(editor, WORKLOADS, "WORKLOADS_COUNT")) == ("1", "1")
    editor.refused(403, "GET", NODES, telemetryType="TOTAL_GPUS", clusterId=cluster.uuid)
    editor.refused(403, "GET", WORKLOADS, telemetryType="WORKLOADS_COUNT", clusterId=cluster.uuid)
    stranger = planes[0].tenant()
    assert total(stranger.admin, NODES, "TOTAL_GPUS") == "0"
    for path, kind in ((NODES, "TOTAL_GPUS"), (WORKLOADS, "WORKLOADS_COUNT")):
        stranger.admin.refused(404, "GET", path, telemetryType=kind, clusterId=cluster.uuid)
    tenant.admin.refused(404, "GET", WORKLOADS, telemetryType="WORKLOADS_COUNT", departmentId="999999")


ACCEPTED = {
    "text/csv": True,
    "text/*": True,
    "text/csv;q=0.5, application/json;q=0.4": True,
    "text/csv;q=0.5, */*": False,
    "application/json, text/csv": False,
    "*/*": False,
    "text/html": False,
    "text/csv;q=0": False,
    "": False,
}


@pytest.mark.parametrize(("accept", "is_csv"), ACCEPTED.items())
def test_the_form_is_the_one_that_the_caller_prefers(
    tenant: Tenant, cluster: Cluster, accept: str, is_csv: bool
) -> None:
    answer = tenant.admin.call("GET", NODES, telemetryType="TOTAL_GPUS", groupBy="Nodepool", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv" if is_csv else "application/json")
    if is_csv:
        names, *lines = csv.reader(io.StringIO(answer.text))
        assert names == ["type", "timestamp", "Nodepool", "NodepoolName", "value"]
        assert [[line[0], *line[2:]] for line in lines] == [
            ["TOTAL_GPUS", "a100", "a100", "4"],
            ["TOTAL_GPUS", "default", "default", "10"],
        ]
