"""GPU devices of which several tasks hold parts.

A device is shared from its first part to its last; it is then no whole device for anybody, and a pod holds it for its
sharers, which the node has to have room for. It is called by an id that
the scheduler chooses when it opens it, or that the facts name. Amounts are in the device's units: MiB, or hundredths
where the memory of the node's devices is not known.
"""

from collections.abc import Collection, Container, Mapping
from typing import Final, NamedTuple

import numpy as np

from aliquot.core.quantities import AXES, PERCENT_PER_DEVICE, GpuPart
from aliquot.core.scheduling.facts import Node, Task

OPENING: Final = [AXES.index("gpu_percent"), AXES.index("pods")]
"""The columns of what a device takes from its node when its first part is given."""
OPENS: Final = np.array([PERCENT_PER_DEVICE, 1], np.int64)
"""How much of each: all of the device, and room for the pod that holds it for those who have parts."""


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
    """How large one device of the node is, in its units.

    Memory counts in full hundreds of MiB (scheduling.md 1.3), so that hundredths of a device are whole numbers and
    their sum is over the device exactly where they are over 100 %.
    """
    memory = node.device_memory_mib
    return max(memory - memory % PERCENT_PER_DEVICE, PERCENT_PER_DEVICE)


def part_held(part: GpuPart, units: int) -> int:
    """What a task that is there has of each device: all of it, where it has more than the device is said to be."""
    return min(part.need(units), units)


def devices_held(task: Task) -> tuple[str, ...]:
    """The devices of which the task has parts; where nobody says which, devices of its own: nothing is given away."""
    part = task.request.part
    if part is None:
        return ()
    unnamed = tuple(f"{task.id}/{number}" for number in range(len(task.devices), part.devices))
    return (*task.devices, *unnamed)


def roomy(shared: Shared, part: GpuPart, units: int, *, now: bool, closed: Collection[str]) -> list[str]:
    """The shared devices on which the part fits, the fullest first.

    Args:
        shared: the node's shared devices.
        part: what is asked for.
        units: how large one device is.
        now: whether room is needed at this moment, or when all that is stopping has gone.
        closed: those of which nobody else gets a part.
    """
    need = part.need(units)
    found: list[tuple[int, str]] = []
    for device, held in shared.items():
        if held.later > 0 and (held.now > 0 or not now) and device not in closed:
            taken = max(held) if now else held.later
            if units - taken >= need:
                found.append((-taken, device))
    return [device for _, device in sorted(found)]


def choose(
    shared: Shared, part: GpuPart, units: int, whole: int, node: Node, *, now: bool, fresh_first: bool
) -> tuple[str, ...]:
    """The devices for a part that fits on the node: shared ones, the fullest first, and then fresh ones.

    Args:
        shared: the node's shared devices.
        part: what is asked for.
        units: how large one device is.
        whole: how many of its devices nobody has anything of.
        node: the node.
        now: whether room is needed at this moment.
        fresh_first: to use as many devices as there are: fresh ones first, then the emptiest (scheduling.md 2.5).
    """
    there = roomy(shared, part, units, now=now, closed=node.closed)
    if fresh_first:
        there.sort(key=lambda device: max(shared[device]) if now else shared[device].later)
        there = there[: part.devices - min(whole, part.devices)]
    chosen = there[: part.devices]
    taken = {*shared, *chosen}
    while len(chosen) < part.devices:
        chosen.append(unused_id(node.name, taken))
        taken.add(chosen[-1])
    return tuple(chosen)


def unused_id(node: str, taken: Container[str]) -> str:
    """An id for a device of the node that becomes shared now."""
    number = 1
    while (device := f"{node}-shared-{number}") in taken:
        number += 1
    return device
