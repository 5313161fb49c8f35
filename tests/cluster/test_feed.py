"""What the scheduler is told of nodes, node pools and queues: once, and again when it differs."""

from collections.abc import Mapping, Sequence

import pytest

from aliquot import names
from aliquot.clock import SystemClock
from aliquot.cluster.feed import Feed
from aliquot.cluster.foreign.seats import Seats
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.node_problems import NodeProblems
from aliquot.contracts import kubernetes
from aliquot.contracts.kinds.shapes import Metadata
from aliquot.contracts.kinds.tenancy import (
    NodePool,
    NodePoolSpec,
    PlacementStrategy,
    Project,
    ProjectSpec,
    Queue,
)
from aliquot.contracts.kubernetes import Node, OwnerReference, Pod, PodSpec
from aliquot.core.intake import MinRuntimes
from aliquot.core.scheduling import Event, JobChanged, PoolPlacement, QueueChanged, QueueRemoved, facts
from tests.support.owners import Known


class World:
    """A mirror, and what is told of it."""

    def __init__(self, runtimes: MinRuntimes = MinRuntimes()) -> None:
        self.mirror = Mirror()
        self.events: list[Event] = []
        self.placements: list[Mapping[str, PoolPlacement]] = []
        jobs = Jobs(self.events.append, SystemClock(), lambda _: None)
        self.owners = owners = Known()
        seats = Seats(self.mirror, owners)
        self.feed = Feed(self.mirror, self.events.append, self.placements.append, jobs, runtimes, seats, owners)

    def topologies(self, **levels: tuple[str, ...]) -> None:
        """Have these topologies."""
        self.owners.objects_of_topologies = levels
        for tell in self.owners.listeners.everything:
            tell()

    def closeness(self) -> list[facts.Topology | None]:
        """How close the jobs are to be of which something was told since this was last asked."""
        told = [event.job.group for event in self.events if isinstance(event, JobChanged)]
        self.events.clear()
        return [None if group is None else group.topology for group in told]

    def queues(self) -> list[str]:
        """What was told of queues since this was last asked: pool, name, usage of GPUs."""
        found = [
            f"{event.queue.pool}/{event.queue.name} {event.queue.gpu.usage:g}"
            if isinstance(event, QueueChanged)
            else f"{event.pool}/{event.name} gone"
            for event in self.events
            if isinstance(event, QueueChanged | QueueRemoved)
        ]
        self.events.clear()
        return found


def project(name: str, version: int = 1, **queue: int) -> Project:
    queues = (Queue(name="q", nodepool="default", **queue),)  # pyright: ignore[reportArgumentType] - members by name
    metadata = Metadata(name=name, uid=name, resource_version=str(version))
    return Project(metadata=metadata, spec=ProjectSpec(queues=queues))


def pool(name: str, version: int = 1, gpu: str | None = None) -> NodePool:
    strategy = None if gpu is None else PlacementStrategy(gpu=gpu)
    spec = NodePoolSpec(label_key="pool", label_value=name, placement_strategy=strategy)
    return NodePool(metadata=Metadata(name=name, uid=name, resource_version=str(version)), spec=spec)


def test_usage_is_told_where_it_differs() -> None:
    world = World()
    world.mirror.projects.put(project("a"))
    world.mirror.projects.put(project("b"))
    world.feed.start()
    assert world.queues() == ["default/a 0", "default/b 0"]
    world.feed.have_used({("default", "a"): (0.5, 0.0, 0.0), ("default", "gone"): (1.0, 0.0, 0.0)})
    assert world.queues() == ["default/a 0.5"]
    world.feed.have_used({("default", "a"): (0.5, 0.0, 0.0)})
    assert world.queues() == []
    world.mirror.projects.put(project("a", 2, reclaim_min_runtime_secs=5))
    assert world.queues() == ["default/a 0.5"]
    world.feed.have_used({})
    assert world.queues() == ["default/a 0"]


def test_what_was_used_before_is_told_with_the_first_word_of_a_queue() -> None:
    world = World()
    world.mirror.projects.put(project("a"))
    world.feed.have_used({("default", "a"): (0.5, 0.0, 0.0)})
    world.feed.start()
    assert world.queues() == ["default/a 0.5"]


def test_a_project_without_a_word_of_its_own_is_left_alone_as_the_operator_says() -> None:
    world = World(MinRuntimes(preempt=60, reclaim=300))
    world.mirror.projects.put(project("a"))
    world.mirror.projects.put(project("b", preempt_min_runtime_secs=0))
    world.feed.start()
    told = {
        event.queue.name: (event.queue.preempt_min_runtime_seconds, event.queue.reclaim_min_runtime_seconds)
        for event in world.events
        if isinstance(event, QueueChanged)
    }
    assert told == {"a": (60, 300), "b": (0, 300)}


def test_how_pools_are_filled_is_told_and_follows_them() -> None:
    world = World()
    world.mirror.node_pools.put(pool("a", gpu="spread"))
    world.mirror.node_pools.put(pool("b"))
    world.feed.start()
    assert world.placements == [{"a": PoolPlacement(gpu="spread")}]
    world.mirror.node_pools.put(pool("b", 2, gpu="binpack"))
    assert world.placements[-1] == {"a": PoolPlacement(gpu="spread"), "b": PoolPlacement(gpu="binpack")}
    world.mirror.node_pools.put(pool("a", 2))
    assert world.placements[-1] == {"b": PoolPlacement(gpu="binpack")}


def node(version: int, **labels: str) -> Node:
    written = {f"nvidia.com/{name}": value for name, value in labels.items()}
    return Node(metadata=kubernetes.Metadata(name="n1", uid="n1", resource_version=str(version), labels=written))


def test_what_is_wrong_with_a_node_is_told_once_and_again_when_it_is_something_else() -> None:
    mirror, told = Mirror(), list[tuple[str, ...]]()

    def tell(_: Node, problems: Sequence[str]) -> None:
        told.append(tuple(each.split(":")[0] for each in problems))

    mirror.nodes.put(node(1, **{"gpu.memory": "80Gi"}))
    problems = NodeProblems(mirror, tell)
    problems.start()
    bad_memory = ("label nvidia.com/gpu.memory is '80Gi'",)
    assert told == [bad_memory]
    mirror.nodes.put(node(2, **{"gpu.memory": "80Gi"}))
    mirror.nodes.put(node(3, **{"gpu.memory": "80Gi", "gpu.count": "8"}))
    assert told == [bad_memory]
    mirror.nodes.put(node(4, **{"mig.strategy": "dual"}))
    assert told[1:] == [("label nvidia.com/mig.strategy is 'dual'",)]
    mirror.nodes.put(node(5))
    mirror.nodes.put(node(6, **{"gpu.memory": "80Gi"}))
    assert told[2:] == [bad_memory]
    mirror.nodes.drop(Key("", "n1"), "n1")
    assert told[3:] == []


def close_pod(*, ours: bool = False) -> Pod:
    """A pod that has to be in one rack; nobody's, or of a workload of ours."""
    owner = OwnerReference("run.ai/v2alpha1", "DistributedWorkload", "llm", "llm", controller=True)
    return Pod(
        metadata=kubernetes.Metadata(
            name="p",
            namespace="n",
            uid="p",
            resource_version="1",
            annotations={names.TOPOLOGY_ANNOTATION: "racks", names.TOPOLOGY_REQUIRED_ANNOTATION: "rack"},
            owner_references=(owner,) if ours else (),
        ),
        spec=PodSpec(scheduler_name=names.SCHEDULER_NAME),
    )


@pytest.mark.parametrize("ours", [False, True], ids=["nobody's pod", "a pod of a workload of ours"])
def test_topologies_that_come_change_and_go_are_told_with_the_jobs_that_name_them(*, ours: bool) -> None:
    world = World()
    world.mirror.pods.put(close_pod(ours=ours))
    world.feed.start()
    assert world.closeness() == [facts.Topology((), "rack", None, "racks")]
    world.topologies(other=("block",))
    assert world.closeness() == [facts.Topology((), "rack", None, "racks", ("other",))]
    world.topologies(racks=("zone", "rack"))
    assert world.closeness() == [facts.Topology(("zone", "rack"), "rack", None, "racks")]
    world.topologies(racks=("zone", "rack"), other=("block",))
    assert world.closeness() == [], "nothing has changed for it"
    world.topologies(racks=("zone",))
    assert world.closeness() == [facts.Topology(("zone",), "rack", None, "racks")]
    world.topologies()
    assert world.closeness() == [facts.Topology((), "rack", None, "racks")]


@pytest.mark.parametrize(("heard", "looks"), [(True, 0), (False, 1)], ids=["both kinds are followed", "one is not"])
def test_a_topology_that_nobody_knows_has_kinds_looked_for_that_may_have_been_installed(
    *, heard: bool, looks: int
) -> None:
    world = World()
    world.owners.hears_of_topologies = heard
    world.mirror.pods.put(close_pod(ours=True))
    world.feed.start()
    assert world.owners.looked == looks
