"""What nodes and workloads come to (control-plane-api.md 3.2). Pure."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.contracts.administrator_api.shapes import written_number
from aliquot.contracts.administrator_api.telemetry import NodeGroup, NodeTelemetryType, TelemetryGroup, TelemetryValue


@dataclass(frozen=True, slots=True)
class Node:
    """A node, as its cluster says.

    Attributes:
        name: its name.
        cluster_id: its cluster.
        cluster: name of that.
        pool: its node pool.
        is_ready: whether it can be used.
        gpus: GPU devices.
        allocated: those that pods have, in devices.
    """

    name: str
    cluster_id: str
    cluster: str
    pool: str
    is_ready: bool
    gpus: int
    allocated: float

    @property
    def free(self) -> int:
        """Devices of which nothing is given away; parts count as if they were on as few devices as they fit on."""
        return max(0, self.gpus - math.ceil(round(self.allocated, 6))) if self.is_ready else 0


_COUNTED: Final[Mapping[NodeTelemetryType, Callable[[Node], float]]] = {
    "READY_GPU_NODES": lambda node: node.is_ready and node.gpus > 0,
    "READY_GPUS": lambda node: node.gpus if node.is_ready else 0,
    "TOTAL_GPU_NODES": lambda node: node.gpus > 0,
    "TOTAL_GPUS": lambda node: node.gpus,
    "FREE_GPUS": lambda node: node.free,
    "ALLOCATED_GPUS": lambda node: node.allocated,
}
_GROUPS: Final[Mapping[NodeGroup, Callable[[Node], tuple[str, str]]]] = {
    "ClusterId": lambda node: (node.cluster_id, node.cluster),
    "Nodepool": lambda node: (node.pool, node.pool),
    "Node": lambda node: (node.name, node.name),
}
Group = tuple[str, str | None]
"""Which one, and its name."""


def of_nodes(nodes: Iterable[Node], kind: NodeTelemetryType, groups: Sequence[NodeGroup]) -> list[TelemetryValue]:
    """Count what is asked for of nodes."""
    sums: dict[tuple[Group, ...], float] = defaultdict(float)
    for node in nodes:
        sums[tuple(_GROUPS[group](node) for group in groups)] += _COUNTED[kind](node)
    return values(groups, sums)


def values(keys: Sequence[str], sums: Mapping[tuple[Group, ...], float]) -> list[TelemetryValue]:
    """Sums as they are answered; without groups there is one, though there is nothing to be counted.

    Args:
        keys: what was grouped by.
        sums: by group, in the order of the keys.
    """
    found = sums if keys else {(): sum(sums.values())}
    return [
        TelemetryValue(
            value=written_number(amount),
            groups=[
                TelemetryGroup(key=key, value=value, name=name) for key, (value, name) in zip(keys, group, strict=True)
            ],
        )
        for group, amount in sorted(found.items(), key=lambda each: [(name or "", value) for value, name in each[0]])
    ]
