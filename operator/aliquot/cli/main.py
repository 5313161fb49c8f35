"""`aliquot`: starts the processes of the platform. Whatever a command needs is imported only when it runs."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from aliquot.cli import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from aliquot.settings import Settings

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

    _run(run)


@app.command()
def webhook() -> None:
    """Run the admission webhook; its settings are those of the operator (docs/admission.md)."""
    from aliquot.cluster.webhook.main import run

    _run(run)


def _run(process: "Callable[[Settings], None]") -> None:
    """Run a process with the settings of the environment; what is wrong with them ends the command by name."""
    from pydantic import ValidationError

    from aliquot.errors import AliquotError
    from aliquot.settings import Settings

    try:
        settings = Settings()
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
