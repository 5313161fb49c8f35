"""The commands that look at jobs and change them (cluster-api.md 7.1)."""

from enum import StrEnum
from typing import Annotated

import typer

from aliquot.cli.common import CommonFlags
from aliquot.cli.output import View
from aliquot.cli.signature import with_flags
from aliquot.cli.typed import words_of

JobName = Annotated[str, typer.Argument(metavar="JOB", help="Name of the job.")]
PodName = Annotated[str | None, typer.Option("--pod", help="Which pod; else the first that runs.")]
Words = Annotated[list[str], typer.Argument(metavar="[job] NAME", help="Name of the job.")]
SomeWords = Annotated[list[str] | None, typer.Argument(metavar="[job] NAME…", help="Names of jobs.")]
Every = Annotated[bool, typer.Option("--all", "-A", help="All jobs of the project.")]
Nodes = Annotated[list[str] | None, typer.Argument(metavar="[NODE]…", help="With nodes: which.")]
Output = Annotated[View | None, typer.Option("--output", "-o", help="More, or for programs.")]

config = typer.Typer(help="Choose the project or cluster of commands that name none.", no_args_is_help=True)
project = typer.Typer(help="Older spelling of `config project`.", no_args_is_help=True)


class What(StrEnum):
    """What can be listed."""

    JOBS = "jobs"
    WORKLOADS = "workloads"
    PROJECTS = "projects"
    CLUSTERS = "clusters"
    NODES = "nodes"


class Top(StrEnum):
    """Of what can be told who holds most; singular and plural mean the same."""

    JOBS = "jobs"
    JOB = "job"
    NODES = "nodes"
    NODE = "node"


@with_flags
def list_(
    what: Annotated[What, typer.Argument(help="What to list.")] = What.JOBS,
    nodes: Nodes = None,
    everywhere: Annotated[bool, typer.Option("--all-projects", "-A", help="Those of all projects.")] = False,
    interactive: Annotated[bool, typer.Option("--interactive", help="Of workloads: interactive ones.")] = False,
    inference: Annotated[bool, typer.Option("--inference", help="Of workloads: inference.")] = False,
    output: Output = None,
    *,
    common: CommonFlags,
) -> None:
    """List jobs, or workloads and templates, projects, clusters, nodes."""
    from aliquot.cli.looking import showing

    common.begin()
    if nodes and what is not What.NODES:
        _refuse_names(nodes)
    match what:
        case What.JOBS:
            showing.list_jobs(common.project, output, everywhere=everywhere)
        case What.WORKLOADS:
            showing.list_workloads(
                common.project, output, everywhere=everywhere, interactive=interactive, inference=inference
            )
        case What.PROJECTS:
            showing.list_projects(output)
        case What.CLUSTERS:
            showing.list_clusters()
        case What.NODES:
            showing.list_nodes(nodes or (), output)


@with_flags
def top(
    what: Annotated[Top, typer.Argument(help="Of jobs or of nodes.")] = Top.JOBS,
    nodes: Nodes = None,
    everywhere: Annotated[bool, typer.Option("--all-projects", "-A", help="Jobs of all projects.")] = False,
    *,
    common: CommonFlags,
) -> None:
    """Show which GPUs jobs hold, or nodes have and have free."""
    from aliquot.cli.looking import showing

    common.begin()
    if what in (Top.NODES, Top.NODE):
        showing.list_nodes(nodes or (), None)
        return
    if nodes:
        _refuse_names(nodes)
    showing.top_jobs(common.project, everywhere=everywhere)


def _refuse_names(given: list[str]) -> None:
    from aliquot.cli.failures import told
    from aliquot.errors import UserError

    with told():
        raise UserError("NODE", " ".join(given), "left out, or given with nodes")


@with_flags
def describe(words: Words, output: Output = None, *, common: CommonFlags) -> None:
    """Tell everything about a job: how it is doing and why, its pods, what happened. Or about nodes: `node NODE`."""
    from aliquot.cli.looking import showing

    common.begin()
    showing.describe(words, common.project, output)


@with_flags
def logs(
    name: JobName,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
    pod: Annotated[str | None, typer.Option("--pod", help="One pod; else all of a distributed job.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Not older than this: 5s, 2m, 3h.")] = None,
    since_time: Annotated[str | None, typer.Option("--since-time", help="Not older: 2026-01-31T12:00:00Z.")] = None,
    tail: Annotated[int | None, typer.Option("--tail", "-t", min=0, help="So many lines from the end.")] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", help="With the time of each line.")] = False,
    *,
    common: CommonFlags,
) -> None:
    """Show what a job has printed."""
    from aliquot.cli.inside import entering

    common.begin()
    flags = entering.LogFlags(
        follow=follow, pod=pod, since=since, since_time=since_time, tail=tail, timestamps=timestamps
    )
    entering.show_logs(name, common.project, flags)


@with_flags
def execute(
    context: typer.Context,
    name: JobName,
    command: Annotated[list[str] | None, typer.Argument(metavar="[--] COMMAND", help="What to run.")] = None,
    stdin: Annotated[bool, typer.Option("--stdin", "-i", help="Pass what is typed.")] = False,
    tty: Annotated[bool, typer.Option("--tty", "-t", help="With a terminal.")] = False,
    pod: PodName = None,
    *,
    common: CommonFlags,
) -> None:
    """Run a command beside a job, in its container."""
    from aliquot.cli.inside import entering

    common.begin()
    words = [*(command or ()), *words_of(context)]
    entering.execute(name, common.project, pod, words, stdin=stdin, tty=tty)


@with_flags
def bash(name: JobName, pod: PodName = None, *, common: CommonFlags) -> None:
    """Open a shell in the container of a job."""
    from aliquot.cli.inside import entering

    common.begin()
    entering.bash(name, common.project, pod)


@with_flags
def attach(
    name: JobName,
    no_stdin: Annotated[bool, typer.Option("--no-stdin", help="Only listen.")] = False,
    no_tty: Annotated[bool, typer.Option("--no-tty", help="Without a terminal.")] = False,
    pod: PodName = None,
    *,
    common: CommonFlags,
) -> None:
    """Connect this terminal with what a job runs."""
    from aliquot.cli.inside import entering

    common.begin()
    entering.attach(name, common.project, pod, stdin=not no_stdin, tty=not no_tty)


@with_flags
def port_forward(
    name: JobName,
    port: Annotated[list[str] | None, typer.Option("--port", help="LOCAL:POD, POD or :POD.")] = None,
    address: Annotated[list[str] | None, typer.Option("--address", help="Where to listen; else localhost.")] = None,
    pod: PodName = None,
    *,
    common: CommonFlags,
) -> None:
    """Forward ports of this machine to a job, until Ctrl-C."""
    from aliquot.cli.inside import forwarding
    from aliquot.cli.submission.items import several

    common.begin()
    forwarding.port_forward(name, common.project, pod, several(port or ()), several(address or ()))


@with_flags
def delete(words: SomeWords = None, every: Every = False, *, common: CommonFlags) -> None:
    """Delete jobs, their pods and what they printed."""
    from aliquot.cli import changing

    common.begin()
    changing.delete(words or (), common.project, every=every)


@with_flags
def suspend(words: SomeWords = None, every: Every = False, *, common: CommonFlags) -> None:
    """Stop jobs for a while: their pods go, and others have their GPUs."""
    from aliquot.cli import changing

    common.begin()
    changing.suspend(words or (), common.project, every=every)


@with_flags
def resume(words: SomeWords = None, every: Every = False, *, common: CommonFlags) -> None:
    """Let suspended jobs wait for their turn again."""
    from aliquot.cli import changing

    common.begin()
    changing.resume(words or (), common.project, every=every)


def whoami() -> None:
    """Say as whom the cluster knows you."""
    from aliquot.cli.looking import showing

    CommonFlags().begin()
    showing.whoami()


@config.command("project")
def choose_project(name: Annotated[str, typer.Argument(metavar="PROJECT", help="Name of the project.")]) -> None:
    """Choose the project of commands that name none."""
    from aliquot.cli import choosing

    CommonFlags().begin()
    choosing.choose_project(name)


@config.command("cluster")
def choose_cluster(
    name: Annotated[str, typer.Argument(metavar="CLUSTER", help="A context of the kubeconfig.")],
) -> None:
    """Choose the cluster: a context of the kubeconfig."""
    from aliquot.cli import choosing

    choosing.choose_cluster(name)


@project.command("set")
def set_project(name: Annotated[str, typer.Argument(metavar="PROJECT", help="Name of the project.")]) -> None:
    """Choose the project of commands that name none."""
    typer.echo("aliquot: warning: project set is an older spelling: write config project", err=True)
    choose_project(name)
