"""Amounts as people and Kubernetes write them: `2.5` GPUs, `1500m` CPU, `4Gi` of memory. All exact."""

from typing import Final

from aliquot import names
from aliquot.core.quantities import UNLIMITED, Vector

CPU: Final = "cpu"
MEMORY: Final = "memory"

_BINARY: Final = ((2**40, "Ti"), (2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki"))


def gpu_quantity(percent: int) -> str:
    """Hundredths of a device as devices: 250 is `2.5`, 300 is `3`."""
    whole, part = divmod(abs(percent), 100)
    written = f"{whole}.{part:02}".rstrip("0") if part else str(whole)
    return f"-{written}" if percent < 0 else written


def cpu_quantity(milli: int) -> str:
    """Milli-CPU as Kubernetes writes it: 1500 is `1500m`, 2000 is `2`."""
    return f"{milli}m" if milli % 1000 else str(milli // 1000)


def memory_quantity(amount_bytes: int) -> str:
    """Bytes in the largest binary unit that is exact: 2**31 is `2Gi`, 1000 is `1000`."""
    for size, unit in _BINARY:
        if amount_bytes and amount_bytes % size == 0:
            return f"{amount_bytes // size}{unit}"
    return str(amount_bytes)


def resource_amounts(amount: Vector) -> dict[str, int | str]:
    """The amounts of a status, by resource name; nothing is written as "0", so that every status has all three."""
    return {
        names.GPU_RESOURCE: gpu_quantity(amount.gpu_percent),
        CPU: cpu_quantity(amount.cpu_milli),
        MEMORY: memory_quantity(amount.memory_bytes),
    }


def in_words(resource: str, amount: int) -> str:
    """One amount for a sentence: `2.5 GPUs`, `1500m CPU`, `4Gi memory`, or `unlimited …`.

    Args:
        resource: `gpu`, `cpu` or `memory`.
        amount: in the unit of that axis; `UNLIMITED` is allowed.
    """
    if amount >= UNLIMITED:
        return f"unlimited {'GPUs' if resource == 'gpu' else 'CPU' if resource == CPU else MEMORY}"
    if resource == "gpu":
        return f"{gpu_quantity(amount)} {'GPU' if amount == 100 else 'GPUs'}"
    return f"{cpu_quantity(amount)} CPU" if resource == CPU else f"{memory_quantity(amount)} {MEMORY}"
