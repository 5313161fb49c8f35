"""What users see of what clusters said: scenarios A6, A10, A14, A28, A29."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from aliquot.contracts.administrator_api.amounts import PoolQuotaStatus, QuotaStatus
from aliquot.contracts.cluster_sync import (
    KINDS,
    ReportedCluster,
    ReportedCondition,
    ReportedDepartment,
    ReportedDependency,
    ReportedNodePool,
    ReportedOperand,
    ReportedProject,
    ReportedTaint,
    ReportedUse,
)
from aliquot.controlplane.settings import ControlPlaneSettings
from aliquot.controlplane.statuses.rules import (
    Told,
    cluster_status,
    is_applied,
    pool_phase,
    pool_quota_statuses,
    project_phase,
    quota_status,
)
from tests.controlplane.cluster import WELL, Cluster, cluster_of, node
from tests.controlplane.plane import Plane, Tenant

CLUSTERS, PROJECTS, POOLS = "/api/v1/clusters", "/api/v1/org-unit/projects", "/api/v1/node-pools"
DEPARTMENTS = "/api/v1/org-unit/departments"
SILENT_SECONDS = ControlPlaneSettings().clusters.silent_seconds
USE = ReportedUse(
    allocated={"gpu": 2.5, "cpu": 4000, "memory": 1048.576},
    allocated_non_preemptible={"gpu": 1},
    requested={"gpu": 6, "cpu": 6000, "memory": 2097.152},
)
SHOWN_USE = {
    "allocated": {"gpu": 2.5, "cpu": 4000, "memory": 1000},
    "allocatedNonPreemptible": {"gpu": 1, "cpu": 0, "memory": 0},
    "requested": {"gpu": 6, "cpu": 6000, "memory": 2000},
}
NOTHING = {name: {"gpu": 0, "cpu": 0, "memory": 0} for name in SHOWN_USE}


@pytest.fixture
def cluster(tenant: Tenant) -> Cluster:
    return cluster_of(tenant)


@contextmanager
def _later(plane: Plane, seconds: float) -> Generator[None]:
    plane.clock.later_seconds += seconds
    try:
        yield
    finally:
        plane.clock.later_seconds -= seconds


def _of(tenant: Tenant, cluster: Cluster) -> dict[str, Any]:
    return tenant.admin.done("GET", f"{CLUSTERS}/{cluster.uuid}")


def _up_to_date(cluster: Cluster) -> ReportedCluster:
    return WELL.model_copy(update={"applied_revision": cluster.desired().revision})


# Clusters


def _document(**changes: Any) -> dict[str, Any]:
    return WELL.model_copy(update=changes).model_dump(mode="json", by_alias=True)


STATES = {
    "never heard of": (None, 0, "WaitingToConnect"),
    "well": (_document(), 0, "Connected"),
    "silent for almost too long": (_document(), 120_000 - 1, "Connected"),
    "silent for too long": (_document(), 120_000, "Disconnected"),
    "something is missing": (
        _document(required={"cert-manager": ReportedDependency(available=False)}),
        0,
        "MissingPrerequisites",
    ),
    "something optional is missing": (
        _document(optional={"knative": ReportedDependency(available=False)}),
        0,
        "Connected",
    ),
    "a part is not ready": (_document(operands={"agent": ReportedOperand(ready=False)}), 0, "ServiceIssues"),
    "something is missing, and so a part is not ready": (
        _document(
            required={"cert-manager": ReportedDependency(available=False)},
            operands={"agent": ReportedOperand(ready=False)},
        ),
        0,
        "MissingPrerequisites",
    ),
    "nobody knows any more": (_document(operands={"agent": ReportedOperand(ready=False)}), 120_000, "Disconnected"),
}


@pytest.mark.parametrize(("document", "silent_ms", "wanted"), STATES.values(), ids=STATES)
def test_the_state_of_a_cluster(document: dict[str, Any] | None, silent_ms: int, wanted: str) -> None:
    now_ms = 1_000_000_000
    assert cluster_status(document, now_ms - silent_ms, now_ms, 120).state == wanted


def test_a6_a_cluster_is_connected_from_its_first_report_on_and_says_how_it_is(
    tenant: Tenant, cluster: Cluster
) -> None:
    assert (_of(tenant, cluster)["status"]["state"], _of(tenant, cluster)["lastLiveness"]) == ("WaitingToConnect", None)
    cluster.desired()
    assert _of(tenant, cluster)["status"]["state"] == "WaitingToConnect", "it has not said anything"
    condition = ReportedCondition(type="Available", status="False", reason="Crash", message="agent crashes")
    cluster.report(
        cluster=WELL.model_copy(
            update={
                "domain": "https://c1.example.com",
                "conditions": (condition,),
                "operands": {"agent": ReportedOperand(ready=False, reasons=("crashes",))},
                "optional": {"knative": ReportedDependency(available=False, reason="not installed")},
            }
        )
    )
    shown = _of(tenant, cluster)
    assert (shown["version"], shown["domain"]) == ("0.1.0", "https://c1.example.com")
    assert shown["lastLiveness"]
    assert shown["status"] == {
        "state": "ServiceIssues",
        "conditions": [
            {
                "type": "Available",
                "status": "False",
                "reason": "Crash",
                "message": "agent crashes",
                "lastTransitionTime": None,
            }
        ],
        "operands": {"agent": {"ready": False, "reasons": ["crashes"]}},
        "platform": {"type": "vanilla", "kubeVersion": "v1.36.1"},
        "dependencies": {
            "required": {"cert-manager": {"available": True, "reason": ""}},
            "optional": {"knative": {"available": False, "reason": "not installed"}},
        },
    }
    assert tenant.admin.done("GET", CLUSTERS) == [shown]
    (metadata,) = tenant.admin.done("GET", CLUSTERS, verbosity="metadata")
    assert (metadata["status"], metadata["lastLiveness"]) == (None, shown["lastLiveness"])


def test_a28_a_cluster_that_falls_silent_is_disconnected_and_comes_back_by_itself(
    tenant: Tenant, cluster: Cluster
) -> None:
    project = tenant.project(cluster.uuid, "team-a", deserved=1)
    ready = ReportedProject(name="team-a", phase="Ready", namespace="runai-team-a")
    cluster.report(ready, node("n1"), cluster=_up_to_date(cluster), complete=KINDS)
    before = _of(tenant, cluster)
    with _later(tenant.plane, SILENT_SECONDS + 1):
        silent = _of(tenant, cluster)
        assert silent["status"] == {**before["status"], "state": "Disconnected"}
        assert silent["lastLiveness"] == before["lastLiveness"]
        path = f"{PROJECTS}/{project['id']}"
        assert tenant.admin.done("GET", path)["status"]["phase"] == "Ready"
        tenant.admin.done("PATCH", f"{path}/resources", [{"gpu": {"deserved": 2}}])
        assert tenant.admin.done("GET", path)["status"]["phase"] == "Updating"
        assert [each["name"] for each in tenant.admin.done("GET", f"{CLUSTERS}/{cluster.uuid}/nodes")["nodes"]] == [
            "n1"
        ]
        desired = cluster.desired()
        assert desired.projects[0].queues[0].gpu.deserved == 2
        assert _of(tenant, cluster)["status"]["state"] == "Connected", "asking is a sign of life"
        cluster.report(cluster=_up_to_date(cluster))
        assert tenant.admin.done("GET", path)["status"]["phase"] == "Ready"
        assert _of(tenant, cluster)["lastLiveness"] > before["lastLiveness"]


def test_signs_of_life_are_written_down_now_and_then(tenant: Tenant, cluster: Cluster) -> None:
    cluster.ask()
    first = _of(tenant, cluster)["lastLiveness"]
    with _later(tenant.plane, 9):
        cluster.ask()
        assert _of(tenant, cluster)["lastLiveness"] == first
    with _later(tenant.plane, 11):
        cluster.ask(cluster.ask().headers["ETag"])
        assert _of(tenant, cluster)["lastLiveness"] > first


def test_a29_a_cluster_that_is_installed_anew_gets_everything_again(tenant: Tenant, cluster: Cluster) -> None:
    project = tenant.project(cluster.uuid, "team-a")
    path = f"{PROJECTS}/{project['id']}"
    cluster.term = 9
    cluster.report(ReportedProject(name="team-a", phase="Ready"), cluster=_up_to_date(cluster), complete=KINDS)
    with _later(tenant.plane, SILENT_SECONDS + 1):
        cluster.begin_anew(term=0)
        cluster.report(cluster=WELL, complete=KINDS)
        assert tenant.admin.done("GET", path)["status"]["phase"] == "Creating"
        assert [each.name for each in cluster.desired().projects] == ["team-a"]
        cluster.report(ReportedProject(name="team-a", phase="Ready"), cluster=_up_to_date(cluster))
        assert tenant.admin.done("GET", path)["status"]["phase"] == "Ready"


def test_the_command_that_installs_names_the_control_plane_the_cluster_and_its_secret(tenant: Tenant) -> None:
    made = tenant.admin.done("POST", CLUSTERS, {"name": "c1"})
    path = f"{CLUSTERS}/{made['uuid']}/cluster-install-info"
    info = tenant.admin.done("GET", path, version="2.18")
    words = info["installationStr"].split()
    assert f"controlPlane.url={tenant.plane.services.url}" in words
    assert f"controlPlane.clientSecret={info['clientSecret']}" in words
    assert f"cluster.uid={made['uuid']}" in words
    assert "cluster.url" not in info["installationStr"]
    odd = tenant.admin.done("GET", path, version="2.18", remoteClusterUrl="https://c1/;{a,b}'")["installationStr"]
    assert odd.endswith("""--set-string 'cluster.url=https://c1/;\\{a\\,b\\}'"'"''""")


# Nodes


def test_nodes_are_shown_as_the_cluster_tells_of_them(tenant: Tenant, cluster: Cluster) -> None:
    path = f"{CLUSTERS}/{cluster.uuid}/nodes"
    assert tenant.admin.done("GET", path) == {"nodes": []}
    condition = ReportedCondition(type="Ready", status="True", reason="KubeletReady", message="ready")
    taint = ReportedTaint(key="nvidia.com/gpu", effect="NoSchedule")
    gpus = {"gpu_type": "NVIDIA-A100", "gpu_count": 8, "conditions": (condition,), "taints": (taint,)}
    cluster.report(node("n2", status="NotReady"), node("n1", node_pool="a100", **gpus), cluster=WELL)
    first, second = tenant.admin.done("GET", path)["nodes"]
    updated = first.pop("updatedAt")
    assert first == {
        "name": "n1",
        "clusterUuid": cluster.uuid,
        "status": "Ready",
        "nodePool": "a100",
        "createdAt": "2026-01-31T12:00:00Z",
        "conditions": [{"type": "Ready", "reason": "KubeletReady", "message": "ready"}],
        "taints": [{"key": "nvidia.com/gpu", "value": None, "effect": "NoSchedule"}],
        "gpuInfo": {"gpuType": "NVIDIA-A100", "gpuCount": 8},
    }
    assert (second["name"], second["status"], second["gpuInfo"]) == ("n2", "NotReady", None)
    with _later(tenant.plane, 5):
        cluster.report(node("n1", node_pool="a100", **gpus), node("n2"))
    first, second = tenant.admin.done("GET", path)["nodes"]
    assert first["updatedAt"] == updated < second["updatedAt"], "told again is not changed"
    assert [each["name"] for each in tenant.admin.done("GET", path, nodeName="n2")["nodes"]] == ["n2"]


# Projects, departments, node pools

PHASES = {
    # the cluster's phase, message                   connected  applied  new    project         pool
    "nobody knows the cluster": (None, "", False, False, True, "Creating", "Creating"),
    "it is not there yet": (None, "", True, False, True, "Creating", "Creating"),
    "something of that name is there": ("Ready", "", True, False, True, "Creating", "Creating"),
    "it was changed before it was there": (None, "", True, False, False, "Creating", "Creating"),
    "it was changed": ("Ready", "", True, False, False, "Updating", "Updating"),
    "it is there, and nothing was said of it": (None, "", True, True, True, "Creating", "Creating"),
    "it is there without a phase": ("", "", True, True, True, "Creating", "Creating"),
    "it is ready": ("Ready", "fine", True, True, False, "Ready", "Ready"),
    "its namespace is missing": ("NoNamespace", "why", True, True, False, "NotReady", "Unschedulable"),
    "it has no nodes": ("NoNodes", "why", True, True, False, "NotReady", "Empty"),
}


@pytest.mark.parametrize(
    ("phase", "message", "has_connected", "applied", "is_new", "project", "pool"), PHASES.values(), ids=PHASES
)
def test_phases(
    phase: str | None, message: str, has_connected: bool, applied: bool, is_new: bool, project: str, pool: str
) -> None:
    document = None if phase is None else {"phase": phase, "message": message}
    told = Told(document, has_connected, applied, is_new)
    assert project_phase(told)[0] == project
    assert pool_phase(told)[0] == pool
    says = project_phase(told)[1]
    assert says == message if phase == "Ready" and applied else says


APPLIED = {
    "the cluster has nothing": (5, None, 9, False),
    "the cluster is behind": (5, 4, 9, False),
    "the cluster is just there": (5, 5, 9, True),
    "the cluster has all": (5, 9, 9, True),
    "the cluster has what a lost database said": (5, 10, 9, False),
}


@pytest.mark.parametrize(("revision", "applied", "current", "wanted"), APPLIED.values(), ids=APPLIED)
def test_what_a_cluster_has(revision: int, applied: int | None, current: int, wanted: bool) -> None:
    assert is_applied(revision, applied, current) == wanted


def test_amounts_are_in_the_units_of_the_api() -> None:
    document = ReportedProject(name="x", use=USE, node_pools={"b": USE, "a": ReportedUse()}).model_dump(by_alias=True)
    told = Told(document, has_connected=True, is_applied=True, is_new=False)
    assert QuotaStatus.model_validate(quota_status(told)).model_dump(by_alias=True) == SHOWN_USE
    by_pool = [PoolQuotaStatus.model_validate(each) for each in pool_quota_statuses(told, {"b": "7"})]
    assert [each.model_dump(by_alias=True) for each in by_pool] == [
        {"nodePoolName": "a", "nodePoolId": None, **NOTHING},
        {"nodePoolName": "b", "nodePoolId": "7", **SHOWN_USE},
    ]


def test_a10_a_project_is_created_then_ready_then_updated(tenant: Tenant, cluster: Cluster) -> None:
    cluster.report(cluster=_up_to_date(cluster), complete=KINDS)
    made = tenant.project(cluster.uuid, "latest-project-3", deserved=1)
    path, pool = f"{PROJECTS}/{made['id']}", tenant.pool(cluster.uuid)
    assert made["status"]["phase"] == "Creating"
    assert (made["status"]["namespace"], made["status"]["quotaStatus"]) == (None, NOTHING)
    project = ReportedProject(
        name="latest-project-3",
        phase="Ready",
        message="Ready.",
        namespace="runai-latest-project-3",
        use=USE,
        node_pools={"default": USE},
    )
    cluster.report(project, cluster=_up_to_date(cluster))
    shown = tenant.admin.done("GET", path)["status"]
    assert shown == {
        "namespace": "runai-latest-project-3",
        "phase": "Ready",
        "phaseMessage": "Ready.",
        "quotaStatus": SHOWN_USE,
        "nodePoolQuotaStatuses": [{"nodePoolName": "default", "nodePoolId": pool["id"], **SHOWN_USE}],
        "additionalStatusData": None,
    }
    (listed,) = tenant.admin.done("GET", PROJECTS)["projects"]
    assert listed["status"] == shown
    changed = tenant.admin.done("PUT", path, {"resources": [{"gpu": {"deserved": 2}}]})
    assert changed["status"] == {**shown, "phase": "Updating", "phaseMessage": changed["status"]["phaseMessage"]}
    other = tenant.project(cluster.uuid, "other")
    assert other["status"]["phase"] == "Creating"
    cluster.report(cluster=WELL)  # it could not carry out all of it
    assert tenant.admin.done("GET", path)["status"]["phase"] == "Updating"
    cluster.report(cluster=_up_to_date(cluster))
    assert tenant.admin.done("GET", path)["status"] == shown
    assert tenant.admin.done("GET", f"{PROJECTS}/{other['id']}")["status"]["phase"] == "Creating", "it tells of it soon"


def test_departments_and_pools_show_what_the_cluster_says_of_them(tenant: Tenant, cluster: Cluster) -> None:
    department, pool = tenant.department(cluster.uuid), tenant.pool(cluster.uuid)
    path = f"{DEPARTMENTS}/{department['id']}"
    assert tenant.admin.done("GET", path)["status"] == {"quotaStatus": NOTHING, "nodePoolQuotaStatuses": []}
    assert (pool["phase"], pool["nodes"]) == ("Creating", [])
    cluster.report(
        ReportedDepartment(name="default", phase="Ready", use=USE, node_pools={"default": USE}),
        ReportedNodePool(name="default", phase="Ready", message="fine", nodes=("n1", "n2")),
        cluster=_up_to_date(cluster),
    )
    assert tenant.admin.done("GET", path)["status"] == {
        "quotaStatus": SHOWN_USE,
        "nodePoolQuotaStatuses": [{"nodePoolName": "default", "nodePoolId": pool["id"], **SHOWN_USE}],
    }
    shown = tenant.pool(cluster.uuid)
    assert (shown["phase"], shown["phaseMessage"], shown["nodes"]) == ("Ready", "fine", ["n1", "n2"])
    changed = tenant.admin.done("PATCH", f"{POOLS}/{pool['id']}", {"overProvisioningRatio": 2})
    assert changed["phase"] == "Updating"


def test_objects_of_the_same_name_in_several_clusters_and_tenants_are_not_mistaken(plane: Plane) -> None:
    tenants = [plane.tenant(), plane.tenant()]
    clusters = [(tenant, cluster_of(tenant)) for tenant in tenants for _ in range(2)]
    for number, (tenant, cluster) in enumerate(clusters):
        tenant.project(cluster.uuid, "team-a")
        project = ReportedProject(name="team-a", phase="Ready", namespace=f"ns-{number}")
        cluster.report(project, node(f"n-{number}"), cluster=_up_to_date(cluster))
    for tenant, numbers in zip(tenants, ((0, 1), (2, 3)), strict=True):
        listed = tenant.admin.done("GET", PROJECTS)["projects"]
        assert [each["status"]["namespace"] for each in listed] == [f"ns-{number}" for number in numbers]
    for number, (tenant, cluster) in enumerate(clusters):
        nodes = tenant.admin.done("GET", f"{CLUSTERS}/{cluster.uuid}/nodes")["nodes"]
        assert [each["name"] for each in nodes] == [f"n-{number}"]
    tenants[0].admin.refused(404, "GET", f"{CLUSTERS}/{clusters[3][1].uuid}/nodes")
