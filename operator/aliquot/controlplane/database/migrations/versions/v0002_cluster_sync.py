"""Revisions of what clusters are to have, and what they say of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns and tables."""
    for table in ("clusters", "node_pools", "departments", "projects"):
        op.add_column(table, sa.Column("revision", sa.BigInteger(), nullable=False, server_default="1"))
    op.create_table(
        "cluster_states",
        sa.Column("cluster_id", _text(36), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("reported_ms", sa.BigInteger(), nullable=True),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("session", _text(36), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("ended_sessions", sa.JSON(), nullable=False),
        sa.Column("applied_revision", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cluster_id"),
    )
    op.create_table(
        "reported_objects",
        sa.Column("cluster_id", _text(36), nullable=False),
        sa.Column("kind", _text(16), nullable=False),
        sa.Column("name", _text(253), nullable=False),
        sa.Column("session", _text(36), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cluster_id", "kind", "name"),
    )


def _text(longest: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=longest).with_variant(sa.String(length=longest, collation="C"), "postgresql")
