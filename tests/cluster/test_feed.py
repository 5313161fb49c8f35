"""What the scheduler is told of nodes, node pools and queues: once, and again when it differs."""

from collections.abc import Mapping, Sequence

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
from aliquot.contracts.kubernetes import Node
from aliquot.core.intake import MinRuntimes
from aliquot.core.scheduling import Event, PoolPlacement, QueueChanged, QueueRemoved
from tests.support.owners import Known


class World:
    """A mirror, and what is told of it."""

    def __init__(self, runtimes: MinRuntimes = MinRuntimes()) -> None:
        self.mirror = Mirror()
        self.events: list[Event] = []
        self.placements: list[Mapping[str, PoolPlacement]] = []
        jobs = Jobs(self.events.append, SystemClock(), lambda _: None)
        owners = Known()
        seats = Seats(self.mirror, owners)
        self.feed = Feed(self.mirror, self.events.append, self.placements.append, jobs, runtimes, seats, owners)

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
