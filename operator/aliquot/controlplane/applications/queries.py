"""Applications in the database, and as they are shown."""

from typing import Final

from aliquot.contracts.administrator_api.applications import Application, Installer
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.auth.reach import Place
from aliquot.controlplane.database import tables

INSTALLER: Final = "installer"
"""Name of the tenant's application for installing clusters."""


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


def installer(permit: Permit) -> tables.Application | None:
    """The tenant's application for installing clusters; None: nobody has asked for it yet.

    Raises:
        Forbidden: the caller's rights do not reach the tenant itself.
    """
    permit.check(Place())
    return permit.first(permit.select(tables.Application).where(tables.Application.shown_secret.is_not(None)))


def installer_shown(row: tables.Application) -> Installer:
    """That application as the API has it."""
    assert row.shown_secret is not None
    return Installer(id=row.id, name=row.name, secret=row.shown_secret)
