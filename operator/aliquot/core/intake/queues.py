"""Projects and departments as queues: one for each in every node pool (cluster-api.md 3.4).

A project's queue is called as the project, and hangs below its department's (`department/NAME`), or stands alone where
there is no such department. What the quotas mean is in `core.tenancy.quotas`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.shapes import Metadata
from aliquot.contracts.kinds.tenancy import Department, Project
from aliquot.core.intake.times import unix_seconds
from aliquot.core.scheduling.facts import DEPARTMENT_PREFIX, Queue, Share
from aliquot.core.tenancy.quotas import NO_QUOTA, Amount, PoolQuota, department_of, department_quotas, project_quotas

Used = tuple[float, float, float]
"""What a queue has used lately of GPU, CPU and memory, as parts of its pool; see `Share.usage`."""

_NOTHING: Final[Used] = (0.0, 0.0, 0.0)
_NOBODY: Final[Mapping[tuple[str, str], Used]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MinRuntimes:
    """How long jobs are left alone where neither project nor department says, in seconds (scheduling.md 2.8).

    Attributes:
        preempt: before they may be preempted.
        reclaim: before they may be reclaimed.
    """

    preempt: float = 0.0
    reclaim: float = 0.0


def queue_facts(
    projects: Iterable[Project],
    departments: Iterable[Department],
    pools: Iterable[str],
    *,
    used: Mapping[tuple[str, str], Used] = _NOBODY,
    runtimes: MinRuntimes = MinRuntimes(),
) -> tuple[Queue, ...]:
    """The queues of all pools, departments first, each by name. The pool `default` is always among them.

    Args:
        projects: in any order.
        departments: in any order.
        pools: names of the node pools.
        used: what queues have used lately, by pool and name; of those that are not in it, nothing.
        runtimes: what counts at the top of the tree where nobody says otherwise.
    """
    all_pools = sorted({names.DEFAULT_NODE_POOL, *pools})
    parents = sorted(departments, key=lambda department: department.metadata.name)
    known = {department.metadata.name for department in parents}
    queues: list[Queue] = []
    for department in parents:
        name = DEPARTMENT_PREFIX + department.metadata.name
        queues += _in_pools(name, None, department.metadata, department_quotas(department), all_pools, runtimes)
    for project in sorted(projects, key=lambda project: project.metadata.name):
        parent = department_of(project, known)
        above = None if parent is None else DEPARTMENT_PREFIX + parent
        quotas = project_quotas(project)
        queues += _in_pools(project.metadata.name, above, project.metadata, quotas, all_pools, runtimes)
    return tuple(with_usage(queue, used.get((queue.pool, queue.name), _NOTHING)) for queue in queues)


def with_usage(queue: Queue, used: Used) -> Queue:
    """The queue, having used so much; itself when it knows already."""
    if used == (queue.gpu.usage, queue.cpu.usage, queue.memory.usage):
        return queue
    gpu, cpu, memory = used
    return replace(
        queue,
        gpu=replace(queue.gpu, usage=gpu),
        cpu=replace(queue.cpu, usage=cpu),
        memory=replace(queue.memory, usage=memory),
    )


def _in_pools(
    name: str,
    parent: str | None,
    metadata: Metadata,
    quotas: Mapping[str, PoolQuota],
    pools: Iterable[str],
    runtimes: MinRuntimes,
) -> Iterable[Queue]:
    created = unix_seconds(metadata.creation_timestamp)
    preempt, reclaim = (runtimes.preempt or None, runtimes.reclaim or None) if parent is None else (None, None)
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
            preempt_min_runtime_seconds=_said(quota.preempt_min_runtime, preempt),
            reclaim_min_runtime_seconds=_said(quota.reclaim_min_runtime, reclaim),
        )


def _said(own: float | None, otherwise: float | None) -> float | None:
    return otherwise if own is None else own


def _share(amount: Amount) -> Share:
    return Share(amount.deserved, amount.limit, amount.over_quota_weight)
