"""`/api/v1/org-unit/projects`."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from aliquot.contracts.administrator_api.amounts import Resources, ResourcesChange, ResourcesShown
from aliquot.contracts.administrator_api.departments import PoolResources
from aliquot.contracts.administrator_api.projects import (
    Project,
    ProjectCreation,
    ProjectQuery,
    Projects,
    ProjectUpdate,
)
from aliquot.controlplane import preconditions
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.listing import listed, ordered, written
from aliquot.controlplane.preconditions import IfMatch
from aliquot.controlplane.projects import changes
from aliquot.controlplane.projects.queries import FIELDS, FILTERS, SHOWN, WHOLE, documents, shown
from aliquot.controlplane.quotas.shown import resources

router = APIRouter(prefix="/api/v1/org-unit/projects", tags=["Projects"])


@router.get("", response_model=Projects)
def list_projects(gate: GateOfRequest, query: Annotated[ProjectQuery, Query()]) -> Response:
    """List projects."""
    with gate.permit("project", "read") as permit:
        select = permit.select(tables.Project).options(SHOWN)
        found = listed(permit, ordered(select, query, query.sort_by, FIELDS, tables.Project.id, FILTERS), query)
        return written({"projects": documents(permit, found.rows), "next": found.next})


@router.post("", status_code=201)
def create_project(gate: GateOfRequest, answer: Response, body: ProjectCreation) -> Project:
    """Create a project."""
    with gate.permit("project", "create") as permit:
        row = changes.create(permit, body)
        preconditions.tell(answer, row.version)
        return shown(permit, row)


@router.get("/{projectId}")
def get_project(gate: GateOfRequest, answer: Response, projectId: str) -> Project:  # noqa: N803 - as it is documented
    """Show a project."""
    with gate.permit("project", "read") as permit:
        row = permit.one(tables.Project, projectId, SHOWN)
        preconditions.tell(answer, row.version)
        return shown(permit, row)


@router.put("/{projectId}")
def replace_project(
    gate: GateOfRequest,
    answer: Response,
    projectId: str,  # noqa: N803
    body: ProjectUpdate,
    if_match: IfMatch = None,
) -> Project:
    """Change a project."""
    with gate.permit("project", "update") as permit:
        row = _changed(permit, projectId, if_match, body.resources, body)
        preconditions.tell(answer, row.version)
        return shown(permit, row)


@router.put("/{projectId}/resources")
def replace_project_resources(
    gate: GateOfRequest,
    answer: Response,
    projectId: str,  # noqa: N803
    body: PoolResources,
    if_match: IfMatch = None,
) -> list[ResourcesShown]:
    """Change the amounts of a project."""
    with gate.permit("project", "update") as permit:
        row = _changed(permit, projectId, if_match, body)
        preconditions.tell(answer, row.version)
        return resources(row)


@router.patch("/{projectId}/resources")
def change_project_resources(
    gate: GateOfRequest,
    answer: Response,
    projectId: str,  # noqa: N803
    body: list[ResourcesChange],
    if_match: IfMatch = None,
) -> list[ResourcesShown]:
    """Change some of the amounts of a project."""
    with gate.permit("project", "update") as permit:
        row = _changed(permit, projectId, if_match, body, keeps_members=True)
        preconditions.tell(answer, row.version)
        return resources(row)


@router.delete("/{projectId}", status_code=204)
def delete_project(gate: GateOfRequest, projectId: str, if_match: IfMatch = None) -> None:  # noqa: N803
    """Delete a project; its namespace, and what runs there, stays."""
    with gate.permit("project", "delete") as permit:
        changes.delete(permit, _seen(permit, projectId, if_match))


def _seen(permit: Permit, written_id: str, if_match: str | None) -> tables.Project:
    """A project that is to be changed, as the caller saw it."""
    row = permit.one(tables.Project, written_id, *WHOLE)
    preconditions.check(if_match, row.version)
    return row


def _changed(
    permit: Permit,
    written_id: str,
    if_match: str | None,
    given: list[Resources] | list[ResourcesChange],
    beside: ProjectUpdate | None = None,
    *,
    keeps_members: bool = False,
) -> tables.Project:
    row = _seen(permit, written_id, if_match)
    changes.change(permit, row, given, beside, keeps_members=keeps_members)
    return row
