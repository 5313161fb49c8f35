"""Every route by every role in every scope, own and foreign tenant: who gets in, and who does not.

What is expected is said here once more, in plain words: the rows below are the routes with what they take, and
`_may` is the rule of control-plane-api.md 2.2. What a request changes is put back before the next one.
"""

import base64
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from aliquot.contracts.administrator_api.permissions import ROLES
from aliquot.controlplane.app import ROOMS
from tests.controlplane.cluster import cluster_of, pod, workload
from tests.controlplane.plane import Caller, Plane, Tenant, running
from tests.controlplane.samples import AnyStore

AMOUNTS = [{"gpu": {"deserved": 1}}]
LOGO = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
NUMBERED = {"node-pools": "nodepoolId", "nodetypes": "nodeTypeId", "projects": "projectId"}
LABEL = {"labelKey": "k", "labelValue": "other"}
SUBMISSIONS = "/api/v1/workloads"
KINDS = {"workspace": "workspaces", "training": "trainings", "distributed": "distributed", "inference": "inferences"}
SCOPES = ("tenant", "cluster", "department", "project", "other cluster", "other department", "other project")

# method, path, type of resource, action, where it is, body. Where: the tenant (-), or what a scope must cover.
ROUTES = """
GET    /api/v1/clusters                                    cluster        read    list
POST   /api/v1/clusters                                    cluster        create  tenant      cluster
GET    /api/v1/clusters/{clusterUuid}                      cluster        read    cluster
PUT    /api/v1/clusters/{clusterUuid}                      cluster        update  cluster     cluster
DELETE /api/v1/clusters/{clusterUuid}                      cluster        delete  cluster
GET    /api/v1/clusters/{clusterUuid}/cluster-install-info cluster        update  cluster
GET    /api/v1/clusters/{clusterUuid}/nodes                nodes          read    cluster
GET    /api/v1/node-pools                                  nodepools      read    list
POST   /api/v1/node-pools                                  nodepools      create  cluster     pool
GET    /api/v1/node-pools/{nodepoolId}                     nodepools      read    cluster
PUT    /api/v1/node-pools/{nodepoolId}                     nodepools      update  cluster     label
PATCH  /api/v1/node-pools/{nodepoolId}                     nodepools      update  cluster     label
DELETE /api/v1/node-pools/{nodepoolId}                     nodepools      delete  cluster
GET    /api/v1/org-unit/departments                        department     read    list
POST   /api/v1/org-unit/departments                        department     create  cluster     org
GET    /api/v1/org-unit/departments/{departmentId}         department     read    department
PUT    /api/v1/org-unit/departments/{departmentId}         department     update  department  amounts
PUT    /api/v1/org-unit/departments/{departmentId}/resources   department update  department  list
PATCH  /api/v1/org-unit/departments/{departmentId}/resources   department update  department  list
DELETE /api/v1/org-unit/departments/{departmentId}         department     delete  department
GET    /api/v1/org-unit/projects                           project        read    list
POST   /api/v1/org-unit/projects                           project        create  department  org
GET    /api/v1/org-unit/projects/{projectId}               project        read    project
PUT    /api/v1/org-unit/projects/{projectId}               project        update  project     amounts
PUT    /api/v1/org-unit/projects/{projectId}/resources     project        update  project     list
PATCH  /api/v1/org-unit/projects/{projectId}/resources     project        update  project     list
DELETE /api/v1/org-unit/projects/{projectId}               project        delete  project
GET    /api/v1/nodes/telemetry                             nodes          read    list
GET    /api/v1/workloads/telemetry                         workloads      read    list
GET    /api/v1/clusters/{clusterUuid}/metrics              cluster        read    cluster
GET    /api/v1/clusters/{clusterUuid}/nodepools/{nodepoolName}/metrics nodepools read cluster
GET    /api/v1/workloads/{workloadId}/metrics              workloads      read    project
GET    /api/v1/workloads/{workloadId}/pods/{podId}/metrics workloads      read    project
GET    /api/v1/workloads/inferences/{workloadId}/metrics   inferences     read    project
GET    /api/v1/workloads/inferences/{workloadId}/pods/{podId}/metrics inferences read project
GET    /api/v1/workloads                                   workloads      read    list
GET    /api/v1/workloads/count                             workloads      read    list
GET    /api/v1/workloads/pods                              workloads      read    list
GET    /api/v1/workloads/pods/count                        workloads      read    list
GET    /api/v1/workloads/{workloadId}                      workloads      read    project
GET    /api/v1/workloads/{workloadId}/pods                 workloads      read    project
GET    /api/v1/workloads/{workloadId}/events               workloads      read    project
GET    /api/v1/workloads/{workloadId}/history              workloads      read    project
POST   /api/v1/workloads/workspaces                        workspaces     create  project     workspace
GET    /api/v1/workloads/workspaces/{workloadId}           workspaces     read    project
DELETE /api/v1/workloads/workspaces/{workloadId}           workspaces     delete  project
POST   /api/v1/workloads/workspaces/{workloadId}/suspend   workspaces     update  project
POST   /api/v1/workloads/workspaces/{workloadId}/resume    workspaces     update  project
POST   /api/v1/workloads/trainings                         trainings      create  project     workspace
GET    /api/v1/workloads/trainings/{workloadId}            trainings      read    project
DELETE /api/v1/workloads/trainings/{workloadId}            trainings      delete  project
POST   /api/v1/workloads/trainings/{workloadId}/suspend    trainings      update  project
POST   /api/v1/workloads/trainings/{workloadId}/resume     trainings      update  project
POST   /api/v1/workloads/distributed                       trainings      create  project     distributed
GET    /api/v1/workloads/distributed/{workloadId}          trainings      read    project
DELETE /api/v1/workloads/distributed/{workloadId}          trainings      delete  project
POST   /api/v1/workloads/inferences                        inferences     create  project     inference
GET    /api/v1/workloads/inferences/{workloadId}           inferences     read    project
DELETE /api/v1/workloads/inferences/{workloadId}           inferences     delete  project
GET    /api/v2/policy                                       policies       read    list
GET    /api/v2/policy/workspaces                              policies       read    project
PUT    /api/v2/policy/workspaces                              policies       update  project     policy
PATCH  /api/v2/policy/workspaces                              policies       update  project     policy
DELETE /api/v2/policy/workspaces                              policies       delete  project
GET    /api/v2/policy/trainings                               policies       read    project
PUT    /api/v2/policy/trainings                               policies       update  project     policy
PATCH  /api/v2/policy/trainings                               policies       update  project     policy
DELETE /api/v2/policy/trainings                               policies       delete  project
GET    /api/v2/policy/distributed                             policies       read    project
PUT    /api/v2/policy/distributed                             policies       update  project     policy
PATCH  /api/v2/policy/distributed                             policies       update  project     policy
DELETE /api/v2/policy/distributed                             policies       delete  project
GET    /api/v2/policy/inferences                              policies       read    project
PUT    /api/v2/policy/inferences                              policies       update  project     policy
PATCH  /api/v2/policy/inferences                              policies       update  project     policy
DELETE /api/v2/policy/inferences                              policies       delete  project
GET    /api/v1/apps                                        apps           read    list
POST   /api/v1/apps                                        apps           create  tenant      app
GET    /api/v1/apps/installer                              apps           update  tenant
GET    /api/v1/apps/{appId}                                apps           read    tenant
PATCH  /api/v1/apps/{appId}                                apps           update  tenant      enabled
POST   /api/v1/apps/{appId}/secret                         apps           update  tenant
DELETE /api/v1/apps/{appId}                                apps           delete  tenant
GET    /api/v1/users                                       users          read    list
POST   /api/v1/users                                       users          create  tenant      user
GET    /api/v1/users/{userId}                              users          read    tenant
POST   /api/v1/users/{userId}/password                     users          update  tenant
POST   /api/v1/users/{userId}/logout                       users          update  tenant
DELETE /api/v1/users/{userId}                              users          delete  tenant
GET    /api/v1/authorization/roles                         roles          read    list
GET    /api/v1/authorization/roles/{roleIdPath}            roles          read    list
GET    /api/v1/authorization/access-rules                  access_rules   read    list
GET    /api/v1/authorization/access-rules/count            access_rules   read    list
POST   /api/v1/authorization/access-rules                  access_rules   create  project     rule
GET    /api/v1/authorization/access-rules/{accessRuleId}   access_rules   read    project
DELETE /api/v1/authorization/access-rules/{accessRuleId}   access_rules   delete  project
GET    /api/v1/audit/log                                   events-history read    list
GET    /api/v1/logo                                        tenant         read    list
POST   /api/v1/logo                                        settings       update  tenant      logo
GET    /v1/k8s/clusters                                    cluster        read    list
POST   /v1/k8s/clusters                                    cluster        create  tenant      cluster
GET    /v1/k8s/clusters/{uuid}                             cluster        read    cluster
DELETE /v1/k8s/clusters/{uuid}                             cluster        delete  cluster
GET    /v1/k8s/clusters/{clusterId}/node-pools             nodepools      read    cluster
POST   /v1/k8s/clusters/{clusterId}/node-pools             nodepools      create  cluster     pool
PUT    /v1/k8s/clusters/{clusterId}/node-pools/{id}        nodepools      update  cluster     label
PUT    /v1/k8s/clusters/{clusterId}/node-pools/{id}/labels nodepools      update  cluster     label
DELETE /v1/k8s/clusters/{clusterId}/node-pools/{id}        nodepools      delete  cluster
GET    /v1/k8s/clusters/{uuid}/nodeTypes                   nodepools      read    cluster
POST   /v1/k8s/nodetypes                                   nodepools      create  cluster     type
GET    /v1/k8s/nodetypes/{id}                              nodepools      read    cluster
PUT    /v1/k8s/nodetypes/{id}                              nodepools      update  cluster     type
DELETE /v1/k8s/nodetypes/{id}                              nodepools      delete  cluster
GET    /v1/k8s/clusters/{clusterId}/departments            department     read    cluster
POST   /v1/k8s/clusters/{clusterId}/departments            department     create  cluster     name
GET    /v1/k8s/clusters/{clusterId}/departments/{departmentId} department read    department
PUT    /v1/k8s/clusters/{clusterId}/departments/{departmentId} department update  department  gpus
DELETE /v1/k8s/clusters/{clusterId}/departments/{departmentId} department delete  department
PUT    /v1/k8s/clusters/{clusterId}/departments/{departmentId}/access-control access_rules update department nobody
GET    /v1/k8s/clusters/{clusterId}/projects               project        read    cluster
POST   /v1/k8s/clusters/{clusterId}/projects               project        create  department  name
GET    /v1/k8s/clusters/{clusterId}/projects/{id}          project        read    project
PUT    /v1/k8s/clusters/{clusterId}/projects/{id}          project        update  project     gpus
DELETE /v1/k8s/clusters/{clusterId}/projects/{id}          project        delete  project
GET    /v1/k8s/clusters/{uuid}/jobs                        jobs           read    cluster
GET    /v1/k8s/clusters/{uuid}/jobs/count                  jobs           read    cluster
GET    /v1/k8s/clusters/{uuid}/jobs/{jobId}/pods           jobs           read    project
GET    /v1/k8s/clusters/{uuid}/pods                        jobs           read    cluster
GET    /v1/k8s/clusters/{uuid}/deployments                 inferences     read    cluster
GET    /v1/k8s/clusters/{uuid}/deployments/{deploymentId}  inferences     read    project
GET    /v1/k8s/clusters/{uuid}/storage-classes             cluster        read    cluster
GET    /v1/k8s/clusters/{uuid}/installfile                 cluster        update  cluster
GET    /v1/k8s/clusters/{clusterUuid}/metrics              cluster        read    cluster
GET    /v1/k8s/clusters/{clusterUuid}/departments/metrics  department     read    cluster
GET    /v1/k8s/clusters/{clusterUuid}/departments/{departmentId}/metrics department read department
GET    /v1/k8s/clusters/{clusterUuid}/projects/metrics     project        read    cluster
GET    /v1/k8s/clusters/{clusterUuid}/projects/{projectId}/metrics project read project
GET    /v1/k8s/users                                       users          read    list
POST   /v1/k8s/users                                       users          create  tenant      older_user
GET    /v1/k8s/users/roles                                 roles          read    list
GET    /v1/k8s/users/{userId}                              users          read    tenant
PUT    /v1/k8s/users/{userId}                              users          update  tenant      nothing
DELETE /v1/k8s/users/{userId}                              users          delete  tenant
GET    /v1/k8s/users/{userId}/roles                        users          read    tenant
GET    /v1/k8s/groups                                      groups         read    list
POST   /v1/k8s/groups                                      groups         create  tenant      group
GET    /v1/k8s/groups/{groupName}                          groups         read    list
PUT    /v1/k8s/groups/{groupName}                          groups         update  tenant      nothing
DELETE /v1/k8s/groups/{groupName}                          groups         delete  tenant
GET    /v1/k8s/apps                                        apps           read    list
POST   /v1/k8s/apps                                        apps           create  tenant      app
GET    /v1/k8s/apps/{clientId}                             apps           read    tenant
PUT    /v1/k8s/apps/{clientId}                             apps           update  tenant      nothing
DELETE /v1/k8s/apps/{clientId}                             apps           delete  tenant
POST   /v1/k8s/apps/{clientId}/secret                      apps           update  tenant
GET    /v1/k8s/setting                                     settings       read    list
PUT    /v1/k8s/setting                                     settings       update  tenant      setting
GET    /v1/k8s/setting/{settingKey}                        settings       read    list
GET    /v1/k8s/tenant/{tenantId}/logo                      tenant         read    tenant
POST   /v1/k8s/tenant/{tenantId}/logo                      settings       update  tenant      logo
GET    /v1/k8s/audit                                       events-history read    list
"""
ABOUT_THE_CALLER = {
    "GET /api/v1/authorization/permissions",
    "POST /api/v1/authorization/permitted-scopes",
    "POST /api/v1/me/password",
    "GET /v1/k8s/auth/me",
}
FOR_CLUSTERS = {
    "GET /cluster-sync/v1/{clusterUuid}/desired",
    "POST /cluster-sync/v1/{clusterUuid}/reports",
}
FOR_EVERYBODY = {
    "POST /api/v1/token",
    "POST /auth/realms/{realm}/protocol/openid-connect/token",
    "GET /auth/realms/{realm}/protocol/openid-connect/auth",
    "GET /auth/realms/{realm}/protocol/openid-connect/certs",
    "GET /auth/realms/{realm}/.well-known/openid-configuration",
    "POST /v1/k8s/auth/oauth/apptoken",
    "POST /v1/k8s/auth/oauth/tokens/refresh",
    "GET /v1/k8s/auth/token/exchange",
    "GET /v1/k8s/config",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
}


@dataclass(frozen=True)
class Row:
    """A route, and what it takes."""

    method: str
    path: str
    resource: Any
    action: Any
    where: str
    body: str

    @property
    def is_older(self) -> bool:
        return self.path.startswith("/v1/k8s")

    @property
    def shown(self) -> str:
        return f"{self.method} {self.path}"


def _rows() -> list[Row]:
    return [Row(*parts, *[""] * (6 - len(parts))) for line in ROUTES.strip().splitlines() if (parts := line.split())]


@dataclass
class World:
    """A tenant with a project in a department in a cluster, twice, and one of another tenant."""

    plane: Plane
    tenant: Tenant
    ids: dict[str, str]
    foreign: dict[str, str]
    file: Path
    saved: sqlite3.Connection

    def put_back(self) -> None:
        with closing(sqlite3.connect(self.file, timeout=60)) as live:
            self.saved.backup(live)


def ids_of(tenant: Tenant) -> dict[str, str]:
    cluster, others = tenant.cluster(), tenant.cluster()
    department, project = tenant.new_department(cluster, "own"), None
    project = tenant.project(cluster, "team-a", department["id"])
    beside, below = tenant.new_department(cluster, "beside"), tenant.project(cluster, "team-b", department["id"])
    app, _ = tenant.application()
    user = tenant.admin.done("POST", "/api/v1/users", {"email": "somebody@example.com"})
    pool = {"name": "a100", "clusterId": cluster, "labelKey": "k", "labelValue": "v"}
    uid = f"workload-of-{tenant.id}"
    of_cluster = cluster_of(tenant, cluster)
    of_cluster.report(workload(uid), pod(f"pod-of-{tenant.id}", uid))
    node_type = tenant.admin.done("POST", "/v1/k8s/nodetypes", {"name": "dgx", "clusterUuid": cluster})
    group = {"name": f"group-{tenant.id}", "roles": ["viewer"], "permittedClusters": [others]}
    tenant.admin.done("POST", "/v1/k8s/groups", group)
    tenant.admin.done("POST", "/api/v1/logo", {"logo": LOGO})
    submitted = {
        path: tenant.admin.done("POST", f"{SUBMISSIONS}/{path}", _submission(kind, cluster, project["id"]))[
            "workloadId"
        ]
        for kind, path in KINDS.items()
    }
    serving = f"serving-of-{tenant.id}"
    said = workload(serving, type="InferenceWorkload", submission=submitted["inferences"])
    of_cluster.report(said, pod(f"serving-pod-of-{tenant.id}", serving))
    for path in KINDS.values():
        tenant.admin.done("PUT", f"/api/v2/policy/{path}", _policy(project["id"]))
    rule = {"subjectId": "x", "subjectType": "group", "roleId": 5, "scopeType": "project", "scopeId": project["id"]}
    return {
        "tenant": str(tenant.id),
        "cluster": cluster,
        "department": department["id"],
        "project": project["id"],
        "other cluster": others,
        "other department": beside["id"],
        "other project": below["id"],
        "clusterUuid": cluster,
        "departmentId": department["id"],
        "projectId": project["id"],
        "nodepoolId": tenant.admin.done("POST", "/api/v1/node-pools", pool)["id"],
        "appId": app["id"],
        "clientId": app["id"],
        "userId": user["id"],
        "roleIdPath": "5",
        "workloadId": uid,
        "podId": f"pod-of-{tenant.id}",
        "serving pod": f"serving-pod-of-{tenant.id}",
        "nodepoolName": "a100",
        "uuid": cluster,
        "clusterId": cluster,
        "tenantId": str(tenant.id),
        "nodeTypeId": str(node_type["id"]),
        "groupName": f"group-{tenant.id}",
        "settingKey": "department.use",
        "jobId": uid,
        "deploymentId": submitted["inferences"],
        **submitted,
        "accessRuleId": str(tenant.admin.done("POST", "/api/v1/authorization/access-rules", rule)["id"]),
    }


def _policy(project: str) -> dict[str, Any]:
    return {"meta": {"name": "limits", "scope": "project", "projectId": project}, "policy": {}}


def _submission(kind: str, cluster: str, project: str, name: str = "") -> dict[str, Any]:
    further = {
        "distributed": {"numWorkers": 1, "distributedFramework": "PyTorch"},
        "inference": {"servingPort": {"container": 80}},
    }
    spec = {"image": "ubuntu", **further.get(kind, {})}
    return {"name": name or kind, "clusterId": cluster, "projectId": project, "spec": spec}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    file = tmp_path_factory.mktemp("routes") / "aliquot.db"
    with running(f"sqlite:///{file}", AnyStore()) as plane:
        tenant, foreign = plane.tenant(), plane.tenant()
        made = World(plane, tenant, ids_of(tenant), ids_of(foreign), file, sqlite3.connect(":memory:"))
        yield made
        made.saved.close()


@contextmanager
def _saved(world: World) -> Generator[None]:
    with closing(sqlite3.connect(world.file, timeout=60)) as live:
        live.backup(world.saved)
    yield


def _body(row: Row, ids: dict[str, str]) -> object:
    bodies: dict[str, object] = {
        "": None,
        "cluster": {"name": "another"},
        **{kind: _submission(kind, ids["cluster"], ids["project"], "another") for kind in KINDS},
        "policy": _policy(ids["project"]),
        "pool": {"name": "new", "clusterId": ids["cluster"], **LABEL},
        "label": LABEL,
        "org": {"name": "new", "clusterId": ids["cluster"], "parentId": ids["department"], "resources": AMOUNTS},
        "amounts": {"resources": AMOUNTS},
        "list": AMOUNTS,
        "app": {"name": "another"},
        "enabled": {"enabled": False},
        "user": {"email": "another@example.com"},
        "older_user": {"email": "another@example.com", "password": "a-long-enough-password", "roles": []},
        "group": {"name": "another", "roles": ["viewer"], "permitAllClusters": True},
        "name": {"name": "new", "departmentId": ids["department"]},
        "type": {"name": "new", "clusterUuid": ids["cluster"]},
        "gpus": {"deservedGpus": 1},
        "nobody": {"departmentAdmins": []},
        "nothing": {},
        "setting": {"key": "department.use", "value": True},
        "logo": {"logo": LOGO},
        "rule": {
            "subjectId": "x",
            "subjectType": "group",
            "roleId": 13,
            "scopeType": "project",
            "scopeId": ids["project"],
        },
    }
    return bodies[row.body]


def with_its_id(path: str, ids: dict[str, str]) -> dict[str, str]:
    """What a path may name: some call an id just `id`, and submissions are workloads, each of its kind."""
    numbered = next((ids[name] for part, name in NUMBERED.items() if part in path), "")
    own = next((ids[kind] for kind in KINDS.values() if f"/{kind}/" in path), ids["workloadId"])
    pod_id = ids["serving pod" if "/inferences/" in path else "podId"]
    return {**ids, "id": numbered, "workloadId": own, "podId": pod_id}


def _ask(caller: Caller, row: Row, ids: dict[str, str]) -> int:
    path = row.path.format(**with_its_id(row.path, ids))
    parameters = {"version": "2.18"} if path.endswith("install-info") else {}
    if path.startswith("/api/v1") and path.endswith("/metrics"):
        metric = "THROUGHPUT" if "/inferences/" in path else "GPU_UTILIZATION"
        parameters = {"start": "2026-01-31T12:00:00Z", "end": "2026-01-31T13:00:00Z", "metricType": metric}
    if path.endswith("/telemetry"):
        parameters = {"telemetryType": "TOTAL_GPUS" if "/nodes/" in path else "WORKLOADS_COUNT"}
    if "/policy/" in path and row.method in ("GET", "DELETE"):
        parameters = {"scope": "project", "projectId": ids["project"]}
    return caller.call(row.method, path, _body(row, ids), **parameters).status_code


def _may(row: Row, role: int, scope: str) -> bool:
    """The rule: a role counts in its scope and below; what is above may be read, where the role reads such things."""
    if not ROLES[role].allows(row.resource, row.action):
        return False
    if row.where == "list" or scope == "tenant":
        return True
    order = ["tenant", "cluster", "department", "project"]
    place, own = order.index(row.where), order.index(scope.removeprefix("other "))
    if scope.startswith("other "):
        reads_above = row.action == "read" and place < own and (scope != "other cluster" or place == 0)
        shares = {"other department": 2, "other project": 3}.get(scope, 1)
        return reads_above and place < shares
    is_below = own <= place
    is_above = row.action == "read" and place < own and row.resource != "access_rules"
    return is_below or is_above


def _different_roles() -> list[int]:
    """One of each set of roles that may do the same to what the routes are about."""
    asked = sorted({(row.resource, row.action) for row in _rows()})
    by_rights = {tuple(role.allows(*each) for each in asked): role.id for role in ROLES.values()}
    return sorted(by_rights.values())


def test_the_rows_are_all_routes() -> None:
    routes = [route for room in ROOMS for route in room.router.routes if isinstance(route, APIRoute)]
    served = {f"{method} {route.path}" for route in routes for method in route.methods or ()}
    rows = _rows()
    assert served == {row.shown for row in rows} | ABOUT_THE_CALLER | FOR_CLUSTERS | FOR_EVERYBODY
    assert len(rows) == len({row.shown for row in rows})


@pytest.mark.parametrize("scope", SCOPES)
def test_each_role_gets_in_where_its_scope_reaches_and_nowhere_else(world: World, scope: str) -> None:
    wrong: list[str] = []
    callers = {
        role: world.tenant.with_role(role, scope.removeprefix("other "), world.ids[scope])
        for role in _different_roles()
    }
    asked: set[tuple[str, bool]] = set()
    with _saved(world):
        for role, caller in callers.items():
            for row in _rows():
                every = scope == "tenant" and not row.is_older
                if not every and (row.shown, ROLES[role].allows(row.resource, row.action)) in asked:
                    continue  # one that may and one that may not: with all roles the newer routes of a tenant ask
                asked.add((row.shown, ROLES[role].allows(row.resource, row.action)))
                status = _ask(caller, row, world.ids)
                if status < 300 and row.method != "GET":
                    world.put_back()
                expected = _may(row, role, scope)
                if (status < 300) != expected or (not expected and status != 403):
                    wrong.append(f"role {role} in {scope}: {row.shown}: {status}, and it may: {expected}")
    assert wrong == []


def test_nobody_gets_anything_of_another_tenant(world: World) -> None:
    wrong: list[str] = []
    administrator = world.tenant.with_role(1, "tenant", world.ids["tenant"])
    for row in _rows():
        if row.where == "list" or (row.where == "tenant" and "{" not in row.path):
            continue  # it names nothing of anybody's
        status = _ask(administrator, row, world.foreign)
        if status not in (400, 404):
            wrong.append(f"{row.shown}: {status}")
    assert wrong == []


def test_strangers_get_in_nowhere(world: World) -> None:
    for row in _rows():
        assert _ask(world.tenant.nobody, row, world.ids) == 401, row.shown


def test_who_has_no_role_gets_in_nowhere(world: World) -> None:
    _, caller = world.tenant.application()
    for row in _rows():
        assert _ask(caller, row, world.ids) == 403, row.shown


@pytest.mark.parametrize("route", sorted(FOR_CLUSTERS))
def test_no_role_opens_what_is_for_clusters(world: World, route: str) -> None:
    method, path = route.format(**world.ids).split()
    for caller in (world.tenant.nobody, world.tenant.admin, world.tenant.with_role(1, "cluster", world.ids["cluster"])):
        answer = caller.call(method, path)
        assert (answer.status_code, answer.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
