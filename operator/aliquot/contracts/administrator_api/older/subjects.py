"""Users, groups and applications of the older surface, with roles and clusters (control-plane-api.md 1.4.6, 1.4.7)."""

from typing import Annotated, Final, Literal, get_args

from pydantic import BeforeValidator, Field, Strict

from aliquot.contracts.administrator_api.listing import split
from aliquot.contracts.administrator_api.shapes import Answer, Body, DisplayName, Flag, Id, Text, Time, TolerantBody
from aliquot.contracts.administrator_api.users import Email, NewPassword

OlderRole = Literal["admin", "department_admin", "researcher", "editor", "viewer", "research_manager", "ml_engineer"]
EntityType = Literal["regular-user", "sso-user", "app", "group", "internal-user", "super-admin"]
OLDER_ROLES: Final[tuple[OlderRole, ...]] = get_args(OlderRole)

Roles = Annotated[list[OlderRole], Field(max_length=len(OLDER_ROLES))]


class OlderClusters(TolerantBody):
    """In which clusters roles count; what is left out stays as it is."""

    permit_all_clusters: Annotated[bool, Strict()] | None = None
    """Whether in all clusters, and for what belongs to the tenant itself."""
    permitted_clusters: Annotated[list[Id], Field(max_length=500)] | None = None
    """Their ids."""


class OlderRights(OlderClusters):
    """What somebody may do, and in which clusters; what is left out stays as it is."""

    roles: Roles | None = None
    """Roles by their older names."""


class OlderUserCreation(OlderClusters):
    """A user to be."""

    email: Email
    """Name to sign in with; unique in the tenant, small and capital letters are the same."""
    password: NewPassword
    """To sign in with."""
    roles: Roles
    """Roles by their older names."""
    need_to_change_password: Flag = False
    """Whether the password has to be changed before anything else."""


class OlderUserUpdate(OlderRights):
    """Other rights for a user."""

    email: Text | None = None
    """Name to sign in with; it cannot be changed."""


class OlderGroupUpdate(OlderRights):
    """Other rights for a group."""

    name: Text | None = None
    """Its name; it cannot be changed."""


class OlderGroupCreation(OlderRights):
    """Rights for a group that the identity provider knows."""

    name: Annotated[Text, Field(min_length=1, max_length=253)]
    """Its name there."""


class OlderApplicationUpdate(OlderRights):
    """Other rights for an application."""

    name: Text | None = None
    """Its name; it cannot be changed."""
    revoked: Flag | None = None
    """Whether it may not have tokens."""


class OlderApplicationCreation(OlderRights):
    """An application to be."""

    name: DisplayName
    """What it calls itself at the token endpoint; unique in the tenant."""


class OlderSubjectsQuery(Body):
    """Which of them."""

    roles: Annotated[list[OlderRole], Field(default_factory=list, max_length=100), BeforeValidator(split)]
    """Only those with one of these roles."""
    only_created_by_me: bool = False
    """Only those that the caller created."""


class OlderUsersQuery(OlderSubjectsQuery):
    """Which users."""

    users_type: EntityType | None = None
    """Only those of this type."""


class OlderUserDeletionQuery(Body):
    """Which user."""

    users_type: EntityType | None = None
    """Its type."""


class OlderSubject(Answer):
    """A user, group or application."""

    entity_type: EntityType
    """What it is."""
    tenant_id: int
    """Whose it is."""
    user_id: str
    """Its id; of a group, its name."""
    permit_all_clusters: bool
    """Whether it has a role in the whole tenant."""
    permitted_clusters: list[str]
    """Ids of the clusters in which it has a role."""
    roles: list[OlderRole]
    """Its roles, as far as the caller may see access rules, and the older surface has names for them."""
    created_at: Time
    """When it was created."""


class OlderUser(OlderSubject):
    """A user."""

    email: str
    """Name to sign in with."""
    last_login: Time | None
    """When it got a token last."""


class OlderGroup(OlderSubject):
    """A group: it is there as long as it has a role."""

    name: str
    """Its name, as the identity provider knows it."""


class OlderApplication(OlderSubject):
    """An application."""

    name: str
    """What it calls itself at the token endpoint."""
    client_id: str
    """Its id."""
    revoked: bool
    """Whether it may not have tokens."""


class OlderApplicationWithSecret(OlderApplication):
    """An application with a new secret."""

    secret: str
    """Shown this once."""


class OlderSelf(Answer):
    """The caller."""

    id: str
    """Its id."""
    name: str
    """What it signs in with."""
    entity_type: EntityType
    """What it is."""
    tenant_id: int
    """Whose it is."""
    permit_all_clusters: bool
    """Whether it has a role in the whole tenant."""
    permitted_clusters: list[str]
    """Ids of the clusters in which it has a role."""
    roles: list[OlderRole]
    """Its roles, as far as the older surface has names for them."""
