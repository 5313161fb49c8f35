"""What is kept, and how it is reached: SQLite (WAL) or PostgreSQL, through SQLAlchemy.

`Database` gives sessions, `tables` says what is in them, `migrating` brings a database up to date. Only `auth` and
`tenants` open sessions; everything else gets a `Permit`.
"""

from aliquot.controlplane.database.engine import Database, Unavailable
from aliquot.controlplane.database.migrating import migrate

__all__ = ["Database", "Unavailable", "migrate"]
