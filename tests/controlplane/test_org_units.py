"""Clusters, node pools, departments and projects: scenarios A5 to A14, A27 (control-plane-api.md, section 7)."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aliquot.contracts.administrator_api.projects import Projects
from tests.controlplane.plane import Plane, Tenant

DEPARTMENTS, PROJECTS, POOLS = "/api/v1/org-unit/departments", "/api/v1/org-unit/projects", "/api/v1/node-pools"
NEW_POOL = {"labelKey": "k", "labelValue": "v", "placementStrategy": {"cpu": "spread", "gpu": "spread"}}
_names = (f"p{number}" for number in itertools.count())


def _in_pool(pool: dict[str, Any], **kinds: Any) -> dict[str, Any]:
    return {"nodePool": {"id": pool["id"], "name": pool["name"]}, **kinds}


def test_a5_clusters_are_a_bare_array_with_or_without_their_status(tenant: Tenant) -> None:
    uuid = tenant.cluster("prod")
    (whole,) = tenant.admin.done("GET", "/api/v1/clusters")
    (metadata,) = tenant.admin.done("GET", "/api/v1/clusters", verbosity="metadata")
    assert (whole["uuid"], whole["name"], whole["tenantId"]) == (uuid, "prod", tenant.id)
    assert metadata == {**whole, "status": None}
    assert "verbosity" in tenant.admin.refused(400, "GET", "/api/v1/clusters", verbosity="loud")


def test_a6_a_new_cluster_waits_and_can_be_installed(tenant: Tenant) -> None:
    made = tenant.admin.done("POST", "/api/v1/clusters", {"name": "c1"})
    assert made["status"]["state"] == "WaitingToConnect"
    path = f"/api/v1/clusters/{made['uuid']}/cluster-install-info"
    info = tenant.admin.done("GET", path, version="2.18")
    assert info["installationStr"].startswith("helm ")
    assert info["clientSecret"]
    assert "version" in tenant.admin.refused(400, "GET", path)


def test_a7_a_new_cluster_has_a_default_pool_and_a_default_department(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    pool = tenant.pool(cluster)
    assert pool["isDefault"] is True
    department = tenant.department(cluster)
    assert [entry["nodePool"]["id"] for entry in department["resources"]] == [pool["id"]]


def test_clusters_are_renamed_and_deleted_with_all_that_is_in_them(tenant: Tenant) -> None:
    cluster, other = tenant.cluster("a"), tenant.cluster("b")
    project = tenant.project(cluster, "team-a")
    tenant.admin.refused(409, "PUT", f"/api/v1/clusters/{cluster}", {"name": "b"})
    tenant.admin.done("PUT", f"/api/v1/clusters/{cluster}", {"name": "c"})
    assert tenant.admin.done("GET", f"/api/v1/clusters/{cluster}")["name"] == "c"
    tenant.admin.done("DELETE", f"/api/v1/clusters/{cluster}")
    tenant.admin.refused(404, "GET", f"/api/v1/clusters/{cluster}")
    tenant.admin.refused(404, "GET", f"{PROJECTS}/{project['id']}")
    assert [each["uuid"] for each in tenant.admin.done("GET", "/api/v1/clusters")] == [other]


def test_a8_a_new_pool_appears_in_every_department_and_project_with_no_gpus(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    project = tenant.project(cluster, "team-a", deserved=2)
    pool = tenant.admin.done("POST", POOLS, {"name": "test3", "clusterId": cluster, **NEW_POOL})
    tenant.admin.refused(409, "POST", POOLS, {"name": "test3", "clusterId": cluster, **NEW_POOL, "labelKey": "other"})
    for path in (f"{PROJECTS}/{project['id']}", f"{DEPARTMENTS}/{project['parentId']}"):
        amounts = {entry["nodePool"]["id"]: entry for entry in tenant.admin.done("GET", path)["resources"]}
        assert amounts[pool["id"]]["gpu"] == {"deserved": 0, "limit": -1, "overQuotaWeight": 2}
        assert amounts[pool["id"]]["cpu"]["deserved"] is None
    changed = tenant.admin.done("PATCH", f"{POOLS}/{pool['id']}", {"overProvisioningRatio": 3})
    assert (changed["overProvisioningRatio"], changed["labelKey"], changed["placementStrategy"]["gpu"]) == (
        3,
        "k",
        "spread",
    )
    tenant.admin.done("DELETE", f"{POOLS}/{pool['id']}")
    assert len(tenant.admin.done("GET", f"{PROJECTS}/{project['id']}")["resources"]) == 1


def test_lists_of_projects_are_as_the_api_has_them_and_as_each_by_itself(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    tenant.admin.done("POST", POOLS, {"name": "a100", "clusterId": cluster, **NEW_POOL})
    rules = {"schedulingRules": {"trainingJobTimeLimitSeconds": 5}, "nodeTypes": {"training": ["1"], "workspace": None}}
    bodies: list[dict[str, Any]] = [
        {"resources": []},
        {"resources": [{"gpu": {"deserved": 0.5}, "cpu": None, "memory": {"deserved": 1, "units": "GB"}}], **rules},
    ]
    for number, body in enumerate(bodies):
        made = tenant.admin.done("POST", PROJECTS, {"name": f"p{number}", "clusterId": cluster, **body})
        tenant.admin.done("PATCH", f"{PROJECTS}/{made['id']}/resources", [{"cpu": {"limit": 7}}])
    listed = tenant.admin.done("GET", PROJECTS, limit=2)
    assert Projects.model_validate(listed).model_dump(mode="json", by_alias=True) == listed
    assert listed["projects"] == [tenant.admin.done("GET", f"{PROJECTS}/{each['id']}") for each in listed["projects"]]
    assert (len(listed["projects"]), listed["next"]) == (2, None)


def test_pools_that_are_needed_stay(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    pool = tenant.admin.done("POST", POOLS, {"name": "a100", "clusterId": cluster, **NEW_POOL})
    body: dict[str, Any] = {"resources": [], "defaultNodePools": ["a100"]}
    tenant.admin.done("PUT", f"{PROJECTS}/{tenant.project(cluster, 'team-a')['id']}", body)
    assert "team-a" in tenant.admin.refused(400, "DELETE", f"{POOLS}/{pool['id']}")
    assert "default" in tenant.admin.refused(400, "DELETE", f"{POOLS}/{tenant.pool(cluster)['id']}")
    same = {"name": "again", "clusterId": cluster, **NEW_POOL}
    assert "a100" in tenant.admin.refused(400, "POST", POOLS, same), "no two pools have the same nodes"


def test_a9_a_department_as_the_python_client_makes_it(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    pool = tenant.pool(cluster)
    nothing = {"deserved": None, "limit": -1, "overQuotaWeight": None}
    written = _in_pool(
        pool,
        gpu={"deserved": 1, "limit": 5, "overQuotaWeight": None},
        cpu=nothing,
        memory={**nothing, "units": "Mib"},
    )
    body = json.dumps({"name": "research", "clusterId": cluster, "resources": [written]})
    answer = tenant.plane.http.post(
        DEPARTMENTS, content=body, headers={"Authorization": f"Bearer {tenant.admin.token}"}
    )
    assert answer.status_code == 201, answer.text
    assert "content-type" not in answer.request.headers
    assert isinstance(answer.json()["id"], str)
    assert answer.json()["resources"] == [written]


def test_a10_a_project_as_the_python_client_makes_it(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    pool = tenant.pool(cluster)
    written = _in_pool(pool, gpu={"deserved": 1, "limit": 2, "overQuotaWeight": 2}, cpu=None, memory=None)
    made = tenant.admin.done(
        "POST",
        PROJECTS,
        {
            "name": "latest-project-3",
            "clusterId": cluster,
            "resources": [written],
            "nodeTypes": None,
            "defaultNodePools": ["default"],
            "schedulingRules": None,
            "requestedNamespace": None,
            "parentId": None,
        },
    )
    assert made["parentId"] == tenant.department(cluster)["id"]
    assert made["resources"] == [written]
    assert made["defaultNodePools"] == ["default"]
    assert made["status"]["phase"] == "Creating"


def test_a11_a_project_under_a_department_with_a_field_that_came_later(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    department = tenant.new_department(cluster, "research")
    body: dict[str, Any] = {
        "name": "p",
        "clusterId": cluster,
        "parentId": department["id"],
        "description": "",
        "resources": [],
    }
    made = tenant.admin.done("POST", PROJECTS, body)
    assert made["parent"] == {"id": department["id"], "name": "research", "parent": None}
    (child,) = tenant.admin.done("GET", f"{DEPARTMENTS}/{department['id']}")["children"]
    assert child == {"id": made["id"], "name": "p", "children": []}


def test_a12_lists_are_filtered_sorted_and_paged(tenant: Tenant) -> None:
    cluster, other = tenant.cluster(), tenant.cluster()
    for name in ("team-a", "team-b", "other"):
        tenant.project(cluster, name)
    tenant.project(other, "team-a")

    def named(**parameters: Any) -> list[str]:
        return [project["name"] for project in tenant.admin.done("GET", PROJECTS, **parameters)["projects"]]

    assert named(filterBy=f"clusterId=={cluster},name==team-a") == ["team-a"]
    assert named(filterBy=[f"clusterId=={cluster}", "name==team-a"]) == ["team-a"]
    assert named(filterBy="name=^team", sortBy="name", sortOrder="desc") == ["team-b", "team-a", "team-a"]
    assert named(sortBy="createdAt", sortOrder="desc", limit=1, offset=1) == ["other"]
    page = tenant.admin.done("GET", PROJECTS, limit=3)
    assert page["next"] == 3
    assert tenant.admin.done("GET", PROJECTS, limit=3, offset=3)["next"] is None


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"filterBy": "foo==1"}, "name, clusterId, departmentId"),
        ({"filterBy": "name"}, "COMPARISON"),
        ({"filterBy": "departmentId=@1"}, "departmentId is compared by"),
        ({"limit": 0}, "limit"),
        ({"limit": 501}, "limit"),
        ({"offset": -1}, "offset"),
        ({"sortBy": "colour"}, "sortBy"),
        ({"sortOrder": "up"}, "sortOrder"),
        ({"filtrBy": "name==a"}, "filtrBy"),
    ],
    ids=str,
)
def test_a12_what_is_no_list_is_refused(tenant: Tenant, parameters: dict[str, Any], says: str) -> None:
    assert says in tenant.admin.refused(400, "GET", PROJECTS, **parameters)


def test_a13_quotas_are_replaced_pool_by_pool_and_changed_member_by_member(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    pools = [tenant.pool(cluster), tenant.admin.done("POST", POOLS, {"name": "b", "clusterId": cluster, **NEW_POOL})]
    path = f"{PROJECTS}/{tenant.project(cluster, 'team-a', deserved=1)['id']}"
    cpu = {"deserved": 4000, "limit": -1, "overQuotaWeight": 1}
    first = _in_pool(pools[0], gpu={"deserved": 2, "limit": 4, "overQuotaWeight": 1}, cpu=cpu)
    put = tenant.admin.done("PUT", f"{path}/resources", [first])
    assert put[0]["gpu"] == first["gpu"]
    assert put[0]["cpu"] == cpu
    assert put[1]["gpu"]["deserved"] == 0
    patched = tenant.admin.done("PATCH", f"{path}/resources", [_in_pool(pools[0], gpu={"deserved": 3})])
    assert patched == [{**put[0], "gpu": {**put[0]["gpu"], "deserved": 3}}, put[1]]
    again = tenant.admin.done("PUT", path, {"resources": [_in_pool(pools[1], gpu={"deserved": 1})]})
    assert again["resources"][0] == patched[0], "a pool that is left out stays"
    assert again["resources"][1]["gpu"] == {"deserved": 1, "limit": None, "overQuotaWeight": None}
    assert tenant.admin.done("GET", path) == again


def test_a14_projects_and_departments_are_deleted(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    department = tenant.new_department(cluster, "research")
    gone, below = tenant.project(cluster, "p1", department["id"]), tenant.project(cluster, "p2", department["id"])
    assert tenant.admin.call("DELETE", f"{PROJECTS}/{gone['id']}").content == b""
    tenant.admin.refused(404, "DELETE", f"{PROJECTS}/{gone['id']}")
    tenant.admin.done("DELETE", f"{DEPARTMENTS}/{department['id']}")
    tenant.admin.refused(404, "GET", f"{PROJECTS}/{below['id']}")
    default = tenant.department(cluster)["id"]
    assert "default" in tenant.admin.refused(400, "DELETE", f"{DEPARTMENTS}/{default}")


def test_a27_over_subscription_is_allowed_unless_the_tenant_refuses_it(plane: Plane, tenant: Tenant) -> None:
    cluster = tenant.cluster()
    department = tenant.new_department(cluster, "research", deserved=10)
    for name in ("p1", "p2"):
        tenant.project(cluster, name, department["id"], deserved=6)
    (total,) = tenant.admin.done("GET", f"{DEPARTMENTS}/{department['id']}")["projectsAggregatedResources"]
    assert total["gpu"] == {"deserved": 12}

    strict = plane.tenant(refuses_over_subscription=True)
    cluster = strict.cluster()
    department = strict.new_department(cluster, "research", deserved=10)
    first = strict.project(cluster, "p1", department["id"], deserved=6)
    body = {"name": "p2", "clusterId": cluster, "parentId": department["id"], "resources": [{"gpu": {"deserved": 6}}]}
    assert "12 GPUs" in strict.admin.refused(400, "POST", PROJECTS, body)
    (left,) = strict.admin.done("GET", PROJECTS)["projects"]
    assert left["id"] == first["id"]
    less = [{"gpu": {"deserved": 5}}]
    assert "6 GPUs" in strict.admin.refused(400, "PUT", f"{DEPARTMENTS}/{department['id']}/resources", less)
    kept = strict.admin.done("GET", f"{DEPARTMENTS}/{department['id']}")
    assert kept["resources"][0]["gpu"]["deserved"] == 10


def test_of_two_administrators_who_edit_at_once_the_second_is_told(tenant: Tenant) -> None:
    path = f"{PROJECTS}/{tenant.project(tenant.cluster(), 'team-a')['id']}"
    seen = {"If-Match": tenant.admin.call("GET", path).headers["etag"]}
    tenant.admin.done("PUT", f"{path}/resources", [{"gpu": {"deserved": 1}}], headers=seen)
    tenant.admin.refused(412, "PUT", f"{path}/resources", [{"gpu": {"deserved": 2}}], headers=seen)
    tenant.admin.refused(412, "DELETE", path, headers=seen)
    assert tenant.admin.done("GET", path)["resources"][0]["gpu"]["deserved"] == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "Team"}, "name"),
        ({"name": "1team"}, "name"),
        ({"name": "a" * 58}, "at most 57 characters"),
        ({"name": None}, "name"),
        ({"clusterId": "no-such"}, "clusterId: 'no-such'"),
        ({"parentId": "999999999"}, "parentId: '999999999'"),
        ({"parentId": "1; DROP TABLE projects"}, "parentId"),
        ({"resources": None}, "resources"),
        ({"resources": [{"gpu": {"deserved": -1}}]}, "resources.0.gpu.deserved: -1"),
        ({"resources": [{"gpu": {"deserved": True}}]}, "resources.0.gpu.deserved"),
        ({"resources": [{"gpu": {"deserved": "2"}}]}, "resources.0.gpu.deserved"),
        ({"resources": [{"gpu": {"deserved": 1e300}}]}, "resources.0.gpu.deserved"),
        ({"resources": [{"gpu": {"deserved": 1, "limit": -2}}]}, "resources.0.gpu.limit"),
        ({"resources": [{"gpu": {"deserved": 1, "limit": -0.5}}]}, "-1 for unlimited"),
        ({"resources": [{"gpu": {"deserved": 3, "limit": 2}}]}, "resources.0.gpu.limit: 2"),
        ({"resources": [{"gpu": {"deserved": 3, "limt": 4}}]}, "resources.0.gpu.limt: there is no such field"),
        ({"resources": [{"gpu": {"deserved": 1}}, {"gpu": {"deserved": 1}}]}, "each pool may be there once"),
        ({"resources": [{"nodePool": {"id": "0"}, "gpu": {"deserved": 1}}]}, "resources.0.nodePool.id: '0'"),
        ({"resources": [{"gpu": {"deserved": 1}, "memory": {"units": "MiB"}}]}, "resources.0.memory.units"),
        ({"defaultNodePools": ["no-such"]}, "defaultNodePools.0: 'no-such'"),
        ({"requestedNamespace": "kube-system"}, "belongs to the system"),
        ({"schedulingRules": {"trainingJobTimeLimitSeconds": 0}}, "schedulingRules.trainingJobTimeLimitSeconds"),
    ],
    ids=str,
)
def test_a_project_that_cannot_be_is_refused_by_field_and_value(
    tenant: Tenant, change: dict[str, Any], says: str
) -> None:
    body: dict[str, Any] = {"name": "team-a", "clusterId": tenant.cluster(), "resources": [], **change}
    assert says in tenant.admin.refused(400, "POST", PROJECTS, body)
    assert tenant.admin.done("GET", PROJECTS)["projects"] == []


def test_two_projects_never_ask_for_the_same_namespace(tenant: Tenant) -> None:
    cluster = tenant.cluster()
    body: dict[str, Any] = {"clusterId": cluster, "resources": [], "requestedNamespace": "vision"}
    tenant.admin.done("POST", PROJECTS, {**body, "name": "a"})
    assert "another project has it" in tenant.admin.refused(400, "POST", PROJECTS, {**body, "name": "b"})
    tenant.admin.done("POST", PROJECTS, {**body, "name": "b", "requestedNamespace": None})
    tenant.admin.done("POST", PROJECTS, {**body, "name": "b", "clusterId": tenant.cluster()})


def test_a_pool_of_another_cluster_has_no_quota_here(tenant: Tenant) -> None:
    pool = tenant.pool(tenant.cluster())
    body: dict[str, Any] = {
        "name": "p",
        "clusterId": tenant.cluster(),
        "resources": [_in_pool(pool, gpu={"deserved": 1})],
    }
    assert f"'{pool['id']}' is not allowed" in tenant.admin.refused(400, "POST", PROJECTS, body)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"name": "a", "clusterId": "x", "resources": [{"gpu": {"deserved": NaN}}]}', "resources.0.gpu.deserved"),
        ('{"name": "a", "clusterId": "x", "resources": [{"gpu": {"deserved": 1e999}}]}', "resources.0.gpu.deserved"),
        ('{"name": ', "not JSON"),
        ("[1, 2", "not JSON"),
        ('"text"', "the body"),
        ('{"name": "\\ud800", "clusterId": "x", "resources": []}', "name"),
        ('{"name": "a", "clusterId": "\\u0000", "resources": []}', "clusterId"),
        ("\xff\xfe", "the body"),
    ],
    ids=["nan", "infinite", "cut off", "cut off list", "text", "half a surrogate pair", "zero character", "not UTF-8"],
)
def test_what_is_no_json_or_no_number_is_refused(tenant: Tenant, text: str, says: str) -> None:
    headers = {"Authorization": f"Bearer {tenant.admin.token}", "Content-Type": "application/json"}
    answer = tenant.plane.http.post(PROJECTS, content=text.encode("latin-1"), headers=headers)
    assert answer.status_code == 400, answer.text
    assert says in answer.text


def test_a_body_that_does_not_call_itself_json_is_refused_and_not_repeated(tenant: Tenant) -> None:
    """As `curl --data` sends it, when nothing else is said."""
    headers = {"Authorization": f"Bearer {tenant.admin.token}", "Content-Type": "application/x-www-form-urlencoded"}
    answer = tenant.plane.http.post("/api/v1/clusters", content='{"name": "a-secret"}', headers=headers)
    assert answer.status_code == 400
    assert "Content-Type: 'application/x-www-form-urlencoded' is not allowed: application/json" in answer.text
    assert "a-secret" not in answer.text


def test_a_body_that_is_too_large_is_refused(tenant: Tenant) -> None:
    tenant.admin.refused(413, "POST", "/api/v1/clusters", {"name": "a" * 2_000_000})


def test_fields_that_nobody_knows_are_refused_by_name(tenant: Tenant) -> None:
    said = tenant.admin.refused(400, "POST", "/api/v1/clusters", {"name": "a", "colour": "red", "tenantId": 1})
    assert "colour: there is no such field; tenantId: there is no such field" in said


_AMOUNT = st.integers(0, 10**6) | st.floats(0, 1e6, allow_nan=False)
_WEIGHT = st.none() | _AMOUNT


@st.composite
def _block(draw: st.DrawFn, *, required: bool) -> dict[str, Any]:
    deserved = draw(_AMOUNT if required else st.none() | _AMOUNT)
    limit = draw(st.sampled_from([None, -1]) | _AMOUNT.map(lambda more: (deserved or 0) + more))
    return {"deserved": deserved, "limit": limit, "overQuotaWeight": draw(_WEIGHT)}


_MEMORY = st.tuples(_block(required=False), st.sampled_from(["Mib", "MB", "GB"])).map(lambda m: {**m[0], "units": m[1]})


@given(gpu=_block(required=True), cpu=st.none() | _block(required=False), memory=st.none() | _MEMORY)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_quotas_are_read_back_as_they_were_written(
    tenant: Tenant, gpu: dict[str, Any], cpu: dict[str, Any] | None, memory: dict[str, Any] | None
) -> None:
    clusters = tenant.admin.done("GET", "/api/v1/clusters")
    cluster = clusters[0]["uuid"] if clusters else tenant.cluster()
    written = _in_pool(tenant.pool(cluster), gpu=gpu, cpu=cpu, memory=memory)
    body = {"name": next(_names), "clusterId": cluster, "resources": [written]}
    for path in (PROJECTS, DEPARTMENTS):
        made = tenant.admin.done("POST", path, body)
        assert tenant.admin.done("GET", f"{path}/{made['id']}")["resources"] == [written]
        assert tenant.admin.done("PUT", f"{path}/{made['id']}/resources", [written]) == [written]
        assert tenant.admin.done("PATCH", f"{path}/{made['id']}/resources", [written]) == [written]
