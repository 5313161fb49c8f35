"""What clusters, departments and projects have, as the older surface measures it (control-plane-api.md 3.3). Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aliquot.contracts.administrator_api.older.metrics import (
    OlderMeasure,
    OlderPastMeasures,
    OlderPoolMeasures,
    OlderTimeRange,
)
from aliquot.contracts.administrator_api.shapes import UNLIMITED, from_milliseconds
from aliquot.controlplane.metrics.store import Samples
from aliquot.controlplane.older.amounts import resources
from aliquot.controlplane.quotas.rules import KINDS, Blocks

SHOWN: Final[Mapping[str, tuple[str, str]]] = {
    "PENDING_WORKLOADS": ("", ""),
    "GPU_QUOTA": ("gpu", "quota"),
    "ALLOCATED_GPU": ("gpu", "allocated"),
    "GPU_UTILIZATION": ("gpu", "utilization"),
    "CPU_QUOTA": ("cpu", "quota"),
    "ALLOCATED_CPU": ("cpu", "allocated"),
    "MEMORY_QUOTA": ("memory", "quota"),
    "ALLOCATED_MEMORY": ("memory", "allocated"),
}
"""Which metric is shown where; the first one is the number of workloads that wait."""
_PERCENT: Final = 100


@dataclass(slots=True)
class Amounts:
    """What somebody has in a node pool.

    Attributes:
        pending: workloads that wait.
        quota: by kind; -1: unlimited.
        allocated: by kind.
    """

    pending: int = 0
    quota: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))
    allocated: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))

    def grant(self, blocks: Blocks) -> None:
        """Add a quota."""
        for kind, amounts in resources(blocks, "Mib").items():
            both = self.quota[kind], amounts["deserved"]
            self.quota[kind] = UNLIMITED if UNLIMITED in both else sum(both)

    def hold(self, allocated: Mapping[str, float]) -> None:
        """Add what is held."""
        for kind in KINDS:
            self.allocated[kind] += allocated.get(kind, 0)

    def shown(self) -> dict[str, object]:
        """It, as `OlderMeasures` is written."""
        measures = {kind: OlderMeasure(quota=self.quota[kind], allocated=self.allocated[kind]) for kind in KINDS}
        return {"number_of_pending_workloads": self.pending, **measures}


InPools = dict[str, Amounts]
"""What somebody has, by name of the node pool."""


def together(all_of_them: Iterable[InPools]) -> InPools:
    """What several have together."""
    found: defaultdict[str, Amounts] = defaultdict(Amounts)
    for in_pools in all_of_them:
        for pool, each in in_pools.items():
            total = found[pool]
            total.pending += each.pending
            total.hold(each.allocated)
            for kind in KINDS:
                both = total.quota[kind], each.quota[kind]
                total.quota[kind] = UNLIMITED if UNLIMITED in both else sum(both)
    return dict(found)


def by_pool(in_pools: InPools) -> list[OlderPoolMeasures]:
    """What somebody has, by node pool."""
    return [OlderPoolMeasures.model_validate({"nodepool_name": pool, **in_pools[pool].shown()}) for pool in in_pools]


def past(samples: Mapping[str, Sequence[Samples]]) -> OlderTimeRange:
    """What was measured, by moment; what was not is left out.

    Args:
        samples: of each metric in `SHOWN`.
    """
    found: defaultdict[int, dict[str, dict[str, float]]] = defaultdict(lambda: {kind: {} for kind in KINDS})
    pending: dict[int, int] = {}
    for metric, (kind, member) in SHOWN.items():
        for at, value in (each for part in samples[metric] for each in part.values):
            amounts = found[at]
            if kind:
                amounts[kind][member] = value / _PERCENT if member == "utilization" else value
            else:
                pending[at] = round(value)
    return OlderTimeRange(
        resources=[
            OlderPastMeasures(
                timestamp=from_milliseconds(at),
                number_of_pending_workloads=pending.get(at),
                gpu=OlderMeasure(**found[at]["gpu"]),
                cpu=OlderMeasure(**found[at]["cpu"]),
                memory=OlderMeasure(**found[at]["memory"]),
            )
            for at in sorted(found)
        ]
    )
