"""`/api/v1/authorization/access-rules`."""

from typing import Annotated

from fastapi import APIRouter, Query

from aliquot.contracts.administrator_api.access_rules import (
    AccessRuleCreation,
    AccessRuleQuery,
    AccessRules,
    AccessRuleShown,
    AccessRuleWithPath,
    Count,
    CountQuery,
)
from aliquot.contracts.administrator_api.listing import Page
from aliquot.controlplane.access_rules.ending import check_administrator_is_left
from aliquot.controlplane.access_rules.queries import FIELDS, narrowed, selected, shown, shown_with_path
from aliquot.controlplane.access_rules.rules import check_may_give, role_with
from aliquot.controlplane.access_rules.scopes import scope
from aliquot.controlplane.auditing import document
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.listing import listed, ordered
from aliquot.controlplane.refusals import BadRequest, NotFound

router = APIRouter(prefix="/api/v1/authorization/access-rules", tags=["Access rules"])
_RULE = tables.AccessRule


@router.get("")
def list_access_rules(gate: GateOfRequest, query: Annotated[AccessRuleQuery, Query()]) -> AccessRules:
    """List access rules."""
    with gate.permit("access_rules", "read") as permit:
        wanted = narrowed(selected(permit, include_deleted=query.include_deleted), query)
        wanted = ordered(wanted, query, query.sort_by, FIELDS, _RULE.id)
        found = listed(permit, wanted, query).rows
        return AccessRules(
            total_records=permit.count(wanted),
            display_records=len(found),
            access_rules=[shown(row) for row in found],
        )


@router.get("/count")
def count_access_rules(gate: GateOfRequest, query: Annotated[CountQuery, Query()]) -> Count:
    """Count access rules."""
    with gate.permit("access_rules", "read") as permit:
        wanted = selected(permit, include_deleted=query.include_deleted)
        page = Page.model_validate({"filterBy": query.filter_by})
        return Count(count=permit.count(ordered(wanted, page, None, FIELDS, _RULE.id)))


@router.post("", status_code=201)
def create_access_rule(gate: GateOfRequest, body: AccessRuleCreation) -> AccessRuleShown:
    """Give a subject a role in a scope."""
    with gate.permit("access_rules", "create") as permit:
        role = role_with(body.role_id)
        where = scope(permit, body.scope_type, body.scope_id)
        if body.cluster_id is not None and where.place.cluster_id not in (None, body.cluster_id):
            raise BadRequest(
                f"Bad request - clusterId: {body.cluster_id!r} is not allowed: the scope is in another one"
            )
        permit.check(where.place)
        check_may_give(permit.grants, role, where.place)
        row = tables.AccessRule(
            tenant_id=permit.holder.tenant_id,
            subject_id=_subject(permit, body),
            subject_type=body.subject_type,
            role_id=role.id,
            role_name=role.name,
            scope_id=body.scope_id,
            scope_type=body.scope_type,
            scope_name=where.path[-1],
            scope_path="/".join(where.path),
            cluster_id=where.place.cluster_id,
            department_id=where.place.department_id,
            project_id=where.place.project_id,
            created_ms=permit.now_ms,
            created_by=permit.holder.name,
        )
        permit.add(row)
        permit.record("create", "access_rule", row, after=document(shown(row)))
        return shown(row)


@router.get("/{accessRuleId}")
def get_access_rule(gate: GateOfRequest, accessRuleId: str) -> AccessRuleWithPath:  # noqa: N803 - as it is documented
    """Show an access rule."""
    with gate.permit("access_rules", "read") as permit:
        return shown_with_path(_living(permit, accessRuleId))


@router.delete("/{accessRuleId}", status_code=204)
def delete_access_rule(gate: GateOfRequest, accessRuleId: str) -> None:  # noqa: N803
    """Take a role away from a subject."""
    with gate.permit("access_rules", "delete") as permit:
        row = _living(permit, accessRuleId)
        before = document(shown(row))
        row.deleted_ms = permit.now_ms
        permit.record("delete", "access_rule", row, before=before)
        check_administrator_is_left(permit)


def _living(permit: Permit, written_id: str) -> tables.AccessRule:
    row = permit.one(_RULE, written_id)
    if row.deleted_ms is not None:
        raise NotFound(details=f"the access rule {written_id} was deleted")
    return row


def _subject(permit: Permit, body: AccessRuleCreation) -> str:
    """The subject, as rules are looked up by it.

    Raises:
        NotFound: there is no such application. Users need not be known yet: their identity provider knows them.
    """
    if body.subject_type == "user":
        return body.subject_id.lower()
    if body.subject_type == "app":
        named = (tables.Application.name == body.subject_id) | (tables.Application.id == body.subject_id)
        if not permit.count(permit.select_whole(tables.Application).where(named)):
            raise NotFound(details=f"subjectId: {body.subject_id!r} is not allowed: there is no such application")
    return body.subject_id
