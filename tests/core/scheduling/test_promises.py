"""Who others were stopped for keeps the room until every task that it was meant for has its node.

In each case `J` is helped on n2, where somebody was stopped, and `rival` would have the first turn if it were not so.
"""

from dataclasses import replace

import pytest

from aliquot.core.scheduling import (
    ClusterState,
    Event,
    EvictionFailed,
    EvictionStarted,
    Granted,
    GrantFailed,
    Promised,
    QueueRemoved,
    TaskChanged,
    TaskRemoved,
    check,
    decide,
)
from aliquot.core.scheduling.facts import Task, TaskState
from tests.core.scheduling.world import World

CLUSTER = (
    World()
    .node("n1", gpus=1)
    .node("n2", gpus=2)
    .queue("a", 3)
    .queue("b", 0)
    .job("b1", "b", on="n2", created=1)
    .job("b2", "b", on="n2", created=2)
)
GROWS = CLUSTER.job("J", "a", pods=3, created=5)
GANG = CLUSTER.job("J", "a", pods=2, together=2, created=5)
RIVAL = World().job("rival", "a", priority=90, created=9)


def task(name: str, world: World) -> Task:
    return next(event.task for event in world.facts if isinstance(event, TaskChanged) and event.task.id == name)


def here(name: str, node: str, world: World = GROWS) -> TaskChanged:
    """The API server says that the task has its node."""
    return TaskChanged(replace(task(name, world), state=TaskState.RUNNING, node=node))


def begun(state: ClusterState) -> list[str]:
    """What a round decides; and it is begun."""
    plan = decide(state, 0.0)
    for bind in plan.binds:
        state.apply(Granted(bind.task, bind.node, bind.devices))
    for evict in plan.evictions:
        state.apply(EvictionStarted(evict.task, evict.for_job))
    return [f"bind {bind.task} on {bind.node}" for bind in plan.binds] + [
        f"evict {evict.task} for {evict.for_job}" for evict in plan.evictions
    ]


CASES: dict[str, tuple[World, tuple[Event, ...], dict[str, set[str]]]] = {
    # a cluster, what happens, and what J is promised then
    "a promise lasts while those stop who have to": (GROWS, (), {"J": {"n2"}}),
    "and when they have gone": (GROWS, (TaskRemoved("b2"),), {"J": {"n2"}}),
    "a task that was on its way before does not use it up": (
        GROWS,
        (TaskRemoved("b2"), here("J-0", "n1")),
        {"J": {"n2"}},
    ),
    "nor does one that is refused": (
        GROWS,
        (TaskRemoved("b2"), Granted("J-1", "n2"), GrantFailed("J-1")),
        {"J": {"n2"}},
    ),
    "while it is being kept nobody else may claim it for the same job": (
        GROWS,
        (TaskRemoved("b2"), Granted("J-1", "n2")),
        {},
    ),
    "it is kept with the last task that it was for": (
        GROWS,
        (here("J-0", "n1"), TaskRemoved("b2"), Granted("J-1", "n2"), here("J-1", "n2")),
        {},
    ),
    "one of a gang is not all of it": (
        GANG,
        (TaskRemoved("b2"), Granted("J-0", "n1"), Granted("J-1", "n2"), here("J-0", "n1", GANG), GrantFailed("J-1")),
        {"J": {"n2"}},
    ),
    "a gang has its room when all of it has": (
        GANG,
        (Granted("J-0", "n1"), Granted("J-1", "n2"), here("J-0", "n1", GANG), here("J-1", "n2", GANG)),
        {},
    ),
    "a task that was there before goes, and the promise stays": (
        GROWS,
        (here("J-0", "n1"), TaskRemoved("J-0")),
        {"J": {"n2"}},
    ),
    "nothing is promised to one of which nobody waits": (
        GROWS,
        (TaskRemoved("J-1"), TaskRemoved("J-2")),
        {"J": {"n2"}},
    ),
    "nor once what was on its way has arrived": (
        GROWS,
        (TaskRemoved("J-1"), TaskRemoved("J-2"), here("J-0", "n1")),
        {},
    ),
    "where nobody goes after all, nothing is promised": (GROWS, (EvictionFailed("b2"),), {}),
}


@pytest.mark.parametrize(("world", "events", "wanted"), CASES.values(), ids=CASES)
def test_what_is_promised(world: World, events: tuple[Event, ...], wanted: dict[str, set[str]]) -> None:
    state = world.state()
    assert "evict b2 for J" in begun(state)
    for event in events:
        state.apply(event)
        assert check(state) == []
        again = ClusterState.rebuild(state.facts())
        assert list(again.facts()) == list(state.facts()), "a restart forgets nothing"
        assert check(again) == []
    assert {job: set(nodes) for job, nodes in state.promises().items()} == wanted


def test_a_job_that_grows_gets_the_room_though_another_of_its_tasks_was_bound_meanwhile() -> None:
    state = GROWS.state()
    assert begun(state) == ["bind J-0 on n1", "evict b2 for J"]
    state.apply(here("J-0", "n1"))
    for event in RIVAL.facts:
        state.apply(event)
    state.apply(TaskRemoved("b2"))
    assert begun(state) == ["bind J-1 on n2", "evict b1 for rival"], "the first turn is the rival's, not this room"


def test_a_gang_of_which_one_was_refused_keeps_its_room() -> None:
    state = GANG.state()
    assert begun(state) == ["evict b2 for J"]
    state.apply(TaskRemoved("b2"))
    for event in RIVAL.facts:
        state.apply(event)
    assert begun(state)[:2] == ["bind J-0 on n1", "bind J-1 on n2"]
    state.apply(here("J-0", "n1", GANG))
    state.apply(GrantFailed("J-1"))
    assert begun(state)[0] == "bind J-1 on n2"


def test_who_is_not_there_yet_is_promised_nothing() -> None:
    """After a restart a victim may name a job whose pods have gone meanwhile."""
    state = CLUSTER.state()
    state.apply(EvictionStarted("b2", "J"))
    state.apply(Promised("J", "n2"))
    assert state.promises() == {}
    assert check(state) == []


def test_a_project_that_goes_takes_what_it_was_promised_along() -> None:
    state = GANG.state()
    begun(state)
    state.apply(TaskRemoved("b2"))
    state.apply(QueueRemoved("default", "a"))
    plan = decide(state, 0.0)
    assert check(state, plan) == []
    assert plan.outline() == "wait J: NoQueue"
