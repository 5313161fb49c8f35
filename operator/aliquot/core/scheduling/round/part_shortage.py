"""What is free on single devices for those who wait for parts of some, in the words of what they ask for.

Who asks for memory is told of MiB, who asks for a share of hundredths: what is free on several devices, or on one that
nobody shares, says nothing to them.
"""

from heapq import nlargest

import numpy as np

from aliquot.core.quantities import PERCENT_PER_DEVICE, GpuPart
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.nodes import Amounts


def part_needs(part: GpuPart) -> dict[str, int | str]:
    """What is asked for, by unit."""
    return {"part_devices": part.devices, f"part_{_unit(part)}": part.memory_mib or part.percent}


def part_short(draft: Draft, part: GpuPart, rows: Amounts) -> dict[str, int | str] | None:
    """The node of some that has most free on as many devices as are needed, and how much; None: one has enough.

    Args:
        draft: what has been given so far.
        part: what is asked for.
        rows: of nodes with enough of everything else, at least one.
    """
    nodes = draft.nodes
    most = np.array([_free_on_each(draft, part, row) for row in rows.tolist()], np.int64)
    best = int(most.max())
    if best >= (part.memory_mib or part.percent):
        return None
    found: dict[str, int | str] = {"free_candidates": len(rows), f"free_part_{_unit(part)}": best}
    if best > 0:
        freest = rows[most == best]
        found["free_best_node"] = nodes.name(int(freest[nodes.rank()[freest].argmin()]))
    return found


def _unit(part: GpuPart) -> str:
    return "mib" if part.memory_mib else "percent"


def _free_on_each(draft: Draft, part: GpuPart, row: int) -> int:
    """What is free at this moment on each of as many devices of a node as are needed, in the unit of the part."""
    units = int(draft.nodes.units[row])
    free = [units] * min(draft.whole_devices(row, now=True), part.devices)
    free += [units - max(held) for held in draft.shared_on(row).values() if held.later > 0 and held.now > 0]
    if len(free) < part.devices:
        return 0
    least = nlargest(part.devices, free)[-1]
    if part.memory_mib:
        return least if units > PERCENT_PER_DEVICE else 0
    return least * PERCENT_PER_DEVICE // units
