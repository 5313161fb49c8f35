"""Access rules: who has which role where (control-plane-api.md 1.4.8)."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Strict

from aliquot.contracts.administrator_api.listing import Page, split
from aliquot.contracts.administrator_api.permissions import ScopeType, SubjectType
from aliquot.contracts.administrator_api.shapes import INT32_MAX, Answer, Body, Id, Text, Time


class AccessRuleCreation(Body):
    """An access rule to be."""

    subject_id: Annotated[Text, Field(min_length=1, max_length=253)]
    """User by e-mail address or id, application by name or id, group by name."""
    subject_type: SubjectType
    """What the subject is."""
    role_id: Annotated[int, Strict(), Field(ge=0, le=INT32_MAX)]
    """Id of the role."""
    scope_id: Id
    """Id of the tenant, cluster, department or project."""
    scope_type: ScopeType
    """What the scope is."""
    cluster_id: Id | None = None
    """Cluster of the scope; where it is given, it has to be that."""


class AccessRuleFilters(Page):
    """Which access rules."""

    include_deleted: bool = False
    """Whether those that are deleted are shown, too."""


class AccessRuleQuery(AccessRuleFilters):
    """Which access rules, in which order."""

    subject_type: SubjectType | None = None
    """Only those for subjects of this type."""
    subject_ids: Annotated[list[Text], Field(default_factory=list, max_length=500), BeforeValidator(split)]
    """Only those for these subjects."""
    last_updated: Time | None = None
    """Only those that were created or deleted since."""
    cluster_id: Id | None = None
    """Only those with a scope in this cluster."""
    scope_id: Id | None = None
    """Only those with this scope."""
    sort_by: (
        Literal[
            "subjectId", "subjectType", "roleId", "scopeId", "scopeType", "roleName", "scopeName", "createdAt",
            "deletedAt", "createdBy",
        ]
        | None
    ) = None  # fmt: skip
    """What they are sorted by; left out: by age."""


class CountQuery(Body):
    """Which access rules are counted."""

    include_deleted: bool = False
    """Whether those that are deleted count, too."""
    filter_by: Annotated[list[str], Field(default_factory=list, max_length=100)]
    """Only those that fulfil all of these."""


class AccessRuleShown(Answer):
    """An access rule: a subject has a role in a scope, and in all that is or will be below it."""

    id: int
    """Its id."""
    subject_id: str
    """User, application or group."""
    subject_type: SubjectType
    """What the subject is."""
    role_id: int
    """Id of the role."""
    role_name: str
    """Name of the role."""
    scope_id: str
    """Id of the scope."""
    scope_type: ScopeType
    """What the scope is."""
    scope_name: str
    """Name of the scope."""
    cluster_id: str | None
    """Cluster of the scope; null where the scope is the tenant."""
    tenant_id: int
    """Whose it is."""
    created_at: Time
    """When it was created."""
    updated_at: Time
    """When it was created or deleted."""
    deleted_at: Time | None
    """When it was deleted."""
    created_by: str
    """Who created it."""


class AccessRuleWithPath(AccessRuleShown):
    """An access rule, and where its scope lies."""

    scope_path: str
    """Names from the tenant down to the scope."""


class AccessRules(Answer):
    """A page of access rules."""

    total_records: int
    """How many fulfil the filters."""
    display_records: int
    """How many are shown."""
    access_rules: list[AccessRuleShown]
    """They."""


class Count(Answer):
    """How many there are."""

    count: int
    """So many."""
