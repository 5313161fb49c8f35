"""Node types in the database. Projects name one by its id as text, or by its name (control-plane-api.md 1.4.3)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import NodeType


@dataclass(frozen=True, slots=True)
class Names:
    """The node types of one cluster, for those who name them.

    Attributes:
        by_id: names, by id.
        by_name: ids, by name.
    """

    by_id: dict[int, str]
    by_name: dict[str, int]

    def read(self, written: str) -> tuple[int | None, str]:
        """Id and name of what a project names; nobody has to have made it, then it has no id."""
        if written.isascii() and written.isdigit() and int(written) in self.by_id:
            return int(written), self.by_id[int(written)]
        return self.by_name.get(written), written


def of_cluster(permit: Permit, cluster_id: str) -> Sequence[NodeType]:
    """All node types of a cluster, the oldest first."""
    query = permit.select_whole(NodeType).where(NodeType.cluster_id == cluster_id)
    return permit.rows(query.order_by(NodeType.id))


def names_in(permit: Permit, cluster_ids: Collection[str]) -> dict[str, Names]:
    """The node types of clusters, by cluster."""
    found = {cluster_id: Names({}, {}) for cluster_id in cluster_ids}
    for row in permit.rows(permit.select_whole(NodeType).where(NodeType.cluster_id.in_(cluster_ids))):
        found[row.cluster_id].by_id[row.id] = row.name
        found[row.cluster_id].by_name[row.name] = row.id
    return found
