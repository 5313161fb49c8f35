"""How the scheduler is set (simulation.md, `settings`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal

Action = Literal["allocate", "consolidate", "reclaim", "preempt", "stale-gangs"]
"""A step of a round."""

ACTIONS: Final[tuple[Action, ...]] = ("allocate", "consolidate", "reclaim", "preempt", "stale-gangs")
"""All steps, in their order."""

Placement = Literal["binpack", "spread"]
"""Fill nodes (and shared devices) one after the other, or use as many as there are."""


@dataclass(frozen=True, slots=True)
class PoolPlacement:
    """How one node pool is filled.

    Attributes:
        gpu: for tasks that ask for GPUs; None: as everywhere.
        cpu: for the others; None: as everywhere.
    """

    gpu: Placement | None = None
    cpu: Placement | None = None


_NO_POOLS: Final[Mapping[str, PoolPlacement]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SchedulingSettings:
    """How the scheduler is set.

    Attributes:
        gpu_placement: for tasks that ask for GPUs, in pools that do not say otherwise.
        cpu_placement: for the others.
        actions: the steps of a round; leave some out to study one.
        stale_gang_grace_seconds: a gang that runs with fewer tasks than its minimum is stopped after so long; negative:
            never.
        max_consolidation_victims: at most so many jobs are moved for one; None: no bound.
        consolidating_reclaim: a reclaim may move a victim instead of stopping it.
        usage_factor: `k` of time-based fair share; 0: what was used before makes no difference.
        pools: how those pools are filled that say so, by name.
    """

    gpu_placement: Placement = "binpack"
    cpu_placement: Placement = "binpack"
    actions: tuple[Action, ...] = ACTIONS
    stale_gang_grace_seconds: float = 60
    max_consolidation_victims: int | None = None
    consolidating_reclaim: bool = True
    usage_factor: float = 0
    pools: Mapping[str, PoolPlacement] = field(default_factory=lambda: _NO_POOLS)

    def of_pool(self, name: str) -> "SchedulingSettings":
        """The settings as they are in one pool, which say nothing of pools any more."""
        own = self.pools.get(name, PoolPlacement())
        gpu, cpu = own.gpu or self.gpu_placement, own.cpu or self.cpu_placement
        return replace(self, gpu_placement=gpu, cpu_placement=cpu, pools=_NO_POOLS) if self.pools else self
