"""Revisions: which state of all that a cluster is to have.

A revision is a number that grows with each change, and never is less than the time of that change in milliseconds. So
a database that was restored from a backup is not mistaken for what the cluster has already: its next revision is
greater than all that were made before, also than those that the backup does not know.
"""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from aliquot.controlplane.database.engine import Database
from aliquot.controlplane.database.tables import Cluster

NEVER_SENT: Final = 2**62
"""Revision of an object whose creation has not been recorded yet: no cluster has one so great."""
_MOST_AT_ONCE: Final = 1000
"""Databases bound the parameters of a statement."""


def advance(session: Session, tenant_id: int, cluster_id: str | None, now_ms: int) -> int:
    """Give a cluster the next revision, or all clusters of the tenant.

    Returns:
        The greatest of the new ones; 0: there is no cluster.
    """
    following = case((Cluster.revision >= now_ms, Cluster.revision + 1), else_=now_ms)
    concerned = update(Cluster).where(Cluster.tenant_id == tenant_id)
    if cluster_id is not None:
        concerned = concerned.where(Cluster.id == cluster_id)
    changed = session.scalars(
        concerned.values(revision=following).returning(Cluster.revision),
        execution_options={"synchronize_session": False},
    )
    return max(changed, default=0)


def current(database: Database, cluster_ids: Collection[str]) -> Mapping[str, int]:
    """The revisions of clusters; those that are gone are left out.

    Raises:
        Unavailable: the database does not answer.
    """
    wanted, found = sorted(cluster_ids), dict[str, int]()
    with database.reading() as session:
        for start in range(0, len(wanted), _MOST_AT_ONCE):
            some = Cluster.id.in_(wanted[start : start + _MOST_AT_ONCE])
            for cluster_id, revision in session.execute(select(Cluster.id, Cluster.revision).where(some)):
                found[cluster_id] = revision
    return found
