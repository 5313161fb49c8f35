"""Rules that end with what they are about, their scope or their subject; and the one that must not."""

from sqlalchemy import ColumnElement

from aliquot.contracts.administrator_api.permissions import SYSTEM_ADMINISTRATOR, SubjectType
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import AccessRule, User
from aliquot.controlplane.refusals import BadRequest


def end_rules(permit: Permit, concerned: ColumnElement[bool]) -> None:
    """End all rules of the tenant that this holds for."""
    for rule in permit.rows(permit.select_whole(AccessRule).where(AccessRule.deleted_ms.is_(None), concerned)):
        rule.deleted_ms = permit.now_ms


def end_rules_of(permit: Permit, subject_type: SubjectType, *names: str) -> None:
    """End all rules for a subject, under whichever of its names."""
    end_rules(permit, (AccessRule.subject_type == subject_type) & AccessRule.subject_id.in_(names))


def check_administrator_is_left(permit: Permit) -> None:
    """See that, after all that was done, somebody with a password here may still do everything.

    Raises:
        BadRequest: nobody would (control-plane-api.md 2.2).
    """
    permit.flush()
    rules = permit.rows(
        permit.select_whole(AccessRule).where(
            AccessRule.deleted_ms.is_(None),
            AccessRule.role_id == SYSTEM_ADMINISTRATOR,
            AccessRule.scope_type == "tenant",
            AccessRule.subject_type == "user",
        )
    )
    subjects = {rule.subject_id for rule in rules}
    local = permit.select_whole(User).where(User.issuer.is_(None))
    if not permit.count(local.where(User.email.in_(subjects) | User.id.in_(subjects))):
        raise BadRequest("Bad request - at least one local user has to remain System administrator of the tenant")
