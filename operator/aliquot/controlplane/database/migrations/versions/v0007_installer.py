"""An application whose secret can be asked for more than once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add a column."""
    secret = sa.String(length=255).with_variant(sa.String(length=255, collation="C"), "postgresql")
    op.add_column("applications", sa.Column("shown_secret", secret, nullable=True))
