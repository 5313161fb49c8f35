"""Access rules: who may do what, and where → RoleBindings in namespaces of projects (control-plane-api.md 2.2, 2.3).

    subject   user, group or application, by the name that the API server knows it by
    role      one of the product's roles → one of four ClusterRoles, which the chart makes
    scope     a project, a department with all of its projects, or all projects; future ones included

A rule gives rights in namespaces of projects and nowhere else. Namespaces of the system are nobody's.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from aliquot import names, naming
from aliquot.contracts.kinds.conditions import ObservedCondition
from aliquot.contracts.kinds.tenancy import AccessRule, AccessRuleStatus, Department, Project
from aliquot.core.tenancy.namespaces import RESERVED
from aliquot.core.tenancy.quotas import department_of
from aliquot.core.tenancy.status import READY
from aliquot.errors import UserError, told

NOT_READY: Final = "NotReady"
INVALID_RULE: Final = "InvalidRule"
NO_SCOPE: Final = "NoScope"
NOT_OURS: Final = "RoleBindingsNotCreated"
_NOT_OURS_SAID: Final = (
    "No RoleBinding is made, changed or taken back, as spec.project-controller.createRoleBindings of the RunaiConfig "
    "is false: make it yourself (kubectl create rolebinding), or set that to true."
)
_SUBJECTS: Final[Mapping[str, str]] = MappingProxyType({"user": "User", "group": "Group", "app": "User"})
_SCOPES: Final = ("project", "department", "cluster", "tenant", "system")
_ROLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        names.VIEWER_ROLE: (
            "Viewer",
            "Department viewer",
            "Environment administrator",
            "Data source administrator",
            "Compute resource administrator",
            "Template administrator",
            "Credentials administrator",
            "Data volume administrator",
            "Cloud support",
        ),
        names.RESEARCHER_ROLE: ("L1 researcher", "L2 researcher", "Researcher", "Research manager"),
        names.ENGINEER_ROLE: ("ML engineer",),
        names.ADMINISTRATOR_ROLE: (
            "System administrator",
            "Application administrator",
            "Department administrator",
            "Department admin",
            "Editor",
            "Admin",
        ),
    }
)
"""What each ClusterRole stands for: of a role's rights those that are about workloads and policies of a project."""


def _plain(role: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", role.lower())


_CLUSTER_ROLES: Final = {_plain(role): cluster_role for cluster_role, roles in _ROLES.items() for role in roles}
ROLES_ALLOWED: Final = f"one of the roles {', '.join(role for roles in _ROLES.values() for role in roles)}"


@dataclass(frozen=True, slots=True)
class Binding:
    """A RoleBinding that a rule needs.

    Attributes:
        cluster_role: name of the ClusterRole that is bound.
        subject_kind: User or Group.
        subject: its name.
    """

    namespace: str
    name: str
    cluster_role: str
    subject_kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class AccessPlan:
    """What a rule comes to.

    Attributes:
        bindings: those that it needs, by namespace.
        problem: why it gives nothing, or cannot be followed; a word for programs and a sentence.
        is_ours: whether RoleBindings are made, changed and taken back here; else they are left as they are.
    """

    bindings: tuple[Binding, ...] = ()
    problem: tuple[str, str] | None = None
    is_ours: bool = True


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What the API server puts before the names of a token's user and groups."""

    user: str = ""
    group: str = ""


def access_plan(
    rule: AccessRule,
    projects: Iterable[Project],
    departments: Iterable[Department],
    namespaces_of: Callable[[str], Iterable[str]],
    prefixes: Prefixes,
    *,
    is_ours: bool = True,
) -> AccessPlan:
    """Decide which RoleBindings a rule needs.

    Args:
        rule: the rule.
        projects: all projects.
        departments: all departments.
        namespaces_of: the namespaces of the project of that name.
        prefixes: of users' and groups' names.
        is_ours: whether RoleBindings are made here; else administrators make them.
    """
    errors = tuple(access_errors(rule))
    if errors:
        return AccessPlan(problem=(INVALID_RULE, told(errors)), is_ours=is_ours)
    reached, missing = reached_by(rule, projects, departments)
    if missing is not None:
        return AccessPlan(problem=(NO_SCOPE, missing), is_ours=is_ours)
    if not is_ours:
        return AccessPlan(problem=(NOT_OURS, _NOT_OURS_SAID), is_ours=False)
    spec = rule.spec
    kind = _SUBJECTS[_subject_type(rule)]
    subject = f"{prefixes.group if kind == 'Group' else prefixes.user}{spec.subject_id}"
    namespaces = {namespace for project in reached for namespace in namespaces_of(project)} - RESERVED
    return AccessPlan(
        tuple(
            Binding(namespace, binding_name(rule), _CLUSTER_ROLES[_plain(spec.role_name or "")], kind, subject)
            for namespace in sorted(namespaces)
        )
    )


def binding_name(rule: AccessRule) -> str:
    """Return the name of a rule's RoleBindings, the same in every namespace."""
    return naming.dns_label(f"runai-{rule.metadata.name}")


def binding_manifest(binding: Binding, rule: AccessRule, instead_of: str = "") -> dict[str, object]:
    """Make a RoleBinding that goes when its rule goes.

    Args:
        binding: what it gives.
        rule: whose it is.
        instead_of: resource version of the one whose place it takes; empty: there is none.
    """
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {
            "name": binding.name,
            "namespace": binding.namespace,
            **({"resourceVersion": instead_of} if instead_of else {}),
            "labels": {
                names.MANAGED_BY_LABEL: names.MANAGED_BY,
                names.ACCESS_RULE_LABEL: naming.label_value(rule.metadata.name),
            },
            "ownerReferences": [
                {
                    "apiVersion": rule.api_version,
                    "kind": rule.kind,
                    "name": rule.metadata.name,
                    "uid": rule.metadata.uid,
                    "controller": True,
                }
            ],
        },
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": binding.cluster_role},
        "subjects": [{"apiGroup": group, "kind": binding.subject_kind, "name": binding.subject}],
    }


def access_status(rule: AccessRule, problem: tuple[str, str] | None, now: float) -> AccessRuleStatus:
    """Make a rule's status.

    Args:
        rule: the rule, with its status so far.
        problem: what stands in its way; None: it is in force.
        now: Unix seconds.
    """
    reason, message = problem or (READY, "The rule is in force.")
    status = "True" if problem is None else "False"
    same = (each.last_transition_time for each in rule.status.conditions if (each.type, each.status) == (READY, status))
    observed = ObservedCondition(
        type=READY,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=next(same, datetime.fromtimestamp(int(now), UTC)),
        observed_generation=rule.metadata.generation,
    )
    return AccessRuleStatus(
        phase=READY if problem is None else NOT_READY,
        message=None if problem is None else message,
        conditions=(observed,),
    )


def _subject_type(rule: AccessRule) -> str:
    return (rule.spec.subject_type or "user").lower()


def _scope_type(rule: AccessRule) -> str:
    return (rule.spec.scope_type or "project").lower()


def access_errors(rule: AccessRule) -> Iterable[UserError]:
    """Say what is wrong with a rule and can never become right by itself."""
    spec = rule.spec
    if not spec.subject_id:
        yield UserError("spec.subjectId", spec.subject_id, "the name of a user, group or application")
    if _subject_type(rule) not in _SUBJECTS:
        yield UserError("spec.subjectType", spec.subject_type, "user, group or app")
    if _plain(spec.role_name or "") not in _CLUSTER_ROLES:
        yield UserError("spec.roleName", spec.role_name, ROLES_ALLOWED)
    if _scope_type(rule) not in _SCOPES:
        yield UserError("spec.scopeType", spec.scope_type, "project, department, cluster or tenant")
    elif _scope_type(rule) in ("project", "department") and not spec.scope_name:
        yield UserError("spec.scopeName", spec.scope_name, f"the name of a {_scope_type(rule)}")


def reached_by(
    rule: AccessRule, projects: Iterable[Project], departments: Iterable[Department]
) -> tuple[list[str], str | None]:
    """Return the names of the projects that a rule reaches, and the sentence that its scope is missing, if it is."""
    kind, name = _scope_type(rule), rule.spec.scope_name or ""
    known, held = [department.metadata.name for department in departments], list(projects)
    every = [project.metadata.name for project in held]
    match kind:
        case "project":
            return [name], None if name in every else f"There is no project {name} yet."
        case "department":
            members = [project.metadata.name for project in held if department_of(project, known) == name]
            return members, None if name in known else f"There is no department {name} yet."
        case _:
            return every, None
