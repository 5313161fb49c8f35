"""The live table of the demo."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo.sharing import Sharing
from demo.story import Story

_COLOURS = {"Running": "green", "Completed": "cyan", "Failed": "red", "Pending": "yellow"}
_BAR = 32


def draw(told: Story, sharing: Sharing | None = None) -> RenderableType:
    """What was done so far, the workloads, who holds how many of the GPUs, and who shares one."""
    workloads = Table("project", "workload", "phase", "GPUs", "pods", "reason", box=None, padding=(0, 2, 0, 0))
    for one in told.standings:
        colour = _COLOURS.get(one.phase, "")
        workloads.add_row(one.project, one.name, Text(one.phase, colour), one.gpus, one.pods, one.reason)
    messages = [
        Text(f"{one.name}: {one.message}", "dim", overflow="fold")
        for one in told.standings
        if one.message and one.reason and one.phase != "Completed"
    ]
    shares = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    largest = max((max(share.holds, share.deserves) for share in told.shares), default=1) or 1
    for share in told.shares:
        within, over = min(share.holds, share.deserves), max(0.0, share.holds - share.deserves)
        bar = Text("█" * round(within / largest * _BAR), "green") + Text("█" * round(over / largest * _BAR), "yellow")
        shares.add_row(share.project, f"{share.holds:g} of {share.deserves:g} GPUs", bar)
    said = [Text(f"{number}. {line}") for number, line in enumerate(told.said, start=1)]
    guests = [Text(), _guests(sharing)] if sharing is not None and sharing.guests else []
    return Group(*said, Text(), workloads, Text(), shares, *guests, Text(), *messages)


def told_over_rest(workloads: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Workloads, as the control plane tells of them."""
    table = Table("project", "name", "type", "asks for GPUs", "phase", "since", box=None, padding=(0, 2, 0, 0))
    for each in workloads:
        asked = each["workloadRequestedResources"]
        gpus = f"{asked['gpu']['request']:g}" if asked is not None else ""
        table.add_row(each["projectName"], each["name"], each["type"], gpus, each["phase"], each["phaseUpdatedAt"])
    return table


def _guests(sharing: Sharing) -> RenderableType:
    """The pods with parts of GPUs."""
    table = Table("pod", "node", "part", "its GPU", "its container sees", "uses", box=None, padding=(0, 2, 0, 0))
    for guest in sharing.guests:
        uses = "" if guest.uses_mib is None else f"{guest.uses_mib} MiB"
        table.add_row(guest.pod, guest.node, guest.part, _short(guest.card), _short(guest.sees), uses)
    return table


def _short(card: str) -> str:
    """The beginning of a GPU's id: that is enough to tell a few apart."""
    return f"{card[:12]}…" if card else ""
