"""The gate: from a request's token to a `Permit`, in one transaction with what is done by it.

Rights are read anew for each request: a revoked application, a deleted user or rule counts at once.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from aliquot.clock import Clock
from aliquot.contracts.administrator_api.permissions import ROLES, Action, ResourceType, ScopeType
from aliquot.controlplane.auth.permit import MAKER, Permit
from aliquot.controlplane.auth.reach import NOWHERE, Grant, Place, reach
from aliquot.controlplane.auth.tokens import Claims, Holder
from aliquot.controlplane.database import Database
from aliquot.controlplane.database.tables import AccessRule, Application, Issuer, Tenant, User
from aliquot.controlplane.refusals import Forbidden, Unauthorized
from aliquot.controlplane.services import Services, services_of, take_from_stranger

_BEARER = "bearer "
_BEARER_SCHEME = HTTPBearer(bearerFormat="JWT", scheme_name="bearerAuth", auto_error=False)
"""For the OpenAPI document only: what counts is looked at here."""


class Gate:
    """Lets a caller do what their rights allow.

    Args:
        database: what it is about.
        claims: what the caller's token says.
        clock: the time.
        after_writing: called when something has been written.
    """

    def __init__(self, database: Database, claims: Claims, clock: Clock, after_writing: Callable[[], None]) -> None:
        self._database = database
        self._claims = claims
        self._clock = clock
        self._after_writing = after_writing

    @contextmanager
    def permit(self, resource: ResourceType, action: Action) -> Generator[Permit]:
        """Give a permit; what is done by it is kept when this ends without an error, all or nothing.

        Raises:
            Unauthorized: the token's subject is gone, or may not have tokens any more.
            Forbidden: the caller may do this nowhere.
        """
        with self._session(writes=action != "read") as session:
            holder = self._holder(session, may_have_to_change_password=False)
            grants = _grants(session, holder)
            reaches = reach(grants, resource, action)
            if not reaches:
                raise Forbidden
            yield Permit(MAKER, session, holder, grants, reaches, int(self._clock.now() * 1000))

    @contextmanager
    def own(self, *, writes: bool = False) -> Generator[Permit]:
        """Give a permit that reaches nowhere: for questions about the caller, and the caller's own password.

        A user who has to change the password first gets one, too.

        Raises:
            Unauthorized: the token's subject is gone, or may not have tokens any more.
        """
        with self._session(writes=writes) as session:
            holder = self._holder(session, may_have_to_change_password=True)
            grants = _grants(session, holder)
            yield Permit(MAKER, session, holder, grants, NOWHERE, int(self._clock.now() * 1000))

    @contextmanager
    def _session(self, *, writes: bool) -> Generator[Session]:
        if writes:
            with self._database.writing(self._claims.tenant_id) as session:
                yield session
            self._after_writing()
        else:
            with self._database.reading() as session:
                yield session

    def _holder(self, session: Session, *, may_have_to_change_password: bool) -> Holder:
        claims = self._claims
        tenant = session.get(Tenant, claims.tenant_id)
        subject = session.get(User if claims.kind == "user" else Application, claims.id)
        if tenant is None or subject is None or subject.tenant_id != tenant.id:
            raise Unauthorized(details="the token's subject does not exist any more")
        if claims.issued_ms < subject.tokens_from_ms:
            raise Unauthorized(details="the token was revoked")
        if isinstance(subject, Application):
            if not subject.enabled:
                raise Unauthorized(details=f"the application {subject.name} is disabled")
            return Holder(tenant.name, tenant.id, "app", subject.id, subject.name)
        if subject.must_change_password and not may_have_to_change_password:
            raise Forbidden("The password has to be changed first: POST /api/v1/me/password.")
        if subject.issuer is not None:
            issuer = session.get(Issuer, tenant.id)
            if issuer is None or issuer.url != subject.issuer:
                raise Unauthorized(details="the token's subject is of an issuer that does not count any more")
        return Holder(tenant.name, tenant.id, "user", subject.id, subject.email, tuple(subject.groups))


def _grants(session: Session, holder: Holder) -> list[Grant]:
    subjects: list[ColumnElement[bool]] = [
        and_(AccessRule.subject_type == holder.kind, AccessRule.subject_id.in_((holder.id, holder.name)))
    ]
    if holder.groups:
        subjects.append(and_(AccessRule.subject_type == "group", AccessRule.subject_id.in_(holder.groups)))
    rules = session.scalars(
        select(AccessRule).where(
            AccessRule.tenant_id == holder.tenant_id,
            or_(*subjects),
            AccessRule.deleted_ms.is_(None),
        )
    )
    return [
        Grant(
            ROLES[rule.role_id],
            cast("ScopeType", rule.scope_type),
            Place(rule.cluster_id, rule.department_id, rule.project_id),
        )
        for rule in rules
        if rule.role_id in ROLES
    ]


def _claims(services: Services, header: str) -> Claims:
    if not header.lower().startswith(_BEARER):
        raise Unauthorized(details="the header Authorization: Bearer … is missing")
    return services.tokens.read(header[len(_BEARER) :].strip(), "Bearer", "ID")


def _gate(request: Request, _: Annotated[object, Depends(_BEARER_SCHEME)]) -> Gate:
    """The gate of a request.

    Raises:
        Unauthorized: it has no token that counts.
        TooMany: its caller makes too many requests.
    """
    services = services_of(request)
    try:
        claims = _claims(services, request.headers.get("authorization", ""))
    except Unauthorized:
        take_from_stranger(request)
        raise
    services.callers.take(f"{claims.tenant_id} {claims.id}")
    return Gate(services.database, claims, services.clock, services.waiting.look)


GateOfRequest = Annotated[Gate, Depends(_gate)]
