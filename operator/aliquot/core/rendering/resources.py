"""What a container asks for, as Kubernetes writes it."""

from typing import Final

from aliquot import names
from aliquot.core.submission import ValidSpec

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


def resources(spec: ValidSpec) -> dict[str, dict[str, str]]:
    """Return requests and limits of a container, without those that ask for nothing.

    A request of nothing beside a limit is written down: Kubernetes would make it as large as the limit.
    """
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    if spec.cpu_milli or spec.cpu_limit_milli is not None:
        requests["cpu"] = cpu_text(spec.cpu_milli)
    if spec.memory_bytes or spec.memory_limit_bytes is not None:
        requests["memory"] = memory_text(spec.memory_bytes)
    if spec.cpu_limit_milli is not None:
        limits["cpu"] = cpu_text(spec.cpu_limit_milli)
    if spec.memory_limit_bytes is not None:
        limits["memory"] = memory_text(spec.memory_limit_bytes)
    if spec.gpus:
        # Devices cannot be overcommitted: both must be there and equal.
        requests[names.GPU_RESOURCE] = limits[names.GPU_RESOURCE] = str(spec.gpus)
    wishes = {"requests": requests, "limits": limits}
    return {what: amounts for what, amounts in wishes.items() if amounts}


def cpu_text(milli: int) -> str:
    """Write thousandths of a CPU as Kubernetes does: "2" or "500m"."""
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def memory_text(amount_bytes: int) -> str:
    """Write bytes exactly, in the largest unit that divides them: "128Gi", "4G", "1536Mi"."""
    for suffix, unit in _UNITS:
        if amount_bytes and amount_bytes % unit == 0:
            return f"{amount_bytes // unit}{suffix}"
    return str(amount_bytes)
