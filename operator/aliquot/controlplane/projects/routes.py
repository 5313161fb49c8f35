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
from aliquot.controlplane.access_rules.ending import end_rules
from aliquot.controlplane.auditing import document
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.clusters.queries import cluster_of_body
from aliquot.controlplane.database import tables
from aliquot.controlplane.departments.rules import DEFAULT_DEPARTMENT
from aliquot.controlplane.listing import listed, ordered, written
from aliquot.controlplane.preconditions import IfMatch
from aliquot.controlplane.projects.queries import FIELDS, FILTERS, SHOWN, WHOLE, change, documents, new_row, shown
from aliquot.controlplane.projects.rules import check_name, check_namespace
from aliquot.controlplane.quotas import changes
from aliquot.controlplane.quotas.shown import resources
from aliquot.controlplane.refusals import BadRequest, Conflict

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
        department = _department(permit, body)
        check_name(body.name)
        others = permit.select_whole(tables.Project).where(tables.Project.cluster_id == department.cluster_id)
        if permit.count(others.where(tables.Project.name == body.name)):
            raise Conflict("Resource with this name already exists", f"the cluster has a project {body.name}")
        taken = permit.rows(others.where(tables.Project.requested_namespace == body.requested_namespace))
        check_namespace(body.requested_namespace, is_taken=bool(taken))
        row = new_row(permit, department, body.name, body.requested_namespace)
        change(permit, row, body)
        permit.add(row)
        changes.change(permit, row, body.resources)
        made = shown(permit, row)
        permit.record("create", "project", row, after=document(made))
        permit.take_in(row, department.name)
        preconditions.tell(answer, row.version)
        return made


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
        row = _changed(permit, projectId, body.resources, if_match, body)
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
        row = _changed(permit, projectId, body, if_match)
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
        row = _changed(permit, projectId, body, if_match, keeps_members=True)
        preconditions.tell(answer, row.version)
        return resources(row)


@router.delete("/{projectId}", status_code=204)
def delete_project(gate: GateOfRequest, projectId: str, if_match: IfMatch = None) -> None:  # noqa: N803
    """Delete a project; its namespace, and what runs there, stays."""
    with gate.permit("project", "delete") as permit:
        row = permit.one(tables.Project, projectId, *WHOLE)
        preconditions.check(if_match, row.version)
        permit.record("delete", "project", row, before=document(shown(permit, row)))
        end_rules(permit, tables.AccessRule.project_id == row.id)
        permit.remove(row)


def _department(permit: Permit, body: ProjectCreation) -> tables.Department:
    """The department of a new project.

    Raises:
        BadRequest: there is no such cluster, or it has no such department.
    """
    cluster = cluster_of_body(permit, body.cluster_id)
    if body.parent_id is None:
        own = tables.Department.cluster_id == cluster.id
        found = permit.first(
            permit.select_whole(tables.Department).where(own, tables.Department.name == DEFAULT_DEPARTMENT)
        )
    else:
        found = permit.referred(tables.Department, body.parent_id)
    if found is None or found.cluster_id != cluster.id:
        raise BadRequest(
            f"Bad request - parentId: {body.parent_id!r} is not allowed: the cluster {cluster.name} has no such "
            "department"
        )
    return found


def _changed(
    permit: Permit,
    written_id: str,
    given: list[Resources] | list[ResourcesChange],
    if_match: str | None,
    body: ProjectUpdate | None = None,
    *,
    keeps_members: bool = False,
) -> tables.Project:
    row = permit.one(tables.Project, written_id, *WHOLE)
    preconditions.check(if_match, row.version)
    before = document(shown(permit, row))
    if body is not None:
        change(permit, row, body)
    changes.change(permit, row, given, keeps_members=keeps_members)
    row.version += 1
    permit.touch(row)
    permit.record("update", "project", row, before=before, after=document(shown(permit, row)))
    return row
