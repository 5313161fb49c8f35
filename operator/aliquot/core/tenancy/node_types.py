"""Which types of nodes (label `run.ai/type`) a project's work may use (cluster-api.md 3.2, S62).

A project names some, and its department may name some for each node pool. What both name is left. A project never
widens its department's bound, so where the two have nothing in common the department's list holds, and the project is
told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from aliquot.contracts.kinds.tenancy import Department, Project

Types = tuple[str, ...]
"""Types in the order in which they were named; empty: all."""
_NONE: Final[Mapping[str, Types]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NodeTypes:
    """What a project and its department name for one class of work.

    Attributes:
        own: the project's.
        bounds: the department's, by node pool.
    """

    own: Types = ()
    bounds: Mapping[str, Types] = field(default_factory=lambda: _NONE)

    def left(self, pools: Sequence[str]) -> Types:
        """What work may use that may go to these pools: of each pool what is left there."""
        left = [_within(self.own, self.bounds.get(pool, ())) for pool in pools]
        return () if () in left else tuple(dict.fromkeys(each for types in left for each in types))


ALL_TYPES: Final = NodeTypes()
"""Where neither names any."""


def training_types(project: Project, department: Department | None) -> NodeTypes:
    """What training may use; `department` is the one that the project belongs to, or None."""
    queues = () if department is None else department.spec.queues
    bounds = {queue.nodepool: queue.node_affinity_train for queue in queues if queue.node_affinity_train}
    return NodeTypes(project.spec.node_affinity_train, bounds)


def interactive_types(project: Project, department: Department | None) -> NodeTypes:
    """The same for interactive work."""
    queues = () if department is None else department.spec.queues
    bounds = {queue.nodepool: queue.node_affinity_interactive for queue in queues if queue.node_affinity_interactive}
    return NodeTypes(project.spec.node_affinity_interactive, bounds)


def node_types(project: Project, department: Department | None) -> tuple[NodeTypes, NodeTypes]:
    """What a project may use: for training, and for interactive work."""
    return training_types(project, department), interactive_types(project, department)


def types_outside(project: Project, department: Department | None) -> list[str]:
    """What a project names and its department does not allow, a sentence for each node pool and class of work."""
    fields = {
        "spec.nodeAffinityTrain": training_types(project, department),
        "spec.nodeAffinityInteractive": interactive_types(project, department),
    }
    return [
        f"{field} names {', '.join(outside[:10])}: in node pool {pool} its department allows {', '.join(bound[:10])}."
        for field, types in fields.items()
        for pool, bound in types.bounds.items()
        if (outside := [each for each in types.own if each not in bound])
    ]


def _within(own: Types, bound: Types) -> Types:
    if not bound:
        return own
    return tuple(each for each in own if each in bound) or bound
