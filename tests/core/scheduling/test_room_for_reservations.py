"""A device of which pods have parts is held by a pod of its own: the node has to have room for that one, too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import NodeChanged, check, decide
from aliquot.core.scheduling.facts import Node
from tests.core.scheduling.world import GIB, World

CASES: dict[str, tuple[int, int, list[str]]] = {
    "room for one pod is too little for the first part": (1, 1, []),
    "room for two is enough": (2, 1, ["p0"]),
    "the next part of the same device needs one more": (3, 2, ["p0", "p1"]),
    "a part of another device needs two more": (4, 3, ["p0", "p1"]),
    "and gets them": (5, 3, ["p0", "p1", "p2"]),
}


def halves(pods: int, jobs: int, devices: int = 1) -> World:
    """A node with two devices that takes so many pods, and jobs that want half of so many devices each."""
    world = World().node("n", gpus=2, pods=pods).queue("a", 2)
    half = Request(Vector(0, 100, GIB, 1), GpuPart(percent=50, devices=devices))
    for number in range(jobs):
        world = world.job(f"p{number}", "a", asks=half, created=number)
    return world


@pytest.mark.parametrize(("pods", "jobs", "placed"), CASES.values(), ids=CASES)
def test_the_first_part_of_a_device_needs_room_for_two_pods(pods: int, jobs: int, placed: list[str]) -> None:
    state = halves(pods, jobs).state()
    plan = decide(state, 0.0)
    assert check(state, plan) == []
    assert [bind.task for bind in plan.binds] == placed


def test_one_with_parts_of_two_devices_needs_room_for_three() -> None:
    assert not decide(halves(2, 1, devices=2).state(), 0.0).binds
    assert decide(halves(3, 1, devices=2).state(), 0.0).binds


@given(st.integers(0, 12), st.lists(st.sampled_from([0.2, 0.5, 0.8, 1]), max_size=8))
@settings(max_examples=100, deadline=None)
def test_pods_and_those_that_hold_devices_never_outnumber_what_a_node_takes(pods: int, asked: list[float]) -> None:
    world = World().node("n", gpus=4, pods=pods).queue("a", 4)
    for number, gpus in enumerate(asked):
        world = world.job(f"p{number}", "a", gpus, created=number)
    state = world.state()
    plan = decide(state, 0.0)
    assert check(state, plan) == []
    devices = {device for bind in plan.binds for device in bind.devices}
    assert len(plan.binds) + len(devices) <= pods


def test_a_device_that_cannot_be_used_gets_no_further_part_and_another_is_opened() -> None:
    world = World().queue("a", 2).job("first", "a", 0.5, on="n", devices=("n-shared-1",)).job("second", "a", 0.5)
    node = Node("n", "default", Vector(200, 64_000, 512 * GIB, 110), broken=1, closed=frozenset({"n-shared-1"}))
    state = World(NodeChanged(node), *world.facts).state()
    [bind] = decide(state, 0.0).binds
    assert (bind.task, bind.devices) == ("second", ("n-shared-2",))
