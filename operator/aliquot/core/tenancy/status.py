"""What statuses of projects and departments have in common: amounts by pool."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.tenancy import MAX_NODE_POOLS, PoolUse, QueueUse
from aliquot.core.conditions import condition, timed
from aliquot.core.quantities import UNLIMITED
from aliquot.core.tenancy.amounts import in_words
from aliquot.core.tenancy.quotas import NO_QUOTA, PoolQuota
from aliquot.core.tenancy.usage import UsageByPool, UsageLike, quota_use

READY: Final = "Ready"
PENDING: Final = "Pending"
MAX_CHILDREN: Final = 1000
"""Most names that a status lists."""


def pool_uses(
    usage: UsageByPool,
    quotas: Mapping[str, PoolQuota],
    children: Sequence[str],
    before: Iterable[PoolUse],
    now: float,
) -> tuple[PoolUse, ...]:
    """What is held and wanted, one entry for each node pool, by name."""
    known = {each.node_pool_name: each.queue_status.conditions for each in before}
    return tuple(
        PoolUse(
            node_pool_name=pool,
            queue_status=QueueUse(
                **dict(quota_use(usage[pool])),
                child_queues=tuple(sorted(children)[:MAX_CHILDREN]),
                conditions=timed(_over_quota(usage[pool], quotas.get(pool, NO_QUOTA)), known.get(pool, ()), now),
            ),
        )
        for pool in sorted(usage)[:MAX_NODE_POOLS]
    )


def _over_quota(usage: UsageLike, quota: PoolQuota) -> list[Condition]:
    """Over if any resource is over (cluster-api.md 5.2); there only as long as it holds."""
    held = (usage.allocated.gpu_percent, usage.allocated.cpu_milli, usage.allocated.memory_bytes)
    over = [
        f"{in_words(resource, amount)} of {in_words(resource, share.deserved)}"
        for (resource, share), amount in zip(quota.by_resource(), held, strict=True)
        if UNLIMITED > share.deserved < amount
    ]
    if not over:
        return []
    message = f"Holds {', '.join(over)} deserved; what is above the quota can be taken back."
    return [condition("OverQuota", holds=True, reason="OverQuota", message=message)]
