"""Quotas as the API shows them: as they were written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from aliquot.contracts.administrator_api.amounts import PoolShown, ResourcesShown
from aliquot.controlplane.auth.permit import QuotaRow
from aliquot.controlplane.database.tables import Department, Project, Quota


def resources(owner: Department | Project) -> list[ResourcesShown]:
    """The amounts of a department or project, whose quotas are loaded, one entry for each pool."""
    return [_shown(quota) for quota in sorted(owner.quotas, key=lambda quota: quota.node_pool.id)]


def resources_of(rows: Iterable[QuotaRow]) -> Mapping[int, list[dict[str, Any]]]:
    """The amounts of many, by whose they are; entries are as `ResourcesShown` is written.

    Not the model itself: a list has thousands of them.
    """
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        pool = {"id": str(row.pool_id), "name": row.pool_name}
        found[row.owner_id].append({"nodePool": pool, "gpu": row.gpu, "cpu": row.cpu, "memory": row.memory})
    return found


def pool_ids(owner: Department | Project) -> dict[str, str]:
    """Ids of the node pools of a department or project, whose quotas are loaded, by name."""
    return {quota.node_pool.name: str(quota.node_pool.id) for quota in owner.quotas}


def _shown(quota: Quota) -> ResourcesShown:
    pool = PoolShown(id=str(quota.node_pool.id), name=quota.node_pool.name)
    return ResourcesShown.model_validate({"nodePool": pool, "gpu": quota.gpu, "cpu": quota.cpu, "memory": quota.memory})
