"""`/v1/k8s/groups` (control-plane-api.md 1.4.6): names that the identity provider knows, as far as they have roles."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Select

from aliquot.contracts.administrator_api.older.subjects import (
    OlderGroup,
    OlderGroupCreation,
    OlderGroupUpdate,
    OlderSubjectsQuery,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.access_rules.changes import end
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.auth.reach import Place
from aliquot.controlplane.database.tables import AccessRule
from aliquot.controlplane.older import subjects
from aliquot.controlplane.older.places import check_same
from aliquot.controlplane.older.subjects import Seen, give, is_asked, seen
from aliquot.controlplane.refusals import BadRequest, NotFound

router = APIRouter(prefix="/v1/k8s/groups", tags=["Older: groups"])


@router.get("")
def list_groups(gate: GateOfRequest, query: Annotated[OlderSubjectsQuery, Query()]) -> list[OlderGroup]:
    """List groups that have roles."""
    with gate.permit("groups", "read") as permit:
        visible = seen(permit, "group")
        return [
            _shown(permit, name, rules, visible)
            for name, rules in sorted(visible.rules.items())
            if is_asked(query, visible.rights(name), rules[0].created_by, permit.holder.name)
        ]


@router.post("")
def create_group(gate: GateOfRequest, body: OlderGroupCreation) -> OlderGroup:
    """Give a group roles."""
    with gate.permit("groups", "create") as permit:
        permit.check(Place())
        permit.check_is_new(_rules(permit, body.name), f"there is a group {body.name}")
        give(permit, "group", [body.name], body.roles or [], body)
        made = permit.rows(_rules(permit, body.name))
        if not made:
            raise BadRequest(
                f"Bad request - roles: {body.roles!r} is not allowed: a group is known by its roles, and it gets these "
                "where projects and departments name it"
            )
        return _shown(permit, body.name, made, seen(permit, "group"))


@router.get("/{groupName}")
def get_group(gate: GateOfRequest, groupName: str) -> OlderGroup:  # noqa: N803 - as it is documented
    """Show a group that has roles."""
    with gate.permit("groups", "read") as permit:
        return _shown(permit, groupName, _known(permit, groupName), seen(permit, "group"))


@router.put("/{groupName}")
def replace_roles_of_group(gate: GateOfRequest, groupName: str, body: OlderGroupUpdate) -> OlderGroup:  # noqa: N803
    """Give a group other roles."""
    with gate.permit("groups", "update") as permit:
        permit.check(Place())
        before = _known(permit, groupName)
        check_same("name", body.name, groupName, "the name")
        give(permit, "group", [groupName], body.roles, body)
        return _shown(permit, groupName, before, seen(permit, "group"))


@router.delete("/{groupName}", status_code=200)
def delete_group(gate: GateOfRequest, groupName: str) -> None:  # noqa: N803
    """Take all roles away from a group."""
    with gate.permit("groups", "delete") as permit:
        permit.check(Place())
        for rule in _known(permit, groupName):
            ending = permit.also("access_rules", "delete")
            end(ending, ending.one(AccessRule, rule.id))


def _rules(permit: Permit, name: str) -> Select[AccessRule]:
    living = permit.select_whole(AccessRule).where(AccessRule.deleted_ms.is_(None))
    own = living.where(AccessRule.subject_type == "group", AccessRule.subject_id == name)
    return own.order_by(AccessRule.id)


def _known(permit: Permit, name: str) -> Sequence[AccessRule]:
    """The rules for a group.

    Raises:
        NotFound: there are none.
    """
    if name.isprintable():
        found = permit.rows(_rules(permit, name))
        if found:
            return found
    raise NotFound(details=f"there is no group {name!r} with a role")


def _shown(permit: Permit, name: str, rules: Sequence[AccessRule], visible: Seen) -> OlderGroup:
    return OlderGroup.model_validate(
        {
            "entityType": "group",
            "tenantId": permit.holder.tenant_id,
            "userId": name,
            "name": name,
            "createdAt": from_milliseconds(rules[0].created_ms),
            **subjects.shown(visible.rights(name)),
        }
    )
