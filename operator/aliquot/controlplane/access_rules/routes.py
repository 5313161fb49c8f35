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
from aliquot.controlplane.access_rules import changes
from aliquot.controlplane.access_rules.queries import FIELDS, narrowed, selected, shown, shown_with_path
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.listing import counted, listed, ordered
from aliquot.controlplane.refusals import NotFound

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
        return Count(count=counted(permit, wanted, query.filter_by, FIELDS))


@router.post("", status_code=201)
def create_access_rule(gate: GateOfRequest, body: AccessRuleCreation) -> AccessRuleShown:
    """Give a subject a role in a scope."""
    with gate.permit("access_rules", "create") as permit:
        return shown(changes.create(permit, body))


@router.get("/{accessRuleId}")
def get_access_rule(gate: GateOfRequest, accessRuleId: str) -> AccessRuleWithPath:  # noqa: N803 - as it is documented
    """Show an access rule."""
    with gate.permit("access_rules", "read") as permit:
        return shown_with_path(_living(permit, accessRuleId))


@router.delete("/{accessRuleId}", status_code=204)
def delete_access_rule(gate: GateOfRequest, accessRuleId: str) -> None:  # noqa: N803
    """Take a role away from a subject."""
    with gate.permit("access_rules", "delete") as permit:
        changes.end(permit, _living(permit, accessRuleId))


def _living(permit: Permit, written_id: str) -> tables.AccessRule:
    row = permit.one(_RULE, written_id)
    if row.deleted_ms is not None:
        raise NotFound(details=f"the access rule {written_id} was deleted")
    return row
