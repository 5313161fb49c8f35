"""Amounts, queues and places in words, for every sentence that the scheduler makes."""

from typing import Final

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.facts import DEPARTMENT_PREFIX, Queue

UNITS: Final = ("gpu_percent", "cpu_milli", "memory_bytes", "pods")
"""How the name of a detail ends that is an amount, by axis."""

NAMES: Final = ("GPUs", "CPUs", "memory", "pods")
"""What an axis is called, by axis."""

_BINARY: Final = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def number(axis: int, amount: int) -> str:
    """The amount without its unit, where the sentence has named it already: `3`, `1.5`, `2 GiB`, `no bound`."""
    if amount >= UNLIMITED:
        return "no bound"
    if axis == 2:
        size, unit = next((pair for pair in _BINARY if abs(amount) >= pair[0]), (1, "bytes"))
        return f"{_short(amount / size)} {unit}"
    return _short(amount / (100, 1000, 1, 1)[axis])


def amount_of(axis: int, amount: int) -> str:
    """The amount with its unit: `1 GPU`, `1.5 CPUs`, `2 GiB of memory`, `110 pods`."""
    if axis == 2:
        return f"{number(axis, amount)} of memory"
    text = number(axis, amount)
    return f"{text} {NAMES[axis][:-1] if text == '1' else NAMES[axis]}"


def standing(axis: int, held: int, deserved: int, *, unit: bool = True) -> str:
    """What a queue holds, beside its quota: `holds 3 of the 2 GPUs it deserves`, `holds 1 GPU and deserves none`.

    `unit` is False where the sentence has named it already.
    """
    if deserved >= UNLIMITED:
        return f"holds {amount_of(axis, held)}"
    if deserved == 0:
        return f"holds {amount_of(axis, held)} and deserves none"
    return f"holds {number(axis, held)} of the {(amount_of if unit else number)(axis, deserved)} it deserves"


def count(many: int, one: str) -> str:
    """So many of a thing whose plural ends in s: `1 node`, `20 nodes`."""
    return f"{many} {one}{'' if many == 1 else 's'}"


def ordinal(place: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    last = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{last}"


def queue_label(queue: Queue) -> str:
    """What people call it: `project team-a`, `department research`."""
    kind = "department" if queue.name.startswith(DEPARTMENT_PREFIX) else "project"
    return f"{kind} {short_name(queue)}"


def short_name(queue: Queue) -> str:
    """Its name without saying what it is."""
    return queue.display_name or queue.name.removeprefix(DEPARTMENT_PREFIX)


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
