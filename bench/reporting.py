"""How the smaller benchmarks tell what they found."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

console = Console(soft_wrap=True, highlight=False)
Output = Annotated[Path | None, typer.Option(help="Where the JSON goes; left out, standard output.")]


def report(output: Path | None, **figures: Any) -> None:
    """Write figures as JSON, with the number of processors that everything shared."""
    text = json.dumps({"cpus": os.cpu_count(), **figures}, indent=2)
    if output is None:
        console.print(text)
    else:
        output.write_text(text)
