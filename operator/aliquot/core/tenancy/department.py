"""The status of a department: what its projects hold and want together, and whether more was promised than it has."""

from collections.abc import Iterable, Sequence

from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.tenancy import Department, Project, TenantStatus
from aliquot.core.conditions import condition, timed
from aliquot.core.quantities import UNLIMITED
from aliquot.core.tenancy.amounts import in_words
from aliquot.core.tenancy.quotas import NO_QUOTA, department_quotas, project_quotas
from aliquot.core.tenancy.status import READY, pool_uses
from aliquot.core.tenancy.usage import UsageByPool, quota_use, total


def department_status(
    department: Department, members: Sequence[Project], usage: UsageByPool, before: TenantStatus, now: float
) -> TenantStatus:
    """Make the status. The same input again, with the answer as `before`, gives an equal answer at any `now`.

    Args:
        department: the department.
        members: the projects that belong to it (`department_of`).
        usage: what its queue holds and wants, one entry for every node pool that exists.
        before: the status as it is.
        now: Unix seconds, for conditions that change.
    """
    warnings = department_warnings(department, members, usage)
    return TenantStatus(
        phase=READY,
        message=" ".join(each.message for each in warnings if each.message) or None,
        conditions=timed(warnings, before.conditions, now),
        quota_status=quota_use(total(usage.values())),
        node_pools_quota_statuses=pool_uses(
            usage,
            department_quotas(department),
            [project.metadata.name for project in members],
            before.node_pools_quota_statuses,
            now,
        ),
    )


def department_warnings(department: Department, members: Sequence[Project], pools: Iterable[str]) -> list[Condition]:
    """What its administrator should know, although the department works all the same.

    More deserved by the projects than by the department is allowed: the scheduler goes by the department's.

    Args:
        department: the department.
        members: the projects that belong to it.
        pools: names of the node pools that exist.
    """
    has = department_quotas(department)
    promised = [project_quotas(project) for project in members]
    found: list[str] = []
    for pool in sorted(pools):
        for resource, share in has.get(pool, NO_QUOTA).by_resource():
            together = sum(dict(quota.get(pool, NO_QUOTA).by_resource())[resource].deserved for quota in promised)
            if UNLIMITED > share.deserved < together:
                found.append(f"{in_words(resource, together)} of {in_words(resource, share.deserved)} in {pool}")
    if not found:
        return []
    message = (
        f"Its projects deserve more together than the department: {', '.join(found[:10])}. What is above its quota "
        "counts as over quota."
    )
    return [condition("QuotaOvercommitted", holds=True, reason="QuotaOvercommitted", message=message)]
