"""What a container asks for, as Kubernetes and the scheduler write it."""

from typing import Final

from aliquot import names
from aliquot.core.submission.pod_values import Compute, Gpus

_UNITS: Final = (
    ("Ti", 2**40),
    ("T", 10**12),
    ("Gi", 2**30),
    ("G", 10**9),
    ("Mi", 2**20),
    ("M", 10**6),
    ("Ki", 2**10),
    ("k", 10**3),
)
"""Bytes in each unit, largest first."""


def resources(compute: Compute) -> dict[str, dict[str, str]]:
    """Return requests and limits of a container, without those that ask for nothing.

    A request of nothing beside a limit is written down: Kubernetes would make it as large as the limit.
    """
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    if compute.cpu_milli or compute.cpu_limit_milli is not None:
        requests["cpu"] = cpu_text(compute.cpu_milli)
    if compute.memory_bytes or compute.memory_limit_bytes is not None:
        requests["memory"] = memory_text(compute.memory_bytes)
    if compute.cpu_limit_milli is not None:
        limits["cpu"] = cpu_text(compute.cpu_limit_milli)
    if compute.memory_limit_bytes is not None:
        limits["memory"] = memory_text(compute.memory_limit_bytes)
    for resource, count in devices(compute).items():
        # Devices cannot be overcommitted: both must be there and equal.
        requests[resource] = limits[resource] = str(count)
    wishes = {"requests": requests, "limits": limits}
    return {what: amounts for what, amounts in wishes.items() if amounts}


def devices(compute: Compute) -> dict[str, int]:
    """Return the devices that device plugins give: whole GPUs, slices of them, and others."""
    gpus = compute.gpus
    found = {names.GPU_RESOURCE: gpus.whole} if gpus.whole else {}
    if gpus.mig_resource is not None:
        found[gpus.mig_resource] = gpus.devices
    return {**found, **compute.extended}


def gpu_annotations(gpus: Gpus) -> dict[str, str]:
    """Return what asks the scheduler for parts of GPUs; no device plugin is asked for any then (scheduling.md 1.3)."""
    if gpus.fraction is not None:
        asked = {names.GPU_FRACTION_ANNOTATION: f"{gpus.fraction:f}"}
        if gpus.fraction_limit is not None:
            asked[names.GPU_LIMIT_ANNOTATION] = f"{gpus.fraction_limit:f}"
    elif gpus.memory_mib is not None:
        asked = {names.GPU_MEMORY_ANNOTATION: str(gpus.memory_mib)}
        if gpus.memory_limit_mib is not None:
            asked[names.GPU_LIMIT_ANNOTATION] = f"{gpus.memory_limit_mib}Mi"
    else:
        return {}
    if gpus.mps:
        asked[names.MPS_ANNOTATION] = "true"
    if gpus.devices != 1:
        asked[names.GPU_DEVICES_ANNOTATION] = str(gpus.devices)
    return asked


def cpu_text(milli: int) -> str:
    """Write thousandths of a CPU as Kubernetes does: "2" or "500m"."""
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def memory_text(amount_bytes: int) -> str:
    """Write bytes exactly, in the largest unit that divides them: "128Gi", "4G", "1536Mi"."""
    for suffix, unit in _UNITS:
        if amount_bytes and amount_bytes % unit == 0:
            return f"{amount_bytes // unit}{suffix}"
    return str(amount_bytes)
