"""How policies are doing in their clusters, out of what those said last (control-plane-api.md 5.5)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import cast

from aliquot.contracts.administrator_api.policies import PolicyType
from aliquot.contracts.administrator_api.policies.answers import ClusterSync, PolicySync
from aliquot.contracts.cluster_sync import policy_name
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.policies.judging import kind_of
from aliquot.controlplane.policies.queries import Scoped, in_cluster
from aliquot.controlplane.statuses.rules import is_applied, policy_phase


def statuses(permit: Permit, rows: Sequence[tables.Policy]) -> Mapping[str, PolicySync]:
    """How policies are doing in each cluster in which they count, by id."""
    clusters = sorted(permit.rows(permit.select_whole(tables.Cluster)), key=lambda each: each.created_ms)
    progress = permit.progress([cluster.id for cluster in clusters])
    copies = _copies(permit, rows, [cluster.id for cluster in clusters])
    names = {name for of_clusters in copies.values() for found in of_clusters.values() for name in found}
    documents = permit.reported("policy", [cluster.id for cluster in clusters], names)
    found: dict[str, PolicySync] = {}
    for row in rows:
        synced: list[ClusterSync] = []
        for cluster in clusters:
            if row.cluster_id not in (None, cluster.id):
                continue
            applied, current = progress.get(cluster.id, (None, 0))
            is_there = is_applied(row.revisions.get(cluster.id, 0), applied, current)
            told = [documents.get((cluster.id, name)) for name in copies[row.id].get(cluster.id, ())]
            phase, message = policy_phase(told, has_connected=cluster.id in progress, is_applied=is_there)
            synced.append(ClusterSync(cluster_id=cluster.id, status=phase, error_message=message))
        found[row.id] = PolicySync(clusters=synced)
    return found


def _copies(
    permit: Permit, rows: Sequence[tables.Policy], clusters: Sequence[str]
) -> Mapping[str, Mapping[str, list[str]]]:
    """By policy and cluster, what the policies of clusters are called in which it has a part."""
    everything = permit.rows(permit.select_whole(tables.Policy))
    projects: dict[str, list[tables.Project]] = defaultdict(list)
    for project in permit.rows(permit.select_whole(tables.Project)):
        projects[project.cluster_id].append(project)
    found: dict[str, dict[str, list[str]]] = {row.id: defaultdict(list) for row in rows}
    for workloads in {row.type for row in rows}:
        kind = kind_of(cast("PolicyType", workloads))
        same = Scoped(row for row in everything if row.type == workloads)
        for cluster in clusters:
            for namespace, way in in_cluster(same, cluster, projects[cluster]):
                for row in way:
                    if row.id in found:
                        found[row.id][cluster].append(policy_name(kind, namespace))
    return found
