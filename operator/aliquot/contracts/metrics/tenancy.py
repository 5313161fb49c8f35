"""Metrics of projects and node pools, which the leading operator tells: with them readings of pods and nodes add up."""

from typing import Final

from aliquot.contracts.metrics.model import Metric

PROJECT_LABELS: Final = ("project", "department", "nodepool")


def _project(name: str, text: str) -> Metric:
    return Metric(f"aliquot_project_{name}_gpus", "gauge", "GPUs", PROJECT_LABELS, text, process="operator")


DESERVED: Final = _project("deserved", "What the project may use by right; +Inf: as much as there is.")
ALLOCATED: Final = _project("allocated", "What its pods hold, whole or in parts.")
REQUESTED: Final = _project("requested", "What its pods hold and wait for.")

NODE: Final = Metric(
    "aliquot_node_info", "gauge", "1", ("node", "nodepool"), "The node pool that a node belongs to.", process="operator"
)
NODE_GPUS: Final = Metric(
    "aliquot_node_gpus", "gauge", "GPUs", ("node", "nodepool"), "GPUs that the node offers.", process="operator"
)
NAMESPACE: Final = Metric(
    "aliquot_namespace_info",
    "gauge",
    "1",
    ("namespace", "project"),
    "The project that a namespace belongs to.",
    process="operator",
)

PROJECTS: Final = (DESERVED, ALLOCATED, REQUESTED)
BELONGING: Final = (NODE, NODE_GPUS, NAMESPACE)
TENANCY: Final = (*PROJECTS, *BELONGING)
