"""Applications are made, changed and deleted, for whichever surface asks.

Secrets are made before a transaction begins, as that takes long.
"""

import uuid

from aliquot.controlplane.access_rules.ending import end_rules_of
from aliquot.controlplane.applications.queries import shown
from aliquot.controlplane.auditing import document, updating
from aliquot.controlplane.auth.passwords import NewSecret
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Application


def create(permit: Permit, name: str, secret: NewSecret, *, shows_secret: bool = False) -> Application:
    """Make an application; it has no rights before an access rule gives it some.

    Args:
        permit: of the caller.
        name: how it is called.
        secret: its secret.
        shows_secret: whether the secret can be asked for again.

    Raises:
        Conflict: there is one of this name.
    """
    same = permit.select_whole(Application).where(Application.name == name)
    permit.check_is_new(same, f"there is an application {name}")
    row = Application(
        id=str(uuid.uuid4()),
        name=name,
        secret_hash=secret.kept,
        shown_secret=secret.text if shows_secret else None,
        enabled=True,
        tokens_from_ms=permit.now_ms,
        **permit.origin(),
    )
    permit.add(row)
    permit.record("create", "app", row, after=document(shown(row)))
    return row


def enable(permit: Permit, row: Application, *, enabled: bool) -> None:
    """Enable or disable an application; disabled, the tokens that it has do not count, either."""
    with updating(permit, "app", row, shown):
        if row.enabled and not enabled:
            permit.end_tokens(row)
        row.enabled = enabled


def change_secret(permit: Permit, row: Application, secret: NewSecret) -> None:
    """Give an application another secret; the one before, and the tokens got by it, do not count any more."""
    with updating(permit, "app", row, shown):
        row.secret_hash = secret.kept
        row.shown_secret = None if row.shown_secret is None else secret.text
        permit.end_tokens(row)


def delete(permit: Permit, row: Application) -> None:
    """Delete an application, and the access rules for it."""
    permit.record("delete", "app", row, before=document(shown(row)))
    end_rules_of(permit, "app", row.id, row.name)
    permit.remove(row)
