"""`/v1/k8s/clusters/{clusterId}/node-pools` (control-plane-api.md 1.4.4)."""

import json

from fastapi import APIRouter

from aliquot.contracts.administrator_api.node_pools import NodePool, NodePoolChange, NodePoolCreation
from aliquot.contracts.administrator_api.older.node_pools import (
    OlderAccepted,
    OlderNodePool,
    OlderNodePoolCreation,
    OlderNodePoolLabels,
    OlderNodePoolUpdate,
)
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.database import tables
from aliquot.controlplane.node_pools import changes
from aliquot.controlplane.node_pools.queries import shown, shown_all
from aliquot.controlplane.older.places import all_in, cluster_of_path, one_in

router = APIRouter(prefix="/v1/k8s/clusters/{clusterId}/node-pools", tags=["Older: node pools"])


@router.get("")
def list_node_pools_of_cluster(gate: GateOfRequest, clusterId: str) -> list[OlderNodePool]:  # noqa: N803 - as documented
    """List the node pools of a cluster."""
    with gate.permit("nodepools", "read") as permit:
        _, rows = all_in(permit, tables.NodePool, clusterId)
        return [_older(pool) for pool in shown_all(permit, rows)]


@router.post("", status_code=201)
def create_node_pool_in_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    body: OlderNodePoolCreation,
) -> OlderNodePool:
    """Create a node pool; every department and project of the cluster gets an amount of 0 GPUs in it."""
    with gate.permit("nodepools", "create") as permit:
        given = {**body.model_dump(by_alias=True), "clusterId": cluster_of_path(permit, clusterId).id}
        return _older(shown(permit, changes.create(permit, NodePoolCreation.model_validate(given))))


@router.put("/{id}", status_code=202)
def change_node_pool_of_cluster(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    id: str,  # noqa: A002 - as it is documented
    body: OlderNodePoolUpdate,
) -> OlderAccepted:
    """Change a node pool."""
    return _changed(gate, clusterId, id, body)


@router.put("/{id}/labels", status_code=202)
def change_labels_of_node_pool(
    gate: GateOfRequest,
    clusterId: str,  # noqa: N803
    id: str,  # noqa: A002
    body: OlderNodePoolLabels,
) -> OlderAccepted:
    """Have a node pool have other nodes."""
    return _changed(gate, clusterId, id, body)


@router.delete("/{id}", status_code=202)
def delete_node_pool_of_cluster(gate: GateOfRequest, clusterId: str, id: str) -> OlderAccepted:  # noqa: N803, A002
    """Delete a node pool; its nodes go to the pools whose labels they have, else to the default pool."""
    with gate.permit("nodepools", "delete") as permit:
        changes.delete(permit, one_in(permit, tables.NodePool, clusterId, id))
        return OlderAccepted()


def _changed(
    gate: GateOfRequest, cluster_id: str, written_id: str, body: OlderNodePoolUpdate | OlderNodePoolLabels
) -> OlderAccepted:
    with gate.permit("nodepools", "update") as permit:
        row = one_in(permit, tables.NodePool, cluster_id, written_id)
        changes.change(permit, row, NodePoolChange.model_validate(body.model_dump(by_alias=True)))
        return OlderAccepted()


def _older(pool: NodePool) -> OlderNodePool:
    said = pool.model_dump(by_alias=True)
    return OlderNodePool.model_validate(
        {
            **said,
            "id": int(pool.id),
            "status": pool.phase,
            "statusMessage": pool.phase_message,
            "nodes": json.dumps(pool.nodes),
        }
    )
