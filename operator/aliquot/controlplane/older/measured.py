"""What departments and projects have now, out of the database, for the older surface."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from aliquot.controlplane.auth.permit import Permit, QuotaRow
from aliquot.controlplane.database.tables import Cluster, Department, Project, Quota, Workload
from aliquot.controlplane.node_pools.rules import DEFAULT_POOL
from aliquot.controlplane.older.measures import Amounts, InPools
from aliquot.controlplane.older.quotas import by_owner
from aliquot.controlplane.quotas.rules import Blocks
from aliquot.controlplane.statuses.rules import Told, pool_quota_statuses
from aliquot.controlplane.statuses.told import told_of

_WAITS: Final = "Pending"


class Measured:
    """What departments and projects of a cluster have in its node pools.

    Args:
        permit: of the caller.
        cluster: theirs.
        departments: which.
        projects: which.
        pool: name of the only node pool that is asked for; None: all.

    Attributes:
        cluster: its name.
        departments: names of all departments of the cluster, by id.
        of_departments: what they have, by id.
        of_projects: the same of projects.
    """

    def __init__(
        self,
        permit: Permit,
        cluster: Cluster,
        departments: Sequence[Department],
        projects: Sequence[Project],
        pool: str | None,
    ) -> None:
        self.cluster = cluster.name
        named = permit.select_whole(Department).where(Department.cluster_id == cluster.id)
        self.departments = {row.id: row.name for row in permit.rows(named)}
        of_departments, of_projects = _pending(permit, cluster)
        quotas = by_owner(permit.quotas(Quota.department_id, [row.id for row in departments]))
        told = told_of(permit, "department", departments)
        self.of_departments: Mapping[int, InPools] = {
            row.id: _in_pools(quotas[row.id], told[row.id], of_departments, row.id, pool) for row in departments
        }
        quotas = by_owner(permit.quotas(Quota.project_id, [row.id for row in projects]))
        told = told_of(permit, "project", projects)
        self.of_projects: Mapping[int, InPools] = {
            row.id: _in_pools(quotas[row.id], told[row.id], of_projects, row.id, pool) for row in projects
        }


Pending = Counter[tuple[int | None, str]]
"""How many workloads wait, by whose they are and by node pool."""


def _pending(permit: Permit, cluster: Cluster) -> tuple[Pending, Pending]:
    """Workloads that the caller may see and that wait, each in the node pool that it wants most."""
    own = permit.select_also(Workload, "workloads").where(
        Workload.cluster_id == cluster.id, Workload.deleted_ms.is_(None), Workload.phase == _WAITS
    )
    wanted = Workload.document[("requestedNodePools", 0)].as_string()
    rows = permit.table(own.with_only_columns(Workload.department_id, Workload.project_id, wanted))
    departments: Pending = Counter((department, pool or DEFAULT_POOL) for department, _, pool in rows)
    projects: Pending = Counter((project, pool or DEFAULT_POOL) for _, project, pool in rows)
    return departments, projects


def _in_pools(quotas: Sequence[QuotaRow], told: Told, pending: Pending, owner: int, only: str | None) -> InPools:
    allocated = {each["nodePoolName"]: each["allocated"] for each in pool_quota_statuses(told, {})}
    found: InPools = {}
    for row in quotas:
        if only in (None, row.pool_name):
            amounts = found[row.pool_name] = Amounts(pending=pending[owner, row.pool_name])
            amounts.grant(Blocks(row.gpu, row.cpu, row.memory))
            amounts.hold(allocated.get(row.pool_name, {}))
    return found
