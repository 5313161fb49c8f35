"""Workloads that are submitted over REST."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "submissions",
        sa.Column("id", _text(36), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("cluster_id", _text(36), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("project_name", _text(63), nullable=False),
        sa.Column("kind", _text(32), nullable=False),
        sa.Column("name", _text(63), nullable=False),
        sa.Column("requested_name", _text(63), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("manifest", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", _text(255), nullable=False),
        sa.Column("desired_phase", _text(16), nullable=False),
        sa.Column("verb", _text(16), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ordered_ms", sa.BigInteger(), nullable=False),
        sa.Column("uid", _text(64), nullable=True),
        sa.Column("failed_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["clusters.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("submissions_ordered", "submissions", ["cluster_id", "verb"])
    op.create_index("submissions_made", "submissions", ["cluster_id", "uid"])
    op.create_index("submissions_failed", "submissions", ["cluster_id", "failed_ms"])
    op.create_index("submissions_of_project", "submissions", ["project_id"])
    op.create_index("submissions_of_department", "submissions", ["department_id"])


def _text(longest: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=longest).with_variant(sa.String(length=longest, collation="C"), "postgresql")
