"""Quotas in the database."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption

from aliquot.contracts.administrator_api.amounts import Resources, ResourcesChange
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Department, NodePool, Project, Quota
from aliquot.controlplane.node_pools.rules import DEFAULT_POOL
from aliquot.controlplane.quotas.rules import UNTOUCHED, Blocks, Pool, merged, over_subscribed
from aliquot.controlplane.refusals import BadRequest

Owner = Department | Project

OF_DEPARTMENT: ORMOption = selectinload(Department.quotas).joinedload(Quota.node_pool)
OF_PROJECT: ORMOption = selectinload(Project.quotas).joinedload(Quota.node_pool)


def pools_of(permit: Permit, cluster_id: str) -> Sequence[NodePool]:
    """All pools of a cluster, the oldest first."""
    query = permit.select_whole(NodePool).where(NodePool.cluster_id == cluster_id).order_by(NodePool.id)
    return permit.rows(query)


def change(
    permit: Permit,
    owner: Owner,
    given: Sequence[Resources | ResourcesChange],
    *,
    keeps_members: bool = False,
) -> None:
    """Change the amounts of a department or project, whose quotas are loaded.

    Raises:
        BadRequest: the amounts are not allowed; nothing has been changed then.
    """
    pools = pools_of(permit, owner.cluster_id)
    known = [Pool(pool.id, pool.name) for pool in pools]
    default = next(pool for pool in known if pool.name == DEFAULT_POOL)
    after = merged(blocks_of(owner), given, known, default, keeps_members=keeps_members)
    _write(owner, {pool.id: pool for pool in pools}, after)
    permit.flush()
    if permit.refuses_over_subscription():
        _check_sums(permit, owner, known)


def attach(owners: Sequence[Owner], pool: NodePool) -> None:
    """Give departments and projects, whose quotas are loaded, the amounts of a pool that is new."""
    for owner in owners:
        owner.quotas.append(_row(owner, pool, UNTOUCHED))


def blocks_of(owner: Owner) -> dict[int, Blocks]:
    """The amounts, by id of the pool."""
    return {quota.node_pool_id: Blocks(quota.gpu, quota.cpu, quota.memory) for quota in owner.quotas}


def _write(owner: Owner, pools: Mapping[int, NodePool], after: Mapping[int, Blocks]) -> None:
    rows = {quota.node_pool_id: quota for quota in owner.quotas}
    for pool_id, blocks in after.items():
        row = rows.get(pool_id)
        if row is None:
            owner.quotas.append(_row(owner, pools[pool_id], blocks))
        else:
            row.gpu, row.cpu, row.memory = blocks.gpu, blocks.cpu, blocks.memory


def _row(owner: Owner, pool: NodePool, blocks: Blocks) -> Quota:
    return Quota(tenant_id=owner.tenant_id, node_pool=pool, gpu=blocks.gpu, cpu=blocks.cpu, memory=blocks.memory)


def _check_sums(permit: Permit, owner: Owner, pools: Sequence[Pool]) -> None:
    department = owner
    if isinstance(owner, Project):
        found = permit.first(
            permit.select_whole(Department).where(Department.id == owner.department_id).options(OF_DEPARTMENT)
        )
        assert found is not None, "a project has a department"
        department = found
    projects = permit.rows(
        permit.select_whole(Project).where(Project.department_id == department.id).options(OF_PROJECT)
    )
    problem = over_subscribed(blocks_of(department), [blocks_of(project) for project in projects], pools)
    if problem:
        raise BadRequest(f"Bad request - resources: {problem}")
