"""Amounts on all axes at once: integers, with "no bound" as a value that absorbs.

An amount of `UNLIMITED` stays unlimited whatever is added to it or taken from it. Nothing here is negative zero, NaN or
a float, so that comparisons are exact and the same on every machine.
"""

from dataclasses import dataclass
from typing import Final, Self

UNLIMITED: Final = 2**62
"""No bound. Larger than any amount that a cluster can have, and still an int64."""

AXES: Final = ("gpu_percent", "cpu_milli", "memory_bytes", "pods")
"""The axes in their order everywhere: in vectors, arrays and texts."""


def _plus(left: int, right: int) -> int:
    return UNLIMITED if left >= UNLIMITED or right >= UNLIMITED else left + right


def _minus(left: int, right: int) -> int:
    return UNLIMITED if left >= UNLIMITED else left - right


@dataclass(frozen=True, slots=True)
class Vector:
    """An amount of every resource.

    Attributes:
        gpu_percent: hundredths of a GPU device; 100 is one whole device.
        cpu_milli: thousandths of a CPU.
        memory_bytes: bytes of main memory.
        pods: number of pods.
    """

    gpu_percent: int = 0
    cpu_milli: int = 0
    memory_bytes: int = 0
    pods: int = 0

    def __add__(self, other: "Vector") -> "Vector":
        """Both together; unlimited absorbs."""
        return Vector(
            _plus(self.gpu_percent, other.gpu_percent),
            _plus(self.cpu_milli, other.cpu_milli),
            _plus(self.memory_bytes, other.memory_bytes),
            _plus(self.pods, other.pods),
        )

    def __sub__(self, other: "Vector") -> "Vector":
        """What is left; may be negative; unlimited stays so."""
        return Vector(
            _minus(self.gpu_percent, other.gpu_percent),
            _minus(self.cpu_milli, other.cpu_milli),
            _minus(self.memory_bytes, other.memory_bytes),
            _minus(self.pods, other.pods),
        )

    def fits_in(self, room: Self) -> bool:
        """Whether no axis needs more than `room` has."""
        return (
            self.gpu_percent <= room.gpu_percent
            and self.cpu_milli <= room.cpu_milli
            and self.memory_bytes <= room.memory_bytes
            and self.pods <= room.pods
        )

    def as_tuple(self) -> tuple[int, int, int, int]:
        """The amounts in the order of `AXES`."""
        return (self.gpu_percent, self.cpu_milli, self.memory_bytes, self.pods)


ZERO: Final = Vector()
"""Nothing of anything."""
