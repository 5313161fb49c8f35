"""Gangs whose tasks are to be close to one another: the tightest domain that holds them, or as few as can be."""

from collections.abc import Mapping

import pytest

from aliquot.core.scheduling import WaitCode, decide
from aliquot.core.scheduling.facts import Group, PodSet, Topology
from tests.core.scheduling.world import World, outline

LEVELS = ("zone", "rack")


def racks(free: Mapping[str, int], gpus: int = 8) -> World:
    """Nodes called `zone/rack/node` with so many GPUs free each; fillers hold the rest."""
    world = World().queue("a", 100).queue("filler", 100)
    for name, left in free.items():
        zone, rack, _ = name.split("/")
        world = world.node(name, gpus=gpus, labels={"zone": zone, "rack": rack})
        if left < gpus:
            world = world.job(f"filler-{name}", "filler", gpus - left, on=name, priority=100)
    return world


def close(required: str | None = None, preferred: str | None = None) -> Topology:
    return Topology(LEVELS, required, preferred)


def where(world: World) -> str:
    """How many tasks start on each node, as `r1/n1:2 r1/n2:2`."""
    state = world.state()
    outline(state)
    nodes = [bind.node.partition("/")[2] for bind in decide(state, 0.0).binds]
    return " ".join(f"{node}:{nodes.count(node)}" for node in sorted(set(nodes)))


FREE = {"east/r1/n1": 2, "east/r1/n2": 2, "east/r2/n3": 3, "east/r2/n4": 3, "west/r3/n5": 8}


@pytest.mark.parametrize(
    ("topology", "pods", "expected"),
    [
        (close("rack"), 4, "r1/n1:2 r1/n2:2"),  # the fullest rack that still holds it
        (close("rack"), 5, "r2/n3:3 r2/n4:2"),
        (close("rack"), 7, "r3/n5:7"),
        (close("rack"), 9, ""),
        (close("zone"), 8, "r3/n5:8"),  # west is the fullest zone that holds it
        (close("zone"), 9, "r1/n1:2 r1/n2:2 r2/n3:3 r2/n4:2"),
        (close("zone"), 11, ""),
        (close(None, "rack"), 4, "r1/n1:2 r1/n2:2"),
        # No rack holds nine. Of the zones, east does, and there the emptier rack is filled first.
        (close(None, "rack"), 9, "r1/n1:2 r1/n2:1 r2/n3:3 r2/n4:3"),
        # Nor does a zone hold eleven.
        (close(None, "rack"), 11, "r2/n3:3 r3/n5:8"),
        (close("zone", "rack"), 4, "r1/n1:2 r1/n2:2"),
        (close("zone", "rack"), 9, "r1/n1:2 r1/n2:1 r2/n3:3 r2/n4:3"),
        (close("zone", "rack"), 11, ""),
    ],
)
def test_where_a_gang_goes(topology: Topology, pods: int, expected: str) -> None:
    group = Group(topology=topology, pod_sets=(PodSet("workers", pods),))
    assert where(racks(FREE).gang("train", "a", group, {"workers": pods})) == expected


def test_a_node_outside_the_topology_is_not_used() -> None:
    world = racks({"east/r1/n1": 1}).node("nowhere", labels={"zone": "east"})
    group = Group(topology=close("zone"), pod_sets=(PodSet("workers", 2),))
    assert where(world.gang("train", "a", group, {"workers": 2})) == ""


def test_a_gang_that_grows_stays_where_it_is() -> None:
    """Three more would fit into the other rack; in its own there is room for two of them."""
    free = {"east/r1/n1": 1, "east/r1/n2": 1, "east/r2/n3": 3}
    group = Group(topology=close("rack"), pod_sets=(PodSet("workers", 1),))
    world = racks(free).node("east/r1/n0", labels={"zone": "east", "rack": "r1"}, gpus=1)
    assert where(world.gang("train", "a", group, {"workers": 4}, on={"train-workers-0": "east/r1/n0"})) == (
        "r1/n1:1 r1/n2:1"
    )


def test_groups_within_a_group_are_closer_still() -> None:
    """Two halves, each in a rack of its own choice, both in one zone."""
    halves = tuple(Group(f"half-{number}", close("rack"), (PodSet(f"half-{number}", 4),)) for number in range(2))
    world = racks({**FREE, "west/r3/n5": 7})
    group = Group("", close("zone"), (), halves)
    assert where(world.gang("train", "a", group, {"half-0": 4, "half-1": 4})) == "r1/n1:2 r1/n2:2 r2/n3:3 r2/n4:1"


@pytest.mark.parametrize("gone", [Topology((), "rack", None, "racks"), Topology(("zone",), "rack", None, "racks")])
def test_a_gang_whose_topology_is_gone_runs_on_and_stays_where_it_is(gone: Topology) -> None:
    """Making it elsewhere would need a place that is close in a way that nobody knows."""
    nodes = World().node("n1", "n2", gpus=2, labels={"zone": "z", "rack": "r"}).queue("a", 9)
    group = Group(topology=gone, pod_sets=(PodSet("default", 1),))
    running = nodes.gang("old", "a", group, {"default": 2}, on={"old-default-0": "n1"})
    plan = decide(running.job("wide", "a", 2, priority=100).job("wider", "a", 2, priority=100).state(), 0.0)
    assert [(bind.task, bind.node) for bind in plan.binds] == [("wide", "n2")]
    assert [evict.moves for evict in plan.evictions if evict.task == "old-default-0"] in ([], [False])
    codes = {waiting.job: waiting.reason.code for waiting in plan.waiting}
    assert codes["old"] is WaitCode.NO_SUCH_TOPOLOGY, "it does not grow either"
