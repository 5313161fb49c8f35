"""What clusters said of objects, out of the database."""

from collections.abc import Mapping, Sequence

from aliquot.contracts.cluster_sync import Kind
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Department, NodePool, Project
from aliquot.controlplane.statuses.rules import Told, is_applied


def told_of(permit: Permit, kind: Kind, rows: Sequence[NodePool | Department | Project]) -> Mapping[int, Told]:
    """What is known of objects of one kind, by id."""
    clusters = {row.cluster_id for row in rows}
    progress = permit.progress(clusters)
    documents = permit.reported(kind, clusters, {row.name for row in rows})
    found: dict[int, Told] = {}
    for row in rows:
        applied, current = progress.get(row.cluster_id, (None, 0))
        found[row.id] = Told(
            document=documents.get((row.cluster_id, row.name)),
            has_connected=row.cluster_id in progress,
            is_applied=is_applied(row.revision, applied, current),
            is_new=row.version == 1,
        )
    return found
