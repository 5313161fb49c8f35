"""Clusters in the database."""

from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Cluster
from aliquot.controlplane.refusals import BadRequest


def cluster_of_body(permit: Permit, cluster_id: str) -> Cluster:
    """The cluster in which a request wants something made.

    Raises:
        BadRequest: there is no such cluster.
    """
    cluster = permit.referred(Cluster, cluster_id)
    if cluster is None:
        raise BadRequest(f"Bad request - clusterId: {cluster_id!r} is not allowed: there is no such cluster")
    return cluster
