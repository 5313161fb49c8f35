"""`aliquot simulate`: what would happen in a cluster that is written down (docs/simulate.md)."""

import io
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, cast

import typer

from aliquot.cli.output import as_json, as_yaml

_MOST_ROUNDS: Final = 10_000
_STDIN: Final = "-"


class Form(StrEnum):
    """How the outcome is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def simulate(
    file: Annotated[str | None, typer.Argument(help="The cluster document, YAML or JSON; - is standard input.")] = None,
    rounds: Annotated[int, typer.Option(min=1, max=_MOST_ROUNDS, help="How many rounds; plans are carried out.")] = 1,
    output: Annotated[Form, typer.Option("--output", "-o", help="For people, or for programs.")] = Form.TABLE,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the document, and stop.")] = False,
) -> None:
    """Run the scheduler on a cluster that is written down: who starts, who waits and why, who is stopped for whom."""
    cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
    if schema:
        from aliquot.contracts.simulation import Document

        typer.echo(json.dumps(Document.model_json_schema(), indent=2))
        return
    if file is None:
        typer.echo("aliquot: FILE is missing; - is standard input", err=True)
        raise typer.Exit(2)
    from aliquot.core.simulation import SimulationError, load
    from aliquot.core.simulation import simulate as run

    try:
        outcome = run(load(_content(file)), rounds)
    except SimulationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except OSError as error:
        typer.echo(f"aliquot: {file} cannot be read: {error.strerror or error}", err=True)
        raise typer.Exit(2) from error
    if output is Form.TABLE:
        from aliquot.cli.tables import show

        show(outcome)
        return
    values = outcome.model_dump(mode="json")
    if output is Form.JSON:
        typer.echo(as_json(values))
        return
    typer.echo(as_yaml(values))


def _content(file: str) -> bytes:
    """What the file holds, up to one byte more than is allowed."""
    from aliquot.core.simulation.bounds import MOST_BYTES

    if file == _STDIN:
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with Path(file).open("rb") as opened:
        return opened.read(MOST_BYTES + 1)
