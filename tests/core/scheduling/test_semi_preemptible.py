"""Jobs that keep their minimum, and may lose what they run beyond it."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.core.scheduling import ClusterState, JobChanged, TaskRemoved, check, decide
from tests.core.scheduling.test_scheduling_properties import slow, world_of
from tests.core.scheduling.world import GPU, World, begun, confirmed, outline


def semi(world: World, *names: str) -> World:
    """The same, with these jobs semi-preemptible."""
    return World(
        *(
            JobChanged(replace(event.job, preemptible=False, surplus_preemptible=True))
            if isinstance(event, JobChanged) and event.job.id in names
            else event
            for event in world.facts
        )
    )


ONE = World().node("n1", gpus=4)
CASES: dict[str, tuple[World, str]] = {
    "its minimum stays within the quota": (
        semi(ONE.queue("a", 1).job("j", "a", pods=3, together=2), "j"),
        "wait j: NonPreemptibleOverQuota",
    ),
    "what it runs beyond may go over it": (
        semi(ONE.queue("a", 2).job("j", "a", pods=4, together=2), "j"),
        "bind j-0 on n1; bind j-1 on n1; bind j-2 on n1; bind j-3 on n1",
    ),
    "and is taken back, the youngest first": (
        semi(
            ONE.queue("a", 2).queue("b", 2).job("j", "a", pods=4, together=2, on="n1").job("x", "b", 2, created=9), "j"
        ),
        "evict j-3 for x; evict j-2 for x; nominate x on n1; wait x: WaitingForEviction",
    ),
    "but nothing of the minimum": (
        semi(
            ONE.queue("a", 2).queue("b", 3).job("j", "a", pods=4, together=2, on="n1").job("x", "b", 3, created=9), "j"
        ),
        "wait x: NotEnoughResources",
    ),
    "nor for a higher priority of its own queue": (
        semi(ONE.queue("a", 4).job("j", "a", pods=4, together=3, on="n1").job("x", "a", 2, priority=90), "j"),
        "wait x: NotEnoughResources",
    ),
    "to which it gives what it has beyond": (
        semi(ONE.queue("a", 4).job("j", "a", pods=4, together=3, on="n1").job("x", "a", 1, priority=90), "j"),
        "evict j-3 for x; nominate x on n1; wait x: WaitingForEviction",
    ),
}


@pytest.mark.parametrize(("world", "wanted"), CASES.values(), ids=CASES)
def test_what_it_may_have_and_lose(world: World, wanted: str) -> None:
    assert outline(world.state()) == wanted


def test_what_is_beyond_the_minimum_is_in_it_when_others_have_gone() -> None:
    state = semi(ONE.queue("a", 2).queue("b", 2).job("j", "a", pods=3, together=2, on="n1"), "j").state()
    fixed = state.usage("default", "a").allocated_non_preemptible.gpu_percent
    assert fixed == 2 * GPU
    state.apply(TaskRemoved("j-0"))
    assert state.usage("default", "a").allocated_non_preemptible.gpu_percent == 2 * GPU
    assert check(state) == []
    state.apply(TaskRemoved("j-1"))
    assert state.usage("default", "a").allocated_non_preemptible.gpu_percent == GPU
    assert check(state) == []


@slow
@given(st.integers(0, 1 << 32), st.integers(1, 4), st.integers(0, 14))
def test_nobody_ever_takes_of_a_minimum(seed: int, nodes: int, jobs: int) -> None:
    world, luck = world_of(seed, nodes, jobs), random.Random(seed)
    names = [event.job.id for event in world.facts if isinstance(event, JobChanged)]
    chosen = {name for name in names if luck.random() < 0.5}
    state = semi(world, *chosen).state()
    for _ in range(4):
        assert check(state) == []
        plan = decide(state, 0.0)
        assert check(state, plan) == []
        before = {job.id: len(state.active_tasks(job.id)) for job in state.jobs().values()}
        for event in begun(plan):
            state.apply(event)
            assert check(state) == []
        for name in chosen:
            job = state.job(name)
            stale = any(evict.action == "stale-gangs" and evict.for_job == name for evict in plan.evictions)
            if job is not None and job.queue is not None and not stale:
                assert len(state.active_tasks(name)) >= min(job.min_member, before[name])
        for event in list(confirmed(state)):
            state.apply(event)
        again = ClusterState.rebuild(state.facts())
        assert decide(again, 0.0) == decide(state, 0.0)
