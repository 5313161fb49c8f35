"""Roles and permissions, as they are shown (control-plane-api.md 1.4.8)."""

from aliquot.contracts.administrator_api.permissions import Action, Group, ResourceType
from aliquot.contracts.administrator_api.shapes import Answer, Body, Time


class Permission(Answer):
    """What may be done to one type of resource."""

    resource_type: ResourceType
    """The type."""
    display_name: str
    """The type, for people."""
    group_id: Group
    """Heading under which it is shown."""
    actions: list[Action]
    """What may be done."""


class RoleShown(Answer):
    """A role."""

    id: int
    """Its id."""
    name: str
    """How it is called."""
    description: str
    """What it is for."""
    permissions: list[Permission]
    """What it allows within the scope in which somebody has it."""
    created_at: Time
    """When it came to be."""
    updated_at: Time
    """When it was changed last."""
    deleted_at: Time | None = None
    """Null: roles stay."""
    tenant_id: int
    """Whose it is."""
    created_by: str
    """Who made it."""


class ScopesQuery(Body):
    """What is asked about."""

    resource_type: ResourceType
    """Type of resource."""
    action: Action | None = None
    """What somebody wants to do; left out: anything."""


class PermittedScopes(Answer):
    """Where the caller may do something."""

    system: bool = False
    """Never: nobody stands above the tenants."""
    tenants: tuple[str, ...] = ()
    """Ids of the tenants in all of which it may do so."""
    tenant: str | None = None
    """The only one of these; null: there is none."""
    clusters: tuple[str, ...] = ()
    """Ids of the clusters in all of which it may do so."""
    departments: tuple[str, ...] = ()
    """Ids of the departments in all of which it may do so."""
    projects: tuple[str, ...] = ()
    """Ids of the projects in which it may do so."""


class PermittedActions(Answer):
    """Where the caller may do what."""

    create: PermittedScopes = PermittedScopes()
    """Where it may create such resources."""
    read: PermittedScopes = PermittedScopes()
    """Where it may read them."""
    update: PermittedScopes = PermittedScopes()
    """Where it may change them."""
    delete: PermittedScopes = PermittedScopes()
    """Where it may delete them."""
