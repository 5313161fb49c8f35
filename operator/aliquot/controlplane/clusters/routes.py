"""`/api/v1/clusters`."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from aliquot import names
from aliquot.contracts.administrator_api.clusters import (
    Cluster,
    ClusterCreation,
    ClusterQuery,
    ClusterStatus,
    ClusterUpdate,
    InstallInfo,
    InstallQuery,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.access_rules.ending import end_rules
from aliquot.controlplane.auditing import document
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.passwords import new_secret
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.clusters.rules import install_command
from aliquot.controlplane.database import tables
from aliquot.controlplane.departments import queries as departments
from aliquot.controlplane.departments.rules import DEFAULT_DEPARTMENT
from aliquot.controlplane.node_pools import queries as node_pools
from aliquot.controlplane.node_pools.rules import DEFAULT_POOL
from aliquot.controlplane.quotas import changes
from aliquot.controlplane.refusals import Conflict

router = APIRouter(prefix="/api/v1/clusters", tags=["Clusters"])


@router.get("")
def list_clusters(gate: GateOfRequest, query: Annotated[ClusterQuery, Query()]) -> list[Cluster]:
    """List clusters."""
    with gate.permit("cluster", "read") as permit:
        found = permit.rows(permit.select(tables.Cluster).order_by(tables.Cluster.created_ms, tables.Cluster.id))
        return [_shown(row, query) for row in found]


@router.post("", status_code=201)
def create_cluster(gate: GateOfRequest, body: ClusterCreation) -> Cluster:
    """Create a cluster, with a default node pool and a default department."""
    with gate.permit("cluster", "create") as permit:
        _check_name(permit, body.name, None)
        row = tables.Cluster(
            id=str(uuid.uuid4()),
            tenant_id=permit.holder.tenant_id,
            name=body.name,
            domain=body.domain,
            version=body.version,
            client_secret=new_secret(),
            revision=0,
            created_ms=permit.now_ms,
            updated_ms=permit.now_ms,
            created_by=permit.holder.name,
        )
        permit.add(row)
        pool = node_pools.new_row(permit, row.id, DEFAULT_POOL, None)
        permit.add(pool)
        department = departments.new_row(permit, row.id, DEFAULT_DEPARTMENT)
        permit.add(department)
        changes.change(permit, department, [])
        permit.record("create", "cluster", row, after=document(_shown(row)))
        return _shown(row)


@router.get("/{clusterUuid}")
def get_cluster(gate: GateOfRequest, clusterUuid: str, query: Annotated[ClusterQuery, Query()]) -> Cluster:  # noqa: N803 - as it is documented
    """Show a cluster."""
    with gate.permit("cluster", "read") as permit:
        return _shown(permit.one(tables.Cluster, clusterUuid), query)


@router.put("/{clusterUuid}", status_code=204)
def rename_cluster(gate: GateOfRequest, clusterUuid: str, body: ClusterUpdate) -> None:  # noqa: N803
    """Give a cluster another name."""
    with gate.permit("cluster", "update") as permit:
        row = permit.one(tables.Cluster, clusterUuid)
        _check_name(permit, body.name, row)
        before = document(_shown(row))
        row.name, row.updated_ms = body.name, permit.now_ms
        permit.record("update", "cluster", row, before=before, after=document(_shown(row)))


@router.delete("/{clusterUuid}", status_code=204)
def delete_cluster(gate: GateOfRequest, clusterUuid: str) -> None:  # noqa: N803
    """Delete a cluster here, with its departments, projects and node pools. Nothing is uninstalled."""
    with gate.permit("cluster", "delete") as permit:
        row = permit.one(tables.Cluster, clusterUuid)
        permit.record("delete", "cluster", row, before=document(_shown(row)))
        end_rules(permit, tables.AccessRule.cluster_id == row.id)
        permit.remove(row)


@router.get("/{clusterUuid}/cluster-install-info")
def install_info(gate: GateOfRequest, clusterUuid: str, query: Annotated[InstallQuery, Query()]) -> InstallInfo:  # noqa: N803, ARG001 - the command is that of this version
    """Say how to install Aliquot on a cluster. There is a secret in it: it takes the right to change the cluster."""
    with gate.permit("cluster", "update") as permit:
        row = permit.one(tables.Cluster, clusterUuid)
        return InstallInfo(
            installation_str=install_command(names.SYSTEM_NAMESPACE),
            repository_name="",
            chart_repo_url="",
            client_secret=row.client_secret,
        )


def _check_name(permit: Permit, name: str, own: tables.Cluster | None) -> None:
    same = permit.first(permit.select_whole(tables.Cluster).where(tables.Cluster.name == name))
    if same is not None and same is not own:
        raise Conflict("Resource with this name already exists", f"there is a cluster {name}")


def _shown(row: tables.Cluster, query: ClusterQuery | None = None) -> Cluster:
    is_full = query is None or query.verbosity == "full"
    return Cluster(
        uuid=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        domain=row.domain,
        version=row.version,
        created_at=from_milliseconds(row.created_ms),
        updated_at=from_milliseconds(row.updated_ms),
        status=ClusterStatus(state="WaitingToConnect") if is_full else None,
    )
