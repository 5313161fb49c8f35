"""`python -m bench.mixed`: workloads of all kinds, based on templates, under policies, past the admission webhook.

Measured: how long until all their pods are there, the API calls of a workload, and how long the API server waits for
the webhook: with dry runs one after another, and with all submissions at once.
"""

import asyncio
import time
from typing import Annotated, Any, Final

import typer

from aliquot import names
from aliquot_lab import Cluster
from aliquot_lab.api import Call
from aliquot_lab.ports import free_ports
from bench import measure
from bench.reporting import Output, console, hollow_lab, report
from bench.sides import IMAGE, Size, Workloads, annotated
from bench.watch import until, until_quiet, watching
from demo import platform

_PATIENCE_SECONDS = 900.0
_RUN_SECONDS = 3600
"""Longer than all of it takes."""
_PROJECTS: Final = 10
_TEMPLATES: Final = 20
"""As many of each kind."""
_SHARED: Final = platform.NAMESPACE
_GROUP: Final = f"/apis/{names.RUN_AI_GROUP}/v2alpha1/namespaces"
_API: Final = f"{names.RUN_AI_GROUP}/v2alpha1"
_KINDS: Final = ("training", "interactive", "distributed", "inference")
_POLICIES: Final = (*_KINDS, "training")
"""Of every kind one for all projects, and one that a project has of its own."""
_MEMBERS: Final = 4
"""Pods of a distributed workload."""


def main(
    nodes: Annotated[int, typer.Option(min=1)] = 500,
    gpus: Annotated[int, typer.Option(min=1)] = 8,
    workloads: Annotated[int, typer.Option(min=1)] = 1000,
    output: Output = None,
) -> None:
    """Submit workloads of all kinds that are carried out, evenly over projects and templates."""
    size = Size(nodes, gpus, workloads, _PROJECTS, _RUN_SECONDS)
    with hollow_lab(nodes, gpus) as cluster:
        figures = asyncio.run(_measure(cluster, size))
    report(output, nodes=nodes, workloads=workloads, **figures)


async def _measure(cluster: Cluster, size: Size) -> dict[str, Any]:
    port = free_ports(1)[0]
    side = Workloads(f"webhook.url=https://127.0.0.1:{port}/validate")
    await asyncio.to_thread(side.prepare, cluster, size)
    await asyncio.to_thread(lambda: platform.start_webhook(cluster, https_port=port))
    await asyncio.to_thread(cluster.api.call_all, [*_policies(), *_templates()])
    calls = [_submission(number) for number in range(size.workloads)]
    await until_quiet(cluster)
    with console.status("dry runs"):
        dry = await asyncio.to_thread(_dry_runs, cluster, calls)
    pods = sum(_pods(number) for number in range(size.workloads))
    async with watching(cluster, side.label) as watch:
        await until_quiet(cluster)
        before, asked = measure.read(cluster), measure.webhook_buckets(cluster)
        began = time.monotonic()
        with console.status("submitting"):
            submitting = asyncio.create_task(asyncio.to_thread(cluster.api.call_all, calls))
            await until(lambda: len(watch.pods) >= pods, "all pods to be made", _PATIENCE_SECONDS)
            made = time.monotonic() - began
            await submitting
        together = measure.within(asked, measure.webhook_buckets(cluster))
        await until_quiet(cluster)
        through = measure.read(cluster).since(before)
    return {
        "pods": pods,
        "seconds_until_all_pods_are_made": made,
        "admission": {"one_after_another": dry, "all_at_once": {"part_within_milliseconds": together}},
        "until_quiet": through.per_workload(size.workloads),
        "peak_memory_mib": measure.peak_memory_mib(cluster),
    }


def _dry_runs(cluster: Cluster, calls: list[Call]) -> dict[str, Any]:
    """Submit everything without effect, one after another."""
    asked, times = measure.webhook_buckets(cluster), list[float]()
    for call in calls:
        began = time.monotonic()
        cluster.api.call(call.method, f"{call.path}?dryRun=All", call.body)
        times.append((time.monotonic() - began) * 1000)
    times.sort()
    return {
        "whole_request_milliseconds": {"median": times[len(times) // 2], "p99": times[int(len(times) * 0.99)]},
        "part_within_milliseconds": measure.within(asked, measure.webhook_buckets(cluster)),
    }


def _policies() -> list[Call]:
    rules = {"gpu": {"rules": {"max": "8"}}, "environment": {"items": {"TEAM": {"value": "all"}}}}
    return [
        _made(
            _SHARED if number < len(_KINDS) else f"runai-p{number}",
            f"{kind}policies",
            {"kind": f"{kind.capitalize()}Policy", "metadata": {"name": "policy"}, "spec": rules},
        )
        for number, kind in enumerate(_POLICIES)
    ]


def _templates() -> list[Call]:
    return [
        _made(
            _SHARED,
            f"{kind}workloads",
            {
                "kind": f"{kind.capitalize()}Workload",
                "metadata": {"name": f"template-{number}"},
                "spec": {
                    "usage": "Template",
                    "image": {"value": IMAGE},
                    "environment": {"items": {"TEMPLATE": {"value": str(number)}}},
                    "annotations": annotated(_RUN_SECONDS),
                    **_of_kind(kind),
                },
            },
        )
        for number in range(_TEMPLATES)
        for kind in [_kind(number)]
    ]


def _submission(number: int) -> Call:
    kind, name = _kind(number), f"work-{number}"
    spec: dict[str, Any] = {
        "name": {"value": name},
        "baseWorkload": f"template-{number % _TEMPLATES}",
        "gpu": {"value": "1"},
        **_of_kind(kind),
    }
    if kind == "distributed":
        spec["workers"] = {"value": _MEMBERS - 1}
    return _made(
        f"runai-p{number % _PROJECTS}",
        f"{kind}workloads",
        {"kind": f"{kind.capitalize()}Workload", "metadata": {"name": name}, "spec": spec},
    )


def _kind(number: int) -> str:
    return _KINDS[number % len(_KINDS)]


def _pods(number: int) -> int:
    return _MEMBERS if _kind(number) == "distributed" else 1


def _of_kind(kind: str) -> dict[str, Any]:
    match kind:
        case "distributed":
            return {"jobType": "PyTorchJob"}
        case "inference":
            return {"ports": {"items": {"http": {"value": {"container": 8000}}}}}
        case _:
            return {}


def _made(namespace: str, plural: str, manifest: dict[str, Any]) -> Call:
    return Call("POST", f"{_GROUP}/{namespace}/{plural}", {"apiVersion": _API, **manifest})


if __name__ == "__main__":
    typer.run(main)
