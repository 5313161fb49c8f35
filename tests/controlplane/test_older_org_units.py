"""Clusters, node pools, departments and projects of the older surface: scenarios A5, A7, A8, A15 and A16."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.controlplane.cluster import cluster_of
from tests.controlplane.plane import Tenant

CLUSTERS, PROJECTS, DEPARTMENTS = "/v1/k8s/clusters", "/api/v1/org-unit/projects", "/api/v1/org-unit/departments"
NO_LIMIT = {"train": {"affinityType": "no_limit"}, "interactive": {"affinityType": "no_limit"}}
POOL = {
    "name": "test3",
    "labelKey": "k",
    "labelValue": "v",
    "placementStrategy": {"cpu": "spread", "gpu": "spread"},
    "overProvisioningRatio": 1,
}
_names = (f"p{number}" for number in itertools.count())


def _quota(shown: dict[str, Any], pool: str = "default") -> dict[str, Any]:
    (found,) = (each for each in shown["nodePoolsResources"] if each["nodePool"]["name"] == pool)
    return found


def test_a5_clusters_are_listed_made_and_deleted(tenant: Tenant) -> None:
    made = tenant.admin.done("POST", CLUSTERS, {"name": "prod", "description": "for everybody"})
    (listed,) = tenant.admin.done("GET", CLUSTERS)
    assert (listed["name"], listed["uuid"]) == ("prod", made["uuid"])
    assert tenant.admin.done("GET", f"{CLUSTERS}/{made['uuid']}") == tenant.admin.done(
        "GET", f"/api/v1/clusters/{made['uuid']}"
    )
    assert tenant.admin.call("DELETE", f"{CLUSTERS}/{made['uuid']}").status_code == 200
    assert tenant.admin.done("GET", CLUSTERS) == []


def test_a8_node_pools_are_made_as_the_python_client_makes_them(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    path = f"{CLUSTERS}/{cluster}/node-pools"
    (default,) = tenant.admin.done("GET", path)
    assert (default["isDefault"], default["id"], default["nodes"]) == (True, int(tenant.pool(cluster)["id"]), "[]")
    project = tenant.project(cluster, "team-a")
    answer = tenant.plane.http.post(
        path, content=json.dumps(POOL), headers={"Authorization": f"Bearer {tenant.admin.token}"}
    )
    assert (answer.status_code, answer.json()["placementStrategy"]) == (201, {"cpu": "spread", "gpu": "spread"})
    tenant.admin.refused(409, "POST", path, {**POOL, "labelValue": "other"})
    shown = tenant.admin.done("GET", f"{CLUSTERS}/{cluster}/projects/{project['id']}")
    assert _quota(shown, "test3")["gpu"] == {"deserved": 0, "maxAllowed": -1, "overQuotaWeight": 2}
    own = f"{path}/{answer.json()['id']}"
    for method, where, body in (
        ("PUT", f"{own}/labels", {"labelKey": "k", "labelValue": "w"}),
        ("PUT", own, {"overProvisioningRatio": 2, "placementStrategy": {"cpu": "binpack"}}),
        ("DELETE", own, None),
    ):
        changed = tenant.admin.call(method, where, body)
        assert (changed.status_code, changed.json()["code"]) == (202, 202)
        if where == own and method == "PUT":
            kept = tenant.pool(cluster, "test3")
            assert (kept["labelValue"], kept["overProvisioningRatio"]) == ("w", 2)
    assert "default" in tenant.admin.refused(400, "DELETE", f"{path}/{default['id']}")
    assert "labelKey" in tenant.admin.refused(
        400, "PUT", f"{path}/{default['id']}/labels", {"labelKey": "a", "labelValue": "b"}
    )


def test_a15_a_project_as_old_scripts_make_it(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    department = int(tenant.department(cluster)["id"])
    user = tenant.admin.done("POST", "/api/v1/users", {"email": "u@example.com"})
    body = {
        "name": "p1",
        "departmentId": department,
        "deservedGpus": 2,
        "clusterUuid": cluster,
        "nodeAffinity": NO_LIMIT,
        "permissions": {"users": [user["id"]]},
    }
    path = f"{CLUSTERS}/{cluster}/projects"
    answer = tenant.admin.call("POST", path, body)
    made = answer.json()
    assert answer.status_code == 200, answer.text
    assert isinstance(made["id"], int)
    assert (made["phase"], made["departmentName"], made["clusterUuid"]) == ("Creating", "default", cluster)
    assert made["permissions"] == {"users": [user["id"]], "groups": [], "applications": []}
    (rule,) = tenant.admin.done("GET", "/api/v1/authorization/access-rules", scopeId=made["id"])["accessRules"]
    assert (rule["subjectId"], rule["roleId"], rule["scopeType"]) == ("u@example.com", 5, "project")
    newer = tenant.admin.done("GET", f"{PROJECTS}/{made['id']}")
    assert (newer["id"], newer["resources"][0]["gpu"]["deserved"]) == (str(made["id"]), 2)
    tenant.admin.refused(409, "POST", path, body)
    other = tenant.admin.done("POST", path, {**body, "name": "p2"}, excludePermissions="true")
    assert other["permissions"] is None
    assert tenant.admin.done("GET", f"{path}/{other['id']}")["permissions"]["users"] == []
    assert [each["name"] for each in tenant.admin.done("GET", path)] == ["p1", "p2"]


def test_a16_both_surfaces_have_the_same_quotas_in_units_of_their_own(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    pool = tenant.admin.done("POST", f"{CLUSTERS}/{cluster}/node-pools", POOL)
    project = tenant.project(cluster, "team-a")
    written: list[dict[str, Any]] = [
        {
            "gpu": {"deserved": 3, "limit": 5, "overQuotaWeight": 1},
            "memory": {"deserved": 1000, "limit": -1, "units": "MB"},
        },
        {
            "nodePool": {"id": str(pool["id"])},
            "gpu": {"deserved": 1.5, "limit": 4},
            "cpu": {"deserved": 4000, "limit": None},
        },
    ]
    tenant.admin.done("PUT", f"{PROJECTS}/{project['id']}/resources", written)
    path = f"{CLUSTERS}/{cluster}/projects"
    (shown,) = tenant.admin.done("GET", path)
    assert _quota(shown)["gpu"] == {"deserved": 3, "maxAllowed": 5, "overQuotaWeight": 1}
    assert _quota(shown)["memory"] == {"deserved": 953.67431640625, "maxAllowed": -1, "overQuotaWeight": 2}
    assert _quota(shown, "test3")["cpu"] == {"deserved": 4000, "maxAllowed": -1, "overQuotaWeight": 2}
    assert shown["resources"]["gpu"] == {"deserved": 4.5, "maxAllowed": 9, "overQuotaWeight": 1}
    assert shown["resources"]["cpu"]["deserved"] == -1, "unlimited in one pool is unlimited"
    assert (shown["deservedGpus"], shown["maxAllowedGpus"], shown["gpuOverQuotaWeight"]) == (4.5, 9, 1)
    (in_mb,) = tenant.admin.done("GET", path, memoryUnitMb="true")
    assert _quota(in_mb)["memory"]["deserved"] == 1000
    for entry in (*shown["nodePoolsResources"], *in_mb["nodePoolsResources"], shown["resources"], in_mb["resources"]):
        del entry["memory"]
    assert in_mb == shown, "nothing but the unit of memory changes"


def test_what_was_shown_can_be_sent_back_and_changes_nothing(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    tenant.admin.done("POST", f"{CLUSTERS}/{cluster}/node-pools", POOL)
    project = tenant.project(cluster, "team-a", deserved=1)
    rules = {"interactiveJobPreemptIdleDurationSeconds": 60}
    body: dict[str, Any] = {
        "resources": [{"gpu": {"deserved": 3}, "cpu": None, "memory": {"deserved": 1, "units": "GB"}}],
        "schedulingRules": rules,
        "nodeTypes": {"training": ["dgx"]},
        "defaultNodePools": ["test3", "default"],
    }
    before = tenant.admin.done("PUT", f"{PROJECTS}/{project['id']}", body)
    for path in (f"projects/{project['id']}", f"departments/{project['parentId']}"):
        shown = tenant.admin.done("GET", f"{CLUSTERS}/{cluster}/{path}")
        assert tenant.admin.done("PUT", f"{CLUSTERS}/{cluster}/{path}", shown) == shown
        for member in ("nodePoolsResources", "resources"):
            del shown[member]
            tenant.admin.done("PUT", f"{CLUSTERS}/{cluster}/{path}", shown)
    after = tenant.admin.done("GET", f"{PROJECTS}/{project['id']}")
    assert {**after, "updatedAt": before["updatedAt"]} == before


def test_a_put_replaces_what_it_leaves_out_but_for_amounts_and_permissions(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    path = f"{CLUSTERS}/{cluster}/projects"
    body: dict[str, Any] = {
        "name": "p",
        "namespace": "vision",
        "deservedGpus": 2,
        "maxAllowedGpus": 3,
        "gpuOverQuotaWeight": 1,
        "defaultNodePools": ["default"],
        "trainingJobTimeLimitSecs": 60,
        "nodeAffinity": {"train": {"affinityType": "only_selected", "selectedTypes": [{"name": "dgx"}]}},
        "permissions": {"groups": ["vision"]},
    }
    made = tenant.admin.done("POST", path, body)
    assert (made["namespace"], made["trainNodeAffinity"], made["interactiveNodeAffinity"]) == ("vision", "dgx", "")
    assert made["nodeAffinity"]["train"]["selectedTypes"] == [{"id": None, "name": "dgx"}]
    newer = tenant.admin.done("GET", f"{PROJECTS}/{made['id']}")
    assert newer["schedulingRules"]["trainingJobTimeLimitSeconds"] == 60
    assert newer["resources"][0]["gpu"] == {"deserved": 2, "limit": 3, "overQuotaWeight": 1}
    left = tenant.admin.done("PUT", f"{path}/{made['id']}", {"name": "p"})
    assert (left["deservedGpus"], left["permissions"]["groups"]) == (2, ["vision"])
    assert (left["trainingJobTimeLimitSecs"], left["defaultNodePools"], left["trainNodeAffinity"]) == (None, [], "")
    people = {"permissions": {"groups": ["audio"], "users": ["New@example.com"]}}
    changed = tenant.admin.done("PUT", f"{path}/{made['id']}", people)["permissions"]
    assert changed == {"users": ["new@example.com"], "groups": ["audio"], "applications": []}
    gone = tenant.admin.done("DELETE", f"{path}/{made['id']}")
    assert (gone["id"], gone["name"]) == (made["id"], "p")
    tenant.admin.refused(404, "GET", f"{path}/{made['id']}")


def test_departments_are_made_shown_with_their_projects_and_deleted(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    path = f"{CLUSTERS}/{cluster}/departments"
    made = tenant.admin.done("POST", path, {"name": "research", "deservedGpus": 8, "allowOverQuota": False})
    assert (made["deservedGpus"], made["maxAllowedGpus"], made["allowOverQuota"]) == (8, 8, False)
    tenant.project(cluster, "team-a", made["id"], deserved=3)
    shown = tenant.admin.done("GET", f"{path}/{made['id']}")
    assert (shown["projectsDeservedGpus"], [each["name"] for each in shown["projects"]]) == ("3.00", ["team-a"])
    changed = tenant.admin.done("PUT", f"{path}/{made['id']}", {"name": "research", "allowOverQuota": True})
    assert (changed["deservedGpus"], changed["maxAllowedGpus"]) == (8, -1)
    assert [each["name"] for each in tenant.admin.done("GET", path)] == ["default", "research"]
    assert tenant.admin.done("DELETE", f"{path}/{made['id']}")["name"] == "research"
    tenant.admin.refused(404, "GET", f"{PROJECTS}/{shown['projects'][0]['id']}")


def test_administrators_of_departments_are_named(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    user = tenant.admin.done("POST", "/api/v1/users", {"email": "u@example.com"})
    department = tenant.new_department(cluster, "research")["id"]
    path = f"{CLUSTERS}/{cluster}/departments/{department}"
    body = {"departmentId": int(department), "departmentAdmins": [user["id"], "sso@example.com"]}
    answer = tenant.admin.call("PUT", f"{path}/access-control", body)
    assert (answer.status_code, answer.json()) == (201, body)
    assert tenant.admin.done("GET", path)["departmentAdmins"] == body["departmentAdmins"]
    assert tenant.admin.done("GET", path, excludePermissions="true")["departmentAdmins"] is None
    left = tenant.admin.done("PUT", f"{path}/access-control", {"departmentAdmins": ["sso@example.com"]})
    assert left["departmentAdmins"] == ["sso@example.com"]
    nobody = {"departmentAdmins": ["nobody"]}
    assert "departmentAdmins.0: 'nobody'" in tenant.admin.refused(400, "PUT", f"{path}/access-control", nobody)


def test_who_may_not_give_roles_makes_projects_but_names_nobody(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    caller = tenant.with_role(1710, "department", tenant.department(cluster)["id"])
    path = f"{CLUSTERS}/{cluster}/projects"
    caller.done("POST", path, {"name": "p", "permissions": {"users": ["u@example.com"]}})
    reader = tenant.with_role(7, "cluster", cluster)
    (seen,) = reader.done("GET", path)
    assert seen["permissions"]["users"] == [], "access rules are not shown to those who may not read them"
    reader.refused(403, "PUT", f"{path}/{seen['id']}", seen)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": "Team"}, "name"),
    ({"name": "a" * 58}, "at most 57 characters"),
    ({"departmentId": 999999}, "departmentId: 999999"),
    ({"departmentId": "x"}, "departmentId"),
    ({"namespace": "kube-system"}, "namespace: 'kube-system' is not allowed: it belongs to the system"),
    ({"deservedGpus": -1}, "deservedGpus: -1"),
    ({"deservedGpus": 3, "maxAllowedGpus": 2}, "maxAllowedGpus: 2"),
    ({"nodePoolsResources": [{"gpu": {"deserved": 3, "maxAllowed": 2}}]}, "nodePoolsResources.0.gpu.maxAllowed: 2"),
    ({"nodePoolsResources": [{"nodePool": {"id": 999999}}]}, "nodePoolsResources.0.nodePool.id: 999999"),
    ({"nodePoolsResources": [{"nodePool": {"name": "no"}}]}, "nodePoolsResources.0.nodePool.name: 'no'"),
    ({"nodePoolsResources": [{"id": 999999}]}, "nodePoolsResources.0.id: 999999"),
    ({"nodePoolsResources": [{}, {}]}, "each pool may be there once"),
    ({"resources": {"cpu": {"deserved": 5, "maxAllowed": 4}}}, "resources.cpu.maxAllowed: 4"),
    ({"trainingJobTimeLimitSecs": 0}, "trainingJobTimeLimitSecs"),
    ({"defaultNodePools": ["no"]}, "defaultNodePools.0: 'no'"),
    ({"nodeAffinity": {"train": {"affinityType": "some"}}}, "nodeAffinity.train.affinityType"),
    ({"nodeAffinity": {"train": {"affinityType": "only_selected"}}}, "nodeAffinity.train.selectedTypes"),
    (
        {"nodeAffinity": {"interactive": {"affinityType": "only_selected", "selectedTypes": [{"id": 999999}]}}},
        "nodeAffinity.interactive.selectedTypes.0.id: 999999",
    ),
    ({"permissions": {"users": ["nobody"]}}, "permissions.users.0: 'nobody'"),
    ({"permissions": {"applications": ["nobody"]}}, "permissions.applications.0: 'nobody'"),
]


@pytest.mark.parametrize(("change", "says"), REFUSED, ids=str)
def test_a_project_that_cannot_be_is_refused_in_older_words(tenant: Tenant, change: dict[str, Any], says: str) -> None:
    path = f"{CLUSTERS}/{tenant.cluster()}/projects"
    assert says in tenant.admin.refused(400, "POST", path, {"name": "team-a", **change})
    assert tenant.admin.done("GET", path) == []


def test_totals_are_refused_where_there_are_several_pools(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    tenant.admin.done("POST", f"{CLUSTERS}/{cluster}/node-pools", POOL)
    path = f"{CLUSTERS}/{cluster}/projects"
    made = tenant.admin.done("POST", path, {"name": "p", "deservedGpus": 2})
    assert _quota(made)["gpu"]["deserved"] == 2, "the others deserve nothing"
    resources = {"gpu": {"deserved": 3, "maxAllowed": -1}}
    assert "nodePoolsResources" in tenant.admin.refused(400, "PUT", f"{path}/{made['id']}", {"resources": resources})
    tenant.admin.done("PATCH", f"{PROJECTS}/{made['id']}/resources", [{"gpu": {"limit": 5}}])
    left = tenant.admin.done("PUT", f"{path}/{made['id']}", {"deservedGpus": 3, "maxAllowedGpus": -1})
    assert _quota(left)["gpu"]["maxAllowed"] == 5, "-1 was shown, as the other pools have no limit"
    tenant.admin.done("PUT", f"{path}/{made['id']}", {"deservedGpus": 2})
    entry = {"nodePool": {"name": "test3"}, "gpu": {"deserved": 1, "maxAllowed": -1}}
    tenant.admin.done("PUT", f"{path}/{made['id']}", {"nodePoolsResources": [entry]})
    assert "deservedGpus: 4" in tenant.admin.refused(400, "PUT", f"{path}/{made['id']}", {"deservedGpus": 4})
    assert tenant.admin.done("PUT", f"{path}/{made['id']}", {"deservedGpus": 3})["deservedGpus"] == 3


def test_what_is_in_another_cluster_is_not_found_in_this_one(tenant: Tenant) -> None:
    cluster, other = tenant.cluster(), tenant.cluster()
    project = tenant.project(other, "team-a")
    for path in (
        f"projects/{project['id']}",
        f"departments/{project['parentId']}",
    ):
        tenant.admin.done("GET", f"{CLUSTERS}/{other}/{path}")
        for method in ("GET", "DELETE"):
            tenant.admin.refused(404, method, f"{CLUSTERS}/{cluster}/{path}")
    tenant.admin.refused(404, "DELETE", f"{CLUSTERS}/{cluster}/node-pools/{tenant.pool(other)['id']}")
    body = {"name": "p", "departmentId": int(project["parentId"])}
    assert "departmentId" in tenant.admin.refused(400, "POST", f"{CLUSTERS}/{cluster}/projects", body)
    tenant.admin.refused(404, "POST", f"{CLUSTERS}/no-such/projects", {"name": "p"})
    renamed = {"name": "another"}
    assert "stays so" in tenant.admin.refused(400, "PUT", f"{CLUSTERS}/{other}/projects/{project['id']}", renamed)


def test_node_types_are_what_projects_keep_to(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    made = tenant.admin.done("POST", "/v1/k8s/nodetypes", {"name": "dgx", "clusterUuid": cluster})
    path = f"/v1/k8s/nodetypes/{made['id']}"
    assert made == {"id": made["id"], "name": "dgx", "tenantId": tenant.id, "clusterUuid": cluster}
    tenant.admin.refused(409, "POST", "/v1/k8s/nodetypes", {"name": "dgx", "clusterUuid": cluster})
    assert tenant.admin.done("GET", f"{CLUSTERS}/{cluster}/nodeTypes") == [tenant.admin.done("GET", path)]
    affinity = {"affinityType": "only_selected", "selectedTypes": [{"id": made["id"], "name": "dgx"}, {"name": "a100"}]}
    project = tenant.admin.done(
        "POST", f"{CLUSTERS}/{cluster}/projects", {"name": "p", "nodeAffinity": {"train": affinity}}
    )
    assert project["trainNodeAffinity"] == "dgx,a100"
    newer = tenant.admin.done("GET", f"{PROJECTS}/{project['id']}")
    assert newer["nodeTypes"] == {"training": [str(made["id"]), "a100"], "workspace": []}
    assert "p keeps to it" in tenant.admin.refused(400, "DELETE", path)
    tenant.admin.done("PUT", path, {"name": "dgx-2", "clusterUuid": cluster})
    (desired,) = cluster_of(tenant, cluster).desired().projects
    assert desired.training_types == ("dgx-2", "a100")
    tenant.admin.done("DELETE", f"{CLUSTERS}/{cluster}/projects/{project['id']}")
    gone = tenant.admin.call("DELETE", path)
    assert (gone.text, gone.headers["content-type"].split(";")[0]) == (
        f"Node Type with id {made['id']} is deleted",
        "text/plain",
    )
    assert "clusterUuid: 'no'" in tenant.admin.refused(
        400, "POST", "/v1/k8s/nodetypes", {"name": "a", "clusterUuid": "no"}
    )


_AMOUNT = st.integers(0, 10**6) | st.floats(0, 1e6, allow_nan=False)
_BYTES = {"Mib": 2**20, "MB": 10**6, "GB": 10**9}


@st.composite
def _block(draw: st.DrawFn, *, units: bool = False, gpu: bool = False) -> dict[str, Any]:
    deserved = draw(_AMOUNT if gpu else st.none() | _AMOUNT)
    limits = [None, -1] if deserved is None else [None, -1, deserved, deserved + 1]
    unit = {"units": draw(st.sampled_from(sorted(_BYTES)))} if units else {}
    return {"deserved": deserved, "limit": draw(st.sampled_from(limits)), "overQuotaWeight": draw(_AMOUNT), **unit}


def _as_older(block: dict[str, Any] | None) -> dict[str, Any]:
    """What amounts are on the older surface, said once more."""
    given: dict[str, Any] = block or {"overQuotaWeight": 2}
    factor = _BYTES[given.get("units", "Mib")] / 2**20

    def amount(name: str) -> object:
        value = given.get(name)
        return -1 if value in (None, -1) else pytest.approx(value * factor)

    return {
        "deserved": amount("deserved"),
        "maxAllowed": amount("limit"),
        "overQuotaWeight": given["overQuotaWeight"],
    }


@given(gpu=_block(gpu=True), cpu=st.none() | _block(), memory=st.none() | _block(units=True))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_quotas_of_one_surface_are_those_of_the_other(
    tenant: Tenant, gpu: dict[str, Any], cpu: dict[str, Any] | None, memory: dict[str, Any] | None
) -> None:
    clusters = tenant.admin.done("GET", "/api/v1/clusters")
    cluster = clusters[0]["uuid"] if clusters else tenant.cluster()
    pool = tenant.pool(cluster)
    written = {"nodePool": {"id": pool["id"], "name": pool["name"]}, "gpu": gpu, "cpu": cpu, "memory": memory}
    for newer, older in ((PROJECTS, "projects"), (DEPARTMENTS, "departments")):
        body = {"name": next(_names), "clusterId": cluster, "resources": [written]}
        made = tenant.admin.done("POST", newer, body)
        path = f"{CLUSTERS}/{cluster}/{older}"
        shown = tenant.admin.done("GET", f"{path}/{made['id']}")
        entry = shown["nodePoolsResources"][0]
        assert [entry["gpu"], entry["cpu"], entry["memory"]] == [_as_older(each) for each in (gpu, cpu, memory)]
        tenant.admin.done("PUT", f"{path}/{made['id']}", {"nodePoolsResources": [entry]})
        assert tenant.admin.done("GET", f"{newer}/{made['id']}")["resources"] == [written], "it keeps its unit"
        del entry["id"]
        copied = {"name": next(_names), "nodePoolsResources": [entry]}
        copy = tenant.admin.done("POST", path, copied)
        assert copy["nodePoolsResources"][0] == {**entry, "id": copy["nodePoolsResources"][0]["id"]}
        (again,) = tenant.admin.done("GET", f"{newer}/{copy['id']}")["resources"]
        assert [_as_older(again[kind]) for kind in ("gpu", "cpu", "memory")] == [
            entry["gpu"],
            entry["cpu"],
            entry["memory"],
        ]
