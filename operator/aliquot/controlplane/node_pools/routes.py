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
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.listing import listed, ordered
from aliquot.controlplane.node_pools import changes
from aliquot.controlplane.node_pools.queries import FIELDS, shown, shown_all

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
        return shown(permit, changes.create(permit, body))


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
        changes.delete(permit, permit.one(tables.NodePool, nodepoolId))


def _changed(permit: Permit, written_id: str, body: NodePoolUpdate | NodePoolChange) -> NodePool:
    row = permit.one(tables.NodePool, written_id)
    changes.change(permit, row, body)
    return shown(permit, row)
