"""What queues have used lately, as a part of their pool: what time-based fair share goes by (scheduling.md 2.7).

    used(t)  =  ∫ held(s) · ½^((t - s) / half-life) ds   over   ∫ capacity(s) · ½^((t - s) / half-life) ds

Both integrals fade together, so two numbers per resource are all that has to be kept: what is held from now on is added
to what is left of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from types import MappingProxyType
from typing import Final

from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.queues import Amount

LONGEST_GAP: Final = 600.0
"""Of what happened during a longer time than this, in seconds, without anybody looking, nothing is assumed."""
DIGITS: Final = 3
"""To which a part is rounded: a queue is not told of anew for less."""
_NEXT_TO_NOTHING: Final = 1e-4

Faded = tuple[float, float, float]
"""GPU, CPU and memory in the units of amounts, times seconds."""

_NOTHING: Final[Faded] = (0.0, 0.0, 0.0)
_NOBODY: Final[Mapping[str, Faded]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Holding:
    """What there is in a pool at a moment, and who holds it.

    Attributes:
        capacity: what its queues share.
        queues: what each holds, those below it included, by name.
    """

    capacity: Amount
    queues: Mapping[str, Amount]


@dataclass(frozen=True, slots=True)
class PoolUsage:
    """What has been used of a pool, faded.

    Attributes:
        at: until when that is reckoned, in Unix seconds.
        capacity: what there was of it.
        queues: what each queue held, by name.
    """

    at: float
    capacity: Faded = _NOTHING
    queues: Mapping[str, Faded] = field(default_factory=lambda: _NOBODY)

    def parts(self) -> dict[str, tuple[float, float, float]]:
        """What each queue has used as a part of the pool, 0 to 1, those left out that have used next to nothing."""
        found: dict[str, tuple[float, float, float]] = {}
        for name, held in self.queues.items():
            gpu, cpu, memory = (
                round(min(1.0, has / whole), DIGITS) if whole > 0 else 0.0
                for has, whole in zip(held, self.capacity, strict=True)
            )
            if gpu or cpu or memory:
                found[name] = (gpu, cpu, memory)
        return found


def holding(pool: PoolState) -> Holding:
    """What queues hold of a pool now."""
    held = {name: (usage.held[0], usage.held[1], usage.held[2]) for name, usage in pool.queues.usage.items()}
    return Holding(pool.nodes.total(), held)


def used_until(before: PoolUsage, now: float, held: Holding, half_life: float) -> PoolUsage:
    """The usage at `now`, when since `before.at` all has been as it is now.

    Args:
        before: the usage until then.
        now: Unix seconds; a clock that has gone back adds nothing.
        held: who holds what.
        half_life: after so many seconds what was used counts half.
    """
    elapsed = max(0.0, now - before.at)
    left = 0.5 ** (elapsed / half_life)
    added = (1 - left) * half_life / log(2) if elapsed <= LONGEST_GAP else 0.0
    capacity = _plus(before.capacity, left, held.capacity, added)
    queues = {
        name: _plus(before.queues.get(name, _NOTHING), left, held.queues.get(name, (0, 0, 0)), added)
        for name in sorted({*before.queues, *held.queues})
    }
    return PoolUsage(now, capacity, {name: each for name, each in queues.items() if _counts(each, capacity)})


def _plus(before: Faded, left: float, held: Amount, added: float) -> Faded:
    gpu, cpu, memory = (was * left + is_ * added for was, is_ in zip(before, held, strict=True))
    return gpu, cpu, memory


def _counts(used: Faded, capacity: Faded) -> bool:
    return any(each > _NEXT_TO_NOTHING * whole for each, whole in zip(used, capacity, strict=True))
