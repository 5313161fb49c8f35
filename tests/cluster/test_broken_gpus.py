"""GPUs that agents say cannot be used: the scheduler's books, who is told, who is moved, and what nobody gets any more.

Mirror, books and rounds are real; the test is the kubelet, the device plugin and the agent.
"""

import json
from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aliquot import names
from aliquot.clock import timestamp
from aliquot.cluster.gpu_health import Broken, Movers, Policy
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.work import Task
from aliquot.contracts.kubernetes import (
    AllocatedDevice,
    AllocatedResource,
    Condition,
    Container,
    ContainerStatus,
    Metadata,
    Node,
    NodeStatus,
    OwnerReference,
    Pod,
    PodSpec,
    PodStatus,
    Resources,
)
from aliquot.core.intake import PodFacts, Tenant, node_fact, pod_facts
from aliquot.core.scheduling import ClusterState, NodeChanged, QueueChanged, check, decide, explain
from aliquot.core.scheduling.facts import Queue, Share
from tests.kube.virtual_time import LoopClock

DEVICES: Final = ("GPU-a", "GPU-b", "GPU-c", "GPU-d")
TENANT: Final = Tenant("vision", ())


@dataclass
class World:
    """A node, and an operator that believes its agent.

    Attributes:
        policy: what the operator does.
        sick: devices that the agent tells of, and since when.
        withdrawn: devices that the device plugin does not offer.
        moved: pods that were moved, and why.
        asked: pods whose conditions are to be looked at.
        said: what was told of the node.
    """

    policy: Policy = "move"
    sick: dict[str, float] = field(default_factory=dict[str, float])
    withdrawn: set[str] = field(default_factory=set[str])
    moved: dict[str, str] = field(default_factory=dict[str, str])
    asked: set[str] = field(default_factory=set[str])
    said: list[str] = field(default_factory=list[str])
    version: int = 1

    def __post_init__(self) -> None:
        self.mirror, self.state = Mirror(), ClusterState()
        self.jobs = Jobs(self.state.apply, LoopClock(), lambda _: None)
        self.broken = Broken(self.mirror, self.policy)
        self.broken.listeners.append(lambda _: self._tell_node())
        self.tell()
        self.state.apply(QueueChanged(Queue("vision", "default", gpu=Share(deserved=400))))
        self.broken.start()
        self.mirror.listeners.pod.append(self._pod_changed)
        self.movers = Movers(
            self.broken,
            self.mirror,
            self.policy,
            self.facts_of,
            lambda task, key: self.asked.add(key.name) if task is Task.POD_CONDITIONS else None,
            lambda pod, why: self.moved.update({pod.metadata.name: why}),
            lambda _, problem: self.said.append(problem),
        )
        self.movers.start()
        self._tell_node()

    @staticmethod
    def facts_of(pod: Pod) -> PodFacts:
        return pod_facts(pod, TENANT)

    def _next(self) -> str:
        self.version += 1
        return str(self.version)

    def tell(self) -> None:
        """The node says what its agent and its device plugin know."""
        troubles = {device: {"reason": "lost", "since": timestamp(since)} for device, since in self.sick.items()}
        annotations = {names.GPU_HEALTH_ANNOTATION: json.dumps(troubles)} if troubles else {}
        offered = {"nvidia.com/gpu": str(len(DEVICES) - len(self.withdrawn)), "cpu": "64", "memory": "1Ti", "pods": 110}
        there = {"nvidia.com/gpu": str(len(DEVICES))}
        ready = (Condition(type="Ready", status="True"),)
        self.mirror.nodes.put(
            Node(
                metadata=Metadata(name="n", uid="n", resource_version=self._next(), annotations=annotations),
                status=NodeStatus(allocatable={**offered}, capacity={**there}, conditions=ready),
            )
        )
        self._tell_node()

    def _tell_node(self) -> None:
        node = self.mirror.nodes.get(Key("", "n"))
        if node is not None:
            self.state.apply(NodeChanged(node_fact(node, (), self.broken.on_node("n"))))

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is not None:
            self.jobs.here(self.facts_of(new))
        elif old is not None:
            self.jobs.gone(old.metadata.uid)

    def pod(
        self,
        name: str,
        *,
        device: str = "",
        part: str = "",
        whole: bool = False,
        since: float = 0,
        owned: bool = True,
        priority: int = 50,
    ) -> None:
        """A pod comes, or gets a device."""
        annotations: dict[str, str] = {}
        if not whole:
            annotations[names.GPU_FRACTION_ANNOTATION] = "0.5"
        if part:
            annotations |= {names.SHARED_GPUS_ANNOTATION: part, names.GPU_IDS_ANNOTATION: device}
        limits = Resources(limits={"nvidia.com/gpu": "1"}) if whole else Resources()
        allocated = (AllocatedResource(name="nvidia.com/gpu", resources=(AllocatedDevice(resource_id=device),)),)
        statuses = (ContainerStatus(name="main", allocated_resources_status=allocated),) if device and whole else ()
        bound = (Condition(type="PodScheduled", status="True", last_transition_time=timestamp(since)),)
        owners = (OwnerReference(api_version="batch/v1", kind="Job", name="j", uid="j", controller=True),)
        self.mirror.pods.put(
            Pod(
                metadata=Metadata(
                    name=name,
                    namespace="a",
                    uid=name,
                    resource_version=self._next(),
                    annotations=annotations,
                    owner_references=owners if owned else (),
                ),
                spec=PodSpec(
                    node_name="n" if device else "",
                    scheduler_name=names.SCHEDULER_NAME,
                    priority=priority,
                    containers=(Container(name="main", resources=limits),),
                ),
                status=PodStatus(
                    phase="Running" if device else "Pending",
                    conditions=bound if device else (),
                    container_statuses=statuses,
                ),
            )
        )

    def gone(self, name: str) -> None:
        self.mirror.pods.drop(Key("a", name), name)

    def free(self) -> int:
        """Whole GPUs that the books have free."""
        return int(self.state.pool("default").nodes.free[0, 0]) // 100

    def round(self) -> dict[str, tuple[str, ...]]:
        """Which pods get a place, and parts of which GPUs; the books are in order."""
        plan = decide(self.state, 0.0)
        assert check(self.state, plan) == []
        return {bind.task: bind.devices for bind in plan.binds}


def test_nobody_gets_a_part_of_a_gpu_that_cannot_be_used_and_others_do() -> None:
    world = World(policy="report")
    world.pod("first", device="GPU-a", part="n-shared-1")
    world.sick["GPU-a"] = 100
    world.tell()
    world.pod("second")
    [gpus] = world.round().values()
    assert gpus != ("n-shared-1",)
    world.sick.clear()
    world.tell()
    assert world.round() == {"second": ("n-shared-1",)}


@pytest.mark.parametrize("withdrawn", [False, True], ids=["the plugin offers it", "the plugin does not"])
def test_a_gpu_counts_once_whether_it_is_held_or_free(*, withdrawn: bool) -> None:
    world = World(policy="report")
    world.pod("whole", whole=True, device="GPU-a")
    world.sick["GPU-a"] = 100
    world.withdrawn = {"GPU-a"} if withdrawn else set()
    world.tell()
    assert world.free() == 3
    world.gone("whole")
    assert world.free() == 3
    world.sick.clear()
    world.withdrawn.clear()
    world.tell()
    assert world.free() == 4


def test_one_who_waits_is_told_how_many_cannot_be_used() -> None:
    world = World(policy="report")
    for number, device in enumerate(DEVICES[:3]):
        world.pod(f"p{number}", whole=True, device=device)
    world.sick["GPU-d"] = 100
    world.tell()
    world.pod("late", whole=True)
    [waiting] = decide(world.state, 0.0).waiting
    assert "; 1 GPU of node n cannot be used; " in explain(waiting.reason)


@dataclass(frozen=True)
class Mover:
    """A pod on a GPU that fails at 100 s, and whether it is moved."""

    is_moved: bool
    policy: Policy = "move"
    part: str = ""
    since: float = 0
    owned: bool = True
    priority: int = 50


MOVED: dict[str, Mover] = {
    "a pod with a whole GPU": Mover(is_moved=True),
    "a pod with a part": Mover(is_moved=True, part="n-shared-1"),
    "nobody is to be moved": Mover(is_moved=False, policy="report"),
    "one that may not be stopped": Mover(is_moved=False, priority=100),
    "one that nobody makes anew": Mover(is_moved=False, owned=False),
    "one that got it when it was known": Mover(is_moved=False, since=101),
}


@pytest.mark.parametrize("case", MOVED.values(), ids=MOVED)
def test_who_is_moved(case: Mover) -> None:
    world = World(policy=case.policy)
    world.pod(
        "there",
        device="GPU-a",
        part=case.part,
        whole=not case.part,
        since=case.since,
        owned=case.owned,
        priority=case.priority,
    )
    world.pod("elsewhere", device="GPU-b", whole=True)
    world.sick["GPU-a"] = 100
    world.tell()
    assert world.asked == {"there", "elsewhere"}
    assert set(world.moved) == ({"there"} if case.is_moved else set())
    if case.is_moved:
        assert world.moved["there"] == (
            "stopped, to start again elsewhere: it has GPUs of node n that cannot be used: "
            "GPU-a (lost, since 1970-01-01T00:01:40Z)"
        )


def test_one_that_got_it_when_it_was_known_is_moved_when_the_plugin_knows_too() -> None:
    world = World()
    world.sick["GPU-a"] = 100
    world.tell()
    world.pod("there", device="GPU-a", whole=True, since=101)
    assert not world.moved
    world.withdrawn.add("GPU-a")
    world.tell()
    assert set(world.moved) == {"there"}


def test_the_node_is_told_once_for_each_state() -> None:
    world = World()
    world.sick["GPU-a"] = 100
    world.tell()
    world.tell()
    world.sick["GPU-b"] = 100
    world.tell()
    world.sick.clear()
    world.tell()
    world.sick["GPU-b"] = 200
    world.tell()
    one, two = "1 of 4 GPUs cannot be used (lost)", "2 of 4 GPUs cannot be used (lost)"
    assert world.said == [one, two, one]


def test_nothing_is_done_where_agents_are_not_believed() -> None:
    world = World(policy="off")
    world.pod("there", device="GPU-a", whole=True)
    world.sick["GPU-a"] = 100
    world.tell()
    assert (world.free(), world.asked, world.moved, world.said) == (3, set(), {}, [])


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["fall", "heal", "whole", "part", "end", "withdraw"]), st.sampled_from(DEVICES)),
    ),
    min_size=10,
    max_size=40,
)


@given(STEPS)
@settings(max_examples=100, deadline=None)
def test_whatever_happens_the_books_have_just_the_gpus_free_that_can_be_used(steps: list[tuple[str, str]]) -> None:
    world, born = World(), 0
    holders: dict[str, set[str]] = {device: set() for device in DEVICES}
    parts: set[str] = set()
    for what, device in steps:
        match what:
            case "fall":
                world.sick[device] = 100
            case "heal":
                world.sick.pop(device, None)
                world.withdrawn.discard(device)
            case "withdraw" if device in world.sick:
                world.withdrawn.add(device)
            case "whole" if not holders[device]:
                born += 1
                holders[device].add(f"p{born}")
                world.pod(f"p{born}", device=device, whole=True)
            case "part" if not holders[device] or (device in parts and len(holders[device]) < 2):
                born += 1
                parts.add(device)
                holders[device].add(f"p{born}")
                world.pod(f"p{born}", device=device, part=f"n-{device}")
            case "end" if holders[device]:
                world.gone(holders[device].pop())
                if not holders[device]:
                    parts.discard(device)
            case _:
                pass
        world.tell()
        usable = [each for each in DEVICES if each not in world.sick and not holders[each]]
        assert world.free() == len(usable), (what, device)
        assert check(world.state) == []
    for number in range(9):
        world.pod(f"late-{number}", whole=number % 3 == 0)
    given_out = [gpu for gpus in world.round().values() for gpu in gpus]
    assert not {f"n-{device}" for device in world.sick} & {*given_out}
