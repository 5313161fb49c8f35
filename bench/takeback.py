"""`python -m bench.takeback`: one project has borrowed every GPU, and the owner of half of them comes.

Measured from the first submission of the owner's to the moment when all of its pods have a node, on a live lab.
"""

import asyncio
import time
from typing import Annotated, Any

import typer

from aliquot_lab import Cluster
from aliquot_lab.api import Call
from bench import measure
from bench.reporting import Output, console, hollow_lab, report
from bench.sides import Size, Workloads, training
from bench.watch import until, watching

_PATIENCE_SECONDS = 600.0
_RUN_SECONDS = 3600
"""Longer than all of it takes."""
_BORROWER, _OWNER = "runai-p0", "runai-p1"


def main(
    nodes: Annotated[int, typer.Option(min=2)] = 500,
    gpus: Annotated[int, typer.Option(min=1)] = 8,
    output: Output = None,
) -> None:
    """Fill a lab with whole-node jobs of one project, and let another take half of it back."""
    with hollow_lab(nodes, gpus) as cluster:
        size = Size(nodes, gpus, nodes, 2, _RUN_SECONDS)
        Workloads().prepare(cluster, size)
        figures = asyncio.run(_measure(cluster, nodes, gpus))
    report(output, nodes=nodes, gpus=gpus, **figures)


async def _measure(cluster: Cluster, nodes: int, gpus: int) -> dict[str, Any]:
    wanted = nodes // 2
    async with watching(cluster, Workloads.label) as watch:
        with console.status("the borrower fills every node"):
            await asyncio.to_thread(cluster.api.call_all, _submissions(_BORROWER, "borrowed", nodes, gpus))
            await until(lambda: len(watch.bound) == nodes, "the borrower to hold every node", _PATIENCE_SECONDS)
            await asyncio.sleep(15)  # its statuses are written; what is measured is the taking back
        before = measure.read(cluster)
        began = time.monotonic()
        with console.status("the owner takes half of them back"):
            await asyncio.to_thread(cluster.api.call_all, _submissions(_OWNER, "owned", wanted, gpus))
            await until(
                lambda: sum(name.startswith("owned") for name in watch.bound) == wanted,
                "the owner to have its half",
                _PATIENCE_SECONDS,
            )
        took = measure.read(cluster).since(before)
        times = sorted(when - began for name, when in watch.bound.items() if name.startswith("owned"))
        await asyncio.sleep(5)
    pods = (await asyncio.to_thread(cluster.api.call, "GET", f"/api/v1/namespaces/{_BORROWER}/pods"))["items"]
    left = sum(bool(pod["spec"].get("nodeName")) and "deletionTimestamp" not in pod["metadata"] for pod in pods)
    return {
        "seconds_to_bound": {"median": times[len(times) // 2], "last": times[-1]},
        "owned": wanted,
        "stopped": nodes - left,
        "until_bound": took.per_workload(wanted),
    }


def _submissions(namespace: str, name: str, many: int, gpus: int) -> list[Call]:
    calls = (training(namespace, f"{name}-{number}", gpus=gpus, run_seconds=_RUN_SECONDS) for number in range(many))
    return list(calls)


if __name__ == "__main__":
    typer.run(main)
