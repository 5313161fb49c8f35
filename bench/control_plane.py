"""`python -m bench.control_plane`: what the control plane costs, on SQLite and on PostgreSQL.

The control plane is a process of its own, as it is served; clusters are stood in for by the client that operators use.
Measured one after the other: projects made over REST by several callers at once, lists of them, all that a cluster is
to have from nothing, a quota's way to a cluster that waits for it. Then many clusters are connected at once, and tell
of workloads that change all the time.
"""

import asyncio
import contextlib
import itertools
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from aliquot.clock import SystemClock
from aliquot.contracts.cluster_sync import Report, ReportedCluster
from aliquot.contracts.cluster_workloads import ReportedResources, ReportedWorkload
from aliquot.rest.client import Address, ControlPlane
from aliquot_lab import LabError, postgresql
from aliquot_lab.ports import free_ports
from aliquot_lab.processes import eventually
from bench import measure
from bench.reporting import Output, console, report
from demo.administrator import DEPARTMENTS, PROJECTS, Administrator, Joined, owner, printed_credentials

_READY_SECONDS: Final = 120.0
_WAIT_SECONDS: Final = 50
_PAGE: Final = 500
_LISTS: Final = 200
_QUOTAS: Final = 50
_CALLERS: Final = 8


@dataclass(frozen=True)
class Size:
    """How much there is.

    Attributes:
        clusters: that are made.
        projects: of each.
        connected: clusters that are connected at once.
        workloads: of each of those.
        seconds: for which one of them changes in each of the clusters every second.
    """

    clusters: int
    projects: int
    connected: int
    workloads: int
    seconds: int


def main(
    clusters: Annotated[int, typer.Option(min=1)] = 3,
    projects: Annotated[int, typer.Option(min=1, help="Of each cluster.")] = 1000,
    connected: Annotated[int, typer.Option(min=1, help="Clusters that are connected at once.")] = 100,
    workloads: Annotated[int, typer.Option(min=1, help="Of each connected cluster.")] = 100,
    seconds: Annotated[int, typer.Option(min=1, help="For which a workload changes each second in each of them.")] = 60,
    output: Output = None,
) -> None:
    """Measure a control plane on both databases, one after the other."""
    size = Size(clusters, projects, connected, workloads, seconds)
    measured: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="aliquot-bench-") as folder:
        measured["sqlite"] = _measure(f"sqlite:///{folder}/aliquot.db", size)
    if postgresql.binaries() is None:
        console.print("PostgreSQL is left out: there is none on this machine.")
    else:
        with postgresql.postgresql() as url:
            measured["postgresql"] = _measure(url, size)
    report(output, size=asdict(size), measured=measured)


@dataclass(frozen=True)
class _Process:
    pid: int
    address: str
    administrator: Administrator


@contextlib.contextmanager
def _serving(database: str) -> Generator[_Process]:
    """A control plane with an empty database."""
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "aliquot", "control-plane", "serve", "--database", database, "--port", str(port)]
    with tempfile.TemporaryDirectory(prefix="aliquot-bench-") as folder, Administrator(address) as administrator:
        said = Path(folder, "said")
        with said.open("w") as out, Path(folder, "log").open("w") as log:
            process = subprocess.Popen(command, stdout=out, stderr=log)
        try:
            if not eventually(administrator.is_served, seconds=_READY_SECONDS):
                message = f"the control plane does not serve: {Path(folder, 'log').read_text()}"
                raise LabError(message)
            printed = printed_credentials(said.read_text())
            administrator.sign_in(printed["administrator"], printed["password"])
            yield _Process(process.pid, address, administrator)
        finally:
            process.terminate()
            process.wait()


def _measure(database: str, size: Size) -> dict[str, Any]:
    kind = database.partition(":")[0]
    with _serving(database) as served:
        call = served.administrator.call
        with console.status(f"{kind}: making {size.clusters * size.projects} projects"):
            joined = [served.administrator.add_cluster(f"c{number}") for number in range(size.clusters)]
            bodies = [owner(f"p{number}", cluster.uuid, 1) for cluster in joined for number in range(size.projects)]
            written = _timed([lambda body=body: call("POST", PROJECTS, body) for body in bodies], callers=_CALLERS)
        with console.status(f"{kind}: reading"):
            pages = [_list_of(call, joined[0], offset) for offset in range(0, size.projects, _PAGE)]
            page = _timed([each for _ in range(_LISTS // len(pages)) for each in pages])
            few = _timed([lambda: call("GET", PROJECTS, limit=50)] * _LISTS)
            departments = _timed([lambda: call("GET", DEPARTMENTS, limit=50)] * _LISTS)
        with console.status(f"{kind}: clusters"):
            whole = asyncio.run(_from_nothing(served.address, joined))
            quota = asyncio.run(_quotas(served, joined[0]))
        return {
            "projects_made": written,
            "page_of_500_projects": page,
            "page_of_50_projects": few,
            "page_of_departments": departments,
            "all_of_a_cluster": whole,
            "quota_to_waiting_cluster": quota,
            "connected": _connected(served, size, kind),
            "peak_memory_mib": measure.peak_mib(served.pid),
            "cpu_seconds": measure.cpu_seconds(served.pid),
        }


def _list_of(call: Callable[..., Any], cluster: Joined, offset: int) -> Callable[[], Any]:
    only = f"clusterId=={cluster.uuid}"
    return lambda: call("GET", PROJECTS, filterBy=only, sortBy="name", limit=_PAGE, offset=offset)


def _timed(requests: Sequence[Callable[[], Any]], callers: int = 1) -> dict[str, float]:
    """Do something several times; how many in a second, and how long one takes, in milliseconds."""

    def one(request: Callable[[], Any]) -> float:
        began = time.perf_counter()
        request()
        return time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        took = list(pool.map(one, requests))
    return {"per_second": len(took) / (time.perf_counter() - began), **_spread(took)}


def _spread(took: Sequence[float]) -> dict[str, float]:
    """Median, 99 % and the longest of seconds, in milliseconds."""
    ordered = sorted(each * 1000 for each in took)
    return {
        "milliseconds_median": ordered[len(ordered) // 2],
        "milliseconds_p99": ordered[int(len(ordered) * 0.99)],
        "milliseconds_most": ordered[-1],
    }


def _client(address: str, cluster: Joined) -> ControlPlane:
    def nothing(_request: str, _outcome: str, _seconds: float) -> None:
        """Count nothing."""

    return ControlPlane(Address(address, cluster.uuid, lambda: cluster.secret), SystemClock(), nothing)


async def _from_nothing(address: str, clusters: Sequence[Joined]) -> dict[str, float]:
    """Every cluster asks for all that it is to have, at the same time."""

    async def one(cluster: Joined) -> float:
        async with _client(address, cluster) as client:
            began = time.perf_counter()
            assert await client.desired("", 0) is not None
            return time.perf_counter() - began

    return _spread(await asyncio.gather(*map(one, clusters)))


async def _quotas(served: _Process, cluster: Joined) -> dict[str, float]:
    """A cluster waits for a change; quotas are changed one after the other."""
    call = served.administrator.call
    project = call("GET", PROJECTS, filterBy=f"clusterId=={cluster.uuid},name==p0")["projects"][0]["id"]
    took: list[float] = []
    async with _client(served.address, cluster) as client:
        wanted = await client.desired("", 0)
        for deserved in itertools.islice(itertools.count(2), _QUOTAS):
            assert wanted is not None, "something changes each time"
            waiting = asyncio.create_task(client.desired(wanted.tag, _WAIT_SECONDS))
            await asyncio.sleep(0.05)  # it waits by then; else the measure would be of a request that comes later
            began = time.perf_counter()
            amounts = [{"nodePool": None, "gpu": {"deserved": deserved}}]
            await asyncio.to_thread(call, "PATCH", f"{PROJECTS}/{project}/resources", amounts)
            wanted = await waiting
            took.append(time.perf_counter() - began)
    return _spread(took)


def _connected(served: _Process, size: Size, kind: str) -> dict[str, Any]:
    """Clusters tell of all their workloads, and then of those that change, while each waits for what it is to have."""
    with console.status(f"{kind}: {size.connected} more clusters"):
        joined = [served.administrator.add_cluster(f"f{number}") for number in range(size.connected)]
    with console.status(f"{kind}: {size.connected * size.workloads} workloads"):
        return asyncio.run(_told(served, joined, size))


async def _told(served: _Process, clusters: Sequence[Joined], size: Size) -> dict[str, Any]:
    async with contextlib.AsyncExitStack() as stack:
        fleet = [_Telling(await stack.enter_async_context(_client(served.address, each)), size) for each in clusters]
        began = time.perf_counter()
        first = await asyncio.gather(*(each.everything() for each in fleet))
        told = time.perf_counter() - began
        waiting = [asyncio.create_task(each.wait()) for each in fleet]
        used = measure.cpu_seconds(served.pid)
        took = await asyncio.gather(*(each.changes(number / len(fleet)) for number, each in enumerate(fleet)))
        used = measure.cpu_seconds(served.pid) - used
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    later = [one for each in took for one in each]
    return {
        "seconds_until_all_was_told": told,
        "first_reports": _spread(first),
        "reports_of_one_change": _spread(later),
        "reports_per_second": len(later) / size.seconds,
        "cpu_milliseconds_per_report": used * 1000 / len(later),
        "cores": used / size.seconds,
    }


class _Telling:
    """Stands in for a cluster with workloads.

    Args:
        client: speaks to the control plane.
        size: how much it has to tell.
    """

    def __init__(self, client: ControlPlane, size: Size) -> None:
        self._client = client
        self._size = size
        self._session = str(uuid.uuid4())
        self._sequence = 0

    async def everything(self) -> float:
        """Tell of the cluster and all its workloads; returns how many seconds that took."""
        cluster = ReportedCluster(version="0.1.0", kube_version="v1.37.2", platform="vanilla")
        every = tuple(_workload(number, 0) for number in range(self._size.workloads))
        return await self._tell(*every, cluster=cluster, complete=("workload",))

    async def changes(self, phase: float) -> list[float]:
        """Tell of another change each second; returns how many seconds each took.

        Args:
            phase: when in each second.
        """
        began, took = time.perf_counter() + phase, list[float]()
        for number in range(self._size.seconds):
            await asyncio.sleep(max(0.0, began + number - time.perf_counter()))
            took.append(await self._tell(_workload(number % self._size.workloads, number + 1)))
        return took

    async def wait(self) -> None:
        """Wait for what the cluster is to have, as long as somebody lets it."""
        tag = ""
        while True:
            wanted = await self._client.desired(tag, _WAIT_SECONDS)
            tag = tag if wanted is None else wanted.tag

    async def _tell(self, *workloads: ReportedWorkload, **parts: Any) -> float:
        self._sequence += 1
        said = Report(term=1, session=self._session, sequence=self._sequence, objects=workloads, **parts)
        began = time.perf_counter()
        await self._client.report(said.model_dump_json().encode())
        return time.perf_counter() - began


def _workload(number: int, change: int) -> ReportedWorkload:
    amounts = ReportedResources(gpu=1, cpu_milli=1000, memory_bytes=2**30)
    return ReportedWorkload(
        id=f"00000000-0000-0000-0000-{number:012}",
        name=f"job-{number}",
        namespace="runai-p0",
        type="TrainingWorkload",
        project="p0",
        phase="Running" if change % 2 else "Pending",
        phase_message=f"{change} pods running",
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
        running_pods=change,
        pods_requested=amounts,
        allocated=amounts,
        images=("registry.example.com/bench:1",),
    )


if __name__ == "__main__":
    typer.run(main)
