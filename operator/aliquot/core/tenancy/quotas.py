"""What a project or department may have in each node pool, read from its spec into whole units.

Outside, amounts are devices, milli-CPU and MB (10^6 bytes), and -1 is "no bound" (cluster-api.md 3.1, 3.2). What is
left out has a meaning, too:

    resources.gpu left out                     0 GPUs deserved
    resources.cpu or .memory left out          unlimited: quotas are about GPUs unless somebody says otherwise
    deserved left out of a block that is there 0
    limit left out                             no limit
    a pool without an entry                    as an entry without amounts: 0 GPUs deserved, idle ones may be borrowed

The superseded members (`deservedGpus`, `maxAllowedGpus`, and `resources` of a department) know no pools. They count for
the pool `default`, and only where there are no `queues`.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.tenancy import Department, Project, Queue, Quota, Quotas
from aliquot.core.quantities import UNLIMITED

DEFAULT_DEPARTMENT: Final = "default"
"""Department of projects that name none, where it exists."""
PERCENT_PER_DEVICE: Final = 100
BYTES_PER_MB: Final = 10**6


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
    """How much of everything, in one node pool.

    Attributes:
        gpu: in hundredths of a device.
        cpu: in milli-CPU.
        memory: in bytes.
    """

    gpu: Amount = Amount()
    cpu: Amount = Amount(deserved=UNLIMITED)
    memory: Amount = Amount(deserved=UNLIMITED)

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


def department_of(project: Project, departments: Collection[str]) -> str | None:
    """The department that the project belongs to: the one it names, else `default`; None where that does not exist."""
    wanted = project.spec.department or DEFAULT_DEPARTMENT
    return wanted if wanted in departments else None


def _of_queues(queues: Sequence[Queue]) -> dict[str, PoolQuota]:
    return {queue.nodepool: _pool_quota(queue.resources) for queue in queues}


def _of_default_pool(quotas: Quotas, deserved: float | None, limit: float | None) -> dict[str, PoolQuota]:
    read = _pool_quota(quotas)
    gpu = Amount(
        deserved=read.gpu.deserved if deserved is None else _amount(deserved, PERCENT_PER_DEVICE),
        limit=read.gpu.limit if limit is None else _amount(limit, PERCENT_PER_DEVICE),
        over_quota_weight=read.gpu.over_quota_weight,
    )
    return {names.DEFAULT_NODE_POOL: PoolQuota(gpu, read.cpu, read.memory)}


def _pool_quota(quotas: Quotas) -> PoolQuota:
    given = quotas.model_fields_set
    return PoolQuota(
        gpu=_share(quotas.gpu, PERCENT_PER_DEVICE) if "gpu" in given else NO_QUOTA.gpu,
        cpu=_share(quotas.cpu, 1) if "cpu" in given else NO_QUOTA.cpu,
        memory=_share(quotas.memory, BYTES_PER_MB) if "memory" in given else NO_QUOTA.memory,
    )


def _share(quota: Quota, unit: int) -> Amount:
    weight = quota.over_quota_weight
    return Amount(
        deserved=_amount(quota.deserved or 0, unit),
        limit=UNLIMITED if quota.limit is None else _amount(quota.limit, unit),
        over_quota_weight=weight if weight is not None and math.isfinite(weight) and weight >= 0 else 1.0,
    )


def _amount(written: float, unit: int) -> int:
    """Round to the unit. The API server refuses other negative numbers than -1; should one arrive, it is nothing."""
    amount = written * unit
    if written == -1 or amount >= UNLIMITED:
        return UNLIMITED
    return round(amount) if amount > 0 else 0
