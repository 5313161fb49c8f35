"""What a project or department may have in each node pool, read from its spec into whole units.

Outside, amounts are devices, milli-CPU and MB (10^6 bytes), and -1 is "no bound" (cluster-api.md 3.1, 3.2). What is
left out has a meaning, too:

    resources.gpu left out                     0 GPUs deserved
    resources.cpu or .memory left out          unlimited: quotas are about GPUs unless somebody says otherwise
    deserved left out of a block that is there 0
    limit left out                             no limit
    overQuotaWeight left out                   the quota itself: devices, CPUs or GB, at least 1
    a pool without an entry                    as an entry without amounts: 0 GPUs deserved, idle ones may be borrowed

The superseded members (`deservedGpus`, `maxAllowedGpus`, and `resources` of a department) know no pools. They count for
the pool `default`, and only where there are no `queues`.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.tenancy import Department, Project, Queue, Quota, Quotas
from aliquot.core.quantities import PERCENT_PER_DEVICE, UNLIMITED

DEFAULT_DEPARTMENT: Final = "default"
"""Department of projects that name none, where it exists."""
BYTES_PER_MB: Final = 10**6
_MILLI_PER_CPU: Final = 1000
_BYTES_PER_GB: Final = 10**9


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of one resource, in the unit of its axis.

    Attributes:
        deserved: guaranteed; `UNLIMITED` for no bound.
        limit: never more than this; `UNLIMITED` for none.
        over_quota_weight: part of what nobody deserves, relative to the siblings.
    """

    deserved: int = 0
    limit: int = UNLIMITED
    over_quota_weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PoolQuota:
    """How much of everything, in one node pool, and how long it is left alone.

    Attributes:
        gpu: in hundredths of a device.
        cpu: in milli-CPU.
        memory: in bytes.
        preempt_min_runtime: seconds that a workload runs before it may be preempted; None: as those above say.
        reclaim_min_runtime: the same before it may be reclaimed.
    """

    gpu: Amount = Amount()
    cpu: Amount = Amount(deserved=UNLIMITED)
    memory: Amount = Amount(deserved=UNLIMITED)
    preempt_min_runtime: float | None = None
    reclaim_min_runtime: float | None = None

    def by_resource(self) -> Iterator[tuple[str, Amount]]:
        """Each amount with the name of its resource."""
        yield "gpu", self.gpu
        yield "cpu", self.cpu
        yield "memory", self.memory


NO_QUOTA: Final = PoolQuota()
"""What a pool without an entry means."""


def project_quotas(project: Project) -> Mapping[str, PoolQuota]:
    """What the project may have, by node pool; for pools that are not in it, `NO_QUOTA`."""
    spec = project.spec
    return _of_queues(spec.queues) or _of_default_pool(Quotas(), spec.deserved_gpus, None)


def department_quotas(department: Department) -> Mapping[str, PoolQuota]:
    """What the department may have, by node pool; for pools that are not in it, `NO_QUOTA`."""
    spec = department.spec
    return _of_queues(spec.queues) or _of_default_pool(
        spec.resources or Quotas(), spec.deserved_gpus, spec.max_allowed_gpus
    )


def department_named(project: Project) -> str:
    """The department that the project would belong to, whether it exists or not: the one it names, else `default`."""
    return project.spec.department or DEFAULT_DEPARTMENT


def department_of(project: Project, departments: Collection[str]) -> str | None:
    """The department that the project belongs to; None where that does not exist."""
    wanted = department_named(project)
    return wanted if wanted in departments else None


def _of_queues(queues: Sequence[Queue]) -> dict[str, PoolQuota]:
    return {
        queue.nodepool: replace(
            _pool_quota(queue.resources),
            preempt_min_runtime=queue.preempt_min_runtime_secs,
            reclaim_min_runtime=queue.reclaim_min_runtime_secs,
        )
        for queue in queues
    }


def _of_default_pool(quotas: Quotas, deserved: float | None, limit: float | None) -> dict[str, PoolQuota]:
    read = _pool_quota(quotas)
    gpu = read.gpu
    if deserved is not None:
        mine = _amount(deserved, PERCENT_PER_DEVICE)
        named = "gpu" in quotas.model_fields_set and quotas.gpu.over_quota_weight is not None
        weight = gpu.over_quota_weight if named else _weight_of_quota(mine, PERCENT_PER_DEVICE)
        gpu = replace(gpu, deserved=mine, over_quota_weight=weight)
    if limit is not None:
        gpu = replace(gpu, limit=_amount(limit, PERCENT_PER_DEVICE))
    return {names.DEFAULT_NODE_POOL: PoolQuota(gpu, read.cpu, read.memory)}


def _pool_quota(quotas: Quotas) -> PoolQuota:
    given = quotas.model_fields_set
    return PoolQuota(
        gpu=_share(quotas.gpu, PERCENT_PER_DEVICE, PERCENT_PER_DEVICE) if "gpu" in given else NO_QUOTA.gpu,
        cpu=_share(quotas.cpu, 1, _MILLI_PER_CPU) if "cpu" in given else NO_QUOTA.cpu,
        memory=_share(quotas.memory, BYTES_PER_MB, _BYTES_PER_GB) if "memory" in given else NO_QUOTA.memory,
    )


def _share(quota: Quota, unit: int, whole: int) -> Amount:
    weight, deserved = quota.over_quota_weight, _amount(quota.deserved or 0, unit)
    given = weight is not None and math.isfinite(weight) and weight >= 0
    return Amount(
        deserved=deserved,
        limit=UNLIMITED if quota.limit is None else _amount(quota.limit, unit),
        over_quota_weight=weight if weight is not None and given else _weight_of_quota(deserved, whole),
    )


def _weight_of_quota(deserved: int, whole: int) -> float:
    """The weight of a quota that names none: what is idle is split as the quotas are (cluster-api.md 5.3, S47).

    In devices, CPUs or GB, of so many units each. Who deserves less than one counts as one, so that who has no quota
    has a part of it, too; so do those without a bound.
    """
    return deserved / whole if whole < deserved < UNLIMITED else 1.0


def _amount(written: float, unit: int) -> int:
    """Round to the unit. The API server refuses other negative numbers than -1; should one arrive, it is nothing."""
    amount = written * unit
    if written == -1 or amount >= UNLIMITED:
        return UNLIMITED
    return round(amount) if amount > 0 else 0
