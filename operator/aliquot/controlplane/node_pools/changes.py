"""Node pools are made, changed and deleted, for whichever surface asks."""

from aliquot.contracts.administrator_api.node_pools import NodePoolChange, NodePoolCreation, NodePoolUpdate
from aliquot.controlplane.auditing import document, updating
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.clusters.queries import cluster_of_body
from aliquot.controlplane.database.tables import Department, NodePool, Project
from aliquot.controlplane.node_pools.queries import new_row, shown
from aliquot.controlplane.node_pools.rules import DEFAULT_POOL, check_label
from aliquot.controlplane.quotas.changes import OF_DEPARTMENT, OF_PROJECT, attach
from aliquot.controlplane.refusals import BadRequest


def create(permit: Permit, given: NodePoolCreation) -> NodePool:
    """Make a node pool; every department and project of the cluster gets an amount of 0 GPUs in it.

    Raises:
        BadRequest: there is no such cluster, or another pool has this label.
        Conflict: the cluster has one of this name.
    """
    cluster = cluster_of_body(permit, given.cluster_id)
    own = permit.select_whole(NodePool).where(NodePool.cluster_id == cluster.id)
    permit.check_is_new(own.where(NodePool.name == given.name), f"the cluster has a node pool {given.name}")
    row = new_row(permit, cluster.id, given.name, given)
    _check_label(permit, row)
    permit.add(row)
    _attach(permit, row)
    permit.record("create", "nodepool", row, after=document(shown(permit, row)))
    return row


def change(permit: Permit, row: NodePool, given: NodePoolUpdate | NodePoolChange) -> None:
    """Change a node pool; what is None stays.

    Raises:
        BadRequest: another pool has this label, or it is the default pool, which has none.
    """
    labels = given.label_key, given.label_value
    if row.name == DEFAULT_POOL and labels != (None, None):
        raise BadRequest(
            f"Bad request - labelKey: {labels[0]!r} is not allowed: the node pool {DEFAULT_POOL} has the nodes that "
            "belong to no other, and so no label; PATCH the rest"
        )
    with updating(permit, "nodepool", row, lambda pool: shown(permit, pool)):
        if given.label_key is not None:
            row.label_key = given.label_key
        if given.label_value is not None:
            row.label_value = given.label_value
        if given.over_provisioning_ratio is not None:
            row.over_provisioning_ratio = given.over_provisioning_ratio
        if given.placement_strategy is not None:
            row.cpu_placement, row.gpu_placement = given.placement_strategy.cpu, given.placement_strategy.gpu
        _check_label(permit, row)


def delete(permit: Permit, row: NodePool) -> None:
    """Delete a node pool; its nodes go to the pools whose labels they have, else to the default pool.

    Raises:
        BadRequest: it is the default pool, or a project names it.
    """
    if row.name == DEFAULT_POOL:
        raise BadRequest(f"Bad request - the node pool {DEFAULT_POOL} cannot be deleted: every cluster has one")
    users = permit.rows(permit.select_whole(Project).where(Project.cluster_id == row.cluster_id))
    named = sorted(project.name for project in users if row.name in project.default_node_pools)
    if named:
        raise BadRequest(
            f"Bad request - the node pool {row.name} cannot be deleted: it is a default node pool of the project "
            f"{named[0]}" + (f" and {len(named) - 1} more" if len(named) > 1 else "")
        )
    permit.record("delete", "nodepool", row, before=document(shown(permit, row)))
    permit.remove(row)


def _attach(permit: Permit, pool: NodePool) -> None:
    """Give every department and project of the cluster an amount in a new pool."""
    departments = permit.select_whole(Department).where(Department.cluster_id == pool.cluster_id)
    projects = permit.select_whole(Project).where(Project.cluster_id == pool.cluster_id)
    attach([*permit.rows(departments.options(OF_DEPARTMENT)), *permit.rows(projects.options(OF_PROJECT))], pool)


def _check_label(permit: Permit, row: NodePool) -> None:
    """See that no other pool of the cluster has the same nodes.

    Raises:
        BadRequest: one has.
    """
    if row.label_key is None or row.label_value is None:
        return
    query = permit.select_whole(NodePool).where(NodePool.cluster_id == row.cluster_id)
    others = [pool for pool in permit.rows(query) if pool is not row]
    check_label(row.label_key, row.label_value, [(pool.name, pool.label_key, pool.label_value) for pool in others])
