"""`/v1/k8s/nodetypes` (control-plane-api.md 1.4.5); there is no newer route. Who may change node pools may do this."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from aliquot.contracts.administrator_api.older.node_types import OlderNodeTypeCreation, OlderNodeTypeOfCluster
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.clusters.queries import cluster_of_body
from aliquot.controlplane.database import tables
from aliquot.controlplane.node_types import changes
from aliquot.controlplane.node_types.changes import shown
from aliquot.controlplane.node_types.queries import of_cluster
from aliquot.controlplane.older.places import check_same, in_older_words

router = APIRouter(prefix="/v1/k8s", tags=["Older: node types"])


@router.get("/clusters/{uuid}/nodeTypes")
def list_node_types(gate: GateOfRequest, uuid: str) -> list[OlderNodeTypeOfCluster]:
    """List the node types of a cluster."""
    with gate.permit("nodepools", "read") as permit:
        cluster = permit.one(tables.Cluster, uuid)
        return [shown(row) for row in of_cluster(permit, cluster.id)]


@router.post("/nodetypes")
def create_node_type(gate: GateOfRequest, body: OlderNodeTypeCreation) -> OlderNodeTypeOfCluster:
    """Create a node type."""
    with gate.permit("nodepools", "create") as permit:
        with in_older_words({"clusterId": "clusterUuid"}):
            cluster = cluster_of_body(permit, body.cluster_uuid)
        return shown(changes.create(permit, cluster, body.name))


@router.get("/nodetypes/{id}")
def get_node_type(gate: GateOfRequest, id: str) -> OlderNodeTypeOfCluster:  # noqa: A002 - as it is documented
    """Show a node type."""
    with gate.permit("nodepools", "read") as permit:
        return shown(permit.one(tables.NodeType, id))


@router.put("/nodetypes/{id}")
def rename_node_type(gate: GateOfRequest, id: str, body: OlderNodeTypeCreation) -> OlderNodeTypeOfCluster:  # noqa: A002
    """Give a node type another name; projects that keep to it keep to nodes with that label then."""
    with gate.permit("nodepools", "update") as permit:
        row = permit.one(tables.NodeType, id)
        check_same("clusterUuid", body.cluster_uuid, row.cluster_id, "the cluster")
        changes.rename(permit, row, body.name)
        return shown(row)


@router.delete("/nodetypes/{id}", response_class=PlainTextResponse)
def delete_node_type(gate: GateOfRequest, id: str) -> str:  # noqa: A002
    """Delete a node type."""
    with gate.permit("nodepools", "delete") as permit:
        row = permit.one(tables.NodeType, id)
        changes.delete(permit, row)
        return f"Node Type with id {row.id} is deleted"
