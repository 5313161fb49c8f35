"""`/api/v1/node-pools`."""

from typing import Annotated

from fastapi import APIRouter, Query

from aliquot.contracts.administrator_api.node_pools import (
    NodePool,
    NodePoolChange,
    NodePoolCreation,
    NodePoolQuery,
    NodePools,
    NodePoolUpdate,
)
from aliquot.controlplane.auditing import document
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.clusters.queries import cluster_of_body
from aliquot.controlplane.database import tables
from aliquot.controlplane.listing import listed, ordered
from aliquot.controlplane.node_pools.queries import (
    FIELDS,
    attach_everywhere,
    change,
    check_own_label,
    new_row,
    shown,
    shown_all,
)
from aliquot.controlplane.node_pools.rules import DEFAULT_POOL
from aliquot.controlplane.refusals import BadRequest, Conflict

router = APIRouter(prefix="/api/v1/node-pools", tags=["Node pools"])


@router.get("")
def list_node_pools(gate: GateOfRequest, query: Annotated[NodePoolQuery, Query()]) -> NodePools:
    """List node pools."""
    with gate.permit("nodepools", "read") as permit:
        wanted = ordered(permit.select(tables.NodePool), query, query.sort_by, FIELDS, tables.NodePool.id)
        found = listed(permit, wanted, query)
        return NodePools(nodepools=shown_all(permit, found.rows), next=found.next)


@router.post("", status_code=201)
def create_node_pool(gate: GateOfRequest, body: NodePoolCreation) -> NodePool:
    """Create a node pool; every department and project of the cluster gets an amount of 0 GPUs in it."""
    with gate.permit("nodepools", "create") as permit:
        cluster = cluster_of_body(permit, body.cluster_id)
        same = permit.select_whole(tables.NodePool).where(
            tables.NodePool.cluster_id == cluster.id, tables.NodePool.name == body.name
        )
        if permit.count(same):
            raise Conflict("Resource with this name already exists", f"the cluster has a node pool {body.name}")
        row = new_row(permit, cluster.id, body.name, body)
        check_own_label(permit, row)
        permit.add(row)
        attach_everywhere(permit, row)
        permit.record("create", "nodepool", row, after=document(shown(permit, row)))
        return shown(permit, row)


@router.get("/{nodepoolId}")
def get_node_pool(gate: GateOfRequest, nodepoolId: str) -> NodePool:  # noqa: N803 - as it is documented
    """Show a node pool."""
    with gate.permit("nodepools", "read") as permit:
        return shown(permit, permit.one(tables.NodePool, nodepoolId))


@router.put("/{nodepoolId}")
def replace_node_pool(gate: GateOfRequest, nodepoolId: str, body: NodePoolUpdate) -> NodePool:  # noqa: N803
    """Replace everything of a node pool but its name."""
    with gate.permit("nodepools", "update") as permit:
        return _changed(permit, nodepoolId, body)


@router.patch("/{nodepoolId}")
def change_node_pool(gate: GateOfRequest, nodepoolId: str, body: NodePoolChange) -> NodePool:  # noqa: N803
    """Change some of a node pool."""
    with gate.permit("nodepools", "update") as permit:
        return _changed(permit, nodepoolId, body)


@router.delete("/{nodepoolId}", status_code=204)
def delete_node_pool(gate: GateOfRequest, nodepoolId: str) -> None:  # noqa: N803
    """Delete a node pool; its nodes go to the pools whose labels they have, else to the default pool."""
    with gate.permit("nodepools", "delete") as permit:
        row = permit.one(tables.NodePool, nodepoolId)
        if row.name == DEFAULT_POOL:
            raise BadRequest(f"Bad request - the node pool {DEFAULT_POOL} cannot be deleted: every cluster has one")
        users = permit.rows(permit.select_whole(tables.Project).where(tables.Project.cluster_id == row.cluster_id))
        named = sorted(project.name for project in users if row.name in project.default_node_pools)
        if named:
            raise BadRequest(
                f"Bad request - the node pool {row.name} cannot be deleted: it is a default node pool of the project "
                f"{named[0]}" + (f" and {len(named) - 1} more" if len(named) > 1 else "")
            )
        permit.record("delete", "nodepool", row, before=document(shown(permit, row)))
        permit.remove(row)


def _changed(permit: Permit, written_id: str, body: NodePoolUpdate | NodePoolChange) -> NodePool:
    row = permit.one(tables.NodePool, written_id)
    labels = body.label_key, body.label_value
    if row.name == DEFAULT_POOL and labels != (None, None):
        raise BadRequest(
            f"Bad request - labelKey: {labels[0]!r} is not allowed: the node pool {DEFAULT_POOL} has the nodes that "
            "belong to no other, and so no label; PATCH the rest"
        )
    before = document(shown(permit, row))
    change(permit, row, body)
    permit.record("update", "nodepool", row, before=before, after=document(shown(permit, row)))
    return shown(permit, row)
