"""`make demo`: the whole platform on a real Kubernetes, with a story that shows what it is for."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from aliquot_lab import Cluster, LabError, binaries, directories, obstacle
from aliquot_lab.launch import Options, attach, start
from aliquot_lab.nodes import programs
from aliquot_lab.nodes.images import PAUSE
from demo import gpu_nodes, platform, story, table
from demo.control_plane import ControlPlane
from demo.sharing import PROJECT, Sharing

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NAME = "demo"
KIND_NAME = "aliquot-demo"
SHOWN = "aliquot_pod_gpu_memory_used_bytes"
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
    """Show work within quota, beyond it, an owner taking its GPUs back, failure, honest waiting, and shared GPUs."""
    began = time.monotonic()
    try:
        with _lab(keep=keep) if cluster is Where.LAB else _kind(keep=keep) as found:
            plane, sharing = _run(found, nodes, real=cluster is Where.LAB)
            console.print(f"\n[bold]Done[/bold] in {time.monotonic() - began:.0f} s.")
            _look_around(found, cluster, plane, sharing, keep=keep)
    except LabError as problem:
        console.print(f"demo: {problem}", markup=False)
        raise typer.Exit(1) from problem
    except KeyboardInterrupt as problem:
        console.print("demo: stopped")
        raise typer.Exit(130) from problem
    if not keep:
        console.print("Everything is gone again; `make demo KEEP=1` leaves it up for you to look around.")


def _run(cluster: Cluster, nodes: int, *, real: bool) -> tuple[ControlPlane, Sharing | None]:
    obstacles = obstacle() if real else None
    real = real and obstacles is None
    with console.status(f"adding {nodes} hollow nodes of 8 GPUs"):
        cluster.add_nodes(nodes, gpus=8)
    with console.status("starting the control plane"):
        plane = ControlPlane(cluster)
    with console.status("helm install"):
        platform.install(cluster, *platform.AGENT, *plane.chart_values())
        if real:
            # Before anybody is scheduled: the real nodes are for those who share GPUs.
            cluster.kubectl("apply", "-f", str(EXAMPLES / PROJECT))
    with ThreadPoolExecutor(1) as beside:
        # They take their time, in which the story is mostly waiting.
        starting = beside.submit(gpu_nodes.start, cluster) if real else None
        with console.status("starting the operator"):
            settings = {"ALIQUOT_GRANTS__RESERVATION_IMAGE": PAUSE, **plane.operator_settings()}
            platform.start_operator(cluster, settings=settings)
        console.print(f"Kubernetes with {nodes} nodes of 8 GPUs, the chart, the operator and its control plane are up.")
        if real:
            console.print(f"{gpu_nodes.NODES} real nodes of {gpu_nodes.GPUS} GPU come beside them.")
        elif obstacles:
            console.print(f"Parts of GPUs are left out: {obstacles}.", markup=False)
        console.print()
        return plane, _tell(cluster, plane, starting)


def _tell(cluster: Cluster, plane: ControlPlane, starting: Future[list[gpu_nodes.GpuMachine]] | None) -> Sharing | None:
    """Show both stories to their end; the second one, which is returned, once the real nodes are there."""
    told, sharing = story.Story(cluster, plane, EXAMPLES), None
    with Live(console=Console(highlight=False), refresh_per_second=4) as live:
        while not told.over or starting is not None or (sharing is not None and not sharing.over):
            told.go_on()
            if starting is not None and starting.done():
                try:
                    machines = starting.result()
                    agents = [machine.start_agent(cluster) for machine in machines]
                    sharing = Sharing(cluster, EXAMPLES, machines, agents)
                except LabError as problem:
                    live.console.print(f"Parts of GPUs are left out: {problem}", markup=False)
                starting = None
            if sharing is not None:
                sharing.go_on()
            live.update(table.draw(told, sharing))
            time.sleep(0.25)
    return sharing


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

        if not obstacle():
            with suppress(LabError):  # told where they are started, when all else goes on
                programs.find(building)
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


def _look_around(cluster: Cluster, where: Where, plane: ControlPlane, sharing: Sharing | None, *, keep: bool) -> None:
    console.print("\n$ kubectl get trainingworkloads -A", style="bold")
    console.print(cluster.kubectl("get", "trainingworkloads", "-A"), markup=False)
    console.print("$ kubectl get events -n runai-vision", style="bold")
    events = ("get", "events", "-n", "runai-vision", "--field-selector", "involvedObject.kind=TrainingWorkload")
    shown = "-o=custom-columns=COUNT:.series.count,TYPE:.type,REASON:.reason,MESSAGE:.message"
    console.print(cluster.kubectl(*events, shown), markup=False)
    console.print(f'$ curl -H "Authorization: Bearer $TOKEN" {plane.address}/api/v1/workloads', style="bold")
    console.print(table.told_over_rest(plane.workloads()))
    console.print()
    for agent in sharing.agents if sharing is not None else ():
        console.print(f"$ curl -s http://127.0.0.1:{agent.port}/metrics | grep ^{SHOWN}", style="bold")
        lines = agent.probe("metrics")[1].splitlines()
        console.print("\n".join(line for line in lines if line.startswith(SHOWN)), markup=False)
        console.print()
    if keep:
        away = "make lab-down NAME=demo" if where is Where.LAB else f"kind delete cluster --name {KIND_NAME}"
        console.print(
            f"It stays up. To look around:\n\n"
            f"  export KUBECONFIG={cluster.kubeconfig}\n"
            f"  export PATH={cluster.binary('kubectl').parent}:$PATH    # kubectl, helm\n"
            f"  kubectl get trainingworkloads -A\n"
            f"  kubectl describe trainingworkload -n runai-vision sweep\n"
            f"  kubectl explain trainingworkload.spec.gpu\n\n"
            f"The control plane is {plane.address} ({plane.address}/api/docs): {plane.username} with the password"
            f" {plane.password}\n\n"
            f"To take it away: {away}",
            markup=False,
        )


typer.run(main)
