"""`python -m bench.restart`: an operator is killed while thousands of workloads are settled, and another one comes.

Measured: how long until it has looked at all of them, once it leads, and what it wrote: that is to be nothing.
"""

import asyncio
import re
import time
from typing import Annotated, Any

import typer

from aliquot_lab import Cluster
from bench import measure
from bench.reporting import Output, console, hollow_lab, report
from bench.sides import Size, Workloads
from bench.watch import until, until_quiet, watching
from demo import platform

_PATIENCE_SECONDS = 900.0
_RUN_SECONDS = 7200
"""Longer than all of it takes."""
_OPERATOR = "operator"
_WORKED = re.compile(r'^aliquot_queue_work_seconds_count\{queue="operator"\} (\S+)', re.MULTILINE)
_WAITING = re.compile(r'^aliquot_queue_depth\{.*queue="operator".*\} (\S+)', re.MULTILINE)


def main(
    nodes: Annotated[int, typer.Option(min=1)] = 500,
    gpus: Annotated[int, typer.Option(min=1)] = 8,
    workloads: Annotated[int, typer.Option(min=1)] = 5000,
    output: Output = None,
) -> None:
    """Settle workloads, of which those that are too many for the nodes wait, and restart the operator."""
    size = Size(nodes, gpus, workloads, 10, _RUN_SECONDS)
    with hollow_lab(nodes, gpus) as cluster:
        figures = asyncio.run(_measure(cluster, size))
    report(output, nodes=nodes, workloads=workloads, **figures)


async def _measure(cluster: Cluster, size: Size) -> dict[str, Any]:
    side = Workloads()
    operator = await asyncio.to_thread(side.prepare, cluster, size)
    room = min(size.workloads, size.nodes * size.gpus)
    async with watching(cluster, side.label) as watch:
        with console.status("settling"):
            await asyncio.to_thread(cluster.api.call_all, side.submissions(size))
            await until(lambda: len(watch.bound) >= room, "all nodes to be full", _PATIENCE_SECONDS)
            await until(lambda: len(watch.pods) >= size.workloads, "all pods to be made", _PATIENCE_SECONDS)
            await until_quiet(cluster)
            await until(lambda: _told(cluster) >= size.workloads, "all statuses to be written", _PATIENCE_SECONDS)
            await until_quiet(cluster)
    await asyncio.to_thread(operator.kill)
    await until_quiet(cluster)
    before = measure.read(cluster)
    began = time.monotonic()
    operator.start()
    await until(lambda: _leads(operator), "the operator to lead", _PATIENCE_SECONDS)
    leads = time.monotonic() - began
    await until(lambda: operator.probe("readyz")[0] == 200, "the operator to be ready", _PATIENCE_SECONDS)
    ready = time.monotonic() - began
    await until(lambda: _has_looked(operator, size.workloads), "all to be looked at", _PATIENCE_SECONDS)
    looked = time.monotonic() - began
    await until_quiet(cluster)
    after = measure.read(cluster)
    return {
        "seconds_until_it_leads": leads,
        "seconds_from_leading": {"until_ready": ready - leads, "until_all_is_looked_at": looked - leads},
        "cpu_seconds": {_OPERATOR: after.cpu_seconds[_OPERATOR]},
        "peak_memory_mib": measure.peak_memory_mib(cluster)[_OPERATOR],
        "writes": after.since(before).writes(),
    }


def _told(cluster: Cluster) -> int:
    """How many workloads say that they run, or why they wait."""
    path = "/apis/run.ai/v2alpha1/trainingworkloads?resourceVersion=0"
    statuses = [each.get("status", {}) for each in cluster.api.call("GET", path)["items"]]
    return sum(each.get("phase") == "Running" or bool(each.get("reason")) for each in statuses)


def _leads(operator: platform.OperatorProcess) -> bool:
    """Whether it acts: the Lease of one that was killed holds for a while."""
    return "\naliquot_leader 1.0" in operator.probe("metrics")[1]


def _has_looked(operator: platform.OperatorProcess, workloads: int) -> bool:
    """Whether it has worked on every workload and its status, and nothing is left."""
    text = operator.probe("metrics")[1]
    worked = sum(float(number) for number in _WORKED.findall(text))
    return worked >= 2 * workloads and not sum(float(number) for number in _WAITING.findall(text))


if __name__ == "__main__":
    typer.run(main)
