"""Gangs that run with fewer pods than their minimum are stopped after a while (scheduling.md 2.12, S54)."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from aliquot.core.scheduling import ACTIONS, JobChanged, Plan, SchedulingSettings, TaskChanged, check, decide
from aliquot.core.scheduling.facts import Group, Job, PodSet
from tests.core.scheduling.world import World, until_settled

NOW = 1000.0
GANG = World().node("n1", gpus=4).queue("a", 4).job("g", "a", 1, on="n1", pods=2, together=3)


def but(world: World, name: str = "g", pod_sets: Mapping[str, str] | None = None, **changed: object) -> World:
    """The world with something of a job changed, and with the pod sets of some of its pods."""
    facts = list(world.facts)
    for at, event in enumerate(facts):
        if isinstance(event, JobChanged) and event.job.id == name:
            facts[at] = JobChanged(replace(event.job, **changed))  # pyright: ignore[reportArgumentType] - fields by name
        elif isinstance(event, TaskChanged) and event.task.id in (pod_sets or {}):
            facts[at] = TaskChanged(replace(event.task, pod_set=(pod_sets or {})[event.task.id]))
    return World(*facts)


def plan_of(world: World, now: float = NOW, settings: SchedulingSettings = SchedulingSettings()) -> Plan:
    state = world.state()
    plan = decide(state, now, settings)
    assert check(state, plan) == []
    return plan


STALE = but(GANG, stale_since=NOW - 60)
PARTS = Group(pod_sets=(PodSet("leader", 1),), groups=(Group("rest", pod_sets=(PodSet("workers", 2),)),))


@pytest.mark.parametrize(
    ("given", "grace", "stopped"),
    [
        (STALE, 60, ["g-0", "g-1"]),
        (STALE, 61, []),
        (STALE, 0, ["g-0", "g-1"]),
        (STALE, -1, []),
        (GANG, 0, []),
        (but(STALE, min_member=2), 60, []),
        (but(STALE, preemptible=False), 60, ["g-0", "g-1"]),
        (but(STALE, queue=None), 60, []),
        (but(STALE, group=PARTS, min_member=2, pod_sets={"g-0": "leader", "g-1": "workers"}), 60, ["g-0", "g-1"]),
        (but(STALE, group=PARTS, min_member=2, pod_sets={"g-0": "workers", "g-1": "workers"}), 60, ["g-0", "g-1"]),
        (
            but(STALE, group=Group(pod_sets=(PodSet("default", 2),)), min_member=2),
            60,
            [],
        ),
    ],
)
def test_a_gang_below_its_minimum_is_stopped_whole_after_its_grace(
    given: World, grace: float, stopped: list[str]
) -> None:
    plan = plan_of(given, settings=SchedulingSettings(stale_gang_grace_seconds=grace))
    assert [evict.task for evict in plan.evictions] == stopped
    assert {(evict.for_job, evict.action, evict.moves) for evict in plan.evictions} <= {("g", "stale-gangs", False)}


def test_it_is_told_how_many_run_and_how_many_it_needs() -> None:
    assert plan_of(STALE, NOW + 15).evictions[0].why == (
        "stopped because its gang is incomplete for 75 s: 2 pods of the 3 that it needs at least"
    )
    parts = but(STALE, group=PARTS, min_member=2, pod_sets={"g-0": "leader", "g-1": "workers"})
    assert plan_of(parts).evictions[0].why == (
        "stopped because its gang is incomplete for 60 s: 1 pod of the 2 that its part workers needs at least"
    )


def test_a_gang_whose_missing_pods_start_now_goes_on() -> None:
    [job] = [event.job for event in STALE.facts if isinstance(event, JobChanged)]
    [first, *_] = [event.task for event in STALE.facts if isinstance(event, TaskChanged)]
    waits = World().job("g", "a", 1).facts[1]
    assert isinstance(waits, TaskChanged)
    missing = replace(waits.task, id="g-2", name="g-2", created=first.created + 1)
    assert isinstance(job, Job)
    plan = plan_of(World(*STALE.facts, TaskChanged(missing)))
    assert plan.outline() == "bind g-2 on n1"


def test_nobody_is_stopped_twice() -> None:
    world = but(STALE, queue="b").queue("b", 0).job("x", "a", 4, created=9)
    plan = plan_of(world)
    assert [(evict.task, evict.action) for evict in plan.evictions] == [("g-0", "reclaim"), ("g-1", "reclaim")]


def test_the_step_can_be_left_out() -> None:
    without = SchedulingSettings(actions=tuple(action for action in ACTIONS if action != "stale-gangs"))
    assert plan_of(STALE, settings=without).evictions == ()


def test_what_was_stopped_so_waits_as_a_gang() -> None:
    state = STALE.state()
    assert until_settled(state, now=NOW)
    assert not [record for record in state.tasks().values() if record.state.active]
    assert [waiting.job for waiting in decide(state, NOW).waiting] == ["g"]
