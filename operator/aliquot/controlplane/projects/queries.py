"""Projects in the database, and as they are shown."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.orm import joinedload
from sqlalchemy.orm.interfaces import ORMOption

from aliquot.contracts.administrator_api.projects import (
    Project,
    Projects,
    ProjectUpdate,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.database.revisions import NEVER_SENT
from aliquot.controlplane.listing import Field
from aliquot.controlplane.projects.rules import check_default_pools
from aliquot.controlplane.quotas.changes import OF_PROJECT, pools_of
from aliquot.controlplane.quotas.shown import resources_of
from aliquot.controlplane.statuses.rules import Told, pool_quota_statuses, project_phase, quota_status
from aliquot.controlplane.statuses.told import told_of

FIELDS: Final = {
    "name": Field(tables.Project.name),
    "clusterId": Field(tables.Project.cluster_id),
    "departmentId": Field(tables.Project.department_id, "number"),
    "createdAt": Field(tables.Project.created_ms, "time"),
}
FILTERS: Final = {name: FIELDS[name] for name in ("name", "clusterId", "departmentId")}
SHOWN: Final[ORMOption] = joinedload(tables.Project.department)
"""What has to be loaded of a project to show it."""
WHOLE: Final[tuple[ORMOption, ...]] = (SHOWN, OF_PROJECT)
"""What has to be loaded of a project to change it."""


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


def shown(permit: Permit, row: tables.Project) -> Project:
    """A project as the API has it."""
    return shown_all(permit, [row]).projects[0]


def shown_all(permit: Permit, rows: Sequence[tables.Project], following: int | None = None) -> Projects:
    """Projects, whose departments are loaded, as the API has them.

    Args:
        permit: to read the rest.
        rows: the projects.
        following: offset of the next page; None: there is none.
    """
    told = told_of(permit, "project", rows)
    amounts = resources_of(permit.quotas(tables.Quota.project_id, [row.id for row in rows]))
    shown = [_shown(row, told[row.id], amounts.get(row.id, [])) for row in rows]
    return Projects.model_validate({"projects": shown, "next": following})


def _shown(row: tables.Project, told: Told, amounts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    phase, message = project_phase(told)
    department = str(row.department.id)
    return {
        "id": str(row.id),
        "name": row.name,
        "cluster_id": row.cluster_id,
        "parent_id": department,
        "parent": {"id": department, "name": row.department.name},
        "requested_namespace": row.requested_namespace,
        "resources": amounts,
        "scheduling_rules": row.scheduling_rules,
        "default_node_pools": row.default_node_pools,
        "node_types": {"training": row.training_types, "workspace": row.workspace_types},
        "status": {
            "namespace": None if told.document is None else told.document["namespace"],
            "phase": phase,
            "phase_message": message,
            "quota_status": quota_status(told),
            "node_pool_quota_statuses": pool_quota_statuses(
                told, {entry["node_pool"]["name"]: entry["node_pool"]["id"] for entry in amounts}
            ),
        },
        "created_at": from_milliseconds(row.created_ms),
        "updated_at": from_milliseconds(row.updated_ms),
        "created_by": row.created_by,
        "updated_by": row.updated_by,
    }
