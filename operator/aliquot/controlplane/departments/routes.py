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
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.departments import changes
from aliquot.controlplane.departments.queries import FIELDS, FILTERS, shown, slim
from aliquot.controlplane.listing import listed, ordered
from aliquot.controlplane.preconditions import IfMatch
from aliquot.controlplane.quotas.changes import OF_DEPARTMENT
from aliquot.controlplane.quotas.shown import resources

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
        row = changes.create(permit, body)
        preconditions.tell(answer, row.version)
        return shown(permit, row)


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
        row = _changed(permit, departmentId, if_match, body.resources)
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
        row = _changed(permit, departmentId, if_match, body)
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
        row = _changed(permit, departmentId, if_match, body, keeps_members=True)
        preconditions.tell(answer, row.version)
        return resources(row)


@router.delete("/{departmentId}", status_code=204)
def delete_department(gate: GateOfRequest, departmentId: str, if_match: IfMatch = None) -> None:  # noqa: N803
    """Delete a department, and its projects."""
    with gate.permit("department", "delete") as permit:
        changes.delete(permit, _seen(permit, departmentId, if_match))


def _seen(permit: Permit, written_id: str, if_match: str | None) -> tables.Department:
    """A department that is to be changed, as the caller saw it."""
    row = permit.one(tables.Department, written_id, OF_DEPARTMENT)
    preconditions.check(if_match, row.version)
    return row


def _changed(
    permit: Permit,
    written_id: str,
    if_match: str | None,
    given: list[Resources] | list[ResourcesChange],
    *,
    keeps_members: bool = False,
) -> tables.Department:
    row = _seen(permit, written_id, if_match)
    changes.change(permit, row, given, keeps_members=keeps_members)
    return row
