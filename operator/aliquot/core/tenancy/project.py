"""The status of a project: its namespace, what it holds and wants, and what its administrator should know.

Phase is Ready, Pending (its namespace is about to be made or labelled) or the code of what stands in the way.
Conditions other than NamespaceReady are warnings: they are there only as long as they hold, and the project works all
the same.
"""

from collections.abc import Collection

from aliquot import names
from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.tenancy import Department, Project, ProjectStatus
from aliquot.core.conditions import condition, timed
from aliquot.core.tenancy.namespaces import NamespacePlan
from aliquot.core.tenancy.node_types import types_outside
from aliquot.core.tenancy.quotas import project_quotas
from aliquot.core.tenancy.status import PENDING, READY, pool_uses
from aliquot.core.tenancy.usage import UsageByPool, quota_use, total


def project_status(
    project: Project,
    plan: NamespacePlan,
    usage: UsageByPool,
    department: Department | None,
    before: ProjectStatus,
    now: float,
) -> ProjectStatus:
    """Make the status. The same input again, with the answer as `before`, gives an equal answer at any `now`.

    Args:
        project: the project.
        plan: what its namespace needs, from `namespace_plan`.
        usage: what its queue holds and wants, one entry for every node pool that exists.
        department: the one that it belongs to; None: none, or one that does not exist.
        before: the status as it is.
        now: Unix seconds, for conditions that change.
    """
    ready = _namespace_ready(plan)
    warnings = project_warnings(project, plan, usage, department)
    phase = READY if ready.status == "True" else plan.problem.code if plan.problem else PENDING
    says = [each.message for each in (ready, *warnings) if each.message and (each is not ready or phase != READY)]
    return ProjectStatus(
        phase=phase,
        message=" ".join(says) or None,
        namespace=plan.name if phase == READY else before.namespace,
        conditions=timed((ready, *warnings), before.conditions, now),
        quota_status=quota_use(total(usage.values())),
        node_pools_quota_statuses=pool_uses(usage, project_quotas(project), (), before.node_pools_quota_statuses, now),
    )


def _namespace_ready(plan: NamespacePlan) -> Condition:
    kind = "NamespaceReady"
    if plan.problem:
        return condition(kind, holds=False, reason=plan.problem.code, message=plan.problem.message)
    if plan.create:
        return condition(kind, holds=False, reason="Creating", message=f"Namespace {plan.name} is being created.")
    if plan.labels:
        return condition(kind, holds=False, reason="Labelling", message=f"Namespace {plan.name} is being labelled.")
    return condition(kind, holds=True, reason="Ready", message=f"Namespace {plan.name} belongs to the project.")


def project_warnings(
    project: Project, plan: NamespacePlan, pools: Collection[str], department: Department | None
) -> list[Condition]:
    """What its administrator should know, although the project works all the same.

    Args:
        project: the project.
        plan: what its namespace needs, from `namespace_plan`.
        pools: names of the node pools that exist, `default` among them.
        department: the one that it belongs to; None: none, or one that does not exist.
    """
    warnings: list[Condition] = []
    named = project.spec.department
    if named and department is None:
        message = f"Department {named} does not exist: until it does, the project is bound by its own quota only."
        warnings.append(condition("NoDepartment", holds=True, reason="NoDepartment", message=message))
    unknown = sorted(
        set(project_quotas(project)).union(project.spec.default_node_pools) - {*pools, names.DEFAULT_NODE_POOL}
    )
    if unknown:
        message = f"No such node pool: {', '.join(unknown[:10])}. There are: {', '.join(sorted(pools)[:10])}."
        warnings.append(condition("NoNodePool", holds=True, reason="NoNodePool", message=message))
    if outside := types_outside(project, department):
        message = " ".join(outside)
        warnings.append(condition("NodeTypeOutside", holds=True, reason="NodeTypeOutside", message=message))
    if plan.others:
        message = f"Labelled for the project, too, and using its quota: namespace {', '.join(plan.others[:10])}."
        warnings.append(condition("SeveralNamespaces", holds=True, reason="SeveralNamespaces", message=message))
    return warnings
