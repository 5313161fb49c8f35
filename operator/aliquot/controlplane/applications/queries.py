"""Applications in the database, and as they are shown."""

from aliquot.contracts.administrator_api.applications import Application
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.database import tables


def shown(row: tables.Application) -> Application:
    """An application as the API has it."""
    return Application(
        id=row.id,
        name=row.name,
        created_by=row.created_by,
        created_at=from_milliseconds(row.created_ms),
        updated_at=from_milliseconds(row.updated_ms),
        enabled=row.enabled,
        last_login=None if row.last_login_ms is None else from_milliseconds(row.last_login_ms),
        tenant_id=str(row.tenant_id),
    )
