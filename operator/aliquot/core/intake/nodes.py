"""Nodes, and the pools they belong to (cluster-api.md 3.4).

A pool is the nodes with one label; nodes of no pool belong to `default`. A node with the labels of two pools belongs to
the one that was made first: a new pool never pulls nodes out of an old one. A pool may say how it is filled.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.contracts.kinds.tenancy import NodePool
from aliquot.core.intake.gpu_health import ALL_WELL, InTrouble, gpus_counted
from aliquot.core.intake.requests import amount_there, others_there
from aliquot.core.intake.scope import EVERY_NODE, NodeScope, within
from aliquot.core.intake.times import unix_seconds
from aliquot.core.scheduling.facts import Node, Taint
from aliquot.core.scheduling.settings import Placement, PoolPlacement

_MIB_STEP: Final = 100
"""Memory of devices counts in full hundreds of MiB (scheduling.md 1.3)."""


@dataclass(frozen=True, slots=True)
class PoolRule:
    """Which nodes belong to a pool.

    Attributes:
        name: the pool's name.
        label_key: key of the label that its nodes have.
        label_value: value of that label.
    """

    name: str
    label_key: str
    label_value: str


def pool_rules(node_pools: Iterable[NodePool]) -> tuple[PoolRule, ...]:
    """The rules in the order in which they count: older pools first. Pools without a label select nothing."""
    ordered = sorted(node_pools, key=lambda pool: (unix_seconds(pool.metadata.creation_timestamp), pool.metadata.name))
    return tuple(
        PoolRule(pool.metadata.name, pool.spec.label_key, pool.spec.label_value)
        for pool in ordered
        if pool.spec.label_key and pool.spec.label_value
    )


def pool_placements(node_pools: Iterable[NodePool]) -> dict[str, PoolPlacement]:
    """How those pools are filled that say so (cluster-api.md 5.6), by name."""
    said = {pool.metadata.name: pool.spec.placement_strategy for pool in node_pools}
    return {
        name: PoolPlacement(_placement(strategy.gpu), _placement(strategy.cpu))
        for name, strategy in said.items()
        if strategy is not None
    }


def _placement(written: str | None) -> Placement | None:
    """Both ways in which it is written (cluster-api.md 0.3); None for anything else."""
    match written:
        case "binpack" | "Bin Packing":
            return "binpack"
        case "spread" | "Spreading":
            return "spread"
        case _:
            return None


def pool_of(node_labels: Mapping[str, str], pools: Sequence[PoolRule]) -> str:
    """The first pool whose label a node with these labels has, else `default`."""
    return next(
        (rule.name for rule in pools if node_labels.get(rule.label_key) == rule.label_value), names.DEFAULT_NODE_POOL
    )


def node_fact(
    node: kubernetes.Node,
    pools: Sequence[PoolRule],
    in_trouble: InTrouble = ALL_WELL,
    scope: NodeScope = EVERY_NODE,
) -> Node:
    """What the scheduler knows of a node. Of a resource whose amount is no quantity it has nothing.

    Args:
        node: it.
        pools: which nodes belong to which.
        in_trouble: what pods have of its GPUs that cannot be used.
        scope: which nodes are used at all.
    """
    metadata = node.metadata
    there, (gpus, broken) = amount_there(node.status.allocatable), gpus_counted(node, in_trouble)
    fact = Node(
        name=metadata.name,
        pool=pool_of(metadata.labels, pools),
        allocatable=replace(there, gpu_percent=gpus),
        labels=metadata.labels,
        taints=tuple(Taint(taint.key, taint.value, taint.effect) for taint in node.spec.taints),
        schedulable=not node.spec.unschedulable,
        ready=any(condition.type == "Ready" and condition.status == "True" for condition in node.status.conditions),
        device_memory_mib=device_memory_mib(metadata.labels),
        extended=others_there(node.status.allocatable),
        mig=_mig(metadata.labels),
        broken=broken,
        closed=in_trouble.closed,
    )
    return fact if scope == EVERY_NODE else within(scope, fact)


def node_problems(node: kubernetes.Node) -> tuple[str, ...]:
    """What the node's labels say that makes no sense, a sentence each; fewer tasks may use the node for it."""
    labels, found = node.metadata.labels, list[str]()
    memory, strategy = labels.get(names.GPU_MEMORY_LABEL), labels.get(names.MIG_STRATEGY_LABEL)
    if memory is not None and not device_memory_mib(labels):
        found.append(f"label {names.GPU_MEMORY_LABEL} is {memory!r}: allowed is a number of MiB, 100 or more")
    if strategy is not None and strategy not in ("", "none", "single", "mixed"):
        found.append(f"label {names.MIG_STRATEGY_LABEL} is {strategy!r}: allowed are none, single and mixed")
    return tuple(found)


def device_memory_mib(labels: Mapping[str, str]) -> int:
    """Memory of one device of a node with these labels, as it counts; 0: not known."""
    written = labels.get(names.GPU_MEMORY_LABEL, "")
    if not (written.isascii() and written.isdigit() and len(written) <= 9):
        return 0
    return int(written) // _MIB_STEP * _MIB_STEP


def _mig(labels: Mapping[str, str]) -> Literal["none", "single", "mixed"]:
    """A strategy that nobody knows lets in as few as can be: those who name MIG devices that the node offers."""
    match labels.get(names.MIG_STRATEGY_LABEL, ""):
        case "" | "none":
            return "none"
        case "single":
            return "single"
        case _:
            return "mixed"
