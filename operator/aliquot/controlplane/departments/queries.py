"""Departments in the database, and as they are shown."""

from typing import Final

from aliquot.contracts.administrator_api.amounts import PoolShown
from aliquot.contracts.administrator_api.departments import (
    AggregatedResources,
    Child,
    Department,
    DepartmentSlim,
    DepartmentStatus,
    GpuTotal,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.database.revisions import NEVER_SENT
from aliquot.controlplane.listing import Field
from aliquot.controlplane.quotas.changes import OF_PROJECT
from aliquot.controlplane.quotas.shown import pool_ids, resources
from aliquot.controlplane.statuses.rules import pool_quota_statuses, quota_status
from aliquot.controlplane.statuses.told import told_of

FIELDS: Final = {
    "name": Field(tables.Department.name),
    "clusterId": Field(tables.Department.cluster_id),
    "createdAt": Field(tables.Department.created_ms, "time"),
}
FILTERS: Final = {name: FIELDS[name] for name in ("name", "clusterId")}


def new_row(permit: Permit, cluster_id: str, name: str) -> tables.Department:
    """A department that is not kept yet, without amounts."""
    return tables.Department(
        **permit.origin(),
        cluster_id=cluster_id,
        name=name,
        version=1,
        revision=NEVER_SENT,
        updated_by=permit.holder.name,
        quotas=[],
    )


def slim(row: tables.Department) -> DepartmentSlim:
    """A department as lists have it."""
    return DepartmentSlim(
        id=str(row.id),
        name=row.name,
        cluster_id=row.cluster_id,
        resources=resources(row),
        created_at=from_milliseconds(row.created_ms),
        updated_at=from_milliseconds(row.updated_ms),
        created_by=row.created_by,
        updated_by=row.updated_by,
    )


def shown(permit: Permit, row: tables.Department) -> Department:
    """A department with what is below it.

    The children are those that the caller may see; the sums are about all, as the department's quota is.
    """
    own = tables.Project.department_id == row.id
    everyone = permit.rows(permit.select_whole(tables.Project).where(own).options(OF_PROJECT))
    seen = permit.rows(permit.select_also(tables.Project, "project").where(own).order_by(tables.Project.id))
    told = told_of(permit, "department", [row])[row.id]
    return Department(
        **dict(slim(row)),
        status=DepartmentStatus.model_validate(
            {
                "quotaStatus": quota_status(told),
                "nodePoolQuotaStatuses": pool_quota_statuses(told, pool_ids(row)),
            }
        ),
        children=[Child(id=str(project.id), name=project.name) for project in seen],
        projects_aggregated_resources=[
            AggregatedResources(
                node_pool=PoolShown(id=str(quota.node_pool.id), name=quota.node_pool.name),
                gpu=GpuTotal(
                    deserved=sum(
                        other.gpu["deserved"]
                        for project in everyone
                        for other in project.quotas
                        if other.node_pool_id == quota.node_pool_id
                    )
                ),
            )
            for quota in sorted(row.quotas, key=lambda quota: quota.node_pool.id)
        ],
    )
