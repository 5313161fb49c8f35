"""`aliquot`: starts the processes of the platform. Whatever a command needs is imported only when it runs."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from aliquot.cli import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_settings import BaseSettings

    Model = TypeVar("Model", bound=BaseSettings)

app = typer.Typer(
    help="Fair shares of GPUs for Kubernetes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aliquot {version('aliquot')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None: ...


app.command("simulate")(simulate.simulate)


@app.command()
def operator() -> None:
    """Run the operator; its settings are environment variables (docs/install.md)."""
    from aliquot.cluster.main import run
    from aliquot.settings import Settings

    _run(run, Settings)


@app.command()
def webhook() -> None:
    """Run the admission webhook; its settings are those of the operator (docs/admission.md)."""
    from aliquot.cluster.webhook.main import run
    from aliquot.settings import Settings

    _run(run, Settings)


@app.command()
def agent() -> None:
    """Run the agent of a node with GPUs: it tells what they do, and for whom (docs/metrics.md)."""
    from aliquot.agent.main import run
    from aliquot.agent.settings import AgentSettings

    _run(run, AgentSettings)


def _run(process: "Callable[[Model], None]", model: "type[Model]") -> None:
    """Run a process with its settings from the environment; what is wrong with them ends the command by name."""
    from pydantic import ValidationError

    from aliquot.errors import AliquotError

    try:
        settings = model()
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            variable = "ALIQUOT_" + "__".join(str(part) for part in problem["loc"]).upper()
            given = f", not {problem['input']!r}" if isinstance(problem["input"], str) else ""
            typer.echo(f"aliquot: {variable}: {problem['msg']}{given}", err=True)
        raise typer.Exit(2) from error
    try:
        process(settings)
    except (AliquotError, OSError) as error:
        typer.echo(f"aliquot: {error}", err=True)
        raise typer.Exit(1) from error
