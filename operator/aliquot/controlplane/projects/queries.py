"""Projects in the database, and as they are shown."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.orm import joinedload
from sqlalchemy.orm.interfaces import ORMOption

from aliquot.contracts.administrator_api.projects import Project
from aliquot.contracts.administrator_api.shapes import from_milliseconds, written_time
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.database.revisions import NEVER_SENT
from aliquot.controlplane.listing import Field
from aliquot.controlplane.quotas.changes import OF_PROJECT
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
        **permit.origin(),
        cluster_id=department.cluster_id,
        name=name,
        version=1,
        revision=NEVER_SENT,
        updated_by=permit.holder.name,
        department=department,
        requested_namespace=namespace,
        default_node_pools=[],
        training_types=[],
        workspace_types=[],
        quotas=[],
    )


def shown(permit: Permit, row: tables.Project) -> Project:
    """A project as the API has it."""
    return Project.model_validate(documents(permit, [row])[0])


def documents(permit: Permit, rows: Sequence[tables.Project]) -> list[dict[str, Any]]:
    """Projects, whose departments are loaded, as the API's `Project` is written.

    Not the model itself: making and checking 500 of them takes longer than everything else together.
    """
    told = told_of(permit, "project", rows)
    amounts = resources_of(permit.quotas(tables.Quota.project_id, [row.id for row in rows]))
    return [_document(row, told[row.id], amounts.get(row.id, [])) for row in rows]


def _document(row: tables.Project, told: Told, amounts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    phase, message = project_phase(told)
    department = row.department
    pools = {entry["nodePool"]["name"]: entry["nodePool"]["id"] for entry in amounts}
    return {
        "id": str(row.id),
        "name": row.name,
        "clusterId": row.cluster_id,
        "parentId": str(department.id),
        "parent": {"id": str(department.id), "name": department.name, "parent": None},
        "requestedNamespace": row.requested_namespace,
        "resources": amounts,
        "schedulingRules": row.scheduling_rules,
        "defaultNodePools": row.default_node_pools,
        "nodeTypes": {"training": row.training_types, "workspace": row.workspace_types},
        "status": {
            "namespace": None if told.document is None else told.document["namespace"],
            "phase": phase,
            "phaseMessage": message,
            "quotaStatus": quota_status(told),
            "nodePoolQuotaStatuses": pool_quota_statuses(told, pools),
            "additionalStatusData": None,
        },
        "createdAt": written_time(from_milliseconds(row.created_ms)),
        "updatedAt": written_time(from_milliseconds(row.updated_ms)),
        "createdBy": row.created_by,
        "updatedBy": row.updated_by,
    }
