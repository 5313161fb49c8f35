"""Whose turn it is: one case for each difference that decides, in the order in which they are looked at."""

from dataclasses import dataclass

import pytest

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling import ClusterState, QueueChanged
from aliquot.core.scheduling.facts import Queue, Share
from aliquot.core.scheduling.fairness.capacity import allocatable, dominant_share
from aliquot.core.scheduling.fairness.queue_order import queue_order
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.queues import Amount
from tests.core.scheduling.world import GIB, GPU, World, outline

CPU = 1000
TWO, FREE = Share(2 * GPU), Share(UNLIMITED)


@dataclass(frozen=True)
class Q:
    """A queue: what it holds, what its next job asks for, its shares (GPU, CPU, memory), and its fair share."""

    holds: Amount = (0, 0, 0)
    asks: Amount = (GPU, 0, 0)
    gpu: Share = TWO
    cpu: Share = FREE
    memory: Share = FREE
    fair: Amount = (2 * GPU, 8 * CPU, 8 * GIB)
    priority: int = 100
    created: float = 0


def first(**queues: Q) -> str:
    """Whose turn it is, whatever the order in which they are given."""
    facts = World().node("n1", gpus=10, cpus=10).facts
    draft = Draft(ClusterState.rebuild(facts).pool("default"))
    tree = draft.tree
    for name, one in queues.items():
        tree.put(Queue(name, "default", None, one.gpu, one.cpu, one.memory, one.created, priority=one.priority))
        draft.held[name] = list(one.holds)
        draft.held_non_preemptible[name] = [0, 0, 0]
    draft.fair = {name: one.fair for name, one in queues.items()}
    return min(queues, key=lambda name: queue_order(draft, tree.queues[name], queues[name].asks))


OVER = (3 * GPU, 9 * CPU, 9 * GIB)

CASES = {
    "over its fair share in everything: last, though its priority is higher": (
        {"a": Q(OVER, priority=200), "b": Q((3 * GPU, 9 * CPU, 8 * GIB))},
        "b",
    ),
    "over its fair share in all but one: not over": (
        {"a": Q((3 * GPU, 9 * CPU, 8 * GIB), priority=200), "b": Q((3 * GPU, 9 * CPU, 8 * GIB))},
        "a",
    ),
    "within its quota with the job goes before priority": (
        {"a": Q((GPU, 0, 0)), "b": Q((2 * GPU, 0, 0), priority=200)},
        "a",
    ),
    "quota in one resource is not enough": (
        {"a": Q((0, CPU, 0), asks=(GPU, CPU, 0), cpu=Share(CPU)), "b": Q((2 * GPU, 0, 0), priority=200)},
        "b",
    ),
    "an unlimited quota is always enough": (
        {"a": Q((99 * GPU, 0, 0), gpu=Share(UNLIMITED)), "b": Q((2 * GPU, 0, 0), priority=200)},
        "a",
    ),
    "priority goes before shares": (
        {"a": Q((GPU, 0, 0), priority=101), "b": Q(created=-1)},
        "a",
    ),
    "equal priority: the smaller share with the job": ({"a": Q((GPU, 0, 0)), "b": Q()}, "b"),
    "who may have nothing of what it asks for is last, though it holds nothing": (
        {
            "a": Q(gpu=Share(0), fair=(0, 0, 0), created=-1),
            "b": Q((9 * GPU, 0, 0), gpu=Share(0), fair=(2 * GPU, 8 * CPU, 8 * GIB)),
        },
        "b",
    ),
    "who may have nothing of what it does not ask for is not": (
        {
            "a": Q(asks=(GPU, 0, 0), gpu=Share(0), cpu=Share(0), fair=(2 * GPU, 0, 0)),
            "b": Q((GPU, 0, 0), gpu=Share(0), fair=(2 * GPU, 0, 0)),
        },
        "a",
    ),
    "the share is that of the scarcest resource": (
        {"a": Q((0, 9 * CPU, 0)), "b": Q((GPU // 2, 0, 0))},  # 9 of 10 CPUs, 1.5 of 2 GPUs
        "b",
    ),
    "the fair share counts where it is more than the quota": (
        {"a": Q((2 * GPU, 0, 0), fair=(9 * GPU, 0, 0)), "b": Q((2 * GPU, 0, 0), fair=(3 * GPU, 0, 0))},
        "a",
    ),
    "the quota counts where it is more than the fair share": (
        {"a": Q((2 * GPU, 0, 0), gpu=Share(9 * GPU)), "b": Q((2 * GPU, 0, 0), gpu=Share(8 * GPU))},
        "a",
    ),
    "the limit counts where it is less than both": (
        {"a": Q(gpu=Share(9 * GPU, 3 * GPU)), "b": Q(gpu=Share(4 * GPU))},
        "b",
    ),
    "equal with their jobs: the smaller share without": (
        {"a": Q((GPU, 0, 0), asks=(GPU, 0, 0)), "b": Q(asks=(2 * GPU, 0, 0))},
        "b",
    ),
    "equal shares: who may have less of everything": (
        {"a": Q(asks=(2 * GPU, 0, 0), gpu=Share(4 * GPU)), "b": Q(asks=(GPU, 0, 0), gpu=Share(2 * GPU))},
        "b",
    ),
    "equal in all that: the older": ({"a": Q(created=2), "b": Q(created=1)}, "b"),
    "equal in age, too: by name": ({"b": Q(), "a": Q()}, "a"),
}


@pytest.mark.parametrize(("given", "wanted"), CASES.values(), ids=CASES)
def test_queues_are_compared_step_by_step(given: dict[str, Q], wanted: str) -> None:
    assert first(**given) == wanted
    assert first(**dict(reversed(given.items()))) == wanted


SHARE = [
    (Share(2 * GPU), 3 * GPU, 3 * GPU),
    (Share(4 * GPU), 3 * GPU, 4 * GPU),
    (Share(4 * GPU, 2 * GPU), 3 * GPU, 2 * GPU),
    (Share(0), 0, 0),
    (Share(UNLIMITED), 3 * GPU, UNLIMITED),
    (Share(UNLIMITED, 5 * GPU), 3 * GPU, 5 * GPU),
]


@pytest.mark.parametrize(("share", "fair", "wanted"), SHARE)
def test_what_a_queue_may_hold(share: Share, fair: int, wanted: int) -> None:
    assert allocatable(Queue("a", "default", gpu=share), (fair, 0, 0))[0] == wanted


def test_shares_are_compared_exactly() -> None:
    draft = Draft(World().node("n1").queue("a", 3).state().pool("default"))
    large = 10**15
    draft.fair = {"a": (3 * GPU, 0, 0)}
    queue = draft.tree.queues["a"]
    assert dominant_share(draft, queue, (GPU, 0, 0)) == dominant_share(draft, queue, (GPU, 1, 0))
    wide = Queue("a", "default", gpu=Share(large + 1))
    draft.fair = {"a": (0, 0, 0)}
    assert dominant_share(draft, wide, (large, 0, 0)) > dominant_share(draft, wide, (large - 1, 0, 0))
    assert dominant_share(draft, queue, (-GPU, 0, 0)) == 0


def test_departments_are_compared_before_their_projects() -> None:
    world = World().node("n1", gpus=3).department("d", 2).department("e", 2)
    world = world.queue("d1", 1, parent="d").queue("d2", 1, parent="d").queue("e1", 2, parent="e")
    world = world.job("d1-1", "d1", on="n1").job("d2-1", "d2", created=1).job("e1-1", "e1", created=2)
    world = world.job("e1-2", "e1", created=3)
    assert outline(world.state()) == "bind e1-1 on n1; bind d2-1 on n1; wait e1-2: NotEnoughResources"


def test_queues_of_higher_priority_take_what_nobody_deserves() -> None:
    world = World().node("n1", gpus=2)
    facts = [
        *world.facts,
        QueueChanged(Queue("low", "default", priority=50)),
        QueueChanged(Queue("high", "default", priority=200)),
        *World().job("l", "low", created=1).job("h1", "high", created=2).job("h2", "high", created=3).facts,
    ]
    assert outline(ClusterState.rebuild(facts)) == "bind h1 on n1; bind h2 on n1; wait l: NotEnoughResources"


def test_s46_waiting_jobs_of_equal_projects_start_alternately_whenever_they_came() -> None:
    world = World().node("n1", gpus=4).queue("a", 1).queue("b", 1)
    for number in range(3):
        world = world.job(f"a{number}", "a", created=number).job(f"b{number}", "b", created=10 + number)
    state = world.state()
    assert outline(state).startswith("bind a0 on n1; bind b0 on n1; bind a1 on n1; bind b1 on n1; wait")


def test_a_job_that_does_not_fit_does_not_speak_for_its_queue() -> None:
    """With its large job, a would be over its quota and b would go first."""
    world = World().node("n1", gpus=3).node("n2", gpus=1).queue("a", 2).queue("b", 0)
    world = world.job("a0", "a", 1, on="n2").job("large", "a", 4, created=1).job("small", "a", 1, created=2)
    world = world.job("b1", "b", 3, created=0)
    assert outline(world.state()).startswith("bind small on n1; wait")


def test_a_job_that_no_longer_fits_does_not_speak_for_its_queue() -> None:
    """After its first job there is no room for the next but for the third, which is within the quota again."""
    world = World().node("n1", gpus=3).queue("a", 2).queue("b", 0)
    world = world.job("a1", "a", 1, created=1).job("a2", "a", 3, created=2).job("a3", "a", 1, created=3)
    world = world.job("b1", "b", 2, created=0)
    assert outline(world.state()).startswith("bind a1 on n1; bind a3 on n1; wait")
