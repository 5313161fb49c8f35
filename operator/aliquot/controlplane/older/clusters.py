"""`/v1/k8s/clusters` (control-plane-api.md 1.3, also what is documented elsewhere; 1.4.1)."""

from typing import Annotated, Final

import orjson
import yaml
from fastapi import APIRouter, Query, Request, Response

from aliquot.contracts.administrator_api.clusters import Cluster, ClusterCreation
from aliquot.contracts.administrator_api.older.clusters import OlderClusterCreation, OlderInstallQuery
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.clusters import changes
from aliquot.controlplane.clusters.queries import everyone, install_values, shown
from aliquot.controlplane.clusters.rules import nested
from aliquot.controlplane.database import tables
from aliquot.controlplane.services import services_of

router = APIRouter(prefix="/v1/k8s/clusters", tags=["Older: clusters"])

_YAML: Final = "application/yaml"


@router.get("")
def list_older_clusters(request: Request, gate: GateOfRequest) -> list[Cluster]:
    """List clusters."""
    with gate.permit("cluster", "read") as permit:
        return everyone(permit, services_of(request).settings.clusters)


@router.post("")
def create_older_cluster(request: Request, gate: GateOfRequest, body: OlderClusterCreation) -> Cluster:
    """Create a cluster, with a default node pool and a default department."""
    settings = services_of(request).settings.clusters
    with gate.permit("cluster", "create") as permit:
        row = changes.create(permit, ClusterCreation(name=body.name), settings)
        return shown(permit, row, settings)


@router.get("/{uuid}")
def get_older_cluster(request: Request, gate: GateOfRequest, uuid: str) -> Cluster:
    """Show a cluster."""
    with gate.permit("cluster", "read") as permit:
        return shown(permit, permit.one(tables.Cluster, uuid), services_of(request).settings.clusters)


@router.delete("/{uuid}", status_code=200)
def delete_older_cluster(request: Request, gate: GateOfRequest, uuid: str) -> None:
    """Delete a cluster here, with its departments, projects and node pools. Nothing is uninstalled."""
    with gate.permit("cluster", "delete") as permit:
        changes.delete(permit, permit.one(tables.Cluster, uuid), services_of(request).settings.clusters)


@router.get("/{uuid}/installfile", responses={200: {"content": {_YAML: {}}}})
def install_file(
    request: Request, gate: GateOfRequest, uuid: str, query: Annotated[OlderInstallQuery, Query()]
) -> Response:
    """Give the values with which the chart is installed on a cluster, as a file for Helm.

    There is a secret in it: it takes the right to change the cluster.
    """
    with gate.permit("cluster", "update") as permit:
        values = nested(install_values(services_of(request).url, permit.one(tables.Cluster, uuid)))
    if query.format == "json":
        return Response(orjson.dumps(values), media_type="application/json")
    return Response(yaml.safe_dump(values, sort_keys=False), media_type=_YAML)
