"""What the benchmarks on a lab share: the lab, and how they tell what they found."""

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from aliquot_lab import Cluster, dedicated
from aliquot_lab.launch import Options

console = Console(soft_wrap=True, highlight=False)
Output = Annotated[Path | None, typer.Option(help="Where the JSON goes; left out, standard output.")]


def report(output: Path | None, **figures: Any) -> None:
    """Write figures as JSON, with the number of processors that everything shared."""
    text = json.dumps({"cpus": os.cpu_count(), **figures}, indent=2)
    if output is None:
        console.print(text)
    else:
        output.write_text(text)


@contextmanager
def hollow_lab(nodes: int, gpus: int) -> Generator[Cluster]:
    """A lab of one's own, made for speed, with so many hollow nodes of so many GPUs each."""
    with dedicated(Options(fast=True)) as cluster:
        with console.status(f"adding {nodes} hollow nodes"):
            cluster.add_nodes(nodes, gpus=gpus)
        yield cluster
