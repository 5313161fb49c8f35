"""When to decide again although nothing has happened: when time alone makes a difference."""

from dataclasses import replace

import pytest

from aliquot.core.scheduling import JobChanged, QueueChanged, SchedulingSettings, decide, next_moment
from aliquot.core.scheduling.facts import Queue, Share
from tests.core.scheduling.world import GPU, World

NOW = 1000.0
RUNS = World().node("n1", gpus=2).job("runs", "b", 2, on="n1")
WAITS = RUNS.job("waits", "a", 2, created=5)


def changed(world: World, **facts: float | bool | None) -> World:
    """The same, with other facts of the job that runs."""
    return World(
        *(
            JobChanged(replace(event.job, **facts))  # pyright: ignore[reportArgumentType] - fields by name
            if isinstance(event, JobChanged) and event.job.name == "runs"
            else event
            for event in world.facts
        )
    )


def queues(world: World, *, preempt: float | None = None, reclaim: float | None = None) -> World:
    """Queue `a` deserves all, `b` nothing and is left alone for so long."""
    mine = Queue("a", "default", gpu=Share(2 * GPU))
    theirs = Queue("b", "default", preempt_min_runtime_seconds=preempt, reclaim_min_runtime_seconds=reclaim)
    return World(QueueChanged(mine), QueueChanged(theirs), *world.facts)


CASES: dict[str, tuple[World, SchedulingSettings, float | None]] = {
    "nothing depends on time": (queues(WAITS), SchedulingSettings(), None),
    "a gang's grace ends": (queues(changed(RUNS, stale_since=990.0)), SchedulingSettings(), 1050.0),
    "which is over": (queues(changed(RUNS, stale_since=900.0)), SchedulingSettings(), None),
    "and may be without end": (
        queues(changed(RUNS, stale_since=990.0)),
        SchedulingSettings(stale_gang_grace_seconds=-1),
        None,
    ),
    "what began lately has had its time": (
        queues(changed(WAITS, last_started=900.0), reclaim=300),
        SchedulingSettings(),
        1200.0,
    ),
    "of two times the earlier": (
        queues(changed(WAITS, last_started=900.0), preempt=150, reclaim=300),
        SchedulingSettings(),
        1050.0,
    ),
    "that is still to come": (
        queues(changed(WAITS, last_started=900.0), preempt=50, reclaim=300),
        SchedulingSettings(),
        1200.0,
    ),
    "it matters to nobody who does not wait": (
        queues(changed(RUNS, last_started=900.0), reclaim=300),
        SchedulingSettings(),
        None,
    ),
    "nor for what is never stopped": (
        queues(changed(WAITS, last_started=900.0, preemptible=False), reclaim=300),
        SchedulingSettings(),
        None,
    ),
    "no time at all": (queues(changed(WAITS, last_started=900.0), reclaim=0), SchedulingSettings(), None),
}


@pytest.mark.parametrize(("world", "settings", "wanted"), CASES.values(), ids=CASES)
def test_when_to_decide_again(world: World, settings: SchedulingSettings, wanted: float | None) -> None:
    assert next_moment(world.state(), NOW, settings) == wanted


def test_then_it_is_decided_otherwise() -> None:
    state = queues(changed(WAITS, last_started=900.0), reclaim=300).state()
    assert decide(state, NOW).evictions == ()
    then = next_moment(state, NOW)
    assert then is not None
    assert [evict.task for evict in decide(state, then).evictions] == ["runs"]
