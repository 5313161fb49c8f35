"""The compatible `runai_…` metrics that one node's agent knows of (control-plane-api.md 3.4, 3.5)."""

from typing import Final

from aliquot.contracts.metrics import gpus, pods
from aliquot.contracts.metrics.model import Metric

CLUSTER_LABEL: Final = "clusterId"
_PER_GPU: Final = (CLUSTER_LABEL, "gpu", "node")
_PER_NODE: Final = (CLUSTER_LABEL, "node")
_PER_POD: Final = (CLUSTER_LABEL, "pod_name", "pod_uuid", "pod_namespace", "node")
_PER_POD_PER_GPU: Final = (*_PER_POD, "gpu")


def _runai(
    name: str,
    unit: str,
    labels: tuple[str, ...],
    text: str,
    old_names: tuple[str, ...] = (),
    twin: Metric | None = None,
) -> Metric:
    return Metric(f"runai_{name}", "gauge", unit, labels, text, old_names=old_names, twin=twin.name if twin else "")


ALLOCATED_PER_GPU: Final = _runai(
    "allocated_gpu_count_per_gpu",
    "0 or 1",
    _PER_GPU,
    "Whether a pod was given the GPU or a part of it.",
    ("runai_gpu_is_allocated",),
    gpus.ALLOCATED,
)
LAST_USE_PER_GPU: Final = _runai(
    "last_gpu_utilization_time_per_gpu",
    "Unix time",
    _PER_GPU,
    "When the GPU was last not idle; absent until it was.",
    ("runai_gpu_last_active_time",),
    gpus.LAST_USED,
)
UTILIZATION_PER_GPU: Final = _runai("gpu_utilization_per_gpu", "%", _PER_GPU, "GPU utilization.", twin=gpus.UTILIZATION)
UTILIZATION_PER_NODE: Final = _runai(
    "gpu_utilization_per_node", "%", _PER_NODE, "Average utilization of the node's GPUs that tell it."
)
MEMORY_USED_PER_GPU: Final = _runai(
    "gpu_memory_used_mebibytes_per_gpu", "MiB", _PER_GPU, "Memory in use.", twin=gpus.MEMORY_USED
)
MEMORY_USED_PER_NODE: Final = _runai(
    "gpu_memory_used_mebibytes_per_node",
    "MiB",
    _PER_NODE,
    "Memory in use on all GPUs of the node.",
    ("runai_node_gpu_used_memory_bytes",),
)
MEMORY_TOTAL_PER_GPU: Final = _runai(
    "gpu_memory_total_mebibytes_per_gpu", "MiB", _PER_GPU, "Memory of the GPU.", twin=gpus.MEMORY_TOTAL
)
MEMORY_TOTAL_PER_NODE: Final = _runai(
    "gpu_memory_total_mebibytes_per_node",
    "MiB",
    _PER_NODE,
    "Memory of all GPUs of the node.",
    ("runai_node_total_memory_bytes",),
)
MIG_GPUS: Final = _runai("mig_mode_gpu_count", "devices", _PER_NODE, "GPUs of the node that are in MIG mode.")
ALLOCATED_PER_NODE: Final = _runai(
    "allocated_gpu_count_per_node", "devices", _PER_NODE, "How much of the node's GPUs pods were given."
)
ALLOCATED_PER_POD: Final = _runai(
    "allocated_gpu_count_per_pod", "devices", _PER_POD, "How much of GPUs the pod was given."
)
MEMORY_USED_PER_POD: Final = _runai(
    "gpu_memory_used_mebibytes_per_pod_per_gpu", "MiB", _PER_POD_PER_GPU, "Memory in use.", twin=pods.MEMORY_USED
)
UTILIZATION_PER_POD: Final = _runai(
    "gpu_utilization_per_pod_per_gpu", "%", _PER_POD_PER_GPU, "GPU utilization.", twin=pods.UTILIZATION
)

RUNAI: Final = (
    ALLOCATED_PER_GPU, LAST_USE_PER_GPU, UTILIZATION_PER_GPU, UTILIZATION_PER_NODE, MEMORY_USED_PER_GPU,
    MEMORY_USED_PER_NODE, MEMORY_TOTAL_PER_GPU, MEMORY_TOTAL_PER_NODE, MIG_GPUS, ALLOCATED_PER_NODE, ALLOCATED_PER_POD,
    MEMORY_USED_PER_POD, UTILIZATION_PER_POD,
)  # fmt: skip
