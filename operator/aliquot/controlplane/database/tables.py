"""The tables. Times are milliseconds since 1970-01-01 UTC; amounts are as the API has them.

    tenants ─┬─ issuers, users, applications, access_rules, audit_records, tenant_settings, logos
             ├─ policies (of the tenant, a cluster, a department or a project)
             └─ clusters ─┬─ node_pools ──────────────┐
                          ├─ node_types               │
                          ├─ departments ── projects ─┴─ quotas (of a department or a project, in a pool)
                          ├─ cluster_states, reported_objects: what the cluster says of itself
                          ├─ workloads, pods, workload_records: what runs there, and ran there lately
                          └─ submissions: which of the workloads were submitted here, and what is to be done with them

Ids are never given twice, also when what had them is gone: access rules and audit records name them.
"""

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, CheckConstraint, Float, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

_KEY = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts only columns of exactly this type by itself."""
_COUNTED: dict[str, bool] = {"sqlite_autoincrement": True}

Document = dict[str, Any]


def _text(longest: int) -> String:
    """Text that is compared and sorted by its characters' codes, as SQLite does, whatever the server's language."""
    return String(longest).with_variant(String(longest, collation="C"), "postgresql")


class Base(DeclarativeBase):
    """Root of the tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {Document: JSON(none_as_null=True), list[str]: JSON()}


class Tenant(Base):
    """An organization: what it has nobody else sees."""

    __tablename__ = "tenants"
    __table_args__ = (_COUNTED,)

    id: Mapped[int] = mapped_column(_KEY, primary_key=True)
    name: Mapped[str] = mapped_column(_text(255), unique=True)
    host: Mapped[str | None] = mapped_column(_text(255), unique=True)
    refuses_over_subscription: Mapped[bool]
    created_ms: Mapped[int] = mapped_column(BigInteger)


class Issuer(Base):
    """Who vouches for a tenant's people, and what of their words counts. Its client secret is readable: it is sent."""

    __tablename__ = "issuers"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    url: Mapped[str] = mapped_column(_text(1024))
    client_id: Mapped[str] = mapped_column(_text(255))
    client_secret: Mapped[str | None] = mapped_column(_text(1024))
    username_claim: Mapped[str] = mapped_column(_text(255))
    groups_claim: Mapped[str] = mapped_column(_text(255))
    required_claims: Mapped[Document]
    hosts: Mapped[list[str]]


class User(Base):
    """Somebody with a password here, or for whom the tenant's issuer vouches: then all of `issuer`… is there."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("tenant_id", "email"),
        UniqueConstraint("tenant_id", "issuer", "issuer_subject", name="users_of_issuers"),
    )

    id: Mapped[str] = mapped_column(_text(36), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), index=True)
    email: Mapped[str] = mapped_column(_text(254))
    password_hash: Mapped[str | None] = mapped_column(_text(255))
    issuer: Mapped[str | None] = mapped_column(_text(1024))
    issuer_subject: Mapped[str | None] = mapped_column(_text(255))
    groups: Mapped[list[str]] = mapped_column(default=list)
    """As the issuer said when they signed in last."""
    must_change_password: Mapped[bool]
    tokens_from_ms: Mapped[int] = mapped_column(BigInteger)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    updated_ms: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(_text(255))
    last_login_ms: Mapped[int | None] = mapped_column(BigInteger)


class Application(Base):
    """A program with a secret."""

    __tablename__ = "applications"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: Mapped[str] = mapped_column(_text(36), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), index=True)
    name: Mapped[str] = mapped_column(_text(255))
    secret_hash: Mapped[str] = mapped_column(_text(255))
    shown_secret: Mapped[str | None] = mapped_column(_text(255))
    """Of the installer: it is asked for more than once. None: of this one nobody can read it any more."""
    enabled: Mapped[bool]
    tokens_from_ms: Mapped[int] = mapped_column(BigInteger)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    updated_ms: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(_text(255))
    last_login_ms: Mapped[int | None] = mapped_column(BigInteger)


class Cluster(Base):
    """A Kubernetes cluster. Its secret is readable: whoever installs it asks for it, more than once."""

    __tablename__ = "clusters"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    id: Mapped[str] = mapped_column(_text(36), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), index=True)
    name: Mapped[str] = mapped_column(_text(255))
    domain: Mapped[str | None] = mapped_column(_text(1024))
    version: Mapped[str | None] = mapped_column(_text(1024))
    client_secret: Mapped[str] = mapped_column(_text(255))
    revision: Mapped[int] = mapped_column(BigInteger)
    """Of all that the cluster is to have; see `revisions`."""
    created_ms: Mapped[int] = mapped_column(BigInteger)
    updated_ms: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(_text(255))


class _OfCluster:
    """What every object of a cluster has. Its revision is the one of the cluster that first has it as it is."""

    id: Mapped[int] = mapped_column(_KEY, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), index=True)
    cluster_id: Mapped[str] = mapped_column(ForeignKey("clusters.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(_text(63))
    version: Mapped[int]
    revision: Mapped[int] = mapped_column(BigInteger)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    updated_ms: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(_text(255))
    updated_by: Mapped[str] = mapped_column(_text(255))


class NodePool(_OfCluster, Base):
    """Nodes that are shared out on their own; without a label it is the default pool."""

    __tablename__ = "node_pools"
    __table_args__ = (UniqueConstraint("cluster_id", "name"), _COUNTED)

    label_key: Mapped[str | None] = mapped_column(_text(317))
    label_value: Mapped[str | None] = mapped_column(_text(63))
    over_provisioning_ratio: Mapped[int]
    cpu_placement: Mapped[str] = mapped_column(_text(16))
    gpu_placement: Mapped[str] = mapped_column(_text(16))


class NodeType(_OfCluster, Base):
    """A name for nodes: they have it as the value of a label. Projects name it by its id, as text."""

    __tablename__ = "node_types"
    __table_args__ = (UniqueConstraint("cluster_id", "name"), _COUNTED)


class Quota(Base):
    """What a department or a project may have in a node pool."""

    __tablename__ = "quotas"
    __table_args__ = (
        CheckConstraint("(department_id IS NULL) <> (project_id IS NULL)", name="quota_has_one_owner"),
        UniqueConstraint("department_id", "node_pool_id"),
        UniqueConstraint("project_id", "node_pool_id"),
        Index("quotas_of_pool", "node_pool_id"),
        _COUNTED,
    )

    id: Mapped[int] = mapped_column(_KEY, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id", ondelete="CASCADE"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    node_pool_id: Mapped[int] = mapped_column(ForeignKey("node_pools.id", ondelete="CASCADE"))
    gpu: Mapped[Document]
    cpu: Mapped[Document | None]
    memory: Mapped[Document | None]

    node_pool: Mapped[NodePool] = relationship(lazy="raise")


class Department(_OfCluster, Base):
    """Several projects that share a quota."""

    __tablename__ = "departments"
    __table_args__ = (UniqueConstraint("cluster_id", "name"), _COUNTED)

    quotas: Mapped[list[Quota]] = relationship(
        lazy="raise", order_by=Quota.node_pool_id, cascade="all, delete-orphan", passive_deletes=True
    )


class Project(_OfCluster, Base):
    """A team with its own share of the GPUs."""

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("cluster_id", "name"), _COUNTED)

    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id", ondelete="CASCADE"), index=True)
    requested_namespace: Mapped[str | None] = mapped_column(_text(63))
    scheduling_rules: Mapped[Document | None]
    default_node_pools: Mapped[list[str]]
    training_types: Mapped[list[str]]
    workspace_types: Mapped[list[str]]

    quotas: Mapped[list[Quota]] = relationship(
        lazy="raise", order_by=Quota.node_pool_id, cascade="all, delete-orphan", passive_deletes=True
    )
    department: Mapped[Department] = relationship(lazy="raise")


class ClusterState(Base):
    """What a cluster says of itself as a whole, and which of its reports was taken last."""

    __tablename__ = "cluster_states"

    cluster_id: Mapped[str] = mapped_column(ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True)
    seen_ms: Mapped[int] = mapped_column(BigInteger)
    reported_ms: Mapped[int | None] = mapped_column(BigInteger)
    term: Mapped[int] = mapped_column(BigInteger)
    session: Mapped[str] = mapped_column(_text(36))
    sequence: Mapped[int] = mapped_column(BigInteger)
    ended_sessions: Mapped[list[str]]
    applied_revision: Mapped[int | None] = mapped_column(BigInteger)
    document: Mapped[Document | None]


class ReportedObject(Base):
    """What a cluster says of one of its objects, by the name that it has there."""

    __tablename__ = "reported_objects"

    cluster_id: Mapped[str] = mapped_column(ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(_text(16), primary_key=True)
    name: Mapped[str] = mapped_column(_text(253), primary_key=True)
    session: Mapped[str] = mapped_column(_text(36))
    updated_ms: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[Document]


class _Running:
    """What workloads and pods have in common: where they are, since when, and what their cluster says of them.

    Of the tenant, project and department only the ids are kept, and no keys to them: reports are written while
    administrators change those, and neither waits for the other (`engine`).
    """

    cluster_id: Mapped[str] = mapped_column(ForeignKey("clusters.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(_text(64), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(BigInteger)
    session: Mapped[str] = mapped_column(_text(36))
    name: Mapped[str] = mapped_column(_text(253))
    project_name: Mapped[str | None] = mapped_column(_text(1024))
    project_id: Mapped[int | None] = mapped_column(BigInteger)
    department_id: Mapped[int | None] = mapped_column(BigInteger)
    node_pool: Mapped[str | None] = mapped_column(_text(1024))
    kubernetes_phase: Mapped[str] = mapped_column(_text(1024))
    kubernetes_phase_ms: Mapped[int] = mapped_column(BigInteger)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    completed_ms: Mapped[int | None] = mapped_column(BigInteger)
    deleted_ms: Mapped[int | None] = mapped_column(BigInteger)
    updated_ms: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[Document]


class Workload(_Running, Base):
    """A workload of a cluster, by its uid there, or its id here where it was submitted here.

    One that is gone is kept for a while. As long as a cluster has not told of it, its session is empty.
    """

    __tablename__ = "workloads"
    __table_args__ = (
        Index("workloads_of_tenant", "tenant_id", "created_ms"),
        Index("workloads_of_project", "project_id"),
        Index("workloads_gone", "cluster_id", "deleted_ms"),
    )

    type: Mapped[str] = mapped_column(_text(1024))
    department_name: Mapped[str | None] = mapped_column(_text(1024))
    phase: Mapped[str] = mapped_column(_text(16))
    phase_ms: Mapped[int] = mapped_column(BigInteger)
    submitted_by: Mapped[str | None] = mapped_column(_text(1024))
    allocated_gpu: Mapped[float] = mapped_column(Float(53))
    distributed_framework: Mapped[str | None] = mapped_column(_text(16))


class Pod(_Running, Base):
    """A pod of a workload, by its uid. One that is gone is kept for a while."""

    __tablename__ = "pods"
    __table_args__ = (
        Index("pods_of_tenant", "tenant_id", "created_ms"),
        Index("pods_of_project", "project_id"),
        Index("pods_of_workload", "cluster_id", "workload_id"),
        Index("pods_gone", "cluster_id", "deleted_ms"),
    )

    workload_id: Mapped[str] = mapped_column(_text(64))
    workload_name: Mapped[str] = mapped_column(_text(253))
    node_name: Mapped[str | None] = mapped_column(_text(1024))
    allocated_gpu: Mapped[float] = mapped_column(Float(53))


class WorkloadRecord(Base):
    """Something that happened to a workload: an Event of its cluster, by its uid, or another phase."""

    __tablename__ = "workload_records"
    __table_args__ = (UniqueConstraint("cluster_id", "workload_id", "event_id"), _COUNTED)

    id: Mapped[int] = mapped_column(_KEY, primary_key=True)
    cluster_id: Mapped[str] = mapped_column(ForeignKey("clusters.id", ondelete="CASCADE"))
    workload_id: Mapped[str] = mapped_column(_text(64))
    event_id: Mapped[str | None] = mapped_column(_text(64))
    of_others: Mapped[bool] = mapped_column(default=False)
    """An Event that somebody else than Aliquot has recorded."""
    happened_ms: Mapped[int] = mapped_column(BigInteger)
    """Of what is repeated the last time."""
    document: Mapped[Document]


class Submission(Base):
    """A workload that was submitted here, and the order about it that its cluster has not carried out yet.

    As of workloads, of project and department only the ids are kept, and no keys to them.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        Index("submissions_ordered", "cluster_id", "verb"),
        Index("submissions_made", "cluster_id", "uid"),
        Index("submissions_failed", "cluster_id", "failed_ms"),
        Index("submissions_of_project", "project_id"),
        Index("submissions_of_department", "department_id"),
    )

    id: Mapped[str] = mapped_column(_text(36), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(BigInteger)
    cluster_id: Mapped[str] = mapped_column(ForeignKey("clusters.id", ondelete="CASCADE"))
    department_id: Mapped[int] = mapped_column(BigInteger)
    project_id: Mapped[int] = mapped_column(BigInteger)
    project_name: Mapped[str] = mapped_column(_text(63))
    kind: Mapped[str] = mapped_column(_text(32))
    """As custom resources have it, such as `TrainingWorkload`."""
    name: Mapped[str] = mapped_column(_text(63))
    requested_name: Mapped[str] = mapped_column(_text(63))
    body: Mapped[Document]
    """What was submitted, without what has columns of its own."""
    manifest: Mapped[Document | None]
    """What its cluster is to make; None: it was made, or never will be."""
    created_ms: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(_text(255))
    desired_phase: Mapped[str] = mapped_column(_text(16))
    verb: Mapped[str | None] = mapped_column(_text(16))
    """What its cluster is to do; None: nothing that it has not done."""
    number: Mapped[int]
    """Of the last order about it."""
    ordered_ms: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[str | None] = mapped_column(_text(64))
    """Of its custom resource; None: its cluster has not told of any."""
    failed_ms: Mapped[int | None] = mapped_column(BigInteger)
    """When it was found that it never will be made."""


class Policy(Base):
    """Defaults and rules for workloads of a type, in a scope and all that is below it; it goes with its scope."""

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("tenant_id", "type", "scope", "scope_id"),)

    id: Mapped[str] = mapped_column(_text(36), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    type: Mapped[str] = mapped_column(_text(16))
    scope: Mapped[str] = mapped_column(_text(16))
    scope_id: Mapped[str] = mapped_column(_text(64))
    cluster_id: Mapped[str | None] = mapped_column(ForeignKey("clusters.id", ondelete="CASCADE"), index=True)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(_text(255))
    document: Mapped[Document]
    """What it says, as the API has it."""
    revisions: Mapped[Document]
    """By cluster, the one that first has it as it is; clusters that are newer have it from the beginning."""
    created_ms: Mapped[int] = mapped_column(BigInteger)
    updated_ms: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(_text(255))
    updated_by: Mapped[str] = mapped_column(_text(255))


class AccessRule(Base):
    """A subject has a role in a scope. The ids above the scope are its path; names are those of then."""

    __tablename__ = "access_rules"
    __table_args__ = (Index("rules_of_subject", "tenant_id", "subject_type", "subject_id"), _COUNTED)

    id: Mapped[int] = mapped_column(_KEY, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    subject_id: Mapped[str] = mapped_column(_text(253))
    subject_type: Mapped[str] = mapped_column(_text(16))
    role_id: Mapped[int]
    role_name: Mapped[str] = mapped_column(_text(64))
    scope_id: Mapped[str] = mapped_column(_text(64))
    scope_type: Mapped[str] = mapped_column(_text(16))
    scope_name: Mapped[str] = mapped_column(_text(255))
    scope_path: Mapped[str] = mapped_column(_text(1024))
    cluster_id: Mapped[str | None] = mapped_column(_text(36), index=True)
    department_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    project_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    created_ms: Mapped[int] = mapped_column(BigInteger)
    deleted_ms: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(_text(255))


class TenantSetting(Base):
    """What somebody said of a setting; `Tenant` has the one that the rules of quotas need."""

    __tablename__ = "tenant_settings"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    key: Mapped[str] = mapped_column(_text(255), primary_key=True)
    value: Mapped[bool]


class Logo(Base):
    """The tenant's logo."""

    __tablename__ = "logos"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    image: Mapped[bytes]


class AuditRecord(Base):
    """Who changed what, from what to what."""

    __tablename__ = "audit_records"
    __table_args__ = (Index("audit_of_tenant", "tenant_id", "happened_ms"), _COUNTED)

    id: Mapped[int] = mapped_column(_KEY, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    happened_ms: Mapped[int] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(_text(32))
    entity_type: Mapped[str] = mapped_column(_text(32))
    entity_id: Mapped[str] = mapped_column(_text(64))
    entity_name: Mapped[str] = mapped_column(_text(255))
    cluster_id: Mapped[str | None] = mapped_column(_text(36))
    source_type: Mapped[str] = mapped_column(_text(16))
    source_id: Mapped[str] = mapped_column(_text(36))
    source_name: Mapped[str] = mapped_column(_text(255))
    before: Mapped[Document | None]
    after: Mapped[Document | None]


class SigningKey(Base):
    """A key that signs tokens. The database is as secret as the keys in it."""

    __tablename__ = "signing_keys"

    id: Mapped[str] = mapped_column(_text(64), primary_key=True)
    private_pem: Mapped[str] = mapped_column(_text(8192))
    signs_from_ms: Mapped[int] = mapped_column(BigInteger)


class SignInFailure(Base):
    """How often somebody guessed wrong in a row."""

    __tablename__ = "sign_in_failures"

    key: Mapped[str] = mapped_column(_text(64), primary_key=True)
    failures: Mapped[int]
    waits_until_ms: Mapped[int] = mapped_column(BigInteger, index=True)
