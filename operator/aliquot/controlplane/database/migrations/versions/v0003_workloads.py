"""Workloads, their pods, and what happened to them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add tables."""
    op.create_table(
        "workloads",
        *_running(),
        sa.Column("type", _text(1024), nullable=False),
        sa.Column("department_name", _text(1024), nullable=True),
        sa.Column("phase", _text(16), nullable=False),
        sa.Column("phase_ms", sa.BigInteger(), nullable=False),
        sa.Column("submitted_by", _text(1024), nullable=True),
        sa.Column("allocated_gpu", sa.Float(53), nullable=False),
        sa.Column("distributed_framework", _text(16), nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cluster_id", "id"),
    )
    op.create_index("workloads_of_tenant", "workloads", ["tenant_id", "created_ms"])
    op.create_index("workloads_of_project", "workloads", ["project_id"])
    op.create_index("workloads_gone", "workloads", ["cluster_id", "deleted_ms"])
    op.create_table(
        "pods",
        *_running(),
        sa.Column("workload_id", _text(64), nullable=False),
        sa.Column("workload_name", _text(253), nullable=False),
        sa.Column("node_name", _text(1024), nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cluster_id", "id"),
    )
    op.create_index("pods_of_tenant", "pods", ["tenant_id", "created_ms"])
    op.create_index("pods_of_project", "pods", ["project_id"])
    op.create_index("pods_of_workload", "pods", ["cluster_id", "workload_id"])
    op.create_index("pods_gone", "pods", ["cluster_id", "deleted_ms"])
    op.create_table(
        "workload_records",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cluster_id", _text(36), nullable=False),
        sa.Column("workload_id", _text(64), nullable=False),
        sa.Column("event_id", _text(64), nullable=True),
        sa.Column("happened_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cluster_id", "workload_id", "event_id"),
        sqlite_autoincrement=True,
    )


def _running() -> list[sa.Column[object]]:
    """The columns that workloads and pods have in common."""
    return [
        sa.Column("cluster_id", _text(36), nullable=False),
        sa.Column("id", _text(64), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("session", _text(36), nullable=False),
        sa.Column("name", _text(253), nullable=False),
        sa.Column("project_name", _text(1024), nullable=True),
        sa.Column("project_id", sa.BigInteger(), nullable=True),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("node_pool", _text(1024), nullable=True),
        sa.Column("kubernetes_phase", _text(1024), nullable=False),
        sa.Column("kubernetes_phase_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("completed_ms", sa.BigInteger(), nullable=True),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
    ]  # fmt: skip


def _text(longest: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=longest).with_variant(sa.String(length=longest, collation="C"), "postgresql")
