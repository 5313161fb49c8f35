"""`python -m bench.scrape`: how long a scrape of the agent takes, and what it costs, on a node of shared GPUs.

Everything is the agent's own: pynvml, cgroups, gRPC, HTTP. Of the node there are only the fake NVML library, a folder
with the cgroups of the sharers in the place of /proc, a kubelet that answers one question, and pods that are known.
The scrapes come from this process, too: times and costs count both sides.
"""

import asyncio
import ctypes
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import aiohttp
import grpc
import typer

from aliquot.agent.exporter import Collector
from aliquot.agent.nvml import Ledger, Session, load
from aliquot.agent.observing import Observer
from aliquot.agent.pod_resources import PodResources
from aliquot.agent.pod_resources import podresources_pb2 as api
from aliquot.agent.readings import Readings
from aliquot.agent.settings import AgentSettings
from aliquot.agent.watching import Knowledge
from aliquot.clock import SystemClock
from aliquot.contracts.kubernetes import Metadata, Pod
from aliquot.observe import Observatory
from aliquot.process import registry_of_process
from aliquot.settings import Server
from bench.reporting import Output, report
from demo.fake_gpus import library, state
from demo.fake_gpus.model import GpuProcess, NodeState
from demo.fake_gpus.products import node

_FIRST_PID = 1_000
_INTERVAL_SECONDS = 15


class _Pods:
    """The node's pods: each has a part of one GPU."""

    def __init__(self, cards: NodeState, sharers: int) -> None:
        self.synced = asyncio.Event()
        self.synced.set()
        self._pods = [
            Pod(
                metadata=Metadata(
                    namespace="team", name=f"p{number}", uid=_uid(number), annotations=_part(uuid, sharers)
                )
            )
            for number, uuid in enumerate(gpu.uuid for gpu in cards.gpus for _ in range(sharers))
        ]

    def __iter__(self) -> Iterator[Pod]:
        return iter(self._pods)


def _uid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def _part(uuid: str, sharers: int) -> dict[str, str]:
    return {"aliquot.dev/gpu-ids": uuid, "aliquot.dev/gpu-portion": f"{1 / sharers:.2f}"}


def _shared(gpus: int, sharers: int) -> NodeState:
    """A node on whose every GPU so many processes run."""
    cards = node("bench", gpus)
    for index in range(gpus):
        pids = range(_FIRST_PID + index * sharers, _FIRST_PID + (index + 1) * sharers)
        running = [GpuProcess(pid=pid, memory_used_mib=1_000, sm_percent=10) for pid in pids]
        cards = cards.with_gpu(index, gpu_percent=40, processes=running)
    return cards


def _cgroups(proc: Path, number: int) -> None:
    """What /proc would say of the sharers, on a node with cgroup v1, which has the longest texts."""
    for each in range(number):
        path = f"/kubepods/burstable/pod{_uid(each)}/{each:064x}"
        folder = proc / str(_FIRST_PID + each)
        folder.mkdir(parents=True)
        lines = [f"{line}:group{line}:{path}" for line in range(12, 0, -1)]
        (folder / "cgroup").write_text("\n".join([*lines, "0::/", ""]))


@contextmanager
def _kubelet(socket: Path, cards: NodeState) -> Generator[None]:
    """Says which reservation pod holds which GPU."""
    held = [api.ContainerDevices(resource_name="nvidia.com/gpu", device_ids=[gpu.uuid]) for gpu in cards.gpus]
    answer = api.ListPodResourcesResponse(
        pod_resources=[
            api.PodResources(
                namespace="runai-reservation",
                name=f"gpu-{number}",
                containers=[api.ContainerResources(name="pause", devices=[devices])],
            )
            for number, devices in enumerate(held)
        ]
    )

    def tell(_: api.ListPodResourcesRequest, __: grpc.ServicerContext) -> api.ListPodResourcesResponse:
        return answer

    method = grpc.unary_unary_rpc_method_handler(
        tell,
        request_deserializer=api.ListPodResourcesRequest.FromString,
        response_serializer=api.ListPodResourcesResponse.SerializeToString,
    )
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("v1.PodResourcesLister", {"List": method}),))
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    try:
        yield
    finally:
        server.stop(None).wait()


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


async def _measure(folder: Path, cards: NodeState, sharers: int, scrapes: int) -> dict[str, float]:
    clock, ledger = SystemClock(), Ledger()
    observer = Observer(Session(load(), clock, ledger), PodResources(folder / "s", 5), folder / "proc", clock)
    readings = Readings(observer.observe, clock, 30)
    knowledge = Knowledge(AgentSettings(), clock, readings, ledger)
    knowledge.pods = _Pods(cards, sharers)
    registry = registry_of_process()
    registry.register(Collector(knowledge.view))

    async def look() -> None:
        await readings.fresh()
        knowledge.update()

    observatory = Observatory(
        Server(host="127.0.0.1", port=0), registry, lambda: None, lambda: None, before_metrics=look
    )
    await observatory.start()
    async with aiohttp.ClientSession() as session:

        async def scrape() -> tuple[float, bytes]:
            begun = time.perf_counter()
            async with session.get(f"http://127.0.0.1:{observatory.port}/metrics") as answer:
                body = await answer.read()
            return time.perf_counter() - begun, body

        first, body = await scrape()  # it opens the driver
        cpu = _cpu_seconds()
        later = sorted([(await scrape())[0] for _ in range(scrapes)])
        used = _cpu_seconds() - cpu
    await observatory.close()
    return {
        "first_ms": round(first * 1e3, 1),
        "median_ms": round(statistics.median(later) * 1e3, 1),
        "p99_ms": round(later[int(len(later) * 0.99)] * 1e3, 1),
        "cpu_ms_per_scrape": round(used / scrapes * 1e3, 1),
        "percent_of_a_core_at_15_s": round(used / scrapes / _INTERVAL_SECONDS * 100, 3),
        "resident_mib": round(_resident_mib(), 1),
        "samples": sum(not line.startswith(b"#") for line in body.splitlines()),
        "bytes": len(body),
    }


def main(
    gpus: Annotated[int, typer.Option(min=1, max=64)] = 8,
    sharers: Annotated[int, typer.Option(min=1, max=100, help="Of each GPU.")] = 4,
    scrapes: Annotated[int, typer.Option(min=10)] = 200,
    output: Output = None,
) -> None:
    """Scrape, one scrape after the other, and tell."""
    cards = _shared(gpus, sharers)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state.write(folder / "state", cards)
        os.environ[state.VARIABLE] = str(folder / "state")
        os.environ.pop("NVIDIA_VISIBLE_DEVICES", None)
        ctypes.CDLL(str(library.ensure()))
        _cgroups(folder / "proc", gpus * sharers)
        with _kubelet(folder / "s", cards):
            measured = asyncio.run(_measure(folder, cards, sharers, scrapes))
    report(output, gpus=gpus, sharers=sharers, scrapes=scrapes, **measured)


if __name__ == "__main__":
    typer.run(main)
