"""`/api/v1/clusters/{clusterUuid}/nodes`."""

from typing import Annotated

from fastapi import APIRouter, Query

from aliquot.contracts.administrator_api.nodes import Node, NodeQuery, Nodes
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.database import tables

router = APIRouter(prefix="/api/v1/clusters", tags=["Clusters"])


@router.get("/{clusterUuid}/nodes")
def list_nodes(
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803 - as it is documented
    query: Annotated[NodeQuery, Query()],
) -> Nodes:
    """List the nodes of a cluster."""
    with gate.permit("nodes", "read") as permit:
        found = permit.told(permit.one(tables.Cluster, clusterUuid), "node")
        return Nodes(nodes=[_shown(row) for row in found if query.node_name in (None, row.name)])


def _shown(row: tables.ReportedObject) -> Node:
    said = row.document
    gpus = {"gpuType": said["gpuType"] or "", "gpuCount": said["gpuCount"]} if said["gpuCount"] else None
    return Node.model_validate(
        {
            "name": row.name,
            "clusterUuid": row.cluster_id,
            "status": said["status"],
            "nodePool": said["nodePool"],
            "createdAt": said["createdAt"],
            "updatedAt": from_milliseconds(row.updated_ms),
            "conditions": said["conditions"],
            "taints": said["taints"],
            "gpuInfo": gpus,
        }
    )
