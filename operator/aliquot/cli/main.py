"""`aliquot`, also installed as `runai`: commands for researchers, and the processes of the platform.

Here is how commands are written; what they do is imported only when they run.
"""

from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from aliquot.cli import research, simulate, submit
from aliquot.cli.common import program
from aliquot.cli.typed import WithWords

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_settings import BaseSettings

    from aliquot.controlplane.settings import ControlPlaneSettings

    Model = TypeVar("Model", bound=BaseSettings)

app = typer.Typer(
    help="Fair shares of GPUs for Kubernetes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class Shell(StrEnum):
    """Shells that can complete what is typed."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


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


_RESEARCH: Final = "For researchers"
_PLATFORM: Final = "For the platform"

app.command("submit", cls=WithWords, rich_help_panel=_RESEARCH)(submit.submit)
app.add_typer(submit.dist, name="submit-dist", rich_help_panel=_RESEARCH)
app.command("submit-mpi", cls=WithWords, hidden=True, deprecated=True)(submit.mpi)
app.command("list", rich_help_panel=_RESEARCH)(research.list_)
app.command("top", rich_help_panel=_RESEARCH)(research.top)
app.command("describe", rich_help_panel=_RESEARCH)(research.describe)
app.command("get", hidden=True, deprecated=True)(research.describe)
app.command("logs", rich_help_panel=_RESEARCH)(research.logs)
app.command("exec", cls=WithWords, rich_help_panel=_RESEARCH)(research.execute)
app.command("bash", rich_help_panel=_RESEARCH)(research.bash)
app.command("attach", rich_help_panel=_RESEARCH)(research.attach)
app.command("port-forward", rich_help_panel=_RESEARCH)(research.port_forward)
app.command("delete", rich_help_panel=_RESEARCH)(research.delete)
app.command("suspend", rich_help_panel=_RESEARCH)(research.suspend)
app.command("resume", rich_help_panel=_RESEARCH)(research.resume)
app.add_typer(research.config, name="config", rich_help_panel=_RESEARCH)
app.add_typer(research.project, name="project", hidden=True)
app.command("whoami", rich_help_panel=_RESEARCH)(research.whoami)
app.command("simulate", rich_help_panel=_PLATFORM)(simulate.simulate)


@app.command("completion", rich_help_panel=_RESEARCH)
def completion(
    shell: Annotated[Shell, typer.Argument(help="Which shell.")],
) -> None:
    """Print what lets a shell complete commands and flags: source <(aliquot completion bash)."""
    import os

    from typer.main import get_command

    name = program()
    os.environ[f"_{name.upper()}_COMPLETE"] = f"source_{shell.value}"  # as the library has it
    get_command(app).main([], prog_name=name)


@app.command("version", rich_help_panel=_RESEARCH)
def show_version() -> None:
    """Print the version."""
    _show_version(wanted=True)


@app.command(rich_help_panel=_PLATFORM)
def operator() -> None:
    """Run the operator; its settings are environment variables (docs/install.md)."""
    from aliquot.cluster.main import run
    from aliquot.settings import Settings

    _run(run, Settings)


@app.command(rich_help_panel=_PLATFORM)
def webhook() -> None:
    """Run the admission webhook; its settings are those of the operator (docs/admission.md)."""
    from aliquot.cluster.webhook.main import run
    from aliquot.settings import Settings

    _run(run, Settings)


@app.command(rich_help_panel=_PLATFORM)
def agent() -> None:
    """Run the agent of a node with GPUs: it tells what they do, and for whom (docs/metrics.md)."""
    from aliquot.agent.main import run
    from aliquot.agent.settings import AgentSettings

    _run(run, AgentSettings)


control_plane = typer.Typer(no_args_is_help=True, help="Run the control plane, and care for its database.")
app.add_typer(control_plane, name="control-plane", rich_help_panel=_PLATFORM)


_Database = Annotated[str | None, typer.Option(help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.")]


def _settings_with(database: str | None) -> "Callable[[], ControlPlaneSettings]":
    """The control plane's settings, with this database where one is named."""
    from aliquot.controlplane.settings import ControlPlaneSettings

    said = {} if database is None else {"database": {"url": database}}
    return partial(ControlPlaneSettings, **said)


@control_plane.command(rich_help_panel=_PLATFORM)
def serve(
    database: _Database = None,
    host: Annotated[str | None, typer.Option(help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at; 0 takes a free one.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="File with a certificate: serve HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="File with its private key.")] = None,
) -> None:
    """Run the control plane; its other settings are environment variables (docs/control-plane.md)."""
    from aliquot.controlplane.main import run
    from aliquot.controlplane.settings import ControlPlaneSettings

    given = {
        "database": {"url": database},
        "server": {"host": host, "port": port, "tls_certificate": tls_cert, "tls_key": tls_key},
    }
    said = {group: {name: value for name, value in of.items() if value is not None} for group, of in given.items()}
    _run(run, partial(ControlPlaneSettings, **said))


@control_plane.command(rich_help_panel=_PLATFORM)
def tenant(
    name: Annotated[str, typer.Argument(help="Name of the tenant, and of its realm.")],
    database: _Database = None,
    host: Annotated[str | None, typer.Option(help="Host name that is its own, for a new tenant.")] = None,
    administrator: Annotated[str | None, typer.Option(help="E-mail address of its administrator; makes it.")] = None,
    refuse_over_subscription: Annotated[
        bool | None, typer.Option(help="Whether quotas may add up to more than the department has.")
    ] = None,
) -> None:
    """Make a tenant (--administrator), whose administrator's password is shown once, or change one."""
    from aliquot.controlplane.main import keep_tenant

    keep = partial(
        keep_tenant,
        name=name,
        host=host,
        administrator=administrator,
        refuses_over_subscription=refuse_over_subscription,
    )
    _run(keep, _settings_with(database))


@control_plane.command(rich_help_panel=_PLATFORM)
def issuer(
    name: Annotated[str, typer.Argument(help="Name of the tenant.")],
    database: _Database = None,
    url: Annotated[str | None, typer.Option(help="How the issuer calls itself: https://HOST/….")] = None,
    client_id: Annotated[str, typer.Option(help="Who we are there.")] = "runai",
    client_secret_file: Annotated[Path | None, typer.Option(help="File with what proves it.")] = None,
    username_claim: Annotated[str, typer.Option(help="What is somebody's name.")] = "email",
    groups_claim: Annotated[str, typer.Option(help="What are their groups.")] = "groups",
    require: Annotated[list[str] | None, typer.Option(help="NAME=VALUE that has to be said of who comes in.")] = None,
    endpoint_host: Annotated[list[str] | None, typer.Option(help="Other hosts that its endpoints are on.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Nobody vouches for people any more.")] = False,
) -> None:
    """Say which OpenID Connect issuer vouches for the people of a tenant (docs/control-plane.md)."""
    if remove == (url is not None):
        raise typer.BadParameter("is needed, or --remove", param_hint="--url")
    from aliquot.controlplane.auth.people.claims import Trust
    from aliquot.controlplane.main import keep_issuer_of
    from aliquot.controlplane.tenants import claims_of

    def keep(settings: "ControlPlaneSettings") -> None:
        if url is None:
            keep_issuer_of(settings, name, None)
            return
        secret = None if client_secret_file is None else client_secret_file.read_text().strip()
        required, hosts = claims_of(require or []), frozenset(endpoint_host or [])
        keep_issuer_of(settings, name, Trust(url, client_id, secret, username_claim, groups_claim, required, hosts))

    _run(keep, _settings_with(database))


@control_plane.command(rich_help_panel=_PLATFORM)
def rotate_keys(
    database: _Database = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget those before: no token counts any more that they signed.")
    ] = False,
) -> None:
    """Have another key sign tokens from now on, before it is its time."""
    from aliquot.controlplane.main import rotate_keys as rotate

    _run(partial(rotate, forget=forget), _settings_with(database))


@control_plane.command(rich_help_panel=_PLATFORM)
def backup(
    file: Annotated[Path, typer.Argument(help="File that is not there yet.")],
    database: _Database = None,
) -> None:
    """Copy a SQLite database, also while it is served."""
    from aliquot.controlplane.database.copies import back_up

    _run(lambda settings: back_up(settings.database, file), _settings_with(database))


@control_plane.command(rich_help_panel=_PLATFORM)
def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` made.")],
    database: _Database = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of the database that is there, which is lost.")
    ] = False,
) -> None:
    """Make a SQLite database of a copy, while nobody serves it."""
    from aliquot.controlplane.database.copies import restore as restored

    _run(lambda settings: restored(settings.database, file, replace=replace), _settings_with(database))


def _run(process: "Callable[[Model], None]", model: "Callable[[], Model]") -> None:
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
