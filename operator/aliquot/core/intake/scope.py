"""Which nodes are ours to use, where the cluster's RunaiConfig leaves only some (cluster-api.md 3.5).

A node that is not counts as one that is closed to new pods: nothing of ours goes there, what runs there stays, and its
room is not shared out.
"""

from dataclasses import dataclass, replace
from typing import Final

from aliquot import names
from aliquot.core.intake.affinity import demanding
from aliquot.core.quantities import Vector, is_mig
from aliquot.core.scheduling.facts import Affinity, Node, NodeTerm, Requirement
from aliquot.core.scheduling.state.affinity import suits


@dataclass(frozen=True, slots=True)
class NodeScope:
    """Which nodes are ours.

    Attributes:
        by_role: only those that have a role, for work with GPUs or for work without, whatever the label says.
        managed: only those that meet one of the terms; empty: all.
    """

    by_role: bool = False
    managed: tuple[NodeTerm, ...] = ()


EVERY_NODE: Final = NodeScope()
"""Nothing is said."""


def within(scope: NodeScope, node: Node) -> Node:
    """The node as far as it is ours: closed, or without the GPUs that nobody may use."""
    if scope.managed and not any(suits(term, node) for term in scope.managed):
        return replace(node, schedulable=False)
    if not scope.by_role or names.GPU_WORKER_LABEL in node.labels:
        return node
    rest = node.allocatable - Vector(gpu_percent=node.allocatable.gpu_percent)
    others = {name: amount for name, amount in node.extended.items() if not is_mig(name)}
    is_open = node.schedulable and names.CPU_WORKER_LABEL in node.labels
    return replace(node, schedulable=is_open, allocatable=rest, extended=others)


def with_role(scope: NodeScope, affinity: Affinity, *, wants_gpu: bool) -> Affinity:
    """The affinity of a task of ours, on nodes only that have the role for it."""
    if not scope.by_role:
        return affinity
    role = names.GPU_WORKER_LABEL if wants_gpu else names.CPU_WORKER_LABEL
    return demanding(affinity, Requirement(role, "Exists"))
