"""How the scheduler is set (simulation.md, `settings`)."""

from dataclasses import dataclass
from typing import Final, Literal

Action = Literal["allocate", "consolidate", "reclaim", "preempt", "stale-gangs"]
"""A step of a round."""

ACTIONS: Final[tuple[Action, ...]] = ("allocate", "consolidate", "reclaim", "preempt", "stale-gangs")
"""All steps, in their order."""

Placement = Literal["binpack", "spread"]
"""Fill nodes (and shared devices) one after the other, or use as many as there are."""


@dataclass(frozen=True, slots=True)
class SchedulingSettings:
    """How the scheduler is set.

    Attributes:
        gpu_placement: for tasks that ask for GPUs.
        cpu_placement: for the others.
        actions: the steps of a round; leave some out to study one.
        stale_gang_grace_seconds: a gang that runs with fewer tasks than its minimum is stopped after so long; negative:
            never.
        max_consolidation_victims: at most so many jobs are moved for one; None: no bound.
        consolidating_reclaim: a reclaim may move a victim instead of stopping it.
        usage_factor: `k` of time-based fair share; 0: what was used before makes no difference.
    """

    gpu_placement: Placement = "binpack"
    cpu_placement: Placement = "binpack"
    actions: tuple[Action, ...] = ACTIONS
    stale_gang_grace_seconds: float = 60
    max_consolidation_victims: int | None = None
    consolidating_reclaim: bool = True
    usage_factor: float = 0
