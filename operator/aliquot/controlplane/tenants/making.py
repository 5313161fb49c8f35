"""Making tenants, each with its first administrator."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from aliquot.contracts.administrator_api.permissions import ROLES, SYSTEM_ADMINISTRATOR
from aliquot.contracts.administrator_api.shapes import DISPLAY_NAME
from aliquot.contracts.administrator_api.users import EMAIL
from aliquot.controlplane.auth.passwords import Passwords, new_password
from aliquot.controlplane.database import Database
from aliquot.controlplane.database.tables import AccessRule, Tenant, User
from aliquot.errors import UserError

_MAKER = "aliquot"


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the first administrator of a tenant signs in.

    Attributes:
        tenant: name of the tenant, and of its realm.
        tenant_id: id of the tenant.
        username: of the administrator.
        password: of the administrator; not kept anywhere.
    """

    tenant: str
    tenant_id: int
    username: str
    password: str


def first_tenant(
    database: Database, name: str, administrator: str, now_ms: int, tell: Callable[[Credentials], None]
) -> None:
    """Make the tenant of an empty database; where there is one already, nothing is done.

    Args:
        database: up to date.
        name: of the tenant.
        administrator: e-mail address of its administrator.
        now_ms: the time.
        tell: shows the credentials to somebody. It is called before they are kept: if it fails, or the process dies
            over it, the next start makes others.
    """
    with database.writing() as session:
        if session.scalar(select(Tenant.id).limit(1)) is None:
            tell(_made(session, name, None, administrator, now_ms))


def make(
    database: Database,
    name: str,
    host: str | None,
    administrator: str,
    now_ms: int,
    tell: Callable[[Credentials], None],
) -> None:
    """Make one more tenant.

    Args:
        database: up to date.
        name: of the tenant; unique.
        host: host name that is its own, for requests that name no realm; None: it has none.
        administrator: e-mail address of its administrator.
        now_ms: the time.
        tell: shows the credentials to somebody, before they are kept.

    Raises:
        UserError: the name or the address cannot be one, or there is a tenant with this name or host.
    """
    if not re.fullmatch(DISPLAY_NAME, name):
        raise UserError("name", name, "letters, digits, spaces and -_.@, with a letter or digit first")
    if not re.fullmatch(EMAIL, administrator):
        raise UserError("administrator", administrator, "an e-mail address")
    with database.writing() as session:
        if session.scalar(select(Tenant.id).where(Tenant.name == name)) is not None:
            raise UserError("name", name, "there is a tenant of this name")
        if host and session.scalar(select(Tenant.id).where(Tenant.host == host.lower())) is not None:
            raise UserError("host", host, "there is a tenant with this host")
        tell(_made(session, name, host.lower() if host else None, administrator, now_ms))


def change(database: Database, name: str, *, refuses_over_subscription: bool) -> None:
    """Say whether a tenant refuses quotas that add up to more than there is (control-plane-api.md 4.3).

    Raises:
        UserError: there is no such tenant.
    """
    with database.writing() as session:
        tenant = session.scalar(select(Tenant).where(Tenant.name == name))
        if tenant is None:
            raise UserError("name", name, "there is no tenant of this name")
        tenant.refuses_over_subscription = refuses_over_subscription


def _made(session: Session, name: str, host: str | None, administrator: str, now_ms: int) -> Credentials:
    password = new_password()
    tenant = Tenant(name=name, host=host, refuses_over_subscription=False, created_ms=now_ms)
    session.add(tenant)
    session.flush()
    user = User(
        id=str(uuid.uuid4()),
        tenant_id=tenant.id,
        email=administrator.lower(),
        password_hash=Passwords(1).hashed(password),
        must_change_password=False,
        tokens_from_ms=now_ms,
        created_ms=now_ms,
        updated_ms=now_ms,
        created_by=_MAKER,
    )
    session.add(user)
    session.add(
        AccessRule(
            tenant_id=tenant.id,
            subject_id=user.email,
            subject_type="user",
            role_id=SYSTEM_ADMINISTRATOR,
            role_name=ROLES[SYSTEM_ADMINISTRATOR].name,
            scope_id=str(tenant.id),
            scope_type="tenant",
            scope_name=name,
            scope_path=name,
            created_ms=now_ms,
            created_by=_MAKER,
        )
    )
    session.flush()
    return Credentials(name, tenant.id, user.email, password)
