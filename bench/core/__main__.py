"""`python -m bench.core`: how long decisions take by the size of the cluster, as JSON; the best of some runs each.

Beside the time by the clock stands the time of this process on a CPU, which a busy machine changes less.
"""

import json
import os
import platform as machine
from pathlib import Path
from typing import Annotated

import typer

from bench.core.clock import OutOfTimeError, within
from bench.core.measures import MEASURES


def main(
    nodes: Annotated[list[int] | None, typer.Option(help="Sizes to measure; left out, those of each measure.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="The best of so many counts.")] = 3,
    only: Annotated[list[str] | None, typer.Option(help="Measure only these.")] = None,
    limit_seconds: Annotated[
        int, typer.Option(min=1, help="For one measure of one size, building included; larger sizes are left out then.")
    ] = 300,
    output: Annotated[Path | None, typer.Option(help="Where the JSON goes; left out, standard output.")] = None,
) -> None:
    """Measure and print."""
    measured: dict[str, dict[str, dict[str, float]]] = {}
    for measure in MEASURES:
        if only and measure.name not in only:
            continue
        mine = measured[measure.name] = {}
        for size in nodes or measure.sizes:
            try:
                with within(limit_seconds):
                    mine[str(size)] = measure.run(size, runs)
            except OutOfTimeError:
                mine[str(size)] = {"longer_than_seconds": limit_seconds}
                break
            typer.echo(f"{measure.name} {size}: {mine[str(size)]}", err=True)
    about = {"cpus": os.cpu_count(), "system": machine.platform(), "python": machine.python_version(), "runs": runs}
    text = json.dumps({"machine": about, "measured": measured}, indent=2)
    if output is None:
        typer.echo(text)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text)


if __name__ == "__main__":
    typer.run(main)
