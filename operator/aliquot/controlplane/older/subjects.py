"""What users, groups and applications may do, in the database and in older words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aliquot.contracts.administrator_api.access_rules import AccessRuleCreation
from aliquot.contracts.administrator_api.older.subjects import OlderClusters, OlderRole, OlderSubjectsQuery
from aliquot.contracts.administrator_api.permissions import SubjectType
from aliquot.controlplane.access_rules.changes import create, end
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import AccessRule, Cluster
from aliquot.controlplane.older import rights
from aliquot.controlplane.older.rights import Rights, Rule
from aliquot.controlplane.refusals import BadRequest


@dataclass(frozen=True, slots=True)
class Seen:
    """The rules for subjects of one type, as far as the caller may see them.

    Attributes:
        rules: by the name of the subject that is in the rule.
    """

    rules: Mapping[str, Sequence[AccessRule]]

    def rights(self, *names: str) -> Rights:
        """What a subject may do, whichever of its names the rules have."""
        return rights.rights(_rule(rule) for name in dict.fromkeys(names) for rule in self.rules.get(name, ()))


def seen(permit: Permit, kind: SubjectType) -> Seen:
    """The rules for all subjects of a type, the oldest first."""
    living = permit.select_also(AccessRule, "access_rules").where(
        AccessRule.deleted_ms.is_(None), AccessRule.subject_type == kind
    )
    found: dict[str, list[AccessRule]] = defaultdict(list)
    for rule in permit.rows(living.order_by(AccessRule.id)):
        found[rule.subject_id].append(rule)
    return Seen(found)


def shown(held: Rights) -> dict[str, Any]:
    """Rights as `OlderSubject` is written."""
    return {
        "roles": list(held.roles),
        "permitAllClusters": held.everywhere,
        "permittedClusters": list(held.clusters),
    }


def is_asked(query: OlderSubjectsQuery, held: Rights, created_by: str, caller: str) -> bool:
    """Whether a list is to have a subject."""
    has_role = not query.roles or not set(query.roles).isdisjoint(held.roles)
    return has_role and (not query.only_created_by_me or created_by == caller)


def give(
    permit: Permit, kind: SubjectType, names: Sequence[str], roles: Sequence[OlderRole] | None, where: OlderClusters
) -> None:
    """Have a subject have roles in clusters.

    Args:
        permit: of the caller, for the subject.
        kind: type of the subject.
        names: of the subject; rules are made for the first.
        roles: that it is to have; None: those that it has.
        where: in which clusters.

    Raises:
        BadRequest: there is no such cluster, or roles would count nowhere.
        Forbidden: rules have to be made or ended, and the caller may not do that.
    """
    rules = permit.rows(
        permit.select_whole(AccessRule)
        .where(AccessRule.deleted_ms.is_(None), AccessRule.subject_type == kind, AccessRule.subject_id.in_(list(names)))
        .order_by(AccessRule.id)
    )
    known = [_rule(rule) for rule in rules]
    for index, cluster_id in enumerate(where.permitted_clusters or ()):
        if permit.referred(Cluster, cluster_id) is None:
            raise BadRequest(
                f"Bad request - permittedClusters.{index}: {cluster_id!r} is not allowed: there is no such cluster"
            )
    asked = rights.wanted(rights.rights(known), roles, where.permit_all_clusters, where.permitted_clusters)
    change = rights.change(known, asked)
    for role_id, cluster_id in change.made:  # before others end: at no time is there no administrator
        given = {
            "subjectId": names[0],
            "subjectType": kind,
            "roleId": role_id,
            "scopeType": "tenant" if cluster_id is None else "cluster",
            "scopeId": str(permit.holder.tenant_id) if cluster_id is None else cluster_id,
        }
        create(permit.also("access_rules", "create"), AccessRuleCreation.model_validate(given))
    for index in change.ended:
        ending = permit.also("access_rules", "delete")
        end(ending, ending.one(AccessRule, rules[index].id))


def _rule(row: AccessRule) -> Rule:
    return Rule(row.role_id, row.cluster_id, row.scope_type in ("tenant", "cluster"))
