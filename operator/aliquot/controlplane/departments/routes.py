"""`/api/v1/org-unit/departments`."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from aliquot.contracts.administrator_api.amounts import Resources, ResourcesChange, ResourcesShown
from aliquot.contracts.administrator_api.departments import (
    Department,
    DepartmentCreation,
    DepartmentQuery,
    Departments,
    DepartmentUpdate,
    PoolResources,
)
from aliquot.controlplane import preconditions
from aliquot.controlplane.access_rules.ending import end_rules
from aliquot.controlplane.auditing import document
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.clusters.queries import cluster_of_body
from aliquot.controlplane.database import tables
from aliquot.controlplane.departments.queries import FIELDS, FILTERS, new_row, shown, slim
from aliquot.controlplane.departments.rules import DEFAULT_DEPARTMENT
from aliquot.controlplane.listing import listed, ordered
from aliquot.controlplane.preconditions import IfMatch
from aliquot.controlplane.quotas import changes
from aliquot.controlplane.quotas.changes import OF_DEPARTMENT
from aliquot.controlplane.quotas.shown import resources
from aliquot.controlplane.refusals import BadRequest, Conflict

router = APIRouter(prefix="/api/v1/org-unit/departments", tags=["Departments"])


@router.get("")
def list_departments(gate: GateOfRequest, query: Annotated[DepartmentQuery, Query()]) -> Departments:
    """List departments."""
    with gate.permit("department", "read") as permit:
        select = permit.select(tables.Department).options(OF_DEPARTMENT)
        found = listed(permit, ordered(select, query, query.sort_by, FIELDS, tables.Department.id, FILTERS), query)
        return Departments(departments=[slim(row) for row in found.rows], next=found.next)


@router.post("", status_code=201)
def create_department(gate: GateOfRequest, answer: Response, body: DepartmentCreation) -> Department:
    """Create a department."""
    with gate.permit("department", "create") as permit:
        cluster = cluster_of_body(permit, body.cluster_id)
        same = permit.select_whole(tables.Department).where(
            tables.Department.cluster_id == cluster.id, tables.Department.name == body.name
        )
        if permit.count(same):
            raise Conflict("Resource with this name already exists", f"the cluster has a department {body.name}")
        row = new_row(permit, cluster.id, body.name)
        permit.add(row)
        changes.change(permit, row, body.resources)
        made = shown(permit, row)
        permit.record("create", "department", row, after=document(made))
        preconditions.tell(answer, row.version)
        return made


@router.get("/{departmentId}")
def get_department(gate: GateOfRequest, answer: Response, departmentId: str) -> Department:  # noqa: N803 - as documented
    """Show a department."""
    with gate.permit("department", "read") as permit:
        row = permit.one(tables.Department, departmentId, OF_DEPARTMENT)
        preconditions.tell(answer, row.version)
        return shown(permit, row)


@router.put("/{departmentId}")
def replace_department(
    gate: GateOfRequest,
    answer: Response,
    departmentId: str,  # noqa: N803
    body: DepartmentUpdate,
    if_match: IfMatch = None,
) -> Department:
    """Change the amounts of a department."""
    with gate.permit("department", "update") as permit:
        row = _changed(permit, departmentId, body.resources, if_match)
        preconditions.tell(answer, row.version)
        return shown(permit, row)


@router.put("/{departmentId}/resources")
def replace_department_resources(
    gate: GateOfRequest,
    answer: Response,
    departmentId: str,  # noqa: N803
    body: PoolResources,
    if_match: IfMatch = None,
) -> list[ResourcesShown]:
    """Change the amounts of a department."""
    with gate.permit("department", "update") as permit:
        row = _changed(permit, departmentId, body, if_match)
        preconditions.tell(answer, row.version)
        return resources(row)


@router.patch("/{departmentId}/resources")
def change_department_resources(
    gate: GateOfRequest,
    answer: Response,
    departmentId: str,  # noqa: N803
    body: list[ResourcesChange],
    if_match: IfMatch = None,
) -> list[ResourcesShown]:
    """Change some of the amounts of a department."""
    with gate.permit("department", "update") as permit:
        row = _changed(permit, departmentId, body, if_match, keeps_members=True)
        preconditions.tell(answer, row.version)
        return resources(row)


@router.delete("/{departmentId}", status_code=204)
def delete_department(gate: GateOfRequest, departmentId: str, if_match: IfMatch = None) -> None:  # noqa: N803
    """Delete a department, and its projects."""
    with gate.permit("department", "delete") as permit:
        row = permit.one(tables.Department, departmentId, OF_DEPARTMENT)
        if row.name == DEFAULT_DEPARTMENT:
            raise BadRequest(
                f"Bad request - the department {DEFAULT_DEPARTMENT} cannot be deleted: it goes with its cluster"
            )
        preconditions.check(if_match, row.version)
        permit.record("delete", "department", row, before=document(shown(permit, row)))
        end_rules(permit, tables.AccessRule.department_id == row.id)
        permit.remove(row)


def _changed(
    permit: Permit,
    written_id: str,
    given: list[Resources] | list[ResourcesChange],
    if_match: str | None,
    *,
    keeps_members: bool = False,
) -> tables.Department:
    row = permit.one(tables.Department, written_id, OF_DEPARTMENT)
    preconditions.check(if_match, row.version)
    before = document(slim(row))
    changes.change(permit, row, given, keeps_members=keeps_members)
    row.version += 1
    permit.touch(row)
    permit.record("update", "department", row, before=before, after=document(slim(row)))
    return row
