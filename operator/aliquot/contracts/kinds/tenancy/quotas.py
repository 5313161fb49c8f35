"""How much a project or department may have in each node pool, and what it has (cluster-api.md 3.1-3.3)."""

from typing import Annotated, Final

from pydantic import Field

from aliquot.contracts.kinds.conditions import Condition, Conditions
from aliquot.contracts.kinds.shapes import Amounts, Check, Shape, list_of, number, text, whole
from aliquot.contracts.kinds.tenancy.naming import Names, PoolName
from aliquot.contracts.kinds.texts import Message, Name

MAX_NODE_POOLS: Final = 200
"""Most node pools that a project or department may have quotas in."""
LARGEST_AMOUNT: Final = 1e15

UNLIMITED_OR_AMOUNT: Final = Check(rule="self >= 0.0 || self == -1.0", message="must be 0 or more, or -1 for unlimited")
QUOTAS_GIVEN: Final = Check(
    rule="has(self.queues) || has(self.deservedGpus)",
    message="quotas must be given, one entry for each node pool",
    field=".queues",
    reason="FieldValueRequired",
)

UnlimitedOrAmount = Annotated[float, number(-1, LARGEST_AMOUNT, UNLIMITED_OR_AMOUNT)]
Weight = Annotated[float, number(0, LARGEST_AMOUNT)]
Seconds = Annotated[int, whole(0, 2**53)]


class Quota(Shape):
    """How much of one resource a queue may have."""

    deserved: UnlimitedOrAmount | None = None
    """What the queue can count on at any time; -1: unlimited; left out: 0."""
    limit: UnlimitedOrAmount | None = None
    """What the queue may have at most, also of what others leave unused; -1 or left out: no limit."""
    over_quota_weight: Weight | None = None
    """Share in what others leave unused, against the weights of the others; 0: none."""


class Quotas(Shape):
    """How much of each resource a queue may have."""

    gpu: Quota = Quota()
    """GPUs, in devices; fractions such as 0.5 are fine."""
    cpu: Quota = Quota()
    """CPU, in thousandths of a core."""
    memory: Quota = Quota()
    """Memory of the nodes, in MB."""


class Queue(Shape):
    """What a project has in one node pool."""

    name: Name
    """Name of the queue."""
    nodepool: PoolName
    """Node pool that the amounts are about."""
    resources: Quotas = Quotas()
    """What it may have there, of each resource."""
    preempt_min_runtime_secs: Seconds | None = None
    """Seconds that a workload runs before one of its project with a higher priority may stop it; left out, as the
    department says, else as the whole cluster does."""
    reclaim_min_runtime_secs: Seconds | None = None
    """Seconds that a workload runs before others may take back what it holds beyond the quota; left out, as the
    department says, else as the whole cluster does. Between departments, that of the department counts."""


class QuotaUse(Shape):
    """What a project or department has and wants, by resource."""

    allocated: Amounts = Field(default_factory=dict)
    """What its workloads hold now."""
    allocated_non_preemptible: Amounts = Field(default_factory=dict)
    """The part of it that nobody can take back."""
    requested: Amounts = Field(default_factory=dict)
    """What its workloads ask for: what they hold and what they wait for."""


class QueueUse(QuotaUse):
    """What a project has and wants in one node pool."""

    child_queues: Names = ()
    """Queues below this one."""
    conditions: Annotated[tuple[Condition, ...], list_of(64, keys=["type"])] = ()
    """Aspects of how the queue is doing, such as OverQuota."""


class PoolUse(Shape):
    """What a project has and wants in one node pool."""

    node_pool_name: PoolName | None = None
    """Node pool that the amounts are about."""
    queue_status: QueueUse
    """What it has and wants there."""


class TenantStatus(Shape):
    """How a project or department is doing."""

    phase: Annotated[str, text(64)] | None = None
    """Ready once everything is in place, or what stands in the way."""
    message: Message | None = None
    """What stands in the way, as a sentence."""
    conditions: Conditions = ()
    """Aspects of how it is doing, one entry for each type."""
    quota_status: QuotaUse | None = None
    """What it has and wants, over all node pools."""
    node_pools_quota_statuses: Annotated[tuple[PoolUse, ...], list_of(MAX_NODE_POOLS)] = ()
    """What it has and wants, by node pool."""
