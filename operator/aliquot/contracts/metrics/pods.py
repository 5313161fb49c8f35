"""Metrics of pods on GPUs: what each was given, and what it uses."""

from typing import Final

from aliquot.contracts.metrics.gpus import GPU_LABELS
from aliquot.contracts.metrics.model import Metric

POD_GPU_LABELS: Final = (*GPU_LABELS, "namespace", "pod", "pod_uid")
POD_LABELS: Final = ("node", "namespace", "pod", "pod_uid")


def _on_gpu(name: str, unit: str, text: str) -> Metric:
    return Metric(f"aliquot_pod_gpu_{name}", "gauge", unit, POD_GPU_LABELS, text)


ALLOCATED: Final = _on_gpu(
    "allocated_ratio", "GPUs", "How much of the GPU the pod was given; 0: it uses what it was not given."
)
MEMORY_LIMIT: Final = _on_gpu("memory_limit_bytes", "bytes", "Memory that the pod was given with its part of the GPU.")
MEMORY_USED: Final = _on_gpu("memory_used_bytes", "bytes", "Memory that the pod's processes use.")
MEMORY_OVERUSE: Final = _on_gpu(
    "memory_overuse_bytes", "bytes", "How much more memory they use than the pod was given."
)
UTILIZATION: Final = _on_gpu(
    "utilization_ratio", "0 to 1", "Part of the time in which kernels of the pod ran; of a whole GPU, that GPU's."
)
IDLE: Final = Metric(
    "aliquot_pod_gpu_idle_seconds",
    "gauge",
    "seconds",
    POD_LABELS,
    "For how long none of the pod's GPUs has had work, in windows of 30 seconds; 0: there was some in the last one.",
)

PODS: Final = (ALLOCATED, MEMORY_LIMIT, MEMORY_USED, MEMORY_OVERUSE, UTILIZATION, IDLE)
