"""A permit: one caller may do one action to one type of resource, in the places that their rights reach.

It is the only way to the database for rooms, and only `gate` makes one (`MAKER` is between the two). So all that a
room reads is the caller's tenant's and within reach, and all that it writes is checked once more on the way.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.interfaces import ORMOption

from aliquot.contracts.administrator_api.permissions import Action, ResourceType
from aliquot.contracts.cluster_sync import Kind
from aliquot.controlplane.auth.order_book import OrderBook, follow
from aliquot.controlplane.auth.places import Placed, is_within, place_of, within
from aliquot.controlplane.auth.reach import Grant, Place, Reach, reach
from aliquot.controlplane.auth.tokens import Holder
from aliquot.controlplane.database.revisions import advance
from aliquot.controlplane.database.tables import (
    AccessRule,
    Application,
    AuditRecord,
    Cluster,
    ClusterState,
    Department,
    Document,
    Logo,
    NodePool,
    NodeType,
    Pod,
    Policy,
    Project,
    Quota,
    ReportedObject,
    Submission,
    Tenant,
    TenantSetting,
    User,
    Workload,
    WorkloadRecord,
)
from aliquot.controlplane.refusals import Conflict, Forbidden, NotFound

Row = TypeVar("Row", bound=Placed)

MAKER: Final = object()
"""What only the gate hands over; a test looks that nobody else takes it."""
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_LARGEST_ID: Final = 2**63 - 1


class QuotaRow(NamedTuple):
    """Amounts in one node pool, as they were written."""

    owner_id: int
    pool_id: int
    pool_name: str
    gpu: Document
    cpu: Document | None
    memory: Document | None
    id: int


class Permit:
    """What the caller may see and change.

    Attributes:
        holder: who calls.
        grants: all their rights.
        now_ms: when.
    """

    def __init__(
        self, maker: object, session: Session, holder: Holder, grants: Sequence[Grant], reach: Reach, now_ms: int
    ) -> None:
        assert maker is MAKER, "only the check of rights makes permits"
        self._session = session
        self._reach = reach
        self.holder = holder
        self.grants = grants
        self.now_ms = now_ms

    def select(self, model: type[Row]) -> Select[Row]:
        """Begin a query for what the caller may see of a table."""
        return self.select_whole(model).where(within(model, self._reach))

    def select_also(self, model: type[Row], resource: ResourceType) -> Select[Row]:
        """Begin a query for what the caller may read of a table of another type of resource."""
        return self.select_whole(model).where(within(model, reach(self.grants, resource, "read")))

    def select_whole(self, model: type[Row]) -> Select[Row]:
        """Begin a query for all of a table that is the tenant's: for rules that hold for it, not for answers."""
        return select(model).where(model.tenant_id == self.holder.tenant_id)

    def rows(self, query: Select[Row]) -> Sequence[Row]:
        """What a query finds."""
        return self._session.scalars(query).unique().all()

    def first(self, query: Select[Row]) -> Row | None:
        """The first that a query finds, if it finds any."""
        return self._session.scalars(query.limit(1)).unique().first()

    def count(self, query: Select[Any]) -> int:
        """How many a query finds."""
        return self._session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0

    def counts(self, query: Select[Any], by: Sequence[InstrumentedAttribute[Any]]) -> Iterable[tuple[Any, ...]]:
        """How many a query finds of each group: what the group has in common, then their number."""
        grouped = query.order_by(None).with_only_columns(*by, func.count()).group_by(*by)
        return (tuple(row) for row in self._session.execute(grouped))

    def table(self, query: Select[*tuple[Any, ...]]) -> Sequence[Sequence[Any]]:
        """Sums and counts of what `select` begins a query for."""
        return [tuple(row) for row in self._session.execute(query)]

    def one(self, model: type[Row], written_id: str | int, *options: ORMOption) -> Row:
        """One object, by its id as it came.

        Raises:
            NotFound: the tenant has none with this id.
            Forbidden: it is out of the caller's reach.
        """
        found = self.referred(model, written_id, *options)
        if found is None:
            raise NotFound(details=f"there is no {model.__tablename__.replace('_', ' ').rstrip('s')} {written_id}")
        self._check(found)
        return found

    def check(self, place: Place) -> None:
        """See that the place is within reach.

        Raises:
            Forbidden: it is not.
        """
        if not self._reach.covers(place):
            raise Forbidden

    def check_shown(self, place: Place) -> None:
        """See that the place is within reach, or above it and may be read.

        Raises:
            Forbidden: it is neither.
        """
        if not self._reach.shows(place):
            raise Forbidden

    def _check(self, row: Placed) -> None:
        if not is_within(row, self._reach):
            raise Forbidden

    def add(self, row: Placed) -> None:
        """Add an object; it has its id afterwards.

        Raises:
            Forbidden: it is to be where the caller may not do that.
        """
        assert row.tenant_id == self.holder.tenant_id
        self._session.add(row)
        self._session.flush()
        self.check(place_of(row))

    def referred(self, model: type[Row], written_id: str | int, *options: ORMOption) -> Row | None:
        """An object of the tenant that a request names, wherever it is; None: there is none. Not for answers."""
        wanted = _as_key(model, written_id)
        if wanted is None:
            return None
        return self.first(self.select_whole(model).where(model.id == wanted).options(*options))

    def own_user(self) -> User:
        """The caller, who is a user."""
        assert self.holder.kind == "user"
        return self._session.get_one(User, self.holder.id)

    def states(self, cluster_ids: Collection[str]) -> Mapping[str, ClusterState]:
        """What clusters of the tenant say of themselves, by id; those that never gave a sign of life are left out."""
        query = select(ClusterState).join(Cluster).where(self._clusters(cluster_ids))
        return {row.cluster_id: row for row in self._session.scalars(query)}

    def progress(self, cluster_ids: Collection[str]) -> Mapping[str, tuple[int | None, int]]:
        """The revision that a cluster has, and the one that it is to have; those that never reported are left out."""
        columns = select(ClusterState.cluster_id, ClusterState.applied_revision, Cluster.revision)
        query = columns.join(Cluster).where(self._clusters(cluster_ids), ClusterState.reported_ms.is_not(None))
        return {cluster_id: (applied, revision) for cluster_id, applied, revision in self._session.execute(query)}

    def reported(
        self, kind: Kind, cluster_ids: Collection[str], names: Collection[str]
    ) -> Mapping[tuple[str, str], Document]:
        """What clusters of the tenant say of objects of a kind, by cluster and name."""
        columns = select(ReportedObject.cluster_id, ReportedObject.name, ReportedObject.document)
        named = columns.where(ReportedObject.kind == kind, ReportedObject.name.in_(names))
        query = named.join(Cluster).where(self._clusters(cluster_ids))
        return {(cluster_id, name): document for cluster_id, name, document in self._session.execute(query)}

    def quotas(self, owner: InstrumentedAttribute[int | None], ids: Collection[int]) -> Iterable[QuotaRow]:
        """Amounts of departments or projects of the tenant, the oldest node pool first.

        Args:
            owner: column of `Quota` that says whose they are.
            ids: whose.
        """
        columns = select(owner, NodePool.id, NodePool.name, Quota.gpu, Quota.cpu, Quota.memory, Quota.id)
        own = columns.where(Quota.tenant_id == self.holder.tenant_id, owner.in_(ids))
        for row in self._session.execute(own.join(NodePool, Quota.node_pool_id == NodePool.id).order_by(NodePool.id)):
            yield QuotaRow(*row)

    def told(self, cluster: Cluster, kind: Kind) -> Sequence[ReportedObject]:
        """What a cluster says of its objects of a kind, by name."""
        self._check(cluster)
        return self.told_of((cluster.id,), kind)

    def told_of(self, cluster_ids: Collection[str], kind: Kind) -> Sequence[ReportedObject]:
        """What clusters that the caller may see say of their objects of a kind, by name."""
        query = select(ReportedObject).join(Cluster).where(self._clusters(cluster_ids), ReportedObject.kind == kind)
        within_reach = query.where(within(Cluster, self._reach))
        return self._session.scalars(within_reach.order_by(ReportedObject.name, ReportedObject.cluster_id)).all()

    def records(
        self, workload: Workload, offset: int, limit: int, *, events_only: bool = False
    ) -> tuple[Sequence[WorkloadRecord], int | None]:
        """What happened to a workload, the latest first.

        Args:
            workload: it.
            offset: so many are skipped.
            limit: at most so many are returned.
            events_only: only Events of its cluster, and no phases.

        Returns:
            They, and the offset of what follows; None: nothing does.
        """
        self._check(workload)
        whose = WorkloadRecord.cluster_id == workload.cluster_id, WorkloadRecord.workload_id == workload.id
        query = select(WorkloadRecord).where(*whose)
        if events_only:
            query = query.where(WorkloadRecord.event_id.is_not(None))
        latest = query.order_by(WorkloadRecord.happened_ms.desc(), WorkloadRecord.id.desc())
        found = self._session.scalars(latest.offset(offset).limit(limit + 1)).all()
        return found[:limit], offset + limit if len(found) > limit else None

    def take_in(self, project: Project, department: str) -> None:
        """Let a new project have what runs under its name in its cluster, after `record` has told of the project.

        So it is done either before a report of the cluster, or after it has been written.

        Args:
            project: it.
            department: name of its department.
        """
        where = {"project_id": project.id, "department_id": project.department_id}
        for model, values in ((Workload, {**where, "department_name": department}), (Pod, where)):
            named = model.cluster_id == project.cluster_id, model.project_name == project.name
            self._session.execute(
                update(model).where(*named, model.deleted_ms.is_(None)).values(**values),
                execution_options={"synchronize_session": False},
            )
        follow(self._session, project)

    def orders(self, cluster_id: str) -> OrderBook:
        """What a cluster of the tenant is to do with workloads; nobody else writes about those until this is kept."""
        own = select(Cluster.id).where(Cluster.id == cluster_id, Cluster.tenant_id == self.holder.tenant_id)
        self._session.execute(own.with_for_update(key_share=True))
        return OrderBook(self._session, cluster_id, self.now_ms)

    def _clusters(self, ids: Collection[str]) -> ColumnElement[bool]:
        return and_(Cluster.tenant_id == self.holder.tenant_id, Cluster.id.in_(ids))

    def refuses_over_subscription(self) -> bool:
        """Whether the tenant refuses quotas that add up to more than there is."""
        return self._tenant().refuses_over_subscription

    def refuse_over_subscription(self, *, refuses: bool) -> None:
        """Say whether the tenant does so.

        Raises:
            Forbidden: the caller's rights do not reach the tenant itself.
        """
        self.check(Place())
        self._tenant().refuses_over_subscription = refuses

    def settings(self) -> Mapping[str, bool]:
        """What somebody said of the tenant's settings, by key."""
        own = select(TenantSetting).where(TenantSetting.tenant_id == self.holder.tenant_id)
        return {row.key: row.value for row in self._session.scalars(own)}

    def set_setting(self, key: str, *, value: bool) -> None:
        """Say something of a setting of the tenant.

        Raises:
            Forbidden: the caller's rights do not reach the tenant itself.
        """
        self.check(Place())
        self._session.merge(TenantSetting(tenant_id=self.holder.tenant_id, key=key, value=value))

    def logo(self) -> bytes | None:
        """The tenant's logo; None: it has none."""
        found = self._session.get(Logo, self.holder.tenant_id)
        return None if found is None else found.image

    def set_logo(self, image: bytes) -> None:
        """Give the tenant another logo.

        Raises:
            Forbidden: the caller's rights do not reach the tenant itself.
        """
        self.check(Place())
        self._session.merge(Logo(tenant_id=self.holder.tenant_id, image=image))

    def _tenant(self) -> Tenant:
        return self._session.get_one(Tenant, self.holder.tenant_id)

    def remove(self, row: Placed) -> None:
        """Delete an object, and what the database knows to be below it."""
        assert row.tenant_id == self.holder.tenant_id
        self._check(row)
        if isinstance(row, Project | Department):
            self.orders(row.cluster_id).end_below(row)
        self._session.delete(row)
        self._session.flush()

    def origin(self) -> dict[str, Any]:
        """The columns that say of a new object whose it is, and who makes it when."""
        return {
            "tenant_id": self.holder.tenant_id,
            "created_ms": self.now_ms,
            "updated_ms": self.now_ms,
            "created_by": self.holder.name,
        }

    def check_is_new(self, same: Select[Any], says: str) -> None:
        """See that there is no such object yet.

        Args:
            same: finds those that there must not be.
            says: which there is, in words.

        Raises:
            Conflict: there is one.
        """
        if self.count(same):
            raise Conflict("Resource with this name already exists", says)

    def touch(self, row: Placed) -> None:
        """Note on an object that the caller changes it now."""
        if isinstance(row, NodePool | NodeType | Department | Project):
            row.version += 1
        if isinstance(row, NodePool | NodeType | Department | Project | Policy):
            row.updated_by = self.holder.name
        if not isinstance(row, AccessRule | AuditRecord | Submission):
            row.updated_ms = self.now_ms

    def also(self, resource: ResourceType, action: Action) -> "Permit":
        """Give a permit for something else that the same request does, in the same transaction.

        Raises:
            Forbidden: the caller may do this nowhere.
        """
        reaches = reach(self.grants, resource, action)
        if not reaches:
            raise Forbidden
        return Permit(MAKER, self._session, self.holder, self.grants, reaches, self.now_ms)

    def end_tokens(self, subject: User | Application) -> None:
        """Make the tokens that somebody has not count any more, also those of this very millisecond."""
        subject.tokens_from_ms = self.now_ms + 1

    def flush(self) -> None:
        """Have the database know of all changes, so that queries see them."""
        self._session.flush()

    def record(
        self,
        action: Action,
        kind: str,
        row: Placed,
        *,
        before: Document | None = None,
        after: Document | None = None,
    ) -> None:
        """Write down who changed what, and that clusters are to have something else now; it is kept if the change is.

        Args:
            action: what was done.
            kind: type of the object, for people.
            row: the object.
            before: what it was; no secrets.
            after: what it is; no secrets.
        """
        if not isinstance(row, User | Application) or action == "delete":  # with them their access rules go
            revision = advance(self._session, self.holder.tenant_id, place_of(row).cluster_id, self.now_ms)
            if isinstance(row, NodePool | NodeType | Department | Project):
                row.revision = revision
            elif isinstance(row, Policy):
                row.revisions = self._revisions(row.cluster_id)
        named = before or after or {}
        name = str(named.get("name") or named.get("username") or row.id)
        self._write_down(action, kind, str(row.id), name, place_of(row).cluster_id, before, after)

    def _revisions(self, cluster_id: str | None) -> Document:
        """What a cluster is to have now, or each of the tenant, by id."""
        own = select(Cluster.id, Cluster.revision).where(Cluster.tenant_id == self.holder.tenant_id)
        concerned = own if cluster_id is None else own.where(Cluster.id == cluster_id)
        return dict(self._session.execute(concerned).all())

    def record_of_tenant(self, kind: str, name: str, *, before: Document, after: Document) -> None:
        """Write down who changed something that belongs to the tenant as a whole, and is no object.

        Args:
            kind: what it is, for people.
            name: which one.
            before: what it was.
            after: what it is.
        """
        self._write_down("update", kind, name, name, None, before, after)

    def _write_down(
        self,
        action: Action,
        kind: str,
        entity_id: str,
        name: str,
        cluster_id: str | None,
        before: Document | None,
        after: Document | None,
    ) -> None:
        self._session.add(
            AuditRecord(
                tenant_id=self.holder.tenant_id,
                happened_ms=self.now_ms,
                action=action,
                entity_type=kind,
                entity_id=entity_id,
                entity_name=name,
                cluster_id=cluster_id,
                source_type=self.holder.kind,
                source_id=self.holder.id,
                source_name=self.holder.name,
                before=before,
                after=after,
            )
        )


def _as_key(model: type[Placed], written: str | int) -> str | int | None:
    """An id as the table has it; None: it cannot be one."""
    text = str(written)
    if model.__table__.c.id.type.python_type is str:
        return text if text.isprintable() else None
    if not _NUMBER.fullmatch(text) or int(text) > _LARGEST_ID:
        return None
    return int(text)
