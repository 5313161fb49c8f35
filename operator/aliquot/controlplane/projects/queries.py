"""Projects in the database, and as they are shown."""

from typing import Final

from sqlalchemy.orm import joinedload
from sqlalchemy.orm.interfaces import ORMOption

from aliquot.contracts.administrator_api.projects import (
    NodeTypesShown,
    Parent,
    Project,
    ProjectStatus,
    ProjectUpdate,
    SchedulingRulesShown,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.database.revisions import NEVER_SENT
from aliquot.controlplane.listing import Field
from aliquot.controlplane.projects.rules import WAITING, check_default_pools
from aliquot.controlplane.quotas.changes import OF_PROJECT, pools_of
from aliquot.controlplane.quotas.shown import resources

FIELDS: Final = {
    "name": Field(tables.Project.name),
    "clusterId": Field(tables.Project.cluster_id),
    "departmentId": Field(tables.Project.department_id, "number"),
    "createdAt": Field(tables.Project.created_ms, "time"),
}
FILTERS: Final = {name: FIELDS[name] for name in ("name", "clusterId", "departmentId")}
WHOLE: Final[tuple[ORMOption, ...]] = (OF_PROJECT, joinedload(tables.Project.department))
"""What has to be loaded of a project to show it."""


def new_row(permit: Permit, department: tables.Department, name: str, namespace: str | None) -> tables.Project:
    """A project that is not kept yet, without amounts."""
    return tables.Project(
        tenant_id=permit.holder.tenant_id,
        cluster_id=department.cluster_id,
        name=name,
        version=1,
        revision=NEVER_SENT,
        created_ms=permit.now_ms,
        updated_ms=permit.now_ms,
        created_by=permit.holder.name,
        updated_by=permit.holder.name,
        department=department,
        requested_namespace=namespace,
        default_node_pools=[],
        training_types=[],
        workspace_types=[],
        quotas=[],
    )


def change(permit: Permit, row: tables.Project, given: ProjectUpdate) -> None:
    """Change everything but the amounts; what is left out stays, and null is none.

    Raises:
        BadRequest: there is no such node pool.
    """
    there = given.model_fields_set
    if "scheduling_rules" in there:
        rules = given.scheduling_rules
        row.scheduling_rules = rules.model_dump(by_alias=True) if rules else None
    if "default_node_pools" in there:
        pools = given.default_node_pools or []
        check_default_pools(pools, {pool.name for pool in pools_of(permit, row.cluster_id)})
        row.default_node_pools = pools
    if "node_types" in there:
        types = given.node_types
        row.training_types = (types.training or []) if types else []
        row.workspace_types = (types.workspace or []) if types else []


def shown(row: tables.Project) -> Project:
    """A project as the API has it."""
    rules = row.scheduling_rules
    return Project(
        id=str(row.id),
        name=row.name,
        cluster_id=row.cluster_id,
        parent_id=str(row.department.id),
        parent=Parent(id=str(row.department.id), name=row.department.name),
        requested_namespace=row.requested_namespace,
        resources=resources(row),
        scheduling_rules=None if rules is None else SchedulingRulesShown.model_validate(rules),
        default_node_pools=row.default_node_pools,
        node_types=NodeTypesShown(training=row.training_types, workspace=row.workspace_types),
        status=ProjectStatus(phase="Creating", phase_message=WAITING),
        created_at=from_milliseconds(row.created_ms),
        updated_at=from_milliseconds(row.updated_ms),
        created_by=row.created_by,
        updated_by=row.updated_by,
    )
