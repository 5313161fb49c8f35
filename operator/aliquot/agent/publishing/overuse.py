"""Which pods use more of a GPU's memory than they were given, told so that it neither flickers nor costs many writes.

    within ──more than limit and tolerance, for a while──▶ told ──at most the limit──▶ within
                                                          │  ▲
                                                          └──┘ other figures once they differ by the tolerance

Between the limit and the tolerance nothing changes. What was not seen is within: nobody is stopped for a reading that
failed. MIG devices are not looked at: nobody gets beyond them.

The limit is the pod's part. A pod that asked for more "while nobody else needs it" (`runai-gpu-limit`) may use that
much as long as it has the GPU for itself, or memory is left for the others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from aliquot.agent.attribution import PodRef, PodUse
from aliquot.agent.nvml import Device
from aliquot.contracts.agent_reports import MOST_MIB, Overuse

_BYTES_PER_MIB: Final = 1 << 20
_PERCENT: Final = 100
_LEFT_PERCENT: Final = 5
"""So much of a GPU's memory is to be free for the others who have a part of it."""

Place = tuple[PodRef, str]
"""A pod, and what the device plugin calls the GPU."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How much more than its part a pod may use, and for how long still more.

    Attributes:
        percent: of the part.
        mib: or so many MiB, whichever is more.
        seconds: for how long it may be beyond that.
    """

    percent: float
    mib: int
    seconds: float

    def of(self, limit_mib: int) -> int:
        """In MiB, for a part of that size."""
        return max(self.mib, int(limit_mib * self.percent / _PERCENT))


@dataclass(frozen=True, slots=True)
class Excess:
    """A pod is beyond the tolerance: since when, in monotonic seconds, and what is told of it; None: not yet."""

    begun: float
    told: Overuse | None = None


def follow(
    before: Mapping[Place, Excess], uses: Sequence[PodUse], now: float, monotonic: float, tolerance: Tolerance
) -> dict[Place, Excess]:
    """Who is beyond now.

    Args:
        before: who was at the last reading.
        uses: what this one says.
        now: when it was taken, in Unix seconds.
        monotonic: the same in monotonic seconds.
        tolerance: what is let pass.
    """
    found: dict[Place, Excess] = {}
    holders = Counter(use.unit for use in uses if use.grant is not None)
    for use in uses:
        if use.grant is None or use.grant.percent is None or use.used_bytes is None or use.limit_bytes is None:
            continue
        place = (use.pod, use.unit)
        part, burst = _mib(use.limit_bytes), _mib(use.burst_bytes or 0)
        lent = burst > part and (holders[use.unit] == 1 or _left(use.device))
        seen = Overuse(_mib(use.used_bytes), burst if lent else part, now, 0 if lent or burst <= part else burst)
        excess = _excess(before.get(place), seen, monotonic, tolerance)
        if excess is not None:
            found[place] = excess
    return found


def _mib(amount: int) -> int:
    return min(amount // _BYTES_PER_MIB, MOST_MIB)


def _left(device: Device) -> bool:
    """Whether there is memory for whoever asks next. What is not known is: nobody is stopped for it."""
    memory = device.memory
    return memory is None or memory.free_bytes * _PERCENT >= memory.total_bytes * _LEFT_PERCENT


def _excess(before: Excess | None, seen: Overuse, monotonic: float, tolerance: Tolerance) -> Excess | None:
    """What is known of a pod after a reading.

    Args:
        before: what was known.
        seen: what it uses now, and may use; `since` is now.
        monotonic: the same moment in monotonic seconds.
        tolerance: what is let pass.
    """
    used, limit, now = seen.used_mib, seen.limit_mib, seen.since
    room = tolerance.of(limit)
    told = None if before is None else before.told
    if used <= (limit if told is not None else limit + room):
        return None
    begun = monotonic if before is None else before.begun
    if told is not None:
        same = told.limit_mib == limit and abs(told.used_mib - used) < max(room, 1)
        return before if same else Excess(begun, replace(seen, since=told.since))
    if monotonic - begun < tolerance.seconds:
        return Excess(begun)
    return Excess(begun, replace(seen, since=now - (monotonic - begun)))
