"""`/api/v1/users`, and the caller's own password."""

import uuid
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.contracts.administrator_api.users import (
    PasswordChange,
    PasswordChanged,
    TemporaryPassword,
    User,
    UserCreation,
    UserQuery,
    UserWithPassword,
)
from aliquot.controlplane.access_rules.ending import check_administrator_is_left, end_rules_of
from aliquot.controlplane.auditing import document
from aliquot.controlplane.auth import sign_in
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.passwords import new_password
from aliquot.controlplane.database import tables
from aliquot.controlplane.refusals import BadRequest, Conflict
from aliquot.controlplane.services import address_of, services_of

router = APIRouter(prefix="/api/v1", tags=["Users"])

_ELSEWHERE: Final = "Bad request - the password of this user is not here, but with the issuer of the tenant's people"


@router.get("/users")
def list_users(gate: GateOfRequest, query: Annotated[UserQuery, Query()]) -> list[User]:
    """List users."""
    with gate.permit("users", "read") as permit:
        order = permit.select(tables.User).order_by(tables.User.created_ms, tables.User.id)
        if query.filter is not None:
            is_local = tables.User.issuer.is_(None)
            order = order.where(is_local if query.filter == "runai.is_local:true" else ~is_local)
        return [_shown(row) for row in permit.rows(order)]


@router.post("/users", status_code=201)
def create_user(gate: GateOfRequest, request: Request, body: UserCreation) -> UserWithPassword:
    """Create a user; it has no rights before an access rule gives it some."""
    password, email = new_password(), body.email.lower()
    kept = services_of(request).passwords.hashed(password)
    with gate.permit("users", "create") as permit:
        if permit.count(permit.select_whole(tables.User).where(tables.User.email == email)):
            raise Conflict("Resource with this name already exists", f"there is a user {email}")
        row = tables.User(
            id=str(uuid.uuid4()),
            tenant_id=permit.holder.tenant_id,
            email=email,
            password_hash=kept,
            must_change_password=body.reset_password,
            tokens_from_ms=permit.now_ms,
            created_ms=permit.now_ms,
            updated_ms=permit.now_ms,
            created_by=permit.holder.name,
        )
        permit.add(row)
        permit.record("create", "user", row, after=document(_shown(row)))
        return UserWithPassword(id=row.id, username=row.email, temp_password=password)


@router.get("/users/{userId}")
def get_user(gate: GateOfRequest, userId: str) -> User:  # noqa: N803 - as it is documented
    """Show a user."""
    with gate.permit("users", "read") as permit:
        return _shown(permit.one(tables.User, userId))


@router.post("/users/{userId}/password")
def renew_password(gate: GateOfRequest, request: Request, userId: str) -> TemporaryPassword:  # noqa: N803
    """Give a user another password; the one before, and the tokens got by it, do not count any more."""
    password = new_password()
    kept = services_of(request).passwords.hashed(password)
    with gate.permit("users", "update") as permit:
        row = permit.one(tables.User, userId)
        if row.issuer is not None:
            raise BadRequest(_ELSEWHERE)
        before = document(_shown(row))
        row.password_hash = kept
        row.must_change_password, row.updated_ms = True, permit.now_ms
        permit.end_tokens(row)
        permit.record("update", "user", row, before=before, after=document(_shown(row)))
        return TemporaryPassword(temp_password=password)


@router.post("/users/{userId}/logout", status_code=200)
def log_out(gate: GateOfRequest, userId: str) -> None:  # noqa: N803
    """Make the tokens of a user not count any more."""
    with gate.permit("users", "update") as permit:
        row = permit.one(tables.User, userId)
        before = document(_shown(row))
        row.updated_ms = permit.now_ms
        permit.end_tokens(row)
        permit.record("update", "user", row, before=before, after=document(_shown(row)))


@router.delete("/users/{userId}", status_code=204)
def delete_user(gate: GateOfRequest, userId: str) -> None:  # noqa: N803
    """Delete a user, and the access rules for it."""
    with gate.permit("users", "delete") as permit:
        row = permit.one(tables.User, userId)
        permit.record("delete", "user", row, before=document(_shown(row)))
        end_rules_of(permit, "user", row.id, row.email)
        permit.remove(row)
        check_administrator_is_left(permit)


@router.post("/me/password")
def change_own_password(gate: GateOfRequest, request: Request, body: PasswordChange) -> PasswordChanged:
    """Change the caller's password; tokens got by the one before do not count any more."""
    services = services_of(request)
    with gate.own() as permit:
        holder = permit.holder
        if holder.kind == "user" and permit.own_user().issuer is not None:
            raise BadRequest(_ELSEWHERE)
    if holder.kind != "user":
        raise BadRequest("Bad request - applications have no password: POST /api/v1/apps/{appId}/secret")
    sign_in.check_password(services, holder, body.current_password, address_of(request))
    kept = services.passwords.hashed(body.new_password)
    with gate.own(writes=True) as permit:
        row = permit.own_user()
        before = document(_shown(row))
        row.password_hash, row.must_change_password = kept, False
        row.updated_ms = permit.now_ms
        permit.end_tokens(row)
        permit.record("update", "user", row, before=before, after=document(_shown(row)))
        return PasswordChanged(message="The password was changed. Sign in again: tokens from before do not count.")


def _shown(row: tables.User) -> User:
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
