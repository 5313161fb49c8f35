"""A cluster's permit: it may read what it is to have, and write what it is like. No other cluster's, no other tenant's.

It is the only way to the database for the sync, and only `cluster_gate` makes one.
"""

import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from sqlalchemy import CursorResult, delete, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from aliquot.contracts.cluster_sync import MOST_STORAGE_CLASSES, Kind
from aliquot.controlplane.auth.order_book import OrderBook
from aliquot.controlplane.auth.workload_keeper import WorkloadKeeper
from aliquot.controlplane.database.tables import (
    AccessRule,
    Application,
    Cluster,
    ClusterState,
    Department,
    Document,
    NodePool,
    NodeType,
    Policy,
    Project,
    ReportedObject,
    User,
)
from aliquot.controlplane.settings import Workloads

Own = TypeVar("Own", NodePool, NodeType, Department, Project)

CLUSTER_MAKER: Final = object()
"""What only the gate hands over."""
_MOST: Final[Mapping[Kind, int]] = {"storageClass": MOST_STORAGE_CLASSES}
"""So many of a kind are kept of a cluster; no number: all."""


class ClusterPermit:
    """What one cluster may read and write.

    Attributes:
        cluster_id: which cluster.
        revision: of all that it is to have.
        now_ms: when.
        workloads: what it says of its workloads.
        orders: what it is to do with those that were submitted here.
    """

    def __init__(self, maker: object, session: Session, cluster: Cluster, now_ms: int, limits: Workloads) -> None:
        assert maker is CLUSTER_MAKER, "only the gate of clusters makes such permits"
        self._session = session
        self._tenant_id = cluster.tenant_id
        self.cluster_id = cluster.id
        self.revision = cluster.revision
        self.now_ms = now_ms
        self.workloads = WorkloadKeeper(session, cluster.id, cluster.tenant_id, now_ms, limits)
        self.orders = OrderBook(session, cluster.id, now_ms)

    def own(self, model: type[Own], *options: ORMOption) -> Sequence[Own]:
        """What the cluster is to have of a table, by name."""
        query = select(model).where(model.cluster_id == self.cluster_id, model.tenant_id == self._tenant_id)
        return self._session.scalars(query.options(*options).order_by(model.name)).unique().all()

    def access_rules(self) -> Sequence[AccessRule]:
        """The access rules that count in the cluster: its own, and those of the whole tenant; the oldest first."""
        here = or_(AccessRule.cluster_id == self.cluster_id, AccessRule.cluster_id.is_(None))
        query = select(AccessRule).where(AccessRule.tenant_id == self._tenant_id, AccessRule.deleted_ms.is_(None), here)
        return self._session.scalars(query.order_by(AccessRule.id)).all()

    def policies(self) -> Sequence[Policy]:
        """The policies that count in the cluster: its own, and those of the whole tenant."""
        here = or_(Policy.cluster_id == self.cluster_id, Policy.cluster_id.is_(None))
        return self._session.scalars(select(Policy).where(Policy.tenant_id == self._tenant_id, here)).all()

    def names_of_subjects(self) -> Mapping[str, str]:
        """How the tenant's users and applications are called, by id: access rules name them by either."""
        users = select(User.id, User.email).where(User.tenant_id == self._tenant_id)
        applications = select(Application.id, Application.name).where(Application.tenant_id == self._tenant_id)
        return {row[0]: row[1] for query in (users, applications) for row in self._session.execute(query)}

    def state(self) -> ClusterState:
        """What the cluster said of itself last; made where there is nothing."""
        found = self._session.get(ClusterState, self.cluster_id)
        if found is None:
            found = ClusterState(
                cluster_id=self.cluster_id, seen_ms=0, term=0, session="", sequence=0, ended_sessions=[]
            )
            self._session.add(found)
        return found

    def seen_ms(self) -> int:
        """When the last sign of life was written; 0: never."""
        query = select(ClusterState.seen_ms).where(ClusterState.cluster_id == self.cluster_id)
        return self._session.scalar(query) or 0

    def keep(self, kind: Kind, documents: Mapping[str, Document], session: str) -> None:
        """Keep what a session says of objects of a kind, by name; of some kinds only so many."""
        mine = select(ReportedObject).where(ReportedObject.cluster_id == self.cluster_id, ReportedObject.kind == kind)
        known = {row.name: row for row in self._session.scalars(mine.where(ReportedObject.name.in_(documents)))}
        room = self._room(kind) if len(known) < len(documents) else 0
        for name, document in documents.items():
            row = known.get(name)
            if row is None:
                if not room:
                    continue
                room -= 1
                row = ReportedObject(cluster_id=self.cluster_id, kind=kind, name=name)
                self._session.add(row)
            if row.document != document:
                row.document, row.updated_ms = document, self.now_ms
            row.session = session
        self._session.flush()

    def _room(self, kind: Kind) -> int:
        there = select(func.count()).where(ReportedObject.cluster_id == self.cluster_id, ReportedObject.kind == kind)
        most = _MOST.get(kind)
        return sys.maxsize if most is None else max(0, most - (self._session.scalar(there) or 0))

    def forget(self, kind: Kind, names: Collection[str]) -> None:
        """Forget objects of a kind."""
        self._delete(kind, ReportedObject.name.in_(names))

    def forget_all_but(self, kind: Kind, session: str) -> int:
        """Forget what other sessions said of a kind; returns how many there were."""
        return self._delete(kind, ReportedObject.session != session)

    def _delete(self, kind: Kind, which: Any) -> int:
        mine = ReportedObject.cluster_id == self.cluster_id
        done = self._session.execute(
            delete(ReportedObject).where(mine, ReportedObject.kind == kind, which),
            execution_options={"synchronize_session": False},
        )
        return cast("CursorResult[Any]", done).rowcount
