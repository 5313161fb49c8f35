"""Access rules in the database, and as they are shown."""

from typing import Final

from sqlalchemy import Select, case

from aliquot.contracts.administrator_api.access_rules import AccessRuleQuery, AccessRuleShown, AccessRuleWithPath
from aliquot.contracts.administrator_api.shapes import from_milliseconds, to_milliseconds
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import AccessRule
from aliquot.controlplane.listing import Field

FIELDS: Final = {
    "subjectId": Field(AccessRule.subject_id),
    "subjectType": Field(AccessRule.subject_type),
    "roleId": Field(AccessRule.role_id, "number"),
    "scopeId": Field(AccessRule.scope_id),
    "scopeType": Field(AccessRule.scope_type),
    "roleName": Field(AccessRule.role_name),
    "scopeName": Field(AccessRule.scope_name),
    "createdAt": Field(AccessRule.created_ms, "time"),
    "deletedAt": Field(AccessRule.deleted_ms, "time"),
    "createdBy": Field(AccessRule.created_by),
}
_CHANGED: Final = case((AccessRule.deleted_ms.is_not(None), AccessRule.deleted_ms), else_=AccessRule.created_ms)


def selected(permit: Permit, *, include_deleted: bool) -> Select[AccessRule]:
    """The rules that the caller may see."""
    query = permit.select(AccessRule)
    return query if include_deleted else query.where(AccessRule.deleted_ms.is_(None))


def narrowed(query: Select[AccessRule], asked: AccessRuleQuery) -> Select[AccessRule]:
    """Those of them that the parameters of a list ask for."""
    if asked.subject_type is not None:
        query = query.where(AccessRule.subject_type == asked.subject_type)
    if asked.subject_ids:
        query = query.where(AccessRule.subject_id.in_(asked.subject_ids))
    if asked.last_updated is not None:
        query = query.where(to_milliseconds(asked.last_updated) <= _CHANGED)
    if asked.cluster_id is not None:
        query = query.where(AccessRule.cluster_id == asked.cluster_id)
    if asked.scope_id is not None:
        query = query.where(AccessRule.scope_id == asked.scope_id)
    return query


def shown(row: AccessRule) -> AccessRuleShown:
    """A rule as lists have it."""
    changed = row.created_ms if row.deleted_ms is None else row.deleted_ms
    return AccessRuleShown.model_validate(
        {
            "id": row.id,
            "subject_id": row.subject_id,
            "subject_type": row.subject_type,
            "role_id": row.role_id,
            "role_name": row.role_name,
            "scope_id": row.scope_id,
            "scope_type": row.scope_type,
            "scope_name": row.scope_name,
            "cluster_id": row.cluster_id,
            "tenant_id": row.tenant_id,
            "created_at": from_milliseconds(row.created_ms),
            "updated_at": from_milliseconds(changed),
            "deleted_at": None if row.deleted_ms is None else from_milliseconds(row.deleted_ms),
            "created_by": row.created_by,
        }
    )


def shown_with_path(row: AccessRule) -> AccessRuleWithPath:
    """A rule by itself."""
    return AccessRuleWithPath(**dict(shown(row)), scope_path=row.scope_path)
