"""The commands `submit`, `submit-dist` and `submit-mpi` (cluster-api.md 7.1, 7.2)."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from aliquot.cli.common import CommonFlags
from aliquot.cli.signature import with_flags
from aliquot.cli.submission.flags import PodFlags
from aliquot.cli.submission.kind_flags import DistributedFlags, InferenceFlags, KindFlags, MpiFlags, PyTorchFlags
from aliquot.cli.typed import WithWords, words_of

if TYPE_CHECKING:
    from aliquot.cli.submission.manifest import Framework

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the workload, and submit nothing.")]
JobName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Name of the job; --name says it, too.")]

dist = typer.Typer(help="Submit a job of many pods that run together.", no_args_is_help=True)


@with_flags
def submit(
    context: typer.Context,
    job: JobName = None,
    dry_run: DryRun = False,
    *,
    flags: PodFlags,
    kind: KindFlags,
    serving: InferenceFlags,
    common: CommonFlags,
) -> None:
    """Submit a training job, an interactive one, or inference."""
    from aliquot.cli.submission.sending import send_single

    common.begin()
    send_single(_named(flags, job), kind, serving, words_of(context), common.project, dry_run=dry_run)


@dist.command("pytorch", cls=WithWords)
@with_flags
def pytorch(
    context: typer.Context,
    job: JobName = None,
    dry_run: DryRun = False,
    *,
    flags: PodFlags,
    members: DistributedFlags,
    torch: PyTorchFlags,
    common: CommonFlags,
) -> None:
    """Submit a PyTorch job, elastic if it has --min-replicas or --max-replicas."""
    _send("pytorch", context, flags, job, members, common, dry_run=dry_run, torch=torch)


@dist.command("mpi", cls=WithWords)
@with_flags
def mpi(
    context: typer.Context,
    job: JobName = None,
    dry_run: DryRun = False,
    *,
    flags: PodFlags,
    members: DistributedFlags,
    slots: MpiFlags,
    common: CommonFlags,
) -> None:
    """Submit an MPI job: a launcher, and workers."""
    _send("mpi", context, flags, job, members, common, dry_run=dry_run, mpi=slots)


def _without_own_flags(framework: "Framework") -> Callable[..., None]:
    """Make the command for a framework that has no flags of its own."""

    @with_flags
    def command(
        context: typer.Context,
        job: JobName = None,
        dry_run: DryRun = False,
        *,
        flags: PodFlags,
        members: DistributedFlags,
        common: CommonFlags,
    ) -> None:
        _send(framework, context, flags, job, members, common, dry_run=dry_run)

    return command


dist.command("tf", cls=WithWords, help="Submit a TensorFlow job.")(_without_own_flags("tf"))
dist.command("xgboost", cls=WithWords, help="Submit an XGBoost job.")(_without_own_flags("xgboost"))


def _send(
    framework: "Framework",
    context: typer.Context,
    flags: PodFlags,
    job: str | None,
    members: DistributedFlags,
    common: CommonFlags,
    *,
    dry_run: bool,
    torch: PyTorchFlags | None = None,
    mpi: MpiFlags | None = None,
) -> None:
    from aliquot.cli.submission.sending import send_distributed

    common.begin()
    flags, words = _named(flags, job), words_of(context)
    send_distributed(framework, flags, members, words, common.project, dry_run=dry_run, torch=torch, mpi=mpi)


def _named(flags: PodFlags, positional: str | None) -> PodFlags:
    """Take the name that stands by itself for `--name`."""
    from aliquot.cli.failures import told
    from aliquot.errors import UserError

    if positional is None:
        return flags
    with told():
        if flags.naming.name not in (None, positional):
            raise UserError("NAME", positional, f"left out, because --name {flags.naming.name} says it")
    return replace(flags, naming=replace(flags.naming, name=positional))
