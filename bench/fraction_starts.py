"""`python -m bench.fraction_starts`: on a real kubelet, from the creation of a workload until its container runs.

By turns: a whole GPU, the first part of another one, and a second part of that. For the first part the GPU has to be
held, and its node has to say which one it is. GPUs and their device plugin are fake; kubelet and containers are not.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from aliquot_lab import Cluster, dedicated, real_nodes
from aliquot_lab.launch import Options
from aliquot_lab.nodes.images import BUSYBOX, PAUSE
from bench.reporting import Output, console, report
from bench.sides import Workloads
from bench.watch import Watch, until, watching
from demo import platform
from demo.fake_gpus import products, state

_SECONDS = 120.0
_SOON = 0.01
_GPUS = 4
_NODE = "real-0"
_NAMESPACE = "runai-p0"
_WORKLOADS = f"/apis/run.ai/v2alpha1/namespaces/{_NAMESPACE}/trainingworkloads"
_RESERVATIONS = "/api/v1/namespaces/runai-reservation/pods"
_ASKED = {"whole GPU": "1", "first part": "0.5", "second part": "0.5"}


def main(
    times: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 20, output: Output = None
) -> None:
    """Start pods on a real node, one after the other."""
    with _cluster() as cluster:
        seconds = asyncio.run(_measure(cluster, times))
    middle = {what: statistics.median(found) for what, found in seconds.items()}
    report(
        output,
        times=times,
        seconds_until_running={what: {"median": middle[what], "all": sorted(found)} for what, found in seconds.items()},
        second_part_beside_whole_gpu=middle["second part"] / middle["whole GPU"],
        first_part_later_by_seconds=middle["first part"] - middle["whole GPU"],
    )


@contextmanager
def _cluster() -> Generator[Cluster]:
    """A lab with one real node with GPUs, the platform, and a project."""
    with dedicated(Options(), nodes=0) as cluster:
        platform.install(cluster)
        platform.start_operator(cluster, settings={"ALIQUOT_GRANTS__RESERVATION_IMAGE": PAUSE})
        with real_nodes(cluster, [_NODE]) as (node,):
            file = node.folder / "fake-gpus"
            state.write(file, products.node(node.name, _GPUS))
            plugin = [
                sys.executable,
                "-m",
                "demo.fake_gpus",
                "plugin",
                str(file),
                "--kubelet",
                str(node.device_plugins),
            ]
            cluster.run("fake-gpus", plugin, {"PYTHONPATH": str(Path(__file__).parent.parent)})
            queue = {"name": "p0", "nodepool": "default", "resources": {"gpu": {"deserved": _GPUS}}}
            project = {"apiVersion": "run.ai/v2", "kind": "Project", "metadata": {"name": "p0"}}
            cluster.api.call("POST", "/apis/run.ai/v2/projects", {**project, "spec": {"queues": [queue]}})
            yield cluster


async def _measure(cluster: Cluster, times: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {what: [] for what in _ASKED}
    async with watching(cluster, Workloads.label) as watch:
        with console.status("the first pod of the node"):
            await until(lambda: _gpus(cluster) == _GPUS, "the GPUs to be there", _SECONDS)
            await _start(cluster, watch, "warm", "0.5")
            await _clear(cluster, watch)
        for number in range(times):
            with console.status(f"{number + 1} of {times}"):
                for what, gpu in _ASKED.items():
                    name = f"{what.lower().replace(' ', '-')}-{number}"
                    found[what].append(await _start(cluster, watch, name, gpu))
                await _clear(cluster, watch)
    return found


async def _start(cluster: Cluster, watch: Watch, name: str, gpu: str) -> float:
    """Create a workload; returns how many seconds it took until its container ran."""
    values = {"name": name, "image": BUSYBOX, "imagePullPolicy": "Never", "gpu": gpu, "cpu": "0.01", "memory": "10Mi"}
    spec: dict[str, Any] = {key: {"value": value} for key, value in values.items()}
    spec["command"] = {"value": 'sh -c "trap exit TERM; sleep 100000 & wait"'}
    workload = {"apiVersion": "run.ai/v2alpha1", "kind": "TrainingWorkload", "metadata": {"name": name}, "spec": spec}
    began = time.monotonic()
    await asyncio.to_thread(cluster.api.call, "POST", _WORKLOADS, workload)
    await until(lambda: name in watch.running, f"{name} to run", _SECONDS, _SOON)
    return watch.running[name] - began


async def _clear(cluster: Cluster, watch: Watch) -> None:
    await asyncio.to_thread(cluster.api.call, "DELETE", _WORKLOADS)
    await until(lambda: not watch.pods, "all pods to be gone", _SECONDS)
    await until(lambda: not cluster.api.call("GET", _RESERVATIONS)["items"], "no GPU to be held", _SECONDS)


def _gpus(cluster: Cluster) -> int:
    status = cluster.api.call("GET", f"/api/v1/nodes/{_NODE}")["status"]
    return int(status.get("allocatable", {}).get("nvidia.com/gpu", 0))


if __name__ == "__main__":
    typer.run(main)
