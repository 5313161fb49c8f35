"""`/v1/k8s/clusters/{clusterId}/departments` (control-plane-api.md 1.4.2)."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from aliquot.contracts.administrator_api.amounts import ResourcesChange
from aliquot.contracts.administrator_api.departments import DepartmentCreation
from aliquot.contracts.administrator_api.older.departments import (
    OlderAccessControl,
    OlderAccessControlShown,
    OlderDepartment,
    OlderDepartmentAmounts,
    OlderDepartmentCreation,
    OlderDepartmentQuery,
    OlderDepartmentsQuery,
    OlderDepartmentUpdate,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds, written_time
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.departments import changes
from aliquot.controlplane.listing import written
from aliquot.controlplane.older import amounts, quotas
from aliquot.controlplane.older.amounts import Deprecated, MemoryUnit
from aliquot.controlplane.older.named import name, named, nobody
from aliquot.controlplane.older.places import all_in, check_same, cluster_of_path, one_in
from aliquot.controlplane.older.projects import documents as documents_of_projects
from aliquot.controlplane.older.rights import DEPARTMENT_ADMINISTRATOR
from aliquot.controlplane.projects.queries import SHOWN
from aliquot.controlplane.quotas.changes import OF_DEPARTMENT

router = APIRouter(prefix="/v1/k8s/clusters/{clusterId}/departments", tags=["Older: departments"])


@router.get("", response_model=list[OlderDepartment])
def list_departments_of_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803 - as it is documented
    query: Annotated[OlderDepartmentsQuery, Query()],
) -> Response:
    """List the departments of a cluster, with their projects."""
    with gate.permit("department", "read") as permit:
        cluster_id, rows = all_in(permit, tables.Department, clusterId)
        unit: MemoryUnit = "MB" if query.memory_unit_mb else "Mib"
        return written(_documents(permit, cluster_id, rows, unit, with_permissions=not query.exclude_permissions))


@router.post("")
def create_department_in_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    body: OlderDepartmentCreation,
) -> OlderDepartment:
    """Create a department."""
    with gate.permit("department", "create") as permit:
        cluster = cluster_of_path(permit, clusterId)
        given = DepartmentCreation.model_validate({"name": body.name, "clusterId": cluster.id, "resources": []})
        row = changes.create(permit, given, _amounts(permit, cluster.id, None, body))
        return _shown(permit, row)


@router.get("/{departmentId}")
def get_department_of_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    departmentId: str,  # noqa: N803
    query: Annotated[OlderDepartmentQuery, Query()],
) -> OlderDepartment:
    """Show a department, with its projects."""
    with gate.permit("department", "read") as permit:
        row = one_in(permit, tables.Department, clusterId, departmentId)
        return _shown(permit, row, with_permissions=not query.exclude_permissions)


@router.put("/{departmentId}")
def replace_department_of_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    departmentId: str,  # noqa: N803
    body: OlderDepartmentUpdate,
) -> OlderDepartment:
    """Change the amounts of a department."""
    with gate.permit("department", "update") as permit:
        row = one_in(permit, tables.Department, clusterId, departmentId, OF_DEPARTMENT)
        check_same("name", body.name, row.name, "the name")
        changes.change(permit, row, _amounts(permit, row.cluster_id, row, body))
        return _shown(permit, row)


@router.delete("/{departmentId}")
def delete_department_of_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    departmentId: str,  # noqa: N803
) -> OlderDepartment:
    """Delete a department, and its projects."""
    with gate.permit("department", "delete") as permit:
        row = one_in(permit, tables.Department, clusterId, departmentId, OF_DEPARTMENT)
        shown = _shown(permit, row)
        changes.delete(permit, row)
        return shown


@router.put("/{departmentId}/access-control", status_code=201)
def name_department_administrators(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    departmentId: str,  # noqa: N803
    body: OlderAccessControl,
) -> OlderAccessControlShown:
    """Have exactly these users administer a department."""
    with gate.permit("access_rules", "update") as permit:
        row = one_in(permit, tables.Department, clusterId, departmentId)
        check_same("departmentId", body.department_id, row.id, "the id of the department")
        administrators = ("departmentAdmins", body.department_admins)
        name(permit, DEPARTMENT_ADMINISTRATOR, "department", row.id, {"user": administrators})
        people = named(permit, DEPARTMENT_ADMINISTRATOR, "department", row.cluster_id)
        return OlderAccessControlShown(department_id=row.id, department_admins=people.get(row.id, nobody())["user"])


def _amounts(
    permit: Permit, cluster_id: str, row: tables.Department | None, body: OlderDepartmentAmounts
) -> list[ResourcesChange]:
    deprecated = Deprecated(allows_over_quota=body.allow_over_quota)
    return amounts.changes(body, quotas.held(permit, cluster_id, row), deprecated)


def _shown(permit: Permit, row: tables.Department, *, with_permissions: bool = True) -> OlderDepartment:
    (shown,) = _documents(permit, row.cluster_id, [row], "Mib", with_permissions=with_permissions)
    return OlderDepartment.model_validate(shown)


def _documents(
    permit: Permit, cluster_id: str, rows: Sequence[tables.Department], unit: MemoryUnit, *, with_permissions: bool
) -> list[dict[str, Any]]:
    """Departments of one cluster, as `OlderDepartment` is written."""
    ids = [row.id for row in rows]
    held = quotas.by_owner(permit.quotas(tables.Quota.department_id, ids))
    people = named(permit, DEPARTMENT_ADMINISTRATOR, "department", cluster_id) if with_permissions else None
    below = permit.select_also(tables.Project, "project").where(tables.Project.department_id.in_(ids)).options(SHOWN)
    seen = permit.rows(below.order_by(tables.Project.id))
    projects = documents_of_projects(permit, cluster_id, seen, unit, with_permissions=with_permissions)
    promised = _promised(permit, cluster_id)
    return [
        {
            **quotas.document(held[row.id], unit),
            "id": row.id,
            "name": row.name,
            "tenantId": row.tenant_id,
            "clusterUuid": row.cluster_id,
            "createdAt": written_time(from_milliseconds(row.created_ms)),
            "allowOverQuota": amounts.allows_over_quota(quotas.blocks(held[row.id])),
            "projects": [project for project in projects if project["departmentId"] == row.id],
            "projectsDeservedGpus": f"{promised.get(row.id, 0):.2f}",
            "departmentAdmins": None if people is None else people.get(row.id, nobody())["user"],
        }
        for row in rows
    ]


def _promised(permit: Permit, cluster_id: str) -> dict[int, float]:
    """GPUs that all projects of departments can count on together, by department, whoever may see them."""
    own = permit.rows(permit.select_whole(tables.Project).where(tables.Project.cluster_id == cluster_id))
    department_of = {row.id: row.department_id for row in own}
    total: dict[int, float] = {}
    for quota in permit.quotas(tables.Quota.project_id, list(department_of)):
        department = department_of[quota.owner_id]
        total[department] = total.get(department, 0) + quota.gpu["deserved"]
    return total
