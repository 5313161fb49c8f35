"""The fake device plugin, as a kubelet sees it: over its sockets."""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc import aio

from demo.fake_gpus import endpoint, products, serving, state
from demo.fake_gpus.kubelet_api import deviceplugin_pb2 as api
from demo.fake_gpus.model import NodeState
from demo.fake_gpus.offers import FakeNvml
from demo.fake_gpus.state import StateError
from demo.fake_gpus.watching import WatchedState
from tests.fake_gpus.small_kubelet import PATIENCE_SECONDS, SmallKubelet

GPU = "nvidia.com/gpu"
NODE = products.node("n1", 4)
UUIDS = [gpu.uuid for gpu in NODE.gpus]


@pytest.fixture
def folder() -> Generator[Path]:
    """A kubelet's folder of device plugins; pytest's own folders are too deep for the names of sockets."""
    name = tempfile.mkdtemp(prefix="kubelet-")
    yield Path(name)
    shutil.rmtree(name)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@asynccontextmanager
async def plugin_of(file: Path, folder: Path, nvml: FakeNvml | None = None) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(serving.serve(file, folder, nvml, stop))
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def kubelet_in(folder: Path) -> AsyncGenerator[SmallKubelet]:
    kubelet = SmallKubelet(folder)
    await kubelet.start()
    try:
        yield kubelet
    finally:
        await kubelet.stop()


@asynccontextmanager
async def registered(
    folder: Path, tmp_path: Path, node: NodeState, nvml: FakeNvml | None = None
) -> AsyncGenerator[tuple[SmallKubelet, Path]]:
    """A kubelet that knows the plugin of a node, and the node's file."""
    file = tmp_path / "state"
    state.write(file, node)
    async with kubelet_in(folder) as kubelet, plugin_of(file, folder, nvml):
        yield kubelet, file


async def test_a_node_offers_its_gpus(folder: Path, tmp_path: Path) -> None:
    async with registered(folder, tmp_path, NODE.with_gpu(1, numa=1)) as (kubelet, _):
        await kubelet.until({GPU: UUIDS})
        (request,) = kubelet.registered
        assert (request.version, request.resource_name) == ("v1beta1", GPU)
        assert request.options.get_preferred_allocation_available
        nodes = {uuid: [node.ID for node in device.topology.nodes] for uuid, device in kubelet.devices[GPU].items()}
        assert nodes == {UUIDS[0]: [], UUIDS[1]: [1], UUIDS[2]: [], UUIDS[3]: []}
        assert await kubelet.plugin(GPU).GetDevicePluginOptions(api.Empty()) == request.options


async def test_mig_devices_are_resources_of_their_profiles(folder: Path, tmp_path: Path) -> None:
    node = products.node("n2", 2, product="a100", mig=("1g.5gb", "1g.5gb", "3g.20gb")).with_gpu(
        1, mig=False, instances=()
    )
    instances = [instance.uuid for instance in node.gpus[0].instances]
    async with registered(folder, tmp_path, node) as (kubelet, file):
        offered = {"nvidia.com/mig-1g.5gb": instances[:2], "nvidia.com/mig-3g.20gb": instances[2:]}
        await kubelet.until({GPU: [node.gpus[1].uuid], **offered})
        state.write(file, node.with_gpu(0, healthy=False))
        await kubelet.until({GPU: [node.gpus[1].uuid], "nvidia.com/mig-1g.5gb": [], "nvidia.com/mig-3g.20gb": []})
        state.write(file, node.with_gpu(0, mig=False, instances=()))
        await kubelet.until(
            {GPU: [gpu.uuid for gpu in node.gpus], "nvidia.com/mig-1g.5gb": [], "nvidia.com/mig-3g.20gb": []}
        )


async def test_health_and_number_follow_the_file(folder: Path, tmp_path: Path) -> None:
    async with registered(folder, tmp_path, NODE) as (kubelet, file):
        await kubelet.until({GPU: UUIDS})
        state.write(file, NODE.with_gpu(2, healthy=False))
        await kubelet.until({GPU: [*UUIDS[:2], UUIDS[3]]})
        assert set(kubelet.devices[GPU]) == set(UUIDS)
        state.write(file, NODE.with_fields(gpus=NODE.gpus[:1]))
        await kubelet.until({GPU: UUIDS[:1]})
        assert set(kubelet.devices[GPU]) == set(UUIDS[:1])
        state.write(file, NODE)
        await kubelet.until({GPU: UUIDS})


async def test_a_file_that_is_not_in_order_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "state"
    state.write(file, NODE)
    watched = WatchedState(file)
    for spoil in (lambda: file.write_text("gpu\n"), file.unlink):
        spoil()
        await watched.poll()
        assert (watched.node, watched.version) == (NODE, 0)
    state.write(file, NODE.with_gpu(0, healthy=False))
    await watched.poll()
    assert (watched.node, watched.version) == (NODE.with_gpu(0, healthy=False), 1)


async def test_it_does_not_start_with_a_file_that_is_not_in_order(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_text("gpus 8\n")
    with pytest.raises(StateError, match="line 1: gpus: there is no such key"):
        await serving.serve(file, folder, None, asyncio.Event())


async def test_it_registers_with_every_kubelet_that_starts(folder: Path, tmp_path: Path) -> None:
    async with registered(folder, tmp_path, NODE) as (kubelet, _):
        for times in range(1, 4):
            await kubelet.until({GPU: UUIDS})
            assert len(kubelet.registered) == times
            await kubelet.stop()
            await kubelet.start()
        await kubelet.until({GPU: UUIDS})


async def test_it_waits_for_a_kubelet_and_asks_again_when_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "state"
    state.write(file, NODE)
    async with plugin_of(file, folder), kubelet_in(folder) as kubelet:
        await kubelet.until({GPU: UUIDS})
        kubelet.refusing = True
        await kubelet.stop()
        await kubelet.start()
        await kubelet.until_refused(3)
        kubelet.refusing = False
        await kubelet.until({GPU: UUIDS})


async def test_it_registers_again_with_a_kubelet_that_has_forgotten_it(folder: Path, tmp_path: Path) -> None:
    """Each time at another socket: the kubelet may take two at the same path for one, and forget the wrong one."""
    async with registered(folder, tmp_path, NODE) as (kubelet, _):
        for times in range(1, 4):
            await kubelet.until_registered(times)
            await kubelet.until({GPU: UUIDS})
            await kubelet.forget(GPU)
        await kubelet.until_registered(4)
        await kubelet.until({GPU: UUIDS})
        endpoints = [request.endpoint for request in kubelet.registered]
        assert len({*endpoints}) == len(endpoints)
        assert files(folder) == [endpoints[-1], "kubelet.sock"]


async def test_it_registers_again_with_a_kubelet_that_does_not_dial_back(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "LIST_SECONDS", 0.3)
    file = tmp_path / "state"
    state.write(file, NODE)
    async with kubelet_in(folder) as kubelet:
        kubelet.silent = True
        async with plugin_of(file, folder):
            await kubelet.until_registered(3)
            kubelet.silent = False
            await kubelet.until({GPU: UUIDS})


def _asks(*containers: list[str]) -> api.AllocateRequest:
    return api.AllocateRequest(
        container_requests=[api.ContainerAllocateRequest(devices_ids=devices) for devices in containers]
    )


async def test_containers_are_told_their_devices(folder: Path, tmp_path: Path) -> None:
    async with registered(folder, tmp_path, NODE) as (kubelet, _):
        await kubelet.until({GPU: UUIDS})
        answer = await kubelet.plugin(GPU).Allocate(_asks([UUIDS[2], UUIDS[0]], [UUIDS[1]]))
        assert [dict(container.envs) for container in answer.container_responses] == [
            {"NVIDIA_VISIBLE_DEVICES": f"{UUIDS[0]},{UUIDS[2]}"},
            {"NVIDIA_VISIBLE_DEVICES": UUIDS[1]},
        ]
        assert not any(container.mounts for container in answer.container_responses)
        with pytest.raises(aio.AioRpcError) as refused:
            await kubelet.plugin(GPU).Allocate(_asks([UUIDS[0], "GPU-none"]))
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert refused.value.details() == "nvidia.com/gpu: no such device: GPU-none"


async def test_containers_may_get_the_fake_library_and_the_state(folder: Path, tmp_path: Path) -> None:
    nvml = FakeNvml(Path("/opt/libnvidia-ml.so.1"), Path("/run/gpus/n1"))
    async with registered(folder, tmp_path, NODE, nvml) as (kubelet, _):
        await kubelet.until({GPU: UUIDS})
        (container,) = (await kubelet.plugin(GPU).Allocate(_asks(UUIDS[:1]))).container_responses
        inside = {mount.host_path: mount.container_path for mount in container.mounts}
        assert set(inside) == {"/opt/libnvidia-ml.so.1", "/run/gpus"}
        assert all(mount.read_only for mount in container.mounts)
        assert inside["/opt/libnvidia-ml.so.1"] == f"{container.envs['LD_LIBRARY_PATH']}/libnvidia-ml.so.1"
        assert container.envs["FAKE_NVML_STATE"] == f"{inside['/run/gpus']}/n1"


PREFERRED: list[tuple[str, list[str], list[str], int, list[str]]] = [
    ("the first of the file", UUIDS[::-1], [], 2, UUIDS[:2]),
    ("of those that are free", [UUIDS[3], UUIDS[1]], [], 1, [UUIDS[1]]),
    ("beside those that must be", UUIDS, [UUIDS[3]], 2, [UUIDS[3], UUIDS[0]]),
]


@pytest.mark.parametrize(
    ("available", "required", "size", "chosen"), [row[1:] for row in PREFERRED], ids=[row[0] for row in PREFERRED]
)
async def test_which_devices_a_container_gets_is_known_beforehand(
    folder: Path, tmp_path: Path, available: list[str], required: list[str], size: int, chosen: list[str]
) -> None:
    async with registered(folder, tmp_path, NODE) as (kubelet, _):
        await kubelet.until({GPU: UUIDS})
        asked = api.ContainerPreferredAllocationRequest(
            available_deviceIDs=available, must_include_deviceIDs=required, allocation_size=size
        )
        answer = await kubelet.plugin(GPU).GetPreferredAllocation(
            api.PreferredAllocationRequest(container_requests=[asked])
        )
        assert [list(container.deviceIDs) for container in answer.container_responses] == [chosen]


async def test_as_a_process_it_ends_on_sigterm_and_its_devices_go(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "state"
    state.write(file, NODE)
    async with kubelet_in(folder) as kubelet:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "demo.fake_gpus", "plugin", str(file), "--kubelet", str(folder)),
            stderr=asyncio.subprocess.PIPE,
        )
        await kubelet.until({GPU: UUIDS})
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert b"Traceback" not in said, said.decode()
        await kubelet.until({})
        assert files(folder) == ["kubelet.sock"]
