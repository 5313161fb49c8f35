"""Signing in with a code of the tenant's issuer: the user is made at the first time, groups are kept each time."""

import uuid
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from aliquot.controlplane.auth.issued import Issued, Vouched, WrongCredentials, issued
from aliquot.controlplane.auth.people.claims import NotBelieved, Person, Trust, person
from aliquot.controlplane.auth.people.provider import Given, Refused
from aliquot.controlplane.auth.tokens import Holder
from aliquot.controlplane.database.tables import AuditRecord, Issuer, Tenant, User
from aliquot.controlplane.refusals import BadRequest, Conflict
from aliquot.controlplane.services import Services

LONGEST_REFRESH_TOKEN: Final = 8192
"""Of an issuer; longer ones are not kept, so their holders have to sign in again."""


@dataclass(frozen=True, slots=True)
class Code:
    """What somebody brings from the issuer.

    Attributes:
        code: the issuer's.
        redirect_uri: where it was delivered to.
        client_id: who it was given to; None: us.
        verifier: of PKCE (RFC 7636), if the sign-in began with a challenge.
        nonce: that the ID token has to have; None: any.
    """

    code: str = field(repr=False)
    redirect_uri: str
    client_id: str | None = None
    verifier: str | None = field(default=None, repr=False)
    nonce: str | None = None


def trust_of(services: Services, tenant: Tenant) -> Trust:
    """The issuer of a tenant's people.

    Raises:
        BadRequest: it has none.
    """
    with services.database.reading() as session:
        row = session.get(Issuer, tenant.id)
    if row is None:
        raise BadRequest("Bad request - the tenant has no issuer for its people: use their passwords instead")
    return Trust(
        row.url,
        row.client_id,
        row.client_secret,
        row.username_claim,
        row.groups_claim,
        row.required_claims,
        frozenset(row.hosts),
    )


def person_signs_in(services: Services, tenant: Tenant, brought: Code) -> Issued:
    """Tokens for a code.

    Raises:
        BadRequest: the tenant has no issuer, or the code was given to somebody else.
        WrongCredentials: the issuer does not take the code, or its word does not count.
        Conflict: somebody else has this name here.
        NotNow: the issuer does not answer.
    """
    trust = trust_of(services, tenant)
    if brought.client_id not in (None, "", trust.client_id):
        raise BadRequest(f"Bad request - clientID: {brought.client_id!r} is not allowed: {trust.client_id!r}")
    form = {"grant_type": "authorization_code", "code": brought.code, "redirect_uri": brought.redirect_uri}
    if brought.verifier:
        form["code_verifier"] = brought.verifier
    who, refresh_token = _believed(services, trust, form, "code")
    if brought.nonce is not None and brought.nonce != who.nonce:
        raise WrongCredentials("nonce: is not that of the issuer's token.")
    return _issued(services, tenant, trust, who, refresh_token)


def continued(services: Services, tenant: Tenant, user: User, refresh_token: str) -> Issued:
    """Tokens for somebody who has signed in before, if their issuer still says the same.

    Args:
        services: of this process.
        tenant: of the user.
        user: of an issuer.
        refresh_token: the issuer's.

    Raises:
        WrongCredentials: the issuer does not count any more, does not take it, or says something else.
        NotNow: the issuer does not answer.
    """
    trust = trust_of(services, tenant)
    if trust.url != user.issuer:
        raise WrongCredentials("refreshToken: does not count.", "it is of an issuer that does not count any more")
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    who, following = _believed(services, trust, form, "refreshToken")
    if who.subject != user.issuer_subject:
        raise WrongCredentials("refreshToken: does not count.", "the issuer says it is somebody else's")
    return _issued(services, tenant, trust, who, following or refresh_token)


def _believed(services: Services, trust: Trust, form: dict[str, str], what: str) -> tuple[Person, str | None]:
    try:
        given: Given = services.provider.exchanged(trust, form)
        leeway = services.settings.tokens.leeway_seconds
        who = person(given.claims, trust, services.clock.now(), leeway)
    except Refused as error:
        raise WrongCredentials(f"{what}: does not count.", str(error)) from error
    except NotBelieved as error:
        raise WrongCredentials("The issuer's ID token does not count.", str(error)) from error
    refresh_token = given.refresh_token
    return who, None if refresh_token is None or len(refresh_token) > LONGEST_REFRESH_TOKEN else refresh_token


def _issued(services: Services, tenant: Tenant, trust: Trust, who: Person, refresh_token: str | None) -> Issued:
    now_ms = int(services.clock.now() * 1000)
    with services.database.writing(tenant.id) as session:
        user = _kept(session, tenant, trust, who, now_ms)
        holder = Holder(tenant.name, tenant.id, "user", user.id, user.email, who.groups)
    return issued(services, holder, Vouched(who.until, refresh_token, who.nonce))


def _kept(session: Session, tenant: Tenant, trust: Trust, who: Person, now_ms: int) -> User:
    """The user, as the issuer describes it now."""
    query = select(User).where(User.tenant_id == tenant.id, User.issuer == trust.url)
    user = session.scalar(query.where(User.issuer_subject == who.subject))
    if user is None or user.email != who.name:
        _check_name_is_free(session, tenant, who.name)
    if user is None:
        user = User(
            id=str(uuid.uuid4()),
            tenant_id=tenant.id,
            email=who.name,
            password_hash=None,
            issuer=trust.url,
            issuer_subject=who.subject,
            must_change_password=False,
            tokens_from_ms=now_ms,
            created_ms=now_ms,
            updated_ms=now_ms,
            created_by=trust.url[:255],
        )
        session.add(user)
        session.add(_record(user, trust, now_ms))
    user.email, user.groups, user.last_login_ms = who.name, list(who.groups), now_ms
    session.flush()
    return user


def _check_name_is_free(session: Session, tenant: Tenant, name: str) -> None:
    """See that nobody gets the rights of somebody else who is called the same, or whose id is this.

    Raises:
        Conflict: there is somebody.
    """
    called = select(User).where(User.tenant_id == tenant.id, (User.email == name) | (User.id == name))
    other = session.scalar(called)
    if other is not None:
        kind = "a local user" if other.issuer is None else "another person"
        raise Conflict(
            "Resource with this name already exists",
            f"{name} is {kind} here: an administrator may delete that user, and with it the rules for it",
        )


def _record(user: User, trust: Trust, now_ms: int) -> AuditRecord:
    return AuditRecord(
        tenant_id=user.tenant_id,
        happened_ms=now_ms,
        action="create",
        entity_type="user",
        entity_id=user.id,
        entity_name=user.email[:255],
        source_type="user",
        source_id=user.id,
        source_name=user.email,
        after={"id": user.id, "username": user.email, "isLocal": False, "createdBy": trust.url},
    )
