"""People for whom an issuer outside vouches."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a table; users may be without a password here."""
    op.create_table(
        "issuers",
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("url", _text(1024), nullable=False),
        sa.Column("client_id", _text(255), nullable=False),
        sa.Column("client_secret", _text(1024), nullable=True),
        sa.Column("username_claim", _text(255), nullable=False),
        sa.Column("groups_claim", _text(255), nullable=False),
        sa.Column("required_claims", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("hosts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.PrimaryKeyConstraint("tenant_id"),
    )
    with op.batch_alter_table("users") as users:  # SQLite has to write the table anew
        users.alter_column("password_hash", existing_type=_text(255), nullable=True)
        users.add_column(sa.Column("issuer", _text(1024), nullable=True))
        users.add_column(sa.Column("issuer_subject", _text(255), nullable=True))
        users.add_column(sa.Column("groups", sa.JSON(), nullable=False, server_default="[]"))
        users.create_unique_constraint("users_of_issuers", ["tenant_id", "issuer", "issuer_subject"])


def _text(longest: int) -> sa.types.TypeEngine[str]:
    return sa.String(length=longest).with_variant(sa.String(length=longest, collation="C"), "postgresql")
