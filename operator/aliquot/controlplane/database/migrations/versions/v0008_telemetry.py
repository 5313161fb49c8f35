"""Events that others than Aliquot record are kept on a bound of their own, and GPUs that pods have can be summed up."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add two columns; what pods have is in their documents already."""
    of_others = sa.Column("of_others", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("workload_records", of_others)
    op.add_column("pods", sa.Column("allocated_gpu", sa.Float(53), nullable=False, server_default="0"))
    document = sa.column("document", sa.JSON())
    pods = sa.table("pods", document, sa.column("allocated_gpu", sa.Float(53)))
    held = sa.func.coalesce(document[("allocated", "gpu")].as_float(), 0.0)
    op.execute(sa.update(pods).values(allocated_gpu=held))
