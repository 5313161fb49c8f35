"""Events that others than Aliquot record are kept on a bound of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"


def upgrade() -> None:
    """Add a column."""
    of_others = sa.Column("of_others", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("workload_records", of_others)
