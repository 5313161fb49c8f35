"""`/api/v1/clusters`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from aliquot import names
from aliquot.contracts.administrator_api.clusters import (
    Cluster,
    ClusterCreation,
    ClusterQuery,
    ClusterUpdate,
    InstallInfo,
    InstallQuery,
)
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.clusters import changes
from aliquot.controlplane.clusters.queries import everyone, install_values, shown
from aliquot.controlplane.clusters.rules import install_command
from aliquot.controlplane.database import tables
from aliquot.controlplane.services import services_of
from aliquot.controlplane.settings import Clusters as ClusterSettings

router = APIRouter(prefix="/api/v1/clusters", tags=["Clusters"])


@router.get("")
def list_clusters(request: Request, gate: GateOfRequest, query: Annotated[ClusterQuery, Query()]) -> list[Cluster]:
    """List clusters."""
    with gate.permit("cluster", "read") as permit:
        return everyone(permit, _settings(request), with_status=query.verbosity == "full")


@router.post("", status_code=201)
def create_cluster(request: Request, gate: GateOfRequest, body: ClusterCreation) -> Cluster:
    """Create a cluster, with a default node pool and a default department."""
    with gate.permit("cluster", "create") as permit:
        settings = _settings(request)
        return shown(permit, changes.create(permit, body, settings), settings)


@router.get("/{clusterUuid}")
def get_cluster(
    request: Request,
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803 - as it is documented
    query: Annotated[ClusterQuery, Query()],
) -> Cluster:
    """Show a cluster."""
    with gate.permit("cluster", "read") as permit:
        row = permit.one(tables.Cluster, clusterUuid)
        return shown(permit, row, _settings(request), with_status=query.verbosity == "full")


@router.put("/{clusterUuid}", status_code=204)
def rename_cluster(request: Request, gate: GateOfRequest, clusterUuid: str, body: ClusterUpdate) -> None:  # noqa: N803
    """Give a cluster another name."""
    with gate.permit("cluster", "update") as permit:
        changes.rename(permit, permit.one(tables.Cluster, clusterUuid), body.name, _settings(request))


@router.delete("/{clusterUuid}", status_code=204)
def delete_cluster(request: Request, gate: GateOfRequest, clusterUuid: str) -> None:  # noqa: N803
    """Delete a cluster here, with its departments, projects and node pools. Nothing is uninstalled."""
    with gate.permit("cluster", "delete") as permit:
        changes.delete(permit, permit.one(tables.Cluster, clusterUuid), _settings(request))


@router.get("/{clusterUuid}/cluster-install-info")
def install_info(
    request: Request,
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803
    query: Annotated[InstallQuery, Query()],
) -> InstallInfo:
    """Say how to install Aliquot on a cluster. There is a secret in it: it takes the right to change the cluster."""
    with gate.permit("cluster", "update") as permit:
        row = permit.one(tables.Cluster, clusterUuid)
        values = install_values(services_of(request).url, row, query.remote_cluster_url)
        return InstallInfo(
            installation_str=install_command(names.SYSTEM_NAMESPACE, values),
            repository_name="",
            chart_repo_url="",
            client_secret=row.client_secret,
        )


def _settings(request: Request) -> ClusterSettings:
    return services_of(request).settings.clusters
