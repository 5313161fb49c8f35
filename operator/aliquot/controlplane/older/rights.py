"""Roles and clusters of the older surface as access rules, and back (decision 17), pure.

Older subjects have a list of roles, and of clusters in which they count. As access rules:

    admin, editor, viewer, research_manager, ml_engineer    one rule for each role, in the tenant or each cluster
    researcher, department_admin                            no rule: projects and departments name those who are theirs

Rules for roles that the older surface has no word for are not shown, and never touched.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.contracts.administrator_api.older.subjects import OLDER_ROLES, OlderRole
from aliquot.controlplane.refusals import BadRequest

RESEARCHER: Final = 5
DEPARTMENT_ADMINISTRATOR: Final = 1710
_IDS: Final[dict[OlderRole, int]] = {
    "admin": 1, "department_admin": DEPARTMENT_ADMINISTRATOR, "researcher": RESEARCHER, "editor": 3, "viewer": 7,
    "research_manager": 4, "ml_engineer": 6,
}  # fmt: skip
_NAMES: Final = {role_id: role for role, role_id in _IDS.items()}
_NAMED_BELOW: Final = frozenset({RESEARCHER, DEPARTMENT_ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Rule:
    """An access rule of a subject.

    Attributes:
        role_id: the role.
        cluster_id: where it counts, or where that is; None: in the whole tenant.
        is_broad: whether it counts in the whole tenant, or in a whole cluster.
    """

    role_id: int
    cluster_id: str | None
    is_broad: bool


@dataclass(frozen=True, slots=True)
class Rights:
    """What a subject may do, in older words.

    Attributes:
        roles: in the order in which they are documented.
        everywhere: whether in all clusters.
        clusters: ids, sorted.
    """

    roles: tuple[OlderRole, ...] = ()
    everywhere: bool = False
    clusters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What makes rules of rights.

    Attributes:
        ended: places in the list of rules of those that end.
        made: role and cluster of those that are made; no cluster: in the whole tenant.
    """

    ended: tuple[int, ...] = ()
    made: tuple[tuple[int, str | None], ...] = ()


def rights(rules: Iterable[Rule]) -> Rights:
    """Say what rules are in older words."""
    known = [rule for rule in rules if rule.role_id in _NAMES]
    roles = {_NAMES[rule.role_id] for rule in known}
    return Rights(
        roles=tuple(role for role in OLDER_ROLES if role in roles),
        everywhere=any(rule.cluster_id is None for rule in known),
        clusters=tuple(sorted({rule.cluster_id for rule in known if rule.cluster_id is not None})),
    )


def wanted(
    now: Rights, roles: Collection[OlderRole] | None, everywhere: bool | None, clusters: Collection[str] | None
) -> Rights:
    """Say what rights somebody asks for; what is None stays.

    Raises:
        BadRequest: roles are to count nowhere.
    """
    asked = Rights(
        roles=now.roles if roles is None else tuple(role for role in OLDER_ROLES if role in roles),
        everywhere=now.everywhere if everywhere is None else everywhere,
        clusters=now.clusters if clusters is None else tuple(sorted(set(clusters))),
    )
    nowhere = [role for role in asked.roles if _IDS[role] not in _NAMED_BELOW]
    if nowhere and not asked.everywhere and not asked.clusters:
        raise BadRequest(
            f"Bad request - permittedClusters: [] is not allowed: the role {nowhere[0]} needs clusters, or "
            "permitAllClusters: true"
        )
    return asked


def change(rules: Sequence[Rule], asked: Rights) -> Change:
    """Say which rules end, and which are made, so that a subject has the rights that were asked for.

    Args:
        rules: of the subject.
        asked: for it.

    Returns:
        The change; none if it has these rights already, also where its rules say it in another way.
    """
    if asked == rights(rules):
        return Change()
    ended = tuple(index for index, rule in enumerate(rules) if not _stays(rule, asked))
    left = {(rule.role_id, rule.cluster_id) for rule in rules if _stays(rule, asked) and rule.is_broad}
    places: list[str | None] = [None] if asked.everywhere else list(asked.clusters)
    broad = [_IDS[role] for role in asked.roles if _IDS[role] not in _NAMED_BELOW]
    made = tuple((role, place) for role in broad for place in places if (role, place) not in left)
    return Change(ended, made)


def _stays(rule: Rule, asked: Rights) -> bool:
    if rule.role_id not in _NAMES:
        return True
    return _NAMES[rule.role_id] in asked.roles and (asked.everywhere or rule.cluster_id in asked.clusters)
