"""`/api/v1/clusters`."""

import uuid
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
from aliquot.controlplane.services import services_of
from aliquot.controlplane.statuses.rules import cluster_status

router = APIRouter(prefix="/api/v1/clusters", tags=["Clusters"])


@router.get("")
def list_clusters(request: Request, gate: GateOfRequest, query: Annotated[ClusterQuery, Query()]) -> list[Cluster]:
    """List clusters."""
    with gate.permit("cluster", "read") as permit:
        found = permit.rows(permit.select(tables.Cluster).order_by(tables.Cluster.created_ms, tables.Cluster.id))
        states = permit.states([row.id for row in found])
        return [_shown(permit, request, row, states.get(row.id), query) for row in found]


@router.post("", status_code=201)
def create_cluster(request: Request, gate: GateOfRequest, body: ClusterCreation) -> Cluster:
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
        pool.revision = department.revision = row.revision  # all revisions of the cluster have them
        made = _shown(permit, request, row, None)
        permit.record("create", "cluster", row, after=document(made))
        return made


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
        return _shown(permit, request, row, permit.states([row.id]).get(row.id), query)


@router.put("/{clusterUuid}", status_code=204)
def rename_cluster(request: Request, gate: GateOfRequest, clusterUuid: str, body: ClusterUpdate) -> None:  # noqa: N803
    """Give a cluster another name."""
    with gate.permit("cluster", "update") as permit:
        row = permit.one(tables.Cluster, clusterUuid)
        _check_name(permit, body.name, row)
        state = permit.states([row.id]).get(row.id)
        before = document(_shown(permit, request, row, state))
        row.name, row.updated_ms = body.name, permit.now_ms
        permit.record("update", "cluster", row, before=before, after=document(_shown(permit, request, row, state)))


@router.delete("/{clusterUuid}", status_code=204)
def delete_cluster(request: Request, gate: GateOfRequest, clusterUuid: str) -> None:  # noqa: N803
    """Delete a cluster here, with its departments, projects and node pools. Nothing is uninstalled."""
    with gate.permit("cluster", "delete") as permit:
        row = permit.one(tables.Cluster, clusterUuid)
        state = permit.states([row.id]).get(row.id)
        permit.record("delete", "cluster", row, before=document(_shown(permit, request, row, state)))
        end_rules(permit, tables.AccessRule.cluster_id == row.id)
        permit.remove(row)


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
        values = {
            "controlPlane.url": services_of(request).url,
            "controlPlane.clientSecret": row.client_secret,
            "cluster.uid": row.id,
            "cluster.url": query.remote_cluster_url or row.domain,
        }
        return InstallInfo(
            installation_str=install_command(names.SYSTEM_NAMESPACE, values),
            repository_name="",
            chart_repo_url="",
            client_secret=row.client_secret,
        )


def _check_name(permit: Permit, name: str, own: tables.Cluster | None) -> None:
    same = permit.first(permit.select_whole(tables.Cluster).where(tables.Cluster.name == name))
    if same is not None and same is not own:
        raise Conflict("Resource with this name already exists", f"there is a cluster {name}")


def _shown(
    permit: Permit,
    request: Request,
    row: tables.Cluster,
    state: tables.ClusterState | None,
    query: ClusterQuery | None = None,
) -> Cluster:
    is_full = query is None or query.verbosity == "full"
    said = state.document if state is not None else None
    seen_ms = state.seen_ms if state is not None else 0
    silent_seconds = services_of(request).settings.clusters.silent_seconds
    return Cluster(
        uuid=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        domain=row.domain or (said["domain"] if said else None),
        version=said["version"] if said else row.version,
        created_at=from_milliseconds(row.created_ms),
        updated_at=from_milliseconds(row.updated_ms),
        last_liveness=from_milliseconds(seen_ms) if seen_ms else None,
        status=cluster_status(said, seen_ms, permit.now_ms, silent_seconds) if is_full else None,
    )
