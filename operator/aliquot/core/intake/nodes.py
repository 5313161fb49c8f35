"""Nodes, and the pools they belong to (cluster-api.md 3.4).

A pool is the nodes with one label; nodes of no pool belong to `default`. A node with the labels of two pools belongs to
the one that was made first: a new pool never pulls nodes out of an old one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.contracts.kinds.tenancy import NodePool
from aliquot.core.intake.requests import amount_there
from aliquot.core.intake.times import unix_seconds
from aliquot.core.scheduling.facts import Node, Taint


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


def pool_of(node_labels: Mapping[str, str], pools: Sequence[PoolRule]) -> str:
    """The first pool whose label a node with these labels has, else `default`."""
    return next(
        (rule.name for rule in pools if node_labels.get(rule.label_key) == rule.label_value), names.DEFAULT_NODE_POOL
    )


def node_fact(node: kubernetes.Node, pools: Sequence[PoolRule]) -> Node:
    """What the scheduler knows of a node. Of a resource whose amount is no quantity it has nothing."""
    metadata = node.metadata
    return Node(
        name=metadata.name,
        pool=pool_of(metadata.labels, pools),
        allocatable=amount_there(node.status.allocatable),
        labels=metadata.labels,
        taints=tuple(Taint(taint.key, taint.value, taint.effect) for taint in node.spec.taints),
        schedulable=not node.spec.unschedulable,
        ready=any(condition.type == "Ready" and condition.status == "True" for condition in node.status.conditions),
    )
