"""`/api/v1/authorization`: roles, and what the caller may do."""

from typing import Final

from fastapi import APIRouter

from aliquot.contracts.administrator_api.permissions import ACTIONS, RESOURCE_TYPES, ROLES, Action, Role, group_of
from aliquot.contracts.administrator_api.roles import (
    Permission,
    PermittedActions,
    PermittedScopes,
    RoleShown,
    ScopesQuery,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.auth.reach import Reach, reach
from aliquot.controlplane.refusals import NotFound

router = APIRouter(prefix="/api/v1/authorization", tags=["Authorization"])

_MAKER: Final = "aliquot"
_MADE_MS: Final = 1_717_200_000_000
"""Roles come with the program; this is the first of June 2024, when the last of the matrix was there."""


@router.get("/roles")
def list_roles(gate: GateOfRequest) -> list[RoleShown]:
    """List roles."""
    with gate.permit("roles", "read") as permit:
        return [_shown(role, permit.holder.tenant_id) for role in sorted(ROLES.values(), key=lambda role: role.id)]


@router.get("/roles/{roleIdPath}")
def get_role(gate: GateOfRequest, roleIdPath: int) -> RoleShown:  # noqa: N803 - as it is documented
    """Show a role."""
    with gate.permit("roles", "read") as permit:
        if roleIdPath not in ROLES:
            raise NotFound(details=f"there is no role {roleIdPath}")
        return _shown(ROLES[roleIdPath], permit.holder.tenant_id)


@router.get("/permissions")
def list_permissions(gate: GateOfRequest) -> list[Permission]:
    """Say what the caller may do, somewhere."""
    with gate.own() as permit:
        return _permissions([grant.role for grant in permit.grants])


@router.post("/permitted-scopes")
def permitted_scopes(gate: GateOfRequest, body: ScopesQuery) -> PermittedActions:
    """Say where the caller may do something."""
    asked = ACTIONS if body.action is None else (body.action,)
    with gate.own() as permit:
        found = {action: _scopes(permit, reach(permit.grants, body.resource_type, action)) for action in asked}
        return PermittedActions.model_validate(found)


def _scopes(permit: Permit, reaches: Reach) -> PermittedScopes:
    tenant = str(permit.holder.tenant_id) if reaches.everywhere else None
    return PermittedScopes(
        tenants=() if tenant is None else (tenant,),
        tenant=tenant,
        clusters=tuple(sorted(reaches.clusters)),
        departments=tuple(str(each) for each in sorted(reaches.departments)),
        projects=tuple(str(each) for each in sorted(reaches.projects)),
    )


def _shown(role: Role, tenant_id: int) -> RoleShown:
    return RoleShown(
        id=role.id,
        name=role.name,
        description=_description(role),
        permissions=_permissions([role]),
        created_at=from_milliseconds(_MADE_MS),
        updated_at=from_milliseconds(_MADE_MS),
        tenant_id=tenant_id,
        created_by=_MAKER,
    )


def _permissions(roles: list[Role]) -> list[Permission]:
    found: list[Permission] = []
    for resource in RESOURCE_TYPES:
        actions: list[Action] = [action for action in ACTIONS if any(role.allows(resource, action) for role in roles)]
        if actions:
            name = resource.replace("_", " ").replace("-", " ").replace("/", " ").capitalize()
            found.append(
                Permission(resource_type=resource, display_name=name, group_id=group_of(resource), actions=actions)
            )
    return found


def _description(role: Role) -> str:
    may_change = [resource for resource in RESOURCE_TYPES if role.allows(resource, "update")]
    return f"May change: {', '.join(may_change)}." if may_change else "May look only."
