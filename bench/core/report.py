"""`python -m bench.core.report FILE`: the JSON of a run as Markdown, a table and a chart of each measure."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from bench.core.measures import MEASURES, Measure

Figures = Mapping[str, Mapping[str, float]]
"""By the number of nodes."""


def main(file: Annotated[Path, typer.Argument(help="What `python -m bench.core --output FILE` wrote.")]) -> None:
    """Print the page's part about the core."""
    measured: Mapping[str, Figures] = json.loads(file.read_text())["measured"]
    typer.echo("\n".join([*table(measured), "", *charts(measured)]))


def table(measured: Mapping[str, Figures]) -> Iterator[str]:
    """Rows of measures, columns of sizes; milliseconds of CPU, or MiB."""
    sizes = sorted({int(size) for figures in measured.values() for size in figures})
    yield "| | " + " | ".join(f"{size:,}" for size in sizes) + " | aim |"
    yield "|---" * (len(sizes) + 2) + "|"
    for measure in MEASURES:
        figures = measured.get(measure.name)
        if figures:
            cells = (_cell(measure, figures.get(str(size), {})) for size in sizes)
            yield f"| {measure.what} | " + " | ".join(cells) + f" | {_aims(measure)} |"


def _cell(measure: Measure, figure: Mapping[str, float]) -> str:
    if "longer_than_seconds" in figure:
        return f"more than {figure['longer_than_seconds']:,.0f} s"
    value = _value(measure, figure)
    if value is None:
        return ""
    in_vain = "binds" in figure and not figure["binds"] and not figure.get("evictions")
    return _amount(measure, value) + (", in vain" if in_vain else "")


def _value(measure: Measure, figure: Mapping[str, float]) -> float | None:
    return figure.get("mib" if measure.unit == "mib" else "cpu_seconds")


def _amount(measure: Measure, value: float) -> str:
    return f"{value:,.0f} MiB" if measure.unit == "mib" else f"{value * 1000:,.0f}"


def _aims(measure: Measure) -> str:
    return "; ".join(f"{_amount(measure, value)} at {nodes:,}" for nodes, value in measure.aims)


def charts(measured: Mapping[str, Figures]) -> Iterator[str]:
    """How each measure grows, as charts of Mermaid, which draws nodes to scale as a line from one size to the next."""
    for measure in MEASURES:
        known = [
            (int(size), value)
            for size, figure in sorted(measured.get(measure.name, {}).items(), key=lambda item: int(item[0]))
            if (value := _value(measure, figure)) is not None
        ]
        if len(known) > 1:
            yield from _chart(measure, known)


def _chart(measure: Measure, known: list[tuple[int, float]]) -> Iterator[str]:
    unit, factor = ("MiB", 1) if measure.unit == "mib" else ("milliseconds", 1000)
    most = max(value for _, value in known) * factor
    yield "```mermaid"
    yield "xychart-beta"
    yield f'    title "{measure.name}"'
    yield "    x-axis nodes [" + ", ".join(f'"{size:,}"' for size, _ in known) + "]"
    yield f'    y-axis "{unit}" 0 --> {_rounded_up(most)}'
    yield "    line [" + ", ".join(f"{value * factor:.1f}" for _, value in known) + "]"
    yield "```"


def _rounded_up(value: float) -> int:
    """To a number of one or two digits and zeros."""
    step = 10 ** max(0, len(str(int(value))) - 2)
    return (int(value) // step + 1) * step


if __name__ == "__main__":
    typer.run(main)
