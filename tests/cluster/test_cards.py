"""Shared GPUs on nodes that refuse, are silent or vanish, as hollow nodes never do; and what the scheduler is told."""

import asyncio
from typing import Any

import msgspec

from aliquot import names
from aliquot.clock import timestamp
from aliquot.cluster.granting.bind import Granter
from aliquot.cluster.granting.cards import Cards
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.work import Task
from aliquot.contracts.kubernetes import Condition, Metadata, Node, NodeStatus, Pod
from aliquot.core.grants import reserved_gpu
from aliquot.core.intake import Tenant, node_fact, pod_facts
from aliquot.core.scheduling import ClusterState, NodeChanged, QueueChanged, check, decide
from aliquot.core.scheduling.facts import Queue, Share
from aliquot.kube.problems import Request
from aliquot.settings import Grants
from tests.kube.memory_server import Json, Store, Wire, client_on
from tests.kube.virtual_time import LoopClock, in_virtual_time

POD = msgspec.json.Decoder(Pod)
RESERVATIONS = "/api/v1/namespaces/runai-reservation/pods"
PODS = "/api/v1/namespaces/a/pods"
SETTINGS = Grants(rejected_seconds=10, device_seconds=60)


class Server(Store):
    """An API server that knows bindings."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__()
        self._clock = clock

    def put(self, path: str, body: Json) -> Json:
        body["metadata"].setdefault("uid", f"uid {len(self.versions)}")
        body["metadata"].setdefault("creationTimestamp", timestamp(self._clock.now()))
        return super().put(path, body)

    def carry_out(self, request: Request, method: str, path: str, body: bytes | None) -> bytes:
        if not path.endswith("/binding"):
            return super().carry_out(request, method, path, body)
        binding = msgspec.json.decode(body or b"{}")
        bound = self.objects[path.removesuffix("/binding")]
        bound["metadata"]["annotations"] |= binding["metadata"].get("annotations", {})
        bound["spec"]["nodeName"] = binding["target"]["name"]
        self.put(path.removesuffix("/binding"), bound)
        return b"{}"


class World:
    """A node, an operator without a loop of its own, and a kubelet that does what the test says.

    Args:
        gpus: how many the node has.
        server: what an earlier operator has left; None: nothing.

    Attributes:
        withdrawn: names of pods that had to give their parts up, and why.
    """

    def __init__(self, gpus: int = 1, server: Server | None = None) -> None:
        self.clock = LoopClock()
        self.server = server or Server(self.clock)
        self.mirror, self.state = Mirror(), ClusterState()
        self.withdrawn: dict[str, str] = {}
        self._todo: list[tuple[Task, Key]] = []
        self._later: list[tuple[float, Task, Key]] = []
        client = client_on(Wire(self.server))
        self.jobs = Jobs(self.state.apply, self.clock, lambda _: None)
        self.cards = Cards(client, self.mirror, self.clock, self.jobs, self._add, self._withdraw, SETTINGS)
        self.granter = Granter(client, self.mirror, self.cards, self.cards.submit, lambda pod, bind: None)
        amounts: dict[str, str | int | float] = {"nvidia.com/gpu": gpus, "cpu": "64", "memory": "1Ti", "pods": 110}
        status = NodeStatus(allocatable=amounts, conditions=(Condition(type="Ready", status="True"),))
        node = Node(metadata=Metadata(name="n", uid="n", resource_version="1"), status=status)
        self.mirror.nodes.put(node)
        self.state.apply(NodeChanged(node_fact(node, ())))
        self.state.apply(QueueChanged(Queue("vision", "default", gpu=Share(deserved=800))))
        self.mirror.listeners.pod.append(self._pod_changed)
        self.echo()
        self.cards.start()

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """As the feed does."""
        pod = new or old
        assert pod is not None
        if reserved_gpu(pod):
            return
        if new is None:
            self.jobs.gone(pod.metadata.uid)
        else:
            self.jobs.here(pod_facts(new, Tenant("vision", ())))

    def _add(self, task: Task, key: Key, after_seconds: float = 0) -> None:
        if after_seconds:
            self._later.append((self.clock.now() + after_seconds, task, key))
        else:
            self._todo.append((task, key))

    def _withdraw(self, pod: Pod, why: str) -> None:
        self.withdrawn[pod.metadata.name] = why

    # What people and nodes do

    def submit(self, name: str, annotations: dict[str, str] | None = None, gpus: int = 0) -> None:
        self.submit_unheard(name, annotations, gpus)
        self.echo()

    def submit_unheard(self, name: str, annotations: dict[str, str] | None = None, gpus: int = 0) -> None:
        """Make a pod, of which alone the watch tells."""
        limits = {"limits": {"nvidia.com/gpu": str(gpus)}} if gpus else {}
        manifest: Json = {
            "metadata": {"name": name, "namespace": "a", "annotations": annotations or {}},
            "spec": {"schedulerName": names.SCHEDULER_NAME, "containers": [{"name": "main", "resources": limits}]},
        }
        made = self.server.put(f"{PODS}/{name}", manifest)
        self.mirror.pods.put(POD.decode(msgspec.json.encode(made)))

    def echo(self) -> None:
        """The watch tells of everything."""
        there = {path: POD.decode(msgspec.json.encode(found)) for path, found in self.server.objects.items()}
        for pod in there.values():
            self.mirror.pods.put(pod)
        for pod in list(self.mirror.pods):
            if pod.metadata.uid not in {each.metadata.uid for each in there.values()}:
                self.mirror.pods.drop(Key(pod.metadata.namespace, pod.metadata.name), pod.metadata.uid)

    def kubelet(self, device: str = "", *, number: int = 1, phase: str = "") -> None:
        """Say of a reservation which device it has, or that it has ended."""
        path = f"{RESERVATIONS}/gpu-reservation-n-shared-{number}"
        found = self.server.objects[path]
        allocated = [{"name": "nvidia.com/gpu", "resources": [{"resourceID": device}]}]
        status: Json = {"containerStatuses": [{"name": "reservation", "allocatedResourcesStatus": allocated}]}
        self.server.put(path, {**found, "status": status if device else {"phase": phase}})
        self.echo()

    def end(self, name: str) -> None:
        path = f"{PODS}/{name}"
        self.server.put(path, {**self.server.objects[path], "status": {"phase": "Succeeded"}})
        self.echo()

    # What the operator does

    def decide(self) -> list[str]:
        """Have a round; returns the names of the pods that it binds. The books are in order before and after."""
        plan = decide(self.state, self.clock.now())
        assert check(self.state, plan) == []
        bound: list[str] = []
        for bind in plan.binds:
            pod = self.mirror.pod(bind.task)
            assert pod is not None
            self._add(Task.GRANT, self.granter.assume(bind, pod))
            bound.append(pod.metadata.name)
        assert check(self.state) == []
        return sorted(bound)

    async def work(self, seconds: float = 0) -> None:
        """Do all that is to be done now, and so long afterwards."""
        until = self.clock.now() + seconds
        while True:
            while self._todo:
                task, key = self._todo.pop(0)
                await (self.cards.tend(key) if task is Task.SHARED_GPU else self.granter.carry_out(key))
                self.echo()
                assert check(self.state) == []
            due = sorted(each for each in self._later if each[0] <= until)
            if not due:
                return
            self._later.remove(due[0])
            await asyncio.sleep(max(0.0, due[0][0] - self.clock.now()))
            self._todo.append((due[0][1], due[0][2]))

    async def share(self, *pods: str) -> None:
        """Have these pods get halves of one GPU, which their node calls GPU-7."""
        for name in pods:
            self.submit(name, HALF)
        self.decide()
        await self.work()
        self.kubelet("GPU-7")
        await self.work()

    def reservations(self) -> list[str]:
        return sorted(path.rpartition("/")[2] for path in self.server.objects if path.startswith(RESERVATIONS))

    def holders(self) -> list[str]:
        """Their uids."""
        return [pod.metadata.uid for pod in self.mirror.pods if reserved_gpu(pod)]

    def bound(self, name: str) -> dict[str, Any] | None:
        """The annotations of a pod that has its node; None: it has none."""
        found = self.server.objects[f"{PODS}/{name}"]
        annotations: dict[str, Any] = found["metadata"]["annotations"]
        return annotations if found["spec"].get("nodeName") else None


HALF = {"gpu-fraction": "0.5"}


@in_virtual_time
async def test_sharers_wait_for_the_device_and_get_the_same() -> None:
    world = World()
    for name in ("a", "b", "c"):
        world.submit(name, HALF)
    assert len(world.decide()) == 2
    await world.work()
    assert world.reservations() == ["gpu-reservation-n-shared-1"]
    assert not any(world.bound(name) for name in "abc")
    world.kubelet("GPU-7")
    await world.work()
    given = [annotations["aliquot.dev/gpu-ids"] for name in "abc" if (annotations := world.bound(name))]
    assert given == ["GPU-7", "GPU-7"]
    assert world.decide() == []


@in_virtual_time
async def test_a_gpu_is_free_for_others_when_its_reservation_has_gone_and_not_before() -> None:
    world = World()
    await world.share("part")
    world.submit("whole", gpus=1)
    assert world.decide() == []
    world.end("part")
    assert world.decide() == []
    await world.work()
    assert world.reservations() == []
    assert world.decide() == ["whole"]
    await world.work()
    assert world.bound("whole") == {"received-resource-type": "Regular"}


@in_virtual_time
async def test_a_gpu_that_a_node_refuses_is_left_alone_for_a_while() -> None:
    world = World()
    world.submit("part", HALF)
    world.decide()
    await world.work()
    world.kubelet(phase="Failed")
    await world.work()
    assert world.decide() == []
    await world.work(SETTINGS.rejected_seconds / 2)
    assert world.reservations() == ["gpu-reservation-n-shared-1"]
    assert world.decide() == []
    await world.work(SETTINGS.rejected_seconds + 1)
    assert world.reservations() == []
    assert world.decide() == ["part"]
    await world.work()
    world.kubelet("GPU-7")
    await world.work()
    assert world.bound("part")


@in_virtual_time
async def test_a_node_that_never_says_which_device_it_gave_is_not_waited_for_for_ever() -> None:
    world = World()
    world.submit("part", HALF)
    world.decide()
    await world.work(SETTINGS.device_seconds / 2)
    assert world.reservations()
    await world.work(SETTINGS.device_seconds + 2)
    assert world.reservations() == []
    assert world.bound("part") is None
    assert world.decide() == ["part"]


@in_virtual_time
async def test_parts_of_two_gpus_are_given_when_both_devices_are_known() -> None:
    world = World(gpus=2)
    world.submit("pair", {"gpu-fraction": "0.6", "gpu-fraction-num-devices": "2"})
    assert world.decide() == ["pair"]
    await world.work()
    world.kubelet("GPU-2", number=2)
    await world.work()
    assert world.bound("pair") is None
    world.kubelet("GPU-1", number=1)
    await world.work()
    annotations = world.bound("pair")
    assert annotations is not None
    assert annotations["aliquot.dev/gpu-ids"] == "GPU-1,GPU-2"
    assert annotations["aliquot.dev/number-of-gpus"] == "1.2"


@in_virtual_time
async def test_a_pod_that_goes_while_it_waits_leaves_nothing_behind() -> None:
    world = World()
    world.submit("part", HALF)
    world.decide()
    await world.work()
    del world.server.objects[f"{PODS}/part"]
    world.echo()
    await world.work()
    assert world.reservations() == []
    world.submit("whole", gpus=1)
    assert world.decide() == ["whole"]


@in_virtual_time
async def test_nothing_is_reserved_on_a_node_that_has_gone() -> None:
    world = World()
    world.submit("part", HALF)
    world.decide()
    world.mirror.nodes.drop(Key("", "n"), "n")
    await world.work()
    assert world.reservations() == []
    assert not world.granter.has(Key("a", "part"))


@in_virtual_time
async def test_sharers_give_their_parts_up_when_their_reservation_is_lost() -> None:
    world = World()
    await world.share("a", "b")
    world.kubelet(phase="Failed")
    await world.work()
    assert sorted(world.withdrawn) == ["a", "b"]


@in_virtual_time
async def test_sharers_stay_while_a_kubelet_that_starts_anew_says_nothing() -> None:
    world = World()
    await world.share("part")
    await asyncio.sleep(2 * SETTINGS.device_seconds)
    world.kubelet(phase="Running")
    world.submit("second", HALF)
    assert world.decide() == ["second"]
    await world.work()
    assert (world.withdrawn, world.bound("second")) == ({}, None)
    world.kubelet("GPU-7")
    await world.work()
    annotations = world.bound("second")
    assert annotations is not None
    assert annotations["aliquot.dev/gpu-ids"] == "GPU-7"


@in_virtual_time
async def test_an_operator_that_starts_again_gives_what_another_has_left_over() -> None:
    """Else one that dies after each write would make reservations and delete them for ever."""
    before = World()
    for name in ("a", "b"):
        before.submit(name, HALF)
    before.decide()
    await before.work()
    before.kubelet("GPU-7")
    [kept] = before.holders()
    world = World(server=before.server)
    for _ in range(2):
        assert world.decide()
        await world.work()
    assert world.holders() == [kept]
    given = [annotations["aliquot.dev/gpu-ids"] for name in "ab" if (annotations := world.bound(name))]
    assert given == ["GPU-7", "GPU-7"]


@in_virtual_time
async def test_what_is_left_over_and_not_needed_goes() -> None:
    before = World()
    before.submit("a", HALF)
    before.decide()
    await before.work()
    before.kubelet("GPU-7")
    del before.server.objects[f"{PODS}/a"]
    world = World(server=before.server)
    world.submit("whole", gpus=1)
    assert world.decide() == []
    await world.work()
    assert world.reservations() == []
    assert world.decide() == ["whole"]
