"""Amounts of the document in the units of `core.quantities`, with what is wrong about them."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from aliquot.core.quantities import (
    PERCENT_PER_DEVICE,
    UNLIMITED,
    InvalidQuantityError,
    parse_bytes,
    parse_cpu_milli,
    parse_gpu_percent,
)
from aliquot.core.simulation.problems import Problems

MOST_CORES: Final = 1_000_000
"""Of one node or request. Sums over all nodes stay far from overflowing."""
MOST_BYTES: Final = 2**46
MOST_CORES_OF_A_QUEUE: Final = 10**9
MOST_BYTES_OF_A_QUEUE: Final = 2**60


def milli_cpu(problems: Problems, path: str, value: str | int | float, most: int = MOST_CORES) -> int:
    """Cores in milli-CPU."""
    try:
        amount = parse_cpu_milli(value)
    except InvalidQuantityError:
        amount = -1
    if 0 <= amount <= most * 1000:
        return amount
    problems.add(path, value, f'0 to {most} cores, as a number or a quantity such as "500m"')
    return 0


def in_bytes(problems: Problems, path: str, value: str | int | float, most: int = MOST_BYTES) -> int:
    """Memory in bytes."""
    try:
        amount = parse_bytes(value)
    except InvalidQuantityError:
        amount = -1
    if 0 <= amount <= most:
        return amount
    problems.add(path, value, f'0 to {most} bytes, as a number or a quantity such as "4Gi"')
    return 0


def gpu_percent(value: float | None) -> int:
    """Devices in hundredths; None: no bound."""
    return UNLIMITED if value is None else parse_gpu_percent(f"{value:.6f}")


def fraction_percent(problems: Problems, path: str, value: float) -> int:
    """A part of a device in hundredths, rounded (scheduling.md 1.5)."""
    percent = int((Decimal(str(value)) * PERCENT_PER_DEVICE).to_integral_value(ROUND_HALF_UP))
    if 0 < percent < PERCENT_PER_DEVICE:
        return percent
    problems.add(path, value, "0.01 to 0.99 of a device, in hundredths")
    return 1
