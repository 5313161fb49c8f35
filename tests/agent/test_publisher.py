"""Writing to the API server: only what differs, once, not faster than allowed, and again when it was away."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from aliquot.agent.attribution import PodRef, Usage
from aliquot.agent.node import OwnNode
from aliquot.agent.nvml import Snapshot
from aliquot.agent.pod_resources import Assignment, PodResourcesError
from aliquot.agent.publishing import OnlyOne, Publisher, Reports
from aliquot.agent.publishing.publisher import Handler
from aliquot.agent.settings import Publishing
from aliquot.agent.watching import Findings
from aliquot.clock import timestamp
from aliquot.contracts.kubernetes import Pod
from aliquot.kube.metrics import QueueMetrics
from aliquot.kube.transport import Limits
from aliquot.naming import reservation_name
from tests.kube.memory_server import Store, Weather, Wire, client_on
from tests.kube.virtual_time import LoopClock, in_virtual_time

IDLE = "aliquot.dev/gpu-idle-since"
ANSWER = "run.ai/reserve_for_gpu_index"
RESERVATION = reservation_name("n1/0")
HELD = Assignment("runai-reservation", RESERVATION, "reservation", "nvidia.com/gpu", ("GPU-b",))


def path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods/{name}"


def manifest(namespace: str, name: str, **annotations: str) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"namespace": namespace, "name": name, "uid": name, "annotations": annotations}}


class Pods:
    """The pods that the store had when they were last heard of."""

    def __init__(self, store: Store) -> None:
        self.synced = asyncio.Event()
        self._store = store
        self._known: dict[tuple[str, str], Pod] = {}
        self._handlers: list[Handler[Pod]] = []

    def hear(self) -> None:
        pods = [msgspec.convert(each, Pod) for each in self._store.objects.values() if each["kind"] == "Pod"]
        before = self._known
        self._known = {(pod.metadata.namespace, pod.metadata.name): pod for pod in pods}
        self.synced.set()
        for key, pod in self._known.items():
            for handler in self._handlers:
                handler(before.get(key), pod)

    def get(self, namespace: str, name: str) -> Pod | None:
        return self._known.get((namespace, name))

    def add_handler(self, handler: Handler[Pod]) -> None:
        self._handlers.append(handler)

    def __iter__(self) -> Iterator[Pod]:
        return iter(self._known.values())


class Nodes:
    """A node that nobody has anything to say of."""

    def __init__(self) -> None:
        self.synced = asyncio.Event()
        self.synced.set()

    def get(self, namespace: str, name: str) -> OwnNode | None:
        return msgspec.convert({"metadata": {"namespace": namespace, "name": name, "uid": "n"}}, OwnNode)

    def add_handler(self, handler: Handler[OwnNode]) -> None:
        del handler

    def __iter__(self) -> Iterator[OwnNode]:
        return iter(())


class World:
    """A publisher, an API server, and a kubelet; idle pods are those of namespace `team`."""

    def __init__(self, folder: Path) -> None:
        self.store = Store()
        self.wire = Wire(self.store, Limits(attempts=1))
        self.clock = LoopClock()
        self.pods = Pods(self.store)
        self.held: tuple[Assignment, ...] | None = ()
        self.asked = 0
        self.only_one = OnlyOne(folder)
        self.publisher = Publisher(
            client_on(self.wire),
            "n1",
            Reports(Publishing(idle_seconds=60)),
            self.only_one,
            Nodes(),
            self.pods,
            self.ask,
            self.clock,
            QueueMetrics(CollectorRegistry()),
        )

    async def ask(self) -> tuple[Assignment, ...]:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.held is None:
            raise PodResourcesError("no socket")
        return self.held

    def has(self, namespace: str, name: str, *, heard: bool = True, **fields: Any) -> None:
        self.store.put(path(namespace, name), {**manifest(namespace, name), **fields})
        if heard:
            self.pods.hear()

    def looks(self, idle_seconds: float = 100) -> None:
        """A reading says that pods have been idle for so long."""
        monotonic = self.clock.monotonic()
        idle = {PodRef(pod.metadata.namespace, pod.metadata.name, pod.metadata.uid) for pod in self.pods}
        last_work = dict.fromkeys((ref for ref in idle if ref.namespace == "team"), monotonic - idle_seconds)
        found = Findings(Snapshot("1", ()), Usage((), ()), (), last_work, monotonic, {})
        self.publisher.look(found, resumed=False)

    def stands(self, namespace: str, name: str, key: str) -> str | None:
        return self.store.objects[path(namespace, name)]["metadata"]["annotations"].get(key)

    @property
    def patches(self) -> int:
        return sum(request.verb == "patch" for request in self.wire.seen)


@asynccontextmanager
async def running(folder: Path) -> AsyncGenerator[World]:
    world = World(folder)
    task = asyncio.create_task(world.publisher.run())
    await asyncio.sleep(0)
    try:
        yield world
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@in_virtual_time
async def test_what_differs_is_written_once(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.has("team", "a")
        world.looks()
        since = timestamp(world.clock.now() - 100)
        await asyncio.sleep(1)
        assert world.stands("team", "a", IDLE) == since
        world.looks(101)  # the informer has not heard of it yet
        await asyncio.sleep(1)
        world.pods.hear()
        world.looks(102)
        await asyncio.sleep(1)
        assert world.patches == 1


@in_virtual_time
async def test_while_the_api_server_is_away_it_is_asked_less_and_less_and_then_told_the_latest(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.has("team", "a")
        world.wire.weather = Weather.NO_CONNECTION
        for _ in range(60):
            world.looks()
            await asyncio.sleep(10)
        assert 5 <= world.patches <= 12
        world.wire.weather = Weather.FINE
        world.looks()
        await asyncio.sleep(600)
        assert world.stands("team", "a", IDLE) is not None


@pytest.mark.parametrize(("code", "reason"), [(409, "Conflict"), (404, "NotFound")])
def test_an_object_that_became_another_is_left_to_the_next_reading(tmp_path: Path, code: int, reason: str) -> None:
    @in_virtual_time
    async def script() -> None:
        async with running(tmp_path) as world:
            world.has("team", "a")
            world.wire.refuse_with(code, reason, times=1)
            world.looks()
            await asyncio.sleep(1_000)
            assert (world.patches, world.stands("team", "a", IDLE)) == (1, None)
            world.looks()
            await asyncio.sleep(1)
            assert (world.patches, world.stands("team", "a", IDLE) is not None) == (2, True)

    script()


@in_virtual_time
async def test_work_that_comes_before_the_write_makes_it_needless(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.has("team", "a")
        world.looks()
        world.looks(0)
        await asyncio.sleep(10)
        assert world.patches == 0


@in_virtual_time
async def test_a_pod_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.has("team", "a")
        world.looks()
        del world.store.objects[path("team", "a")]
        world.pods.hear()
        await asyncio.sleep(10)
        assert world.patches == 0


@in_virtual_time
async def test_another_agent_of_the_node_keeps_it_from_writing(tmp_path: Path) -> None:
    other = OnlyOne(tmp_path)
    assert other.is_ours()
    async with running(tmp_path) as world:
        world.has("team", "a")
        world.looks()
        await asyncio.sleep(10)
        assert world.patches == 0
        other.close()
        world.looks()
        await asyncio.sleep(10)
        assert world.patches == 1


def waits(world: World, **status: Any) -> None:
    annotations = {"aliquot.dev/shared-gpus": "n1/0"}
    metadata = {"namespace": "runai-reservation", "name": RESERVATION, "uid": "r", "annotations": annotations}
    world.has(
        "runai-reservation", RESERVATION, metadata=metadata, status={"containerStatuses": [{"name": "x"}], **status}
    )


@in_virtual_time
async def test_a_reservation_is_answered_as_soon_as_it_is_heard_of(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.held = (HELD,)
        waits(world)
        await asyncio.sleep(0.1)
        assert world.stands("runai-reservation", RESERVATION, ANSWER) == "GPU-b"
        world.pods.hear()
        await asyncio.sleep(100)
        assert (world.patches, world.asked) == (1, 1)


@pytest.mark.parametrize("held", [(), None], ids=["it has given none", "it does not answer"])
def test_the_kubelet_is_asked_until_it_says_the_device(tmp_path: Path, held: tuple[Assignment, ...] | None) -> None:
    @in_virtual_time
    async def script() -> None:
        async with running(tmp_path) as world:
            world.held = held
            waits(world)
            await asyncio.sleep(60)
            assert 10 <= world.asked <= 30
            world.held = (HELD,)
            await asyncio.sleep(6)
            assert world.stands("runai-reservation", RESERVATION, ANSWER) == "GPU-b"

    script()


@in_virtual_time
async def test_a_reservation_whose_kubelet_says_it_itself_is_not_answered(tmp_path: Path) -> None:
    async with running(tmp_path) as world:
        world.held = (HELD,)
        said = [{"name": "nvidia.com/gpu", "resources": [{"resourceID": "GPU-b"}]}]
        waits(world, containerStatuses=[{"name": "x", "allocatedResourcesStatus": said}])
        world.looks()
        await asyncio.sleep(10)
        assert (world.patches, world.asked) == (0, 0)
