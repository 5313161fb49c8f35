"""Which nodes a task may use at all, whatever they hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aliquot import names
from aliquot.core.quantities import Request
from aliquot.core.scheduling.facts import Node, NodeTerm, Requirement, Taint, Toleration
from aliquot.core.scheduling.state.affinity import suits

_REPELLING: Final = ("NoSchedule", "NoExecute")
_ROLES: Final = (names.GPU_WORKER_LABEL, names.CPU_WORKER_LABEL)

GpuForm = Literal["none", "whole", "part", "mig"]
"""How a task asks for GPUs."""

_GPU_FORMS: Final[Mapping[str, tuple[GpuForm, ...]]] = {
    "none": ("whole", "part"),
    "single": ("whole",),
    "mixed": ("mig",),
}
"""Which forms a node takes, by its MIG strategy (scheduling.md 2.4)."""


def gpu_form(request: Request) -> GpuForm:
    """How the request asks for GPUs."""
    if request.mig:
        return "mig"
    return "part" if request.part is not None else "whole" if request.base.gpu_percent else "none"


@dataclass(frozen=True, slots=True)
class Signature:
    """What decides which nodes a task may use, whatever they hold.

    Attributes:
        node_selector: labels that the node must have, sorted.
        tolerations: taints that the task bears.
        gpu: in which form it asks for GPUs.
        node_terms: one of them must hold; empty: no demand.
    """

    node_selector: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    gpu: GpuForm = "none"
    node_terms: tuple[NodeTerm, ...] = ()

    def allows(self, node: Node) -> bool:
        """Whether labels, name, taints and MIG strategy of the node let the task in."""
        labels = node.labels
        if self.gpu != "none" and self.gpu not in _GPU_FORMS[node.mig]:
            return False
        if self.node_terms and not any(suits(term, node) for term in self.node_terms):
            return False
        return all(labels.get(key) == value for key, value in self.node_selector) and all(
            any(_bears(toleration, taint) for toleration in self.tolerations)
            for taint in node.taints
            if taint.effect in _REPELLING
        )

    def role(self) -> str | None:
        """The label of the role that its nodes must have, whichever term holds; None: none."""
        return next((role for role in _ROLES if self.node_terms and all(map(_needs(role), self.node_terms))), None)

    def demands(self) -> int:
        """How many terms it has that say anything beside the role."""
        role = self.role()
        return sum(len(term.labels) + len(term.fields) > (role is not None) for term in self.node_terms)

    def clash(self) -> tuple[str, str, str] | None:
        """A label of which the task demands this and that at once, and both; None: there could be such a node."""
        found: tuple[str, str, str] | None = None
        for term in self.node_terms:
            clash = _clash(self.node_selector, term)
            if clash is None:
                return None
            found = found or clash
        return found


def _needs(role: str) -> Callable[[NodeTerm], bool]:
    return lambda term: Requirement(role, "Exists") in term.labels


def _clash(selector: tuple[tuple[str, str], ...], term: NodeTerm) -> tuple[str, str, str] | None:
    wanted: dict[str, tuple[str, ...]] = {key: (value,) for key, value in selector}
    for demand in term.labels:
        if demand.operator == "In":
            before = wanted.get(demand.key, demand.values)
            both = tuple(value for value in before if value in demand.values)
            if not both:
                return demand.key, " or ".join(before), " or ".join(demand.values)
            wanted[demand.key] = both
    return None


def _bears(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if not toleration.key:
        return toleration.operator == "Exists"
    return toleration.key == taint.key and (toleration.operator == "Exists" or toleration.value == taint.value)
