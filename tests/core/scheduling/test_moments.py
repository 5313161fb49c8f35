"""When to decide again although nothing has happened: when time alone makes a difference."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.core.scheduling import (
    ClusterState,
    Event,
    JobChanged,
    JobRemoved,
    QueueChanged,
    QueueRemoved,
    SchedulingSettings,
    decide,
    next_moment,
)
from aliquot.core.scheduling.facts import Job, Queue, Share
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


def walked(state: ClusterState, now: float, settings: SchedulingSettings) -> float | None:
    """The same, by looking at every job and every queue."""
    return min((moment for moment in _moments(state, settings) if moment > now), default=None)


def _moments(state: ClusterState, settings: SchedulingSettings) -> Iterator[float]:
    queues = [queue for pool in state.pools.values() for queue in pool.queues.queues.values()]
    told = [each for queue in queues for each in (queue.preempt_min_runtime_seconds, queue.reclaim_min_runtime_seconds)]
    for job in state.jobs().values():
        if job.stale_since is not None and settings.stale_gang_grace_seconds >= 0:
            yield job.stale_since + settings.stale_gang_grace_seconds
        if state.waiting().asks and job.last_started is not None and job.preemptible:
            yield from (job.last_started + seconds for seconds in told if seconds)


TIMES = st.none() | st.integers(0, 30).map(float) | st.floats(0, 30)
NAMES = st.sampled_from("abc")
SOME_JOBS = st.builds(
    Job,
    NAMES,
    st.just("here"),
    NAMES,
    st.just("a"),
    preemptible=st.booleans(),
    last_started=TIMES,
    stale_since=TIMES,
)
SOME_QUEUES = st.builds(
    Queue, NAMES, st.just("default"), preempt_min_runtime_seconds=TIMES, reclaim_min_runtime_seconds=TIMES
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    SOME_JOBS.map(JobChanged),
    SOME_QUEUES.map(QueueChanged),
    NAMES.map(JobRemoved),
    st.builds(QueueRemoved, st.just("default"), NAMES),
    st.sampled_from(WAITS.facts),
)


@given(st.lists(EVENTS, max_size=12), st.floats(0, 60), st.sampled_from([-1.0, 0.0, 7.0]))
def test_what_is_kept_is_what_looking_at_everybody_would_find(events: list[Event], now: float, grace: float) -> None:
    state, settings = ClusterState(), SchedulingSettings(stale_gang_grace_seconds=grace)
    for event in events:
        state.apply(event)
        assert next_moment(state, now, settings) == walked(state, now, settings)
