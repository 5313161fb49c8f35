"""Clusters in the database, and as they are shown."""

from aliquot.contracts.administrator_api.clusters import Cluster
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.refusals import BadRequest
from aliquot.controlplane.settings import Clusters
from aliquot.controlplane.statuses.rules import cluster_status


def cluster_of_body(permit: Permit, cluster_id: str) -> tables.Cluster:
    """The cluster in which a request wants something made.

    Raises:
        BadRequest: there is no such cluster.
    """
    cluster = permit.referred(tables.Cluster, cluster_id)
    if cluster is None:
        raise BadRequest(f"Bad request - clusterId: {cluster_id!r} is not allowed: there is no such cluster")
    return cluster


def everyone(permit: Permit, settings: Clusters, *, with_status: bool = True) -> list[Cluster]:
    """The clusters that the caller may see, the oldest first."""
    found = permit.rows(permit.select(tables.Cluster).order_by(tables.Cluster.created_ms, tables.Cluster.id))
    states = permit.states([row.id for row in found])
    return [_shown(permit, row, states.get(row.id), settings, with_status=with_status) for row in found]


def install_values(url: str, row: tables.Cluster, cluster_url: str | None = None) -> dict[str, str | None]:
    """What the chart is given on a cluster, by the names of its values; None: nothing. There is a secret among it.

    Args:
        url: how clusters reach this control plane.
        row: the cluster.
        cluster_url: how people reach it; None: as is kept of it.
    """
    return {
        "controlPlane.url": url,
        "controlPlane.clientSecret": row.client_secret,
        "cluster.uid": row.id,
        "cluster.url": cluster_url or row.domain,
    }


def shown(permit: Permit, row: tables.Cluster, settings: Clusters, *, with_status: bool = True) -> Cluster:
    """A cluster as the API has it.

    Args:
        permit: of the caller.
        row: the cluster.
        settings: when a cluster counts as silent.
        with_status: whether it is told how the cluster is doing.
    """
    return _shown(permit, row, permit.states([row.id]).get(row.id), settings, with_status=with_status)


def _shown(
    permit: Permit, row: tables.Cluster, state: tables.ClusterState | None, settings: Clusters, *, with_status: bool
) -> Cluster:
    said = state.document if state is not None else None
    seen_ms = state.seen_ms if state is not None else 0
    return Cluster(
        uuid=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        domain=row.domain or (said["domain"] if said else None),
        version=said["version"] if said else row.version,
        created_at=from_milliseconds(row.created_ms),
        updated_at=from_milliseconds(row.updated_ms),
        last_liveness=from_milliseconds(seen_ms) if seen_ms else None,
        status=cluster_status(said, seen_ms, permit.now_ms, settings.silent_seconds) if with_status else None,
    )
