"""An outcome of a simulation as tables for people."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aliquot.contracts.simulation import Outcome, RoundOutcome, ShareOutcome

_NARROWEST: Final = 120
"""Characters of a line where nobody looks at a terminal."""
_NUMBERS: Final = ("deserved", "fair share", "allocated", "non-preemptible", "requested", "free", "releasing")


def show(outcome: Outcome) -> None:
    """Print it."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=max(_NARROWEST, console.width))
    for number, each in enumerate(outcome.rounds, start=1):
        if len(outcome.rounds) > 1:
            console.print(Text(f"Round {number}", style="bold underline"))
        _show_round(console, each)
    queues = ((name, *_share(queue.gpu)) for name, queue in outcome.queues.items())
    _show(console, "Queues (GPUs)", ("queue", *_NUMBERS[:5]), queues)
    nodes = ((name, _number(node.free_gpus), _number(node.releasing_gpus)) for name, node in outcome.nodes.items())
    _show(console, "Nodes (GPUs)", ("node", *_NUMBERS[5:]), nodes)


def _show_round(console: Console, done: RoundOutcome) -> None:
    if not (done.bind or done.nominate or done.evict or done.waiting):
        console.print("Nothing to do, and nobody waits.\n")
    starts = ((each.job, each.task, each.node, ", ".join(each.devices)) for each in done.bind)
    _show(console, "Start now", ("job", "task", "node", "shared devices"), starts)
    promised = ((each.job, each.task, each.node) for each in done.nominate)
    _show(console, "Start when others have gone", ("job", "task", "node"), promised)
    stopped = (
        (each.job, each.task, each.for_, f"{each.action}, and moves" if each.moves else each.action)
        for each in done.evict
    )
    _show(console, "Are stopped", ("job", "task", "for", "by"), stopped)
    waiting = ((each.job, each.reason, each.message) for each in done.waiting)
    _show(console, "Wait", ("job", "reason", "because"), waiting)


def _share(share: ShareOutcome) -> tuple[str, ...]:
    deserved = "no bound" if share.deserved is None else _number(share.deserved)
    due = "" if share.fair_share is None else _number(share.fair_share)
    held = (share.allocated, share.allocated_non_preemptible, share.requested)
    return (deserved, due, *map(_number, held))


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _show(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(Text(column), justify="right" if column in _NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    if table.row_count:
        console.print(Text(title, style="bold"), end="")
        console.print(table)
