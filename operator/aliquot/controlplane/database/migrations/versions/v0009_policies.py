"""Policies of workloads."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "policies",
        sa.Column("id", _text(36), nullable=False),
        sa.Column("tenant_id", _KEY, nullable=False),
        sa.Column("type", _text(16), nullable=False),
        sa.Column("scope", _text(16), nullable=False),
        sa.Column("scope_id", _text(64), nullable=False),
        sa.Column("cluster_id", _text(36), nullable=True),
        sa.Column("department_id", _KEY, nullable=True),
        sa.Column("project_id", _KEY, nullable=True),
        sa.Column("name", _text(255), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("revisions", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", _text(255), nullable=False),
        sa.Column("updated_by", _text(255), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "type", "scope", "scope_id"),
    )
    for column in ("cluster_id", "department_id", "project_id"):
        op.create_index(f"ix_policies_{column}", "policies", [column])


def _text(longest: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=longest).with_variant(sa.String(length=longest, collation="C"), "postgresql")
