"""Who is named in a project or department: users, groups and applications, each with an access rule there."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from aliquot.contracts.administrator_api.access_rules import AccessRuleCreation
from aliquot.contracts.administrator_api.permissions import ScopeType, SubjectType
from aliquot.controlplane.access_rules.changes import create, end
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import AccessRule, Application, User
from aliquot.controlplane.refusals import BadRequest

Named = dict[SubjectType, list[str]]
_LOCAL = ("user", "app")


@dataclass(frozen=True, slots=True)
class _Known:
    """The tenant's users and applications: access rules name them by id, or by address or name.

    Attributes:
        ids: by type, and id or name.
        names: by type and id.
    """

    ids: Mapping[tuple[str, str], str]
    names: Mapping[tuple[str, str], str]

    def id_of(self, kind: str, subject: str) -> str:
        """How the older surface names a subject: by its id, else as the rule does."""
        return self.ids.get((kind, subject), subject)

    def name_of(self, kind: str, written: str) -> str | None:
        """How access rules are to name a subject; None: there is no such one."""
        found = self.ids.get((kind, written.lower() if kind == "user" else written))
        if found is not None:
            return self.names[kind, found]
        is_anybodys = kind == "group" or (kind == "user" and "@" in written)
        return written.lower() if is_anybodys and kind == "user" else written if is_anybodys else None


def named(permit: Permit, role_id: int, scope_type: ScopeType, cluster_id: str) -> Mapping[int, Named]:
    """Who has a role in projects or departments of a cluster, by its id, as far as the caller may see access rules."""
    rules = permit.rows(
        permit.select_also(AccessRule, "access_rules")
        .where(
            AccessRule.deleted_ms.is_(None),
            AccessRule.role_id == role_id,
            AccessRule.scope_type == scope_type,
            AccessRule.cluster_id == cluster_id,
        )
        .order_by(AccessRule.id)
    )
    known = _known(permit, [rule.subject_id for rule in rules])
    found: dict[int, Named] = defaultdict(nobody)
    for rule in rules:
        kind = cast("SubjectType", rule.subject_type)
        subject = known.id_of(kind, rule.subject_id)
        if subject not in found[int(rule.scope_id)][kind]:
            found[int(rule.scope_id)][kind].append(subject)
    return found


def nobody() -> Named:
    """That there is nobody."""
    return {"user": [], "group": [], "app": []}


def name(
    permit: Permit,
    role_id: int,
    scope_type: ScopeType,
    scope_id: int,
    wanted: Mapping[SubjectType, tuple[str, Sequence[str]]],
) -> None:
    """Have exactly these, of the types that are given, have a role in a project or department.

    Args:
        permit: of the caller, for whatever the request is about.
        role_id: the role.
        scope_type: what it is given in.
        scope_id: id of that.
        wanted: name of the field, and who is named in it, by type of subject.

    Raises:
        BadRequest: there is no such user or application.
        Forbidden: somebody is to be named or left out, and the caller may not give or take roles there.
    """
    rules = permit.rows(
        permit.select_whole(AccessRule).where(
            AccessRule.deleted_ms.is_(None),
            AccessRule.role_id == role_id,
            AccessRule.scope_type == scope_type,
            AccessRule.scope_id == str(scope_id),
        )
    )
    texts = [text.lower() if kind == "user" else text for kind, (_, given) in wanted.items() for text in given]
    known = _known(permit, [*texts, *(rule.subject_id for rule in rules)])
    asked = dict.fromkeys(
        (kind, _checked(known, kind, text, f"{field}.{index}"))
        for kind, (field, given) in wanted.items()
        for index, text in enumerate(given)
    )
    there = {
        (rule.subject_type, known.name_of(rule.subject_type, rule.subject_id) or rule.subject_id) for rule in rules
    }
    for rule in rules:
        subject = known.name_of(rule.subject_type, rule.subject_id) or rule.subject_id
        if rule.subject_type in wanted and (rule.subject_type, subject) not in asked:
            ending = permit.also("access_rules", "delete")
            end(ending, ending.one(AccessRule, rule.id))
    for kind, subject in asked:
        if (kind, subject) in there:
            continue
        given = {
            "subjectId": subject,
            "subjectType": kind,
            "roleId": role_id,
            "scopeType": scope_type,
            "scopeId": str(scope_id),
        }
        create(permit.also("access_rules", "create"), AccessRuleCreation.model_validate(given))


def _checked(known: _Known, kind: SubjectType, text: str, field: str) -> str:
    found = known.name_of(kind, text)
    if not found:
        raise BadRequest(f"Bad request - {field}: {text!r} is not allowed: there is no such {kind}")
    return found


def _known(permit: Permit, texts: Sequence[str]) -> _Known:
    users = permit.rows(permit.select_whole(User).where(User.email.in_(texts) | User.id.in_(texts)))
    applications = permit.rows(
        permit.select_whole(Application).where(Application.name.in_(texts) | Application.id.in_(texts))
    )
    pairs = [("user", row.id, row.email) for row in users] + [("app", row.id, row.name) for row in applications]
    return _Known(
        ids={(kind, text): row_id for kind, row_id, name in pairs for text in (row_id, name)},
        names={(kind, row_id): name for kind, row_id, name in pairs},
    )
