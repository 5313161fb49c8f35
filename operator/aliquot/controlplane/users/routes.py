"""`/api/v1/users`, and the caller's own password."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from aliquot.contracts.administrator_api.users import (
    PasswordChange,
    PasswordChanged,
    TemporaryPassword,
    User,
    UserCreation,
    UserQuery,
    UserWithPassword,
)
from aliquot.controlplane.auth import sign_in
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.passwords import new_password
from aliquot.controlplane.database import tables
from aliquot.controlplane.refusals import BadRequest
from aliquot.controlplane.services import address_of, services_of
from aliquot.controlplane.users import changes
from aliquot.controlplane.users.queries import shown

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
        return [shown(row) for row in permit.rows(order)]


@router.post("/users", status_code=201)
def create_user(gate: GateOfRequest, request: Request, body: UserCreation) -> UserWithPassword:
    """Create a user; it has no rights before an access rule gives it some."""
    password = new_password()
    kept = services_of(request).passwords.hashed(password)
    with gate.permit("users", "create") as permit:
        row = changes.create(permit, body.email, kept, must_change_password=body.reset_password)
        return UserWithPassword(id=row.id, username=row.email, temp_password=password)


@router.get("/users/{userId}")
def get_user(gate: GateOfRequest, userId: str) -> User:  # noqa: N803 - as it is documented
    """Show a user."""
    with gate.permit("users", "read") as permit:
        return shown(permit.one(tables.User, userId))


@router.post("/users/{userId}/password")
def renew_password(gate: GateOfRequest, request: Request, userId: str) -> TemporaryPassword:  # noqa: N803
    """Give a user another password; the one before, and the tokens got by it, do not count any more."""
    password = new_password()
    kept = services_of(request).passwords.hashed(password)
    with gate.permit("users", "update") as permit:
        row = permit.one(tables.User, userId)
        if row.issuer is not None:
            raise BadRequest(_ELSEWHERE)
        changes.change_password(permit, row, kept, must_change_password=True)
        return TemporaryPassword(temp_password=password)


@router.post("/users/{userId}/logout", status_code=200)
def log_out(gate: GateOfRequest, userId: str) -> None:  # noqa: N803
    """Make the tokens of a user not count any more."""
    with gate.permit("users", "update") as permit:
        changes.log_out(permit, permit.one(tables.User, userId))


@router.delete("/users/{userId}", status_code=204)
def delete_user(gate: GateOfRequest, userId: str) -> None:  # noqa: N803
    """Delete a user, and the access rules for it."""
    with gate.permit("users", "delete") as permit:
        changes.delete(permit, permit.one(tables.User, userId))


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
        changes.change_password(permit, permit.own_user(), kept, must_change_password=False)
        return PasswordChanged(message="The password was changed. Sign in again: tokens from before do not count.")
