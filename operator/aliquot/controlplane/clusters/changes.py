"""Clusters are made, renamed and deleted, for whichever surface asks."""

import uuid

from aliquot.contracts.administrator_api.clusters import ClusterCreation
from aliquot.controlplane.access_rules.ending import end_rules
from aliquot.controlplane.auditing import document, updating
from aliquot.controlplane.auth.passwords import new_secret
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.clusters.queries import shown
from aliquot.controlplane.database.tables import AccessRule, Cluster
from aliquot.controlplane.departments import queries as departments
from aliquot.controlplane.departments.rules import DEFAULT_DEPARTMENT
from aliquot.controlplane.node_pools import queries as node_pools
from aliquot.controlplane.node_pools.rules import DEFAULT_POOL
from aliquot.controlplane.quotas.changes import change as change_quotas
from aliquot.controlplane.settings import Clusters


def create(permit: Permit, given: ClusterCreation, settings: Clusters) -> Cluster:
    """Make a cluster, with a default node pool and a default department.

    Raises:
        Conflict: there is one of this name.
    """
    _check_name(permit, given.name)
    row = Cluster(
        id=str(uuid.uuid4()),
        name=given.name,
        domain=given.domain,
        version=given.version,
        client_secret=new_secret(),
        revision=0,
        **permit.origin(),
    )
    permit.add(row)
    pool = node_pools.new_row(permit, row.id, DEFAULT_POOL, None)
    permit.add(pool)
    department = departments.new_row(permit, row.id, DEFAULT_DEPARTMENT)
    permit.add(department)
    change_quotas(permit, department, [])
    pool.revision = department.revision = row.revision  # all revisions of the cluster have them
    permit.record("create", "cluster", row, after=document(shown(permit, row, settings)))
    return row


def rename(permit: Permit, row: Cluster, name: str, settings: Clusters) -> None:
    """Give a cluster another name.

    Raises:
        Conflict: another one has it.
    """
    if name != row.name:
        _check_name(permit, name)
    with updating(permit, "cluster", row, lambda cluster: shown(permit, cluster, settings)):
        row.name = name


def delete(permit: Permit, row: Cluster, settings: Clusters) -> None:
    """Delete a cluster here, with its departments, projects and node pools. Nothing is uninstalled."""
    permit.record("delete", "cluster", row, before=document(shown(permit, row, settings)))
    end_rules(permit, AccessRule.cluster_id == row.id)
    permit.remove(row)


def _check_name(permit: Permit, name: str) -> None:
    permit.check_is_new(permit.select_whole(Cluster).where(Cluster.name == name), f"there is a cluster {name}")
