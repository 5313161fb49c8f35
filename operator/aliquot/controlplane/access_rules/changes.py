"""Access rules are made and ended, for whichever surface asks."""

from aliquot.contracts.administrator_api.access_rules import AccessRuleCreation
from aliquot.controlplane.access_rules.ending import check_administrator_is_left
from aliquot.controlplane.access_rules.queries import shown
from aliquot.controlplane.access_rules.rules import check_may_give, role_with
from aliquot.controlplane.access_rules.scopes import scope
from aliquot.controlplane.auditing import document
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import AccessRule, Application
from aliquot.controlplane.refusals import BadRequest, NotFound


def create(permit: Permit, given: AccessRuleCreation) -> AccessRule:
    """Give a subject a role in a scope.

    Raises:
        NotFound: there is no such role, scope or application.
        BadRequest: the scope is in another cluster than the one that is named.
        Forbidden: the scope is out of the caller's reach, or the role may administer more than the caller.
    """
    role = role_with(given.role_id)
    where = scope(permit, given.scope_type, given.scope_id)
    if given.cluster_id is not None and where.place.cluster_id not in (None, given.cluster_id):
        raise BadRequest(f"Bad request - clusterId: {given.cluster_id!r} is not allowed: the scope is in another one")
    permit.check(where.place)
    check_may_give(permit.grants, role, where.place)
    row = AccessRule(
        tenant_id=permit.holder.tenant_id,
        subject_id=_subject(permit, given),
        subject_type=given.subject_type,
        role_id=role.id,
        role_name=role.name,
        scope_id=given.scope_id,
        scope_type=given.scope_type,
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
    return row


def end(permit: Permit, row: AccessRule) -> None:
    """Take a role away from a subject.

    Raises:
        BadRequest: nobody with a password here would be left who may do everything.
    """
    before = document(shown(row))
    row.deleted_ms = permit.now_ms
    permit.record("delete", "access_rule", row, before=before)
    check_administrator_is_left(permit)


def _subject(permit: Permit, given: AccessRuleCreation) -> str:
    """The subject, as rules are looked up by it.

    Raises:
        NotFound: there is no such application. Users need not be known yet: their identity provider knows them.
    """
    if given.subject_type == "user":
        return given.subject_id.lower()
    if given.subject_type == "app":
        named = (Application.name == given.subject_id) | (Application.id == given.subject_id)
        if not permit.count(permit.select_whole(Application).where(named)):
            raise NotFound(details=f"subjectId: {given.subject_id!r} is not allowed: there is no such application")
    return given.subject_id
