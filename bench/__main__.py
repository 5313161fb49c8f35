"""`make bench`: fills a lab with single-GPU work, as plain Jobs and as Aliquot's workloads; JSON and a table."""

import asyncio
import datetime
import json
import os
import platform as machine
import statistics
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from aliquot_lab import Cluster
from bench import measure
from bench.reporting import console, hollow_lab
from bench.sides import Jobs, Side, Size, Workloads
from bench.watch import until, until_quiet, watching

RESULTS = Path(__file__).parent / "results"
_FILL_SECONDS = 600.0
_CLEAR_SECONDS = 600.0
_FEW_REQUESTS = 0.02
"""Requests that come less often than this per workload are left out of the table."""


def main(
    nodes: Annotated[int, typer.Option(min=1)] = 500,
    gpus: Annotated[int, typer.Option(min=1)] = 8,
    workloads: Annotated[int, typer.Option(min=1)] = 3000,
    projects: Annotated[int, typer.Option(min=1)] = 10,
    run_seconds: Annotated[int, typer.Option(min=1, help="How long each pod runs.")] = 90,
    only: Annotated[str, typer.Option(help="jobs or aliquot: measure only one side.")] = "",
    output: Annotated[Path | None, typer.Option(help="Where the JSON goes; left out, bench/results/.")] = None,
) -> None:
    """Measure both sides in one lab and print them beside each other."""
    size = Size(nodes, gpus, workloads, projects, run_seconds)
    sides: list[Side] = [side for name, side in (("jobs", Jobs()), ("aliquot", Workloads())) if only in ("", name)]
    with hollow_lab(nodes, gpus) as cluster:
        measured = {side.name: asyncio.run(_measure(cluster, side, size)) for side in sides}
    report = {
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "system": machine.platform(), "python": machine.python_version()},
        "size": {name: getattr(size, name) for name in size.__dataclass_fields__},
        "measured": measured,
    }
    file = output or RESULTS / f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report, indent=2))
    _show(measured)
    console.print(f"\nAll figures: {file}")


async def _measure(cluster: Cluster, side: Side, size: Size) -> dict[str, Any]:
    with console.status(f"{side.name}: getting ready"):
        await asyncio.to_thread(side.prepare, cluster, size)
        await until_quiet(cluster)
    calls = side.submissions(size)
    async with watching(cluster, side.label) as watch:
        measure.forget_peaks(cluster)
        before = measure.read(cluster)
        began = time.monotonic()
        created: dict[str, float] = {}

        def submit() -> None:
            for start in range(0, len(calls), 200):
                now = time.monotonic()
                created.update({_name(call.body): now for call in calls[start : start + 200]})
                cluster.api.call_all(calls[start : start + 200])

        with console.status(f"{side.name}: filling"):
            submitting = asyncio.create_task(asyncio.to_thread(submit))
            await until(lambda: len(watch.bound) >= size.workloads, "all pods to be bound", _FILL_SECONDS)
            await submitting
        filled = measure.read(cluster).since(before)
        filling = max(watch.bound.values()) - began
        with console.status(f"{side.name}: running to the end"):
            await until(lambda: len(watch.ended) >= size.workloads, "all pods to end", _FILL_SECONDS)
            await until(lambda: side.finished(cluster) >= size.workloads, "all workloads to be done", _FILL_SECONDS)
            await until_quiet(cluster)
        through = measure.read(cluster).since(before)
        peaks = measure.peak_memory_mib(cluster)
        with console.status(f"{side.name}: clearing up"):
            await asyncio.to_thread(side.clear, cluster, size)
            await until(lambda: not watch.pods, "all pods to be gone", _CLEAR_SECONDS)
            await until_quiet(cluster)
    waits = sorted(watch.bound[name] - created[name] for name in created)
    return {
        "workloads_bound_per_second": size.workloads / filling,
        "seconds_to_bound": {"p50": statistics.median(waits), "p99": waits[int(len(waits) * 0.99)], "max": waits[-1]},
        "until_bound": filled.per_workload(size.workloads),
        "until_quiet": through.per_workload(size.workloads),
        "peak_memory_mib": peaks,
    }


def _name(body: object) -> str:
    assert isinstance(body, dict)
    return str(body["metadata"]["name"])  # pyright: ignore[reportUnknownArgumentType] - our own manifests


def _show(measured: dict[str, dict[str, Any]]) -> None:
    table = Table("", *measured, box=None)

    def row(what: str, *path: str, digits: int = 1) -> None:
        cells: list[str] = []
        for side in measured.values():
            value: Any = side
            for part in path:
                value = value.get(part) if value is not None else None
            cells.append("" if value is None else f"{value:.{digits}f}")
        if any(cells):
            table.add_row(what, *cells)

    row("workloads bound per second", "workloads_bound_per_second")
    row("seconds to bound, median", "seconds_to_bound", "p50", digits=2)
    row("seconds to bound, 99 %", "seconds_to_bound", "p99", digits=2)
    processes = list(dict.fromkeys(name for side in measured.values() for name in side["peak_memory_mib"]))
    for process in processes:
        row(f"CPU ms per workload, {process}, until bound", "until_bound", "cpu_milliseconds", process, digits=2)
        row(f"CPU ms per workload, {process}, until quiet", "until_quiet", "cpu_milliseconds", process, digits=2)
    for process in processes:
        row(f"peak memory MiB, {process}", "peak_memory_mib", process, digits=0)
    row("watches that the API server cut off", "until_quiet", "cut_watches", digits=0)
    requests = sorted({name for side in measured.values() for name in side["until_quiet"]["requests"]})
    for name in requests:
        counts = [side["until_quiet"]["requests"].get(name, 0.0) for side in measured.values()]
        if max(counts) >= _FEW_REQUESTS:
            row(f"requests per workload: {name}", "until_quiet", "requests", name, digits=2)
    console.print(table)


typer.run(main)
