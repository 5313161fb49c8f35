"""`make demo`: the whole platform on a real Kubernetes, with a story that shows what it is for."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from aliquot_lab import Cluster, LabError, binaries, directories
from aliquot_lab.launch import Options, attach, start
from demo import platform, story, table

ROOT = Path(__file__).parent.parent
NAME = "demo"
KIND_NAME = "aliquot-demo"
console = Console(soft_wrap=True, highlight=False)


class Where(StrEnum):
    """What the demo runs on."""

    LAB = "lab"
    KIND = "kind"


def main(
    cluster: Annotated[Where, typer.Option(help="The project's own lab, or kind (needs Docker).")] = Where.LAB,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end.")] = False,
    nodes: Annotated[int, typer.Option(min=20, help="Hollow nodes of 8 GPUs.")] = 20,
) -> None:
    """Show work within quota, beyond it, an owner taking its GPUs back, a failure and its retry, and honest waiting."""
    began = time.monotonic()
    try:
        with _lab(keep=keep) if cluster is Where.LAB else _kind(keep=keep) as found:
            _run(found, nodes)
            console.print(f"\n[bold]Done[/bold] in {time.monotonic() - began:.0f} s.")
            _look_around(found, cluster, keep=keep)
    except LabError as problem:
        console.print(f"demo: {problem}", markup=False)
        raise typer.Exit(1) from problem
    except KeyboardInterrupt as problem:
        console.print("demo: stopped")
        raise typer.Exit(130) from problem
    if not keep:
        console.print("Everything is gone again; `make demo KEEP=1` leaves it up for you to look around.")


def _run(cluster: Cluster, nodes: int) -> None:
    with console.status(f"adding {nodes} hollow nodes of 8 GPUs"):
        cluster.add_nodes(nodes, gpus=8)
    with console.status("helm install"):
        platform.install(cluster)
    with console.status("starting the operator"):
        platform.start_operator(cluster)
    console.print(f"Kubernetes with {nodes} nodes of 8 GPUs, the chart and the operator are up.\n")
    told = story.Story(cluster, ROOT / "examples")
    with Live(console=Console(highlight=False), refresh_per_second=4) as live:
        while not told.over:
            told.go_on()
            live.update(table.draw(told))
            time.sleep(0.25)


@contextmanager
def _lab(*, keep: bool) -> Generator[Cluster]:
    home = directories.named(NAME)
    if directories.alive(home):
        message = "a demo is still up (KEEP=1?): take it away with `make lab-down NAME=demo`"
        raise LabError(message)
    with console.status("looking for the lab's programs") as status:

        def building(step: binaries.BuildStep) -> None:
            if step.seconds is None:
                status.update(f"building {step}")
            console.print(str(step))

        cluster = start(
            Options(), directory=home, progress=building, say=lambda what: status.update(f"starting {what}")
        )
    kept = False
    try:
        yield cluster
        if keep:
            cluster.disown()
            kept = True
    finally:
        if not kept:
            with console.status("taking it all away"):
                cluster.close()


@contextmanager
def _kind(*, keep: bool) -> Generator[Cluster]:
    kind = shutil.which("kind")
    if kind is None:
        message = (
            "kind is not installed: see https://kind.sigs.k8s.io, or leave CLUSTER=kind out for the project's own lab"
        )
        raise LabError(message)
    with tempfile.TemporaryDirectory(prefix="aliquot-demo-") as folder:
        kubeconfig = Path(folder, "kubeconfig")
        create = [kind, "create", "cluster", "--name", KIND_NAME, "--config", str(ROOT / "kind-config.yaml")]
        if subprocess.run([*create, "--kubeconfig", str(kubeconfig)], check=False).returncode != 0:
            message = "kind could not create a cluster; does Docker run? (docker info)"
            raise LabError(message)
        cluster: Cluster | None = None
        kept = False
        try:
            cluster = attach(kubeconfig)
            yield cluster
            if keep:
                cluster.disown()
                kept = True
        finally:
            if not kept:
                if cluster is not None:
                    cluster.close()
                subprocess.run([kind, "delete", "cluster", "--name", KIND_NAME], check=False)


def _look_around(cluster: Cluster, where: Where, *, keep: bool) -> None:
    console.print("\n$ kubectl get trainingworkloads -A", style="bold")
    console.print(cluster.kubectl("get", "trainingworkloads", "-A"), markup=False)
    console.print("$ kubectl get events -n runai-vision", style="bold")
    events = ("get", "events", "-n", "runai-vision", "--field-selector", "involvedObject.kind=TrainingWorkload")
    shown = "-o=custom-columns=COUNT:.series.count,TYPE:.type,REASON:.reason,MESSAGE:.message"
    console.print(cluster.kubectl(*events, shown), markup=False)
    if keep:
        away = "make lab-down NAME=demo" if where is Where.LAB else f"kind delete cluster --name {KIND_NAME}"
        console.print(
            f"It stays up. To look around:\n\n"
            f"  export KUBECONFIG={cluster.kubeconfig}\n"
            f"  export PATH={cluster.binary('kubectl').parent}:$PATH    # kubectl, helm\n"
            f"  kubectl get trainingworkloads -A\n"
            f"  kubectl describe trainingworkload -n runai-vision sweep\n"
            f"  kubectl explain trainingworkload.spec.gpu\n\n"
            f"To take it away: {away}",
            markup=False,
        )


typer.run(main)
