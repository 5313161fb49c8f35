"""Which nodes a task may use at all, whatever they hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aliquot.core.quantities import Request
from aliquot.core.scheduling.facts import Node, NodeTerm, Taint, Toleration
from aliquot.core.scheduling.state.affinity import suits

_REPELLING: Final = ("NoSchedule", "NoExecute")

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


def _bears(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if not toleration.key:
        return toleration.operator == "Exists"
    return toleration.key == taint.key and (toleration.operator == "Exists" or toleration.value == taint.value)
