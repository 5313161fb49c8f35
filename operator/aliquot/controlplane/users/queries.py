"""Users in the database, and as they are shown."""

from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.contracts.administrator_api.users import User
from aliquot.controlplane.database import tables


def shown(row: tables.User) -> User:
    """A user as the API has it."""
    return User(
        id=row.id,
        username=row.email,
        created_by=row.created_by,
        created_at=from_milliseconds(row.created_ms),
        updated_at=from_milliseconds(row.updated_ms),
        last_login=None if row.last_login_ms is None else from_milliseconds(row.last_login_ms),
        is_local=row.issuer is None,
        groups=row.groups,
    )
