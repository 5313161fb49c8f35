"""Projects and departments as queues: one for each in every node pool (cluster-api.md 3.4).

A project's queue is called as the project, and hangs below its department's (`department/NAME`), or stands alone where
there is no such department. What the quotas mean is in `core.tenancy.quotas`.
"""

from collections.abc import Iterable, Mapping

from aliquot import names
from aliquot.contracts.kinds.shapes import Metadata
from aliquot.contracts.kinds.tenancy import Department, Project
from aliquot.core.intake.times import unix_seconds
from aliquot.core.scheduling.facts import DEPARTMENT_PREFIX, Queue, Share
from aliquot.core.tenancy.quotas import NO_QUOTA, Amount, PoolQuota, department_of, department_quotas, project_quotas


def queue_facts(
    projects: Iterable[Project], departments: Iterable[Department], pools: Iterable[str]
) -> tuple[Queue, ...]:
    """The queues of all pools, departments first, each by name. The pool `default` is always among them."""
    all_pools = sorted({names.DEFAULT_NODE_POOL, *pools})
    parents = sorted(departments, key=lambda department: department.metadata.name)
    known = {department.metadata.name for department in parents}
    queues: list[Queue] = []
    for department in parents:
        name = DEPARTMENT_PREFIX + department.metadata.name
        queues += _in_pools(name, None, department.metadata, department_quotas(department), all_pools)
    for project in sorted(projects, key=lambda project: project.metadata.name):
        parent = department_of(project, known)
        above = None if parent is None else DEPARTMENT_PREFIX + parent
        queues += _in_pools(project.metadata.name, above, project.metadata, project_quotas(project), all_pools)
    return tuple(queues)


def _in_pools(
    name: str, parent: str | None, metadata: Metadata, quotas: Mapping[str, PoolQuota], pools: Iterable[str]
) -> Iterable[Queue]:
    created = unix_seconds(metadata.creation_timestamp)
    for pool in pools:
        quota = quotas.get(pool, NO_QUOTA)
        yield Queue(
            name=name,
            pool=pool,
            parent=parent,
            gpu=_share(quota.gpu),
            cpu=_share(quota.cpu),
            memory=_share(quota.memory),
            created=created,
            display_name=metadata.name,
        )


def _share(amount: Amount) -> Share:
    return Share(amount.deserved, amount.limit, amount.over_quota_weight)
