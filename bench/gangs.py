"""`python -m bench.gangs`: gangs of single-GPU pods, beside Jobs with as many pods that nobody starts together.

Members of a gang have host names, for which there is a Service: Jobs are measured without one, and with one. All in one
lab, one after the other: how long until all pods have a node, and how far apart members of a gang get theirs.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from aliquot import names
from aliquot_lab import Cluster
from aliquot_lab.api import Call
from bench import measure
from bench.reporting import Output, console, hollow_lab, report
from bench.sides import IMAGE, Jobs, Size, Workloads, annotated, job_spec
from bench.watch import until, until_quiet, watching

_PATIENCE_SECONDS = 900.0
_RUN_SECONDS = 3600
"""Longer than all of it takes."""


@dataclass(frozen=True)
class _Gangs:
    """One way to run them.

    Attributes:
        name: in the report.
        side: gets the lab ready for it, and clears it.
        submissions: makes the requests for the gang of a number and a size.
    """

    name: str
    side: Jobs | Workloads
    submissions: Callable[[int, int], list[Call]]


def main(
    nodes: Annotated[int, typer.Option(min=1)] = 500,
    gpus: Annotated[int, typer.Option(min=1)] = 8,
    gangs: Annotated[int, typer.Option(min=1)] = 200,
    members: Annotated[int, typer.Option(min=2)] = 8,
    output: Output = None,
) -> None:
    """Start gangs on an empty lab, as indexed Jobs and as PyTorch gangs of Aliquot's."""
    ways = (
        _Gangs("indexed Jobs", Jobs(), lambda number, members: [_indexed_job("jobs-0", number, members)]),
        _Gangs("indexed Jobs with host names", Jobs("named"), _indexed_job_with_service),
        _Gangs("Aliquot", Workloads(), lambda number, members: [_pytorch(number, members)]),
    )
    size = Size(nodes, gpus, gangs, 1, _RUN_SECONDS)
    with hollow_lab(nodes, gpus) as cluster:
        measured = {way.name: asyncio.run(_measure(cluster, way, size, members)) for way in ways}
    whole = {"nodes": nodes, "gpus": gpus, "gangs": gangs, "members": members}
    report(output, size=whole, measured=measured)


async def _measure(cluster: Cluster, way: _Gangs, size: Size, members: int) -> dict[str, Any]:
    with console.status(f"{way.name}: getting ready"):
        await asyncio.to_thread(way.side.prepare, cluster, size)
        await until_quiet(cluster)
    calls = [call for number in range(size.workloads) for call in way.submissions(number, members)]
    async with watching(cluster, way.side.label) as watch:
        before = measure.read(cluster)
        began = time.monotonic()
        with console.status(f"{way.name}: filling"):
            submitting = asyncio.create_task(asyncio.to_thread(cluster.api.call_all, calls))
            pods = size.workloads * members
            await until(
                lambda: sum(map(len, watch.members.values())) >= pods, "all pods to be bound", _PATIENCE_SECONDS
            )
            await submitting
        filled = measure.read(cluster).since(before)
        times = sorted(when for gang in watch.members.values() for when in gang.values())
        spans = sorted(max(gang.values()) - min(gang.values()) for gang in watch.members.values())
        with console.status(f"{way.name}: clearing up"):
            await until_quiet(cluster)
            await asyncio.to_thread(way.side.clear, cluster, size)
            await until(lambda: not watch.pods, "all pods to be gone", _PATIENCE_SECONDS)
            await until_quiet(cluster)
    return {
        "seconds_until_all_are_bound": times[-1] - began,
        "seconds_from_first_to_last_member": {
            "median": spans[len(spans) // 2],
            "p99": spans[int(len(spans) * 0.99)],
            "most": spans[-1],
        },
        "until_bound": filled.per_workload(size.workloads),
    }


def _indexed_job(namespace: str, number: int, members: int, **pods: str) -> Call:
    """The submission of a Job; further members of its pods' specs may be given."""
    indexed = {"completionMode": "Indexed", "completions": members, "parallelism": members}
    spec = job_spec(_RUN_SECONDS)
    spec["template"]["spec"] |= pods
    job = {"metadata": {"name": f"gang-{number}"}, "spec": {**spec, **indexed}}
    return Call("POST", f"/apis/batch/v1/namespaces/{namespace}/jobs", job)


def _indexed_job_with_service(number: int, members: int) -> list[Call]:
    """The submissions of a Job whose pods find one another by name, as Kubernetes' documentation shows it."""
    name, namespace = f"gang-{number}", "named-0"
    service = {
        "metadata": {"name": name},
        "spec": {"clusterIP": "None", "selector": {Jobs.label: name}, "publishNotReadyAddresses": True},
    }
    made = Call("POST", f"/api/v1/namespaces/{namespace}/services", service)
    return [made, _indexed_job(namespace, number, members, subdomain=name)]


def _pytorch(number: int, members: int) -> Call:
    name = f"gang-{number}"
    return Call(
        "POST",
        f"/apis/{names.RUN_AI_GROUP}/v2alpha1/namespaces/runai-p0/distributedworkloads",
        {
            "apiVersion": f"{names.RUN_AI_GROUP}/v2alpha1",
            "kind": "DistributedWorkload",
            "metadata": {"name": name},
            "spec": {
                "jobType": "PyTorchJob",
                "name": {"value": name},
                "image": {"value": IMAGE},
                "workers": {"value": members - 1},
                "gpu": {"value": "1"},
                "annotations": annotated(_RUN_SECONDS),
            },
        },
    )


if __name__ == "__main__":
    typer.run(main)
