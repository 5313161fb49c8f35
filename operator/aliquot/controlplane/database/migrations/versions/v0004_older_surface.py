"""Node types, settings and logos of tenants: what the older surface has beside the newer one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add tables."""
    op.create_table(
        "node_types",
        sa.Column("id", _key(), nullable=False),
        sa.Column("tenant_id", _key(), nullable=False),
        sa.Column("cluster_id", _text(36), nullable=False),
        sa.Column("name", _text(63), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", _text(255), nullable=False),
        sa.Column("updated_by", _text(255), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cluster_id", "name"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_node_types_cluster_id"), "node_types", ["cluster_id"], unique=False)
    op.create_index(op.f("ix_node_types_tenant_id"), "node_types", ["tenant_id"], unique=False)
    op.create_table(
        "tenant_settings",
        sa.Column("tenant_id", _key(), nullable=False),
        sa.Column("key", _text(255), nullable=False),
        sa.Column("value", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.PrimaryKeyConstraint("tenant_id", "key"),
    )
    op.create_table(
        "logos",
        sa.Column("tenant_id", _key(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.PrimaryKeyConstraint("tenant_id"),
    )


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(longest: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=longest).with_variant(sa.String(length=longest, collation="C"), "postgresql")
