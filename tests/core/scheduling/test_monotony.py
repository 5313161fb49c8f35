"""More for a queue takes nothing from it: where that holds, and where it cannot (docs/scheduling/monotony.md).

A node comes, or a queue's quota or limit is raised. Who of the queue ran in the settled cluster runs again, or still,
when it has settled anew; for a node that goes for every queue. `ALIQUOT_CLUSTERS=10000` looks at 5,000 clusters for
each sentence.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling import Event, QueueChanged
from tests.core.scheduling.test_scheduling_properties import CLUSTERS
from tests.core.scheduling.world import GPU, World, running, until_settled
from tests.docs.pages import ROOT

PAGE: Final = ROOT / "docs" / "scheduling" / "monotony.md"
SEEDS: Final = st.integers(0, 1 << 32)
QUEUES: Final = ("a", "b", "c", "d")

twice_settled = settings(deadline=None, max_examples=CLUSTERS // 2)
pytestmark = pytest.mark.timeout(300 if CLUSTERS <= 100 else 0)


@dataclass(frozen=True)
class Change:
    """More for somebody: what happens, and for which queue; None: for all."""

    event: Event
    queue: str | None = None


def node(gpus: int) -> Change:
    """A node comes."""
    return Change(World().node("new", gpus=gpus).facts[0])


def raised(world: World, name: str, *, quota: int = 0, limit: int = 0) -> Change:
    """A queue's quota or limit is more by so many GPUs; no limit stays none."""
    queue = next(fact.queue for fact in world.facts if isinstance(fact, QueueChanged) and fact.queue.name == name)
    more = replace(
        queue.gpu,
        deserved=queue.gpu.deserved + quota * GPU,
        limit=queue.gpu.limit if queue.gpu.limit >= UNLIMITED else queue.gpu.limit + limit * GPU,
    )
    return Change(QueueChanged(replace(queue, gpu=more)), name)


def jobs_of(world: World, queue: str | None) -> set[str]:
    """The jobs of a queue, or of all."""
    state = world.state()
    return {job.id for job in state.jobs().values() if queue in (None, job.queue)}


def lost(world: World, change: Change) -> set[str]:
    """Who of the queue ran when the cluster had settled, and waits when it has after the change."""
    state = world.state()
    until_settled(state)
    before = set(running(state))
    state.apply(change.event)
    until_settled(state)
    return (before - set(running(state))) & jobs_of(world, change.queue)


def anew(world: World, change: Change) -> tuple[set[str], set[str]]:
    """Who runs when the cluster is filled from the beginning: without the change, and with it."""
    without, with_it = world.state(), World(*world.facts, change.event).state()
    until_settled(without)
    until_settled(with_it)
    return set(running(without)), set(running(with_it))


# Random worlds


@dataclass(frozen=True)
class Kinds:
    """What there may be in a random world.

    Attributes:
        queues: at most so many.
        sizes: GPUs of a pod.
        pods: of a job, all of which start together.
        fixed: whether some jobs may not be stopped.
        priorities: of jobs.
    """

    queues: int = 4
    sizes: Sequence[float] = (1,)
    pods: Sequence[int] = (1,)
    fixed: bool = False
    priorities: Sequence[int] = (50,)


def world_of(luck: random.Random, kinds: Kinds) -> World:
    """A cluster where nobody runs yet. Queues of equal weight, some with limits, perhaps in two departments."""
    world = World()
    for number in range(luck.randint(1, 3)):
        world = world.node(f"n{number}", gpus=luck.randint(1, 4))
    departments = luck.choice([0, 0, 2]) if kinds.queues > 1 else 0
    for number in range(departments):
        world = world.department(f"d{number}", luck.randint(0, 4))
    queues = QUEUES[: luck.randint(1, kinds.queues)]
    for name in queues:
        parent = f"d{luck.randrange(departments)}" if departments else None
        world = world.queue(name, luck.randint(0, 3), limit=luck.choice([None, None, 1, 2, 4]), parent=parent)
    for number in range(luck.randint(1, 10)):
        pods = luck.choice(kinds.pods)
        world = world.job(
            f"j{number}",
            luck.choice(queues),
            luck.choice(kinds.sizes),
            created=number,
            preemptible=not kinds.fixed or luck.random() < 0.7,
            priority=luck.choice(kinds.priorities),
            pods=pods,
            together=pods,
        )
    return world


def change_of(luck: random.Random, world: World, *, nodes: bool = True) -> Change:
    """Something that is more, by 1 to 3 GPUs."""
    names = [fact.queue.name for fact in world.facts if isinstance(fact, QueueChanged) and "/" not in fact.queue.name]
    name, more = luck.choice(names), luck.randint(1, 3)
    ways: list[Callable[[], Change]] = [
        lambda: raised(world, name, quota=more),
        lambda: raised(world, name, limit=more),
        lambda: node(more),
    ]
    return luck.choice(ways if nodes else ways[:2])()


# Where it holds


@twice_settled
@given(SEEDS)
def test_in_one_queue_of_equal_priorities_more_stops_nobody(seed: int) -> None:
    luck = random.Random(seed)
    world = world_of(luck, Kinds(queues=1, sizes=(0.5, 1, 1, 2, 3), pods=(1, 1, 2, 3), fixed=True))
    assert lost(world, change_of(luck, world)) == set()


@twice_settled
@given(SEEDS)
def test_among_equal_pods_and_queues_of_equal_weight_more_stops_nobody_of_who_has_it(seed: int) -> None:
    luck = random.Random(seed)
    world = world_of(luck, Kinds(fixed=True))
    assert lost(world, change_of(luck, world)) == set()


@twice_settled
@given(SEEDS)
def test_among_equal_pods_and_queues_of_equal_weight_more_runs_when_all_is_filled_anew(seed: int) -> None:
    luck = random.Random(seed)
    world = world_of(luck, Kinds())
    change = change_of(luck, world)
    without, with_it = anew(world, change)
    assert (without - with_it) & jobs_of(world, change.queue) == set()


@twice_settled
@given(SEEDS)
def test_a_raised_quota_or_limit_stops_nobody_of_its_own_queue_where_priorities_and_weights_are_equal(
    seed: int,
) -> None:
    luck = random.Random(seed)
    world = world_of(luck, Kinds(sizes=(0.5, 1, 1, 2, 3), pods=(1, 1, 2, 3), fixed=True))
    assert lost(world, change_of(luck, world, nodes=False)) == set()


@twice_settled
@given(SEEDS)
def test_who_waits_in_a_queue_that_is_filled_anew_with_more_does_so_for_somebody_before_them(seed: int) -> None:
    """The first in the queue for whom it makes a difference runs now."""
    luck = random.Random(seed)
    world = world_of(luck, Kinds(queues=1, sizes=(1, 1, 2, 3), pods=(1, 1, 2, 3), fixed=True, priorities=(50, 60)))
    without, with_it = anew(world, change_of(luck, world))
    jobs = sorted(world.state().jobs().values(), key=lambda job: (-job.priority, job.created))
    first = next((job.id for job in jobs if (job.id in without) != (job.id in with_it)), None)
    assert first is None or first in with_it


def test_the_random_worlds_are_such_that_more_makes_a_difference() -> None:
    """Guards the properties above against passing because nothing ever happens."""
    waits, gains = 0, 0
    for seed in range(60):
        luck = random.Random(seed)
        world = world_of(luck, Kinds())
        without, with_it = anew(world, change_of(luck, world))
        waits += len(without) < len(jobs_of(world, None))
        gains += bool(with_it - without)
    assert waits > 20
    assert gains > 10


# Where it cannot hold


def _of_weights(gpus: int, weights: dict[str, int], jobs: dict[str, int]) -> World:
    world = World().node("n1", gpus=gpus)
    for name, weight in weights.items():
        world = world.queue(name, 0, weight=weight)
    for name, count in jobs.items():
        for number in range(count):
            world = world.job(f"{name}{number}", name, created=number)
    return world


OWNER = World().node("n1", gpus=1).queue("a", 2).queue("b", 0).job("theirs", "b").job("gang", "a", pods=2, together=2)
HIGHER = World().node("n1", gpus=1).queue("a", 2).job("low", "a").job("high", "a", priority=60, pods=2, together=2)
FIXED = World().node("n1", gpus=1).queue("a", 0).job("low", "a").job("build", "a", priority=100)
LIMITED = World().node("n1", gpus=2).queue("a", 2, limit=1).job("low", "a").job("high", "a", 2, priority=60)
LAST_GPU = _of_weights(3, {"a": 1, "b": 3, "c": 3}, {"a": 1, "b": 2, "c": 2})
ROUNDED = _of_weights(4, {"a": 5, "b": 2, "c": 3}, {"a": 3, "b": 1, "c": 1})

CASES: dict[str, tuple[World, Change, set[str]]] = {
    "an owner's gang fits now": (OWNER, node(1), {"theirs"}),
    "a gang of higher priority fits now": (HIGHER, node(1), {"low"}),
    "a job of higher priority that may not be stopped is within the quota now": (
        FIXED,
        raised(FIXED, "a", quota=1),
        {"low"},
    ),
    "a job of higher priority is within the limit now": (LIMITED, raised(LIMITED, "a", limit=1), {"low"}),
    "one more GPU rounds a small share down": (LAST_GPU, node(1), {"a0"}),
    "a quota is taken out of what is rounded": (ROUNDED, raised(ROUNDED, "a", quota=1), {"a2"}),
}


@pytest.mark.parametrize(("world", "change", "stopped"), CASES.values(), ids=CASES)
def test_where_it_cannot_hold(world: World, change: Change, stopped: set[str]) -> None:
    assert lost(world, change) == stopped


def test_every_case_is_on_the_page() -> None:
    page = PAGE.read_text()
    assert [case for case in CASES if case not in page] == []
