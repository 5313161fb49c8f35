"""`/v1/k8s/users` (control-plane-api.md 1.4.6)."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from aliquot.contracts.administrator_api.older.subjects import (
    OLDER_ROLES,
    EntityType,
    OlderRole,
    OlderUser,
    OlderUserCreation,
    OlderUserDeletionQuery,
    OlderUsersQuery,
    OlderUserUpdate,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.older import subjects
from aliquot.controlplane.older.places import check_same
from aliquot.controlplane.older.subjects import Seen, give, is_asked, seen
from aliquot.controlplane.services import services_of
from aliquot.controlplane.users import changes

router = APIRouter(prefix="/v1/k8s/users", tags=["Older: users"])


@router.get("")
def list_users_with_roles(gate: GateOfRequest, query: Annotated[OlderUsersQuery, Query()]) -> list[OlderUser]:
    """List users, with their roles."""
    with gate.permit("users", "read") as permit:
        rules = seen(permit, "user")
        return [
            _shown(row, rules)
            for row in permit.rows(permit.select(tables.User).order_by(tables.User.created_ms, tables.User.id))
            if query.users_type in (None, _type(row))
            and is_asked(query, rules.rights(row.email, row.id), row.created_by, permit.holder.name)
        ]


@router.post("")
def create_user_with_roles(gate: GateOfRequest, request: Request, body: OlderUserCreation) -> OlderUser:
    """Create a user, with roles."""
    kept = services_of(request).passwords.hashed(body.password)
    with gate.permit("users", "create") as permit:
        row = changes.create(permit, body.email, kept, must_change_password=body.need_to_change_password)
        give(permit, "user", [row.email, row.id], body.roles, body)
        return _one(permit, row)


@router.get("/roles")
def list_older_roles(gate: GateOfRequest) -> list[OlderRole]:
    """List the older names of roles."""
    with gate.permit("roles", "read"):
        return list(OLDER_ROLES)


@router.get("/{userId}")
def get_user_with_roles(gate: GateOfRequest, userId: str) -> OlderUser:  # noqa: N803 - as it is documented
    """Show a user, with its roles."""
    with gate.permit("users", "read") as permit:
        return _one(permit, permit.one(tables.User, userId))


@router.put("/{userId}")
def replace_roles_of_user(gate: GateOfRequest, userId: str, body: OlderUserUpdate) -> OlderUser:  # noqa: N803
    """Give a user other roles."""
    with gate.permit("users", "update") as permit:
        row = permit.one(tables.User, userId)
        check_same("email", body.email.lower() if body.email else None, row.email, "the address")
        give(permit, "user", [row.email, row.id], body.roles, body)
        return _one(permit, row)


@router.delete("/{userId}", status_code=200)
def delete_user_with_roles(
    gate: GateOfRequest,
    userId: str,  # noqa: N803
    query: Annotated[OlderUserDeletionQuery, Query()],
) -> None:
    """Delete a user, and the access rules for it."""
    with gate.permit("users", "delete") as permit:
        row = permit.one(tables.User, userId)
        check_same("usersType", query.users_type, _type(row), "the type of the user")
        changes.delete(permit, row)


@router.get("/{userId}/roles")
def list_roles_of_user(gate: GateOfRequest, userId: str) -> list[OlderRole]:  # noqa: N803
    """List the older names of a user's roles."""
    with gate.permit("users", "read") as permit:
        return _one(permit, permit.one(tables.User, userId)).roles


def _type(row: tables.User) -> EntityType:
    return "regular-user" if row.issuer is None else "sso-user"


def _one(permit: Permit, row: tables.User) -> OlderUser:
    return _shown(row, seen(permit, "user"))


def _shown(row: tables.User, rules: Seen) -> OlderUser:
    return OlderUser.model_validate(
        {
            "entityType": _type(row),
            "tenantId": row.tenant_id,
            "userId": row.id,
            "createdAt": from_milliseconds(row.created_ms),
            "email": row.email,
            "lastLogin": None if row.last_login_ms is None else from_milliseconds(row.last_login_ms),
            **subjects.shown(rules.rights(row.email, row.id)),
        }
    )
