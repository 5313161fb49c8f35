"""NVIDIA's Multi-Process Service: what a pod that shares its GPUs through it is told of its limits (docs/gpus.md).

    annotation `mps: "true"` ─▶ a node that runs the service ─▶ limits on the pod ─▶ variables, by fieldRef

The service itself keeps to the limits: an allocation beyond them fails for whoever asks, and kernels get no more than
their part of the threads.
"""

from collections.abc import Mapping

from aliquot import names
from aliquot.core.quantities import PERCENT_PER_DEVICE, read_gpu_limit


def wants_mps(annotations: Mapping[str, str]) -> bool:
    """Whether a pod with these annotations shares its GPUs through the service."""
    return annotations.get(names.MPS_ANNOTATION) == "true"


def mps_annotations(annotations: Mapping[str, str], percent: int, devices: int, device_mib: int) -> dict[str, str]:
    """What is written on a pod when it gets its node; nothing if it does without the service.

    The limit of memory is that of the pod (`runai-gpu-limit`), else its part. Where nobody knows how much memory the
    device has, none is written for a fraction: a variable that is empty is no limit.

    Args:
        annotations: the pod's own.
        percent: its part of each device, in hundredths.
        devices: of how many it has one.
        device_mib: memory of each, in MiB; 0: not known.
    """
    if not wants_mps(annotations):
        return {}
    memory = annotations.get(names.GPU_MEMORY_ANNOTATION)
    limit = read_gpu_limit(annotations.get(names.GPU_LIMIT_ANNOTATION, ""), of_memory=memory is not None)
    of_device = device_mib * (limit.percent or percent) // PERCENT_PER_DEVICE
    mib = of_device if memory is None else (limit.mib or int(memory))
    return {
        names.MPS_THREADS_ANNOTATION: str(max(1, percent)),
        **({names.MPS_MEMORY_ANNOTATION: ",".join(f"{at}={mib}M" for at in range(devices))} if mib else {}),
    }
