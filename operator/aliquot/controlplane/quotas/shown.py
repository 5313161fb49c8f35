"""Quotas as the API shows them: as they were written."""

from aliquot.contracts.administrator_api.amounts import PoolShown, ResourcesShown
from aliquot.controlplane.database.tables import Department, Project, Quota


def resources(owner: Department | Project) -> list[ResourcesShown]:
    """The amounts of a department or project, whose quotas are loaded, one entry for each pool."""
    return [_shown(quota) for quota in sorted(owner.quotas, key=lambda quota: quota.node_pool.id)]


def pool_ids(owner: Department | Project) -> dict[str, str]:
    """Ids of the node pools of a department or project, whose quotas are loaded, by name."""
    return {quota.node_pool.name: str(quota.node_pool.id) for quota in owner.quotas}


def _shown(quota: Quota) -> ResourcesShown:
    pool = PoolShown(id=str(quota.node_pool.id), name=quota.node_pool.name)
    return ResourcesShown.model_validate(
        {"node_pool": pool, "gpu": quota.gpu, "cpu": quota.cpu, "memory": quota.memory}
    )
