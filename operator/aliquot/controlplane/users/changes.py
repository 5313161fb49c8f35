"""Users are made, changed and deleted, for whichever surface asks.

Passwords come as what is kept of them: making that takes long, so it is done before a transaction begins.
"""

import uuid

from aliquot.controlplane.access_rules.ending import check_administrator_is_left, end_rules_of
from aliquot.controlplane.auditing import document, updating
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import User
from aliquot.controlplane.users.queries import shown


def create(permit: Permit, email: str, password_hash: str, *, must_change_password: bool) -> User:
    """Make a user; it has no rights before an access rule gives it some.

    Raises:
        Conflict: there is one with this address; small and capital letters are the same.
    """
    email = email.lower()
    permit.check_is_new(permit.select_whole(User).where(User.email == email), f"there is a user {email}")
    row = User(
        id=str(uuid.uuid4()),
        email=email,
        password_hash=password_hash,
        must_change_password=must_change_password,
        tokens_from_ms=permit.now_ms,
        **permit.origin(),
    )
    permit.add(row)
    permit.record("create", "user", row, after=document(shown(row)))
    return row


def change_password(permit: Permit, row: User, password_hash: str, *, must_change_password: bool) -> None:
    """Give a user another password; the one before, and the tokens got by it, do not count any more."""
    with updating(permit, "user", row, shown):
        row.password_hash, row.must_change_password = password_hash, must_change_password
        permit.end_tokens(row)


def log_out(permit: Permit, row: User) -> None:
    """Make the tokens of a user not count any more."""
    with updating(permit, "user", row, shown):
        permit.end_tokens(row)


def delete(permit: Permit, row: User) -> None:
    """Delete a user, and the access rules for it.

    Raises:
        BadRequest: nobody with a password here would be left who may do everything.
    """
    permit.record("delete", "user", row, before=document(shown(row)))
    end_rules_of(permit, "user", row.id, row.email)
    permit.remove(row)
    check_administrator_is_left(permit)
