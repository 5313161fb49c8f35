"""Signing in: a secret or a password against tokens."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aliquot.controlplane.auth.attempts import Attempts
from aliquot.controlplane.auth.issued import Issued, WrongCredentials, issued
from aliquot.controlplane.auth.people import signing_in
from aliquot.controlplane.auth.tokens import Holder, Kind
from aliquot.controlplane.database.tables import Application, Tenant, User
from aliquot.controlplane.refusals import BadRequest, Unauthorized, guessing
from aliquot.controlplane.services import Services

_WRONG: Final = "The name or the secret is wrong."


def tenant_of_realm(services: Services, realm: str) -> Tenant | None:
    """The tenant of this name."""
    if not realm.isprintable():
        return None  # no database takes what is no text
    with services.database.reading() as session:
        return session.scalar(select(Tenant).where(Tenant.name == realm))


def tenant_of_host(services: Services, host: str) -> Tenant | None:
    """The tenant whose host this is, else the only one there is."""
    with services.database.reading() as session:
        found = session.scalar(select(Tenant).where(Tenant.host == host.lower()))
        others = session.scalars(select(Tenant).where(Tenant.host.is_(None)).limit(2)).all()
        return found or (others[0] if len(others) == 1 else None)


def application_signs_in(services: Services, tenant: Tenant, name: str, secret: str, address: str) -> Issued:
    """Tokens for an application.

    Args:
        services: of this process.
        tenant: of the application.
        name: the application's name or id.
        secret: what it says is its secret.
        address: where it asks from.

    Raises:
        WrongCredentials: name or secret is wrong, or the application is disabled.
        TooMany: there were too many failures.
    """

    def find(session: Session) -> Application | None:
        named = (Application.name == name) | (Application.id == name)
        return session.scalar(select(Application).where(Application.tenant_id == tenant.id, named, Application.enabled))

    return _signs_in(services, tenant, "app", name, secret, address, find)


def user_signs_in(services: Services, tenant: Tenant, email: str, password: str, address: str) -> Issued:
    """Tokens for a user; the same as for an application otherwise.

    Raises:
        WrongCredentials: address or password is wrong.
        TooMany: there were too many failures.
    """

    def find(session: Session) -> User | None:
        return session.scalar(select(User).where(User.tenant_id == tenant.id, User.email == email.lower()))

    return _signs_in(services, tenant, "user", email.lower(), password, address, find)


def refreshed(services: Services, tenant: Tenant, refresh_token: str) -> Issued:
    """Tokens for a user who has signed in before.

    Raises:
        WrongCredentials: the refresh token does not count.
    """
    try:
        claims = services.tokens.read(refresh_token, "Refresh")
    except Unauthorized as error:
        raise WrongCredentials("refreshToken: does not count.", error.details) from error
    if claims.tenant_id != tenant.id:
        raise WrongCredentials("refreshToken: does not count.")
    with services.database.reading() as session:
        user = session.get(User, claims.id)
        if user is None or claims.issued_ms < user.tokens_from_ms:
            raise WrongCredentials("refreshToken: was revoked.")
        holder = Holder(tenant.name, tenant.id, "user", user.id, user.email)
    if user.issuer is not None:
        return signing_in.continued(services, tenant, user, claims.of_issuer or "")
    return issued(services, holder)


def check_password(services: Services, holder: Holder, password: str, address: str) -> None:
    """See that a user knows their own password.

    Raises:
        WrongCredentials: it is wrong.
        TooMany: there were too many failures.
    """
    now_ms = int(services.clock.now() * 1000)
    attempts = _attempts(services, holder.tenant_id, "user", holder.name, address, now_ms)
    with services.database.reading() as session:
        waits = attempts.seconds_to_wait(session)
        found = session.get(User, holder.id)
        kept = None if found is None else found.password_hash
    if waits:
        raise guessing(waits)
    if not services.passwords.matches(kept, password):
        attempts.failed(services.database)
        raise WrongCredentials("Bad request - currentPassword: is wrong")


def _attempts(services: Services, tenant_id: int, kind: Kind, name: str, address: str, now_ms: int) -> Attempts:
    return Attempts(services.settings.sign_in, (str(tenant_id), kind, name), address, now_ms)


def _signs_in(
    services: Services,
    tenant: Tenant,
    kind: Kind,
    name: str,
    secret: str,
    address: str,
    find: Callable[[Session], User | Application | None],
) -> Issued:
    if not name.isprintable():
        raise WrongCredentials(_WRONG)  # no database takes what is no text
    now_ms = int(services.clock.now() * 1000)
    attempts = _attempts(services, tenant.id, kind, name, address, now_ms)
    with services.database.reading() as session:
        waits = attempts.seconds_to_wait(session)
        found = None if waits else find(session)
        kept = None if found is None else _kept(found)
    if waits:
        raise guessing(waits)
    if not services.passwords.matches(kept, secret):
        attempts.failed(services.database)
        raise WrongCredentials(_WRONG)
    with services.database.writing(tenant.id) as session:
        attempts.forget(session)
        found = find(session)
        if found is None or _kept(found) != kept:
            raise WrongCredentials(_WRONG)
        found.last_login_ms = now_ms
        holder = Holder(tenant.name, tenant.id, kind, found.id, _name(found))
    # After the transaction: it may be time for a new key, which is written in a transaction of its own.
    return issued(services, holder)


def _kept(found: User | Application) -> str | None:
    return found.password_hash if isinstance(found, User) else found.secret_hash


def _name(found: User | Application) -> str:
    return found.email if isinstance(found, User) else found.name


def required(value: str | None, field: str, grant: str) -> str:
    """See that a member of a request for a token is there.

    Raises:
        BadRequest: it is not.
    """
    if not value:
        raise BadRequest("Required parameter is missing", f"{field}: is needed for the grant type {grant}")
    return value
