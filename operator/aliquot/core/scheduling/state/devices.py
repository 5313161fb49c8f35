"""GPU devices of which several tasks hold parts.

A device is shared from its first part to its last; it is then no whole device for anybody. It is called by an id that
the scheduler chooses when it opens it, or that the facts name. Amounts are in the device's units: MiB, or hundredths
where the memory of the node's devices is not known.
"""

from collections.abc import Container, Mapping
from typing import Final, NamedTuple

from aliquot.core.quantities import PERCENT_PER_DEVICE, GpuPart
from aliquot.core.scheduling.facts import Node, Task


class Held(NamedTuple):
    """What is held of a shared device.

    Attributes:
        now: at this moment, by tasks that stop as well.
        later: when all that is stopping has gone and all that was promised has come.
    """

    now: int = 0
    later: int = 0

    def plus(self, need: int, *, now: bool, later: bool) -> "Held":
        """So much more; less where `need` is negative."""
        return Held(self.now + need * now, self.later + need * later)


NOTHING_HELD: Final = Held()

Shared = Mapping[str, Held]
"""The shared devices of one node, by id."""


def device_units(node: Node) -> int:
    """How large one device of the node is, in its units."""
    return max(node.device_memory_mib, PERCENT_PER_DEVICE) if node.device_memory_mib else PERCENT_PER_DEVICE


def devices_held(task: Task) -> tuple[str, ...]:
    """The devices of which the task has parts; where nobody says which, devices of its own: nothing is given away."""
    part = task.request.part
    if part is None:
        return ()
    unnamed = tuple(f"{task.id}/{number}" for number in range(len(task.devices), part.devices))
    return (*task.devices, *unnamed)


def roomy(shared: Shared, part: GpuPart, units: int, *, now: bool) -> list[str]:
    """The shared devices on which the part fits, the fullest first; `now`, or when all that is stopping has gone."""
    need = part.need(units)
    found: list[tuple[int, str]] = []
    for device, held in shared.items():
        if held.later > 0 and (held.now > 0 or not now):
            taken = max(held) if now else held.later
            if units - taken >= need:
                found.append((-taken, device))
    return [device for _, device in sorted(found)]


def unused_id(node: str, taken: Container[str]) -> str:
    """An id for a device of the node that becomes shared now."""
    number = 1
    while (device := f"{node}-shared-{number}") in taken:
        number += 1
    return device
