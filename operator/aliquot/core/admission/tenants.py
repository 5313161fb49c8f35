"""Projects, departments, node pools and access rules: refused only for what can never become right by itself.

Objects are applied in any order: a project may come before its department, its node pools or its namespace. What is
missing is a warning then, in the words of the condition that the status will have.
"""

from collections.abc import Iterable

from aliquot import names
from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project
from aliquot.core.admission.examination import Examination, Refusal, Surroundings
from aliquot.core.tenancy import (
    access_errors,
    department_named,
    department_of,
    department_warnings,
    namespace_name,
    namespace_plan,
    project_warnings,
    reached_by,
    with_same_label,
    without_label,
)


def examine_project(project: Project, known: Surroundings) -> Examination:
    """Refused: a namespace of the system. Warned of: what its status will warn of."""
    name = project.metadata.name
    own, is_ours = known.namespace(namespace_name(project)), known.config.creates_namespaces
    plan = namespace_plan(project, known.namespaces_of(name), own, is_ours_to_make=is_ours)
    departments = {each.metadata.name: each for each in known.departments}
    parent = departments.get(department_named(project))
    warnings = _sentences(project_warnings(project, plan, _pools(known), parent))
    if parent is not None:
        others = [each for each in known.projects if each.metadata.name != name]
        warnings += _of_department(parent, [*others, project], known)
    if plan.problem is None:
        return Examination((), warnings)
    if plan.problem.lasting:
        return Examination((Refusal("spec.namespace", plan.problem.message),), warnings)
    return Examination((), (plan.problem.message, *warnings))


def examine_department(department: Department, known: Surroundings) -> Examination:
    """Never refused: more may be promised than there is."""
    return Examination((), _of_department(department, known.projects, known))


def examine_node_pool(pool: NodePool, known: Surroundings) -> Examination:
    """Refused: the very label of another pool, as all nodes belong to one of the two."""
    same, missing = with_same_label(pool, known.node_pools), without_label(pool)
    return Examination(
        (Refusal("spec.labelValue", same),) if same is not None else (),
        (missing,) if missing is not None else (),
    )


def examine_access_rule(rule: AccessRule, known: Surroundings) -> Examination:
    """Refused: what names no subject, role or scope that there can be. Warned of: a scope that is missing."""
    refusals = tuple(map(Refusal.of, access_errors(rule)))
    missing = None if refusals else reached_by(rule, known.projects, known.departments)[1]
    return Examination(refusals, (missing,) if missing is not None else ())


def _of_department(department: Department, projects: Iterable[Project], known: Surroundings) -> tuple[str, ...]:
    name = department.metadata.name
    every = {name, *(each.metadata.name for each in known.departments)}
    members = [project for project in projects if department_of(project, every) == name]
    return _sentences(department_warnings(department, members, _pools(known)))


def _pools(known: Surroundings) -> set[str]:
    return {names.DEFAULT_NODE_POOL, *(pool.metadata.name for pool in known.node_pools)}


def _sentences(warnings: Iterable[Condition]) -> tuple[str, ...]:
    return tuple(warning.message for warning in warnings if warning.message)
