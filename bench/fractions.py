"""`python -m bench.fractions`: parts of GPUs, beside whole GPUs granted by the same operator in the same run.

Measured from the first submission to the moment when the last pod has its node. Each part needs what a whole GPU does;
for each card that is shared come a pod that holds it, and the wait until its kubelet has said which card that is.
"""

import asyncio
import statistics
import time
from typing import Annotated, Any

import typer

from aliquot_lab import Cluster
from bench import measure
from bench.reporting import Output, console, hollow_lab, report
from bench.sides import Size, Workloads, training
from bench.watch import until, until_quiet, watching

_PATIENCE_SECONDS = 900.0
_RUN_SECONDS = 7200
"""Longer than all of it takes."""
_RESERVATIONS = "/api/v1/namespaces/runai-reservation/pods?resourceVersion=0"


def main(
    nodes: Annotated[int, typer.Option(min=1)] = 500,
    gpus: Annotated[int, typer.Option(min=1)] = 8,
    workloads: Annotated[int, typer.Option(min=1, help="Of one pod each; no more than there are GPUs.")] = 4000,
    part: Annotated[str, typer.Option(help="What each asks for of one GPU.")] = "0.5",
    rounds: Annotated[int, typer.Option(min=1, help="How often both are measured, by turns.")] = 1,
    output: Output = None,
) -> None:
    """Give whole GPUs to as many workloads as parts, one after the other on an empty lab."""
    size = Size(nodes, gpus, workloads, min(10, nodes * gpus), _RUN_SECONDS)
    asked = {"whole GPUs": "1", "parts": part}
    with hollow_lab(nodes, gpus) as cluster:
        with console.status("getting ready"):
            Workloads().prepare(cluster, size)
        measured: dict[str, list[dict[str, Any]]] = {way: [] for way in asked}
        for number in range(rounds):
            for way, gpu in asked.items():
                with console.status(f"{way}: round {number + 1}"):
                    found = asyncio.run(_measure(cluster, size, gpu))
                measured[way].append(found)
                console.print(f"{way}: {found['bound_per_second']:.0f} bound in a second")
    speeds = {way: max(each["bound_per_second"] for each in found) for way, found in measured.items()}
    whole = {"nodes": nodes, "gpus": gpus, "workloads": workloads, "part": part}
    report(output, size=whole, measured=measured, parts_beside_whole_gpus=speeds["parts"] / speeds["whole GPUs"])


async def _measure(cluster: Cluster, size: Size, gpu: str) -> dict[str, Any]:
    await until_quiet(cluster)
    calls = [
        training(f"runai-p{number % size.projects}", f"job-{number}", gpus=gpu, run_seconds=_RUN_SECONDS)
        for number in range(size.workloads)
    ]
    async with watching(cluster, Workloads.label) as watch:
        before = measure.read(cluster)
        began = time.monotonic()
        submitting = asyncio.create_task(asyncio.to_thread(cluster.api.call_all, calls))
        await until(lambda: len(watch.bound) >= size.workloads, "all pods to be bound", _PATIENCE_SECONDS)
        await submitting
        filled = measure.read(cluster).since(before)
        waits = sorted(when - began for when in watch.bound.values())
        await until_quiet(cluster)
        reservations = await asyncio.to_thread(_reservations, cluster)
        await asyncio.to_thread(Workloads().clear, cluster, size)
        await until(lambda: not watch.pods, "all pods to be gone", _PATIENCE_SECONDS)
        await until(lambda: not _reservations(cluster), "no card to be held any more", _PATIENCE_SECONDS)
    return {
        "bound_per_second": size.workloads / waits[-1],
        "seconds_to_bound": {
            "median": statistics.median(waits),
            "p99": waits[int(len(waits) * 0.99)],
            "last": waits[-1],
        },
        "cards_shared": reservations,
        "until_bound": filled.per_workload(size.workloads),
    }


def _reservations(cluster: Cluster) -> int:
    return len(cluster.api.call("GET", _RESERVATIONS)["items"])


if __name__ == "__main__":
    typer.run(main)
