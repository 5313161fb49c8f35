"""What queues share: what usable nodes offer, less what pods of other schedulers hold of it (scheduling.md 1.5)."""

import pytest

from aliquot.core.quantities import Request, Vector
from aliquot.core.scheduling import (
    ClusterState,
    Event,
    JobChanged,
    JobRemoved,
    NodeChanged,
    NodeRemoved,
    QueueChanged,
    QueueRemoved,
    TaskChanged,
    check,
)
from aliquot.core.scheduling.facts import Job, Node, Queue, Task, TaskState
from aliquot.core.scheduling.fairness.fair_share import fair_shares
from tests.core.scheduling.world import GPU, World, running, until_settled

EIGHT = World().node("n1", gpus=8, cpus=64)
TWO_NODES = World().node("n1", "n2", gpus=8, cpus=64)
SLICES = Request(Vector(0, 1000, 0, 1), extended=(("nvidia.com/mig-2g.10gb", 3),))

CAPACITY: dict[str, tuple[World, tuple[float, float]]] = {
    # cluster, GPUs and CPUs that its queues share
    "all there is": (EIGHT, (8, 64)),
    "less what others hold": (EIGHT.job("foreign", None, 3, on="n1"), (5, 63)),
    "also where it is bound and does not run yet": (
        EIGHT.job("foreign", None, 3, on="n1", state=TaskState.BOUND),
        (5, 63),
    ),
    "what stops comes to the queues": (EIGHT.job("foreign", None, 3, on="n1", state=TaskState.TERMINATING), (8, 64)),
    "what waits holds nothing": (EIGHT.job("foreign", None, 3), (8, 64)),
    "those on a node that is not ready make no difference": (
        World().node("n1").node("n2", ready=False).job("foreign", None, 3, on="n2"),
        (8, 64),
    ),
    "more than a node has is taken from no other": (TWO_NODES.job("foreign", None, 11, on="n1"), (8, 127)),
    "MIG devices by what they count": (EIGHT.job("foreign", None, asks=SLICES, on="n1"), (7.16, 63)),
    "a pod whose queue pays takes nothing away": (EIGHT.queue("a", 2).job("ours", "a", 3, on="n1"), (8, 64)),
    "a queue that is not there pays for nothing": (EIGHT.job("left", "gone", 3, on="n1"), (5, 63)),
    "in whatever order they come": (
        World().job("left", "gone", 3, on="n1").job("foreign", None, 1, on="n1").node("n1"),
        (4, 62),
    ),
    "a queue that comes pays from then on": (EIGHT.job("ours", "a", 3, on="n1").queue("a", 2), (8, 64)),
}


@pytest.mark.parametrize(("world", "wanted"), CAPACITY.values(), ids=CAPACITY)
def test_what_queues_share(world: World, wanted: tuple[float, float]) -> None:
    state = world.state()
    assert check(state) == []
    gpu, cpu, _ = state.pool("default").nodes.total()
    assert (gpu / GPU, cpu / 1000) == wanted


FOREIGN = Task("f", "f", "there", "f", Request(Vector(3 * GPU, 1000, 0, 1)), TaskState.RUNNING, "n1")
NOBODYS, OURS = Job("f", "there", "f", None), Job("f", "there", "f", "a")
A = Queue("a", "default")
SMALLER = Node("n1", "default", Vector(4 * GPU, 64_000, 0, 110))
ELSEWHERE = Node("n1", "other", Vector(8 * GPU, 64_000, 0, 110))

CHANGES: dict[str, tuple[list[Event], float]] = {
    "the pod's job comes late": ([TaskChanged(FOREIGN)], 5),
    "and is nobody's": ([TaskChanged(FOREIGN), JobChanged(NOBODYS)], 5),
    "and is a queue's": ([TaskChanged(FOREIGN), QueueChanged(A), JobChanged(OURS)], 8),
    "its queue goes": ([JobChanged(OURS), TaskChanged(FOREIGN), QueueChanged(A), QueueRemoved("default", "a")], 5),
    "and comes again": (
        [
            JobChanged(OURS),
            TaskChanged(FOREIGN),
            QueueChanged(A),
            QueueRemoved("default", "a"),
            QueueChanged(A),
            QueueChanged(A),
        ],
        8,
    ),
    "the pod goes": ([JobChanged(NOBODYS), TaskChanged(FOREIGN), JobRemoved("f")], 8),
    "its node shrinks": ([JobChanged(NOBODYS), TaskChanged(FOREIGN), NodeChanged(SMALLER)], 1),
    "its node goes": ([JobChanged(NOBODYS), TaskChanged(FOREIGN), NodeRemoved("n1")], 0),
    "its node changes the pool": ([JobChanged(NOBODYS), TaskChanged(FOREIGN), NodeChanged(ELSEWHERE)], 0),
}


@pytest.mark.parametrize(("events", "wanted"), CHANGES.values(), ids=CHANGES)
def test_it_follows_what_happens(events: list[Event], wanted: float) -> None:
    state = EIGHT.state()
    for event in events:
        state.apply(event)
        assert check(state) == []
    assert state.pool("default").nodes.total()[0] / GPU == wanted


def halves(world: World) -> ClusterState:
    """Two queues without a quota, of which one holds four GPUs and the other wants as many."""
    world = world.queue("a").queue("b")
    for number in range(4):
        world = world.job(f"a{number}", "a", on="n1", created=number).job(f"b{number}", "b", created=10 + number)
    return world.state()


def test_a_fair_share_is_of_what_others_leave() -> None:
    state = halves(EIGHT.job("foreign", None, 4, on="n1"))
    fair = fair_shares(state.pool("default"))
    assert {name: share[0] / GPU for name, share in fair.items()} == {"a": 2, "b": 2}
    until_settled(state)
    assert running(state) == ["a0", "a1", "b0", "b1", "foreign"]


def test_without_others_there_is_room_for_all() -> None:
    state = halves(EIGHT)
    until_settled(state)
    assert running(state) == ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3"]
