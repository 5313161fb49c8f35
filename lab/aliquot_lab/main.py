"""The command line `aliquot-lab`: a real Kubernetes in one command, as `kind` is with Docker."""

import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from aliquot_lab import binaries, directories, launch
from aliquot_lab.cluster import Cluster
from aliquot_lab.control_plane import Options
from aliquot_lab.errors import LabError
from aliquot_lab.kubeconfig import read
from aliquot_lab.nodes import fleet, host
from aliquot_lab.operators import Operator, install

app = typer.Typer(
    help="A real Kubernetes with hollow GPU nodes, without Docker.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_out = Console(soft_wrap=True, highlight=False)
_tables = Console(highlight=False, width=400)  # never cut: a terminal may wrap, a script reads whole lines
_progress = Console(stderr=True, soft_wrap=True, highlight=False)

Name = Annotated[str, typer.Option("--name", help="Which lab; several may run side by side.")]
Nodes = Annotated[int, typer.Option(min=0, help="Hollow nodes.")]
Gpus = Annotated[int, typer.Option(min=0, help="GPUs on each node.")]
Cpu = Annotated[str, typer.Option(help="CPUs of each node, a quantity.")]
Memory = Annotated[str, typer.Option(help="Memory of each node, a quantity.")]


@app.command()
def up(
    name: Name = "default",
    nodes: Nodes = 20,
    gpus: Gpus = 8,
    cpu: Cpu = "64",
    memory: Memory = "512Gi",
    fast: Annotated[
        bool, typer.Option("--fast", help="Raise client and server limits, for performance tests.")
    ] = False,
    audit: Annotated[bool, typer.Option("--audit", help="Let the API server record writes (audit.log).")] = False,
    real: Annotated[
        int, typer.Option("--real-nodes", min=0, help="Nodes with kubelets and containers of their own; needs root.")
    ] = 0,
    operators: Annotated[
        list[Operator], typer.Option("--with", help="Run this operator, too; may be given again for another.")
    ] = [],  # noqa: B006 - typer's way to say that there may be none
) -> None:
    """Start a lab and return when every node is Ready. It runs until `aliquot-lab down`."""
    with _errors():
        began = time.monotonic()
        directory = directories.named(name)  # a name that will not do is refused before anything is built
        if real:
            host.require()
        _build()
        with _progress.status("starting etcd and kube-apiserver") as status:
            cluster = launch.start(
                Options(fast=fast, audit=audit),
                directory=directory,
                say=lambda what: status.update(f"starting {what}"),
            )
            try:
                if nodes:
                    status.update(f"adding {nodes} hollow nodes")
                    cluster.add_nodes(nodes, gpus=gpus, cpu=cpu, memory=memory)
                if real:
                    status.update(f"starting {real} real nodes")
                    fleet.add(cluster, real, progress=_shown(status))
                for operator in operators:
                    status.update(f"starting {operator}")
                    install(operator, cluster, _shown(status))
                cluster.disown()
            except BaseException:
                cluster.close()
                raise
        seconds = time.monotonic() - began
    also = f" and {real} real nodes" if real else ""
    _out.print(
        f"Kubernetes {binaries.KUBERNETES} with {nodes} hollow nodes of {gpus} GPUs{also} is ready after "
        f"{seconds:.1f} s.\n\n"
        f"  export KUBECONFIG={cluster.kubeconfig}\n"
        f"  export PATH={cluster.binary('kubectl').parent}:$PATH    # kubectl, helm\n"
        f"  kubectl get nodes\n\n"
        f"It runs until `aliquot-lab down{'' if name == 'default' else f' --name {name}'}`."
    )


@app.command()
def attach(
    kubeconfig: Annotated[Path, typer.Option(help="Of an administrator of that cluster.")],
    name: Name = "default",
    nodes: Nodes = 20,
    gpus: Gpus = 8,
    cpu: Cpu = "64",
    memory: Memory = "512Gi",
) -> None:
    """Give hollow nodes to a cluster that runs already, such as kind. They live until `aliquot-lab down`."""
    with _errors():
        directory = directories.named(name)
        read(kubeconfig)
        _build(only=launch.PROGRAMS_TO_ATTACH)
        cluster = launch.attach(kubeconfig, directory=directory)
        try:
            cluster.add_nodes([f"hollow-{number}" for number in range(nodes)], gpus=gpus, cpu=cpu, memory=memory)
            cluster.disown()
        except BaseException:
            cluster.close()
            raise
    _out.print(
        f"{cluster.server} has {nodes} hollow nodes of {gpus} GPUs (label type=hollow), until `aliquot-lab down`."
        " Then remove them: kubectl delete nodes -l type=hollow"
    )


@app.command()
def down(name: Name = "default") -> None:
    """End a lab; leaves no process and no file behind."""
    with _errors():
        path = directories.named(name)
        if not path.exists():
            _out.print(f"There is no lab called {name}.")
            return
        if directories.alive(path):
            with _progress.status(f"stopping {name}"):
                Cluster(path).close()
        directories.sweep()
        _out.print(f"The lab {name} is gone.")


@app.command()
def status(name: Name = "default") -> None:
    """Show the processes and nodes of a lab; the exit code is 1 if it does not run."""
    with _errors():
        cluster = _open(name)
        ready = len(cluster.ready_nodes())
        _out.print(
            f"{name}: {cluster.server}, up since {cluster.created}, {ready} of {len(cluster.nodes())} nodes Ready"
        )
        table = Table("process", "pid", box=None)
        table.add_row("supervisor", str(cluster.supervisor))
        for process, pid in cluster.processes().items():
            table.add_row(process, str(pid))
        _tables.print(table)


@app.command()
def kubeconfig(name: Name = "default") -> None:
    """Print the path of a lab's kubeconfig."""
    with _errors():
        _out.print(str(_open(name).kubeconfig))


@app.command("list")
def list_labs() -> None:
    """List the labs that run: those started here by hand, and those of test runs."""
    table = Table("name", "server", "up since", "directory", box=None)
    for directory in directories.all_directories():
        if directories.alive(directory):
            try:
                cluster = Cluster(directory)
            except LabError:  # still starting
                table.add_row(_label(directory), "starting", "", str(directory))
            else:
                table.add_row(_label(directory), cluster.server, cluster.created, str(directory))
    _tables.print(table if table.row_count else "No lab runs.")


@app.command()
def build() -> None:
    """Only build the programs that a lab needs, and print where they are."""
    with _errors():
        _out.print(str(_build().path("kubectl").parent))


def _label(directory: Path) -> str:
    return directory.name if directory.parent == directories.state_root() else "(test)"


def _open(name: str) -> Cluster:
    path = directories.named(name)
    if not directories.alive(path):
        message = f"there is no lab called {name}: start it with `aliquot-lab up --name {name}`"
        raise LabError(message)
    return Cluster(path)


def _build(*, only: Collection[str] | None = None) -> binaries.Binaries:
    with _progress.status("looking for the programs") as status:
        return binaries.ensure(_shown(status), only=only)


def _shown(status: Status) -> binaries.Progress:
    def show(step: binaries.BuildStep) -> None:
        if step.seconds is None:
            status.update(f"building {step}")
        _progress.print(str(step))

    return show


@contextmanager
def _errors() -> Generator[None]:
    try:
        yield
    except LabError as problem:
        _progress.print(f"aliquot-lab: {problem}", markup=False)
        raise typer.Exit(1) from problem
    except KeyboardInterrupt as problem:
        _progress.print("aliquot-lab: stopped")
        raise typer.Exit(130) from problem
