"""Time limits of projects: what counts, which hold, and what becomes of a workload whose time is over."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.contracts.kinds.tenancy import DepartmentQueue, DepartmentSpec
from aliquot.contracts.kinds.tenancy.projects import ProjectSpec
from aliquot.core.lifecycle import (
    NO_LIMITS,
    Limits,
    ObservedPod,
    Record,
    Steps,
    Timing,
    happenings,
    limits_of,
    moment,
    plan,
    record_of,
    status,
)
from aliquot.core.submission import Valid, ValidInference, ValidInteractive
from tests.core.lifecycle.lifecycle_world import (
    NEW,
    RETRY,
    facts,
    failed,
    gang,
    going,
    running,
    spec,
    starting,
    succeeded,
    waiting,
)

NOTEBOOK = ValidInteractive(pod=spec().pod)
RIGID = gang(clean_pod_policy="None")
KINDS: dict[str, Valid] = {"training": spec(), "interactive": NOTEBOOK, "distributed": RIGID}
KEPT_RUNNING = [running(0), running(1), running(2)]
RAN = "it has run for 100 s, the time limit of its project or department when it started"
IDLE = "its GPUs were idle for 50 s, the limit of its project when it started"
HUNDRED = Limits(seconds=100)
LAZY = Limits(idle_seconds=50)

PROJECT = ProjectSpec(
    interactive_job_time_limit_secs=1,
    interactive_job_max_idle_duration_secs=2,
    interactive_preemptible_job_max_idle_duration_secs=3,
    training_job_time_limit_secs=4,
    training_job_max_idle_duration_secs=5,
)


def interactive(priority_class: str) -> ValidInteractive:
    return ValidInteractive(pod=replace(spec().pod, priority_class=priority_class))


@pytest.mark.parametrize(
    ("asked", "project", "expected"),
    [
        (interactive("build"), PROJECT, Limits(1, 2)),
        (interactive("interactive-preemptible"), PROJECT, Limits(1, 3)),
        (interactive("build-preemptible"), PROJECT, Limits(1, 3)),
        (spec(), PROJECT, Limits(4, 5)),
        (gang(), PROJECT, Limits(4, 5)),
        (ValidInference(pod=spec().pod, port=8080), PROJECT, NO_LIMITS),
        (spec(), ProjectSpec(), NO_LIMITS),
        (
            spec(),
            ProjectSpec(training_job_time_limit_secs=0, training_job_max_idle_duration_secs=0),
            NO_LIMITS,
        ),
    ],
    ids=[
        "interactive",
        "preemptible",
        "preemptible build",
        "training",
        "distributed",
        "inference",
        "none",
        "zero is none",
    ],
)
def test_which_limits_a_workload_has(asked: Valid, project: ProjectSpec, expected: Limits) -> None:
    assert limits_of(asked, project) == expected


def in_pools(*pools: str) -> ValidInteractive:
    """An interactive workload that names node pools."""
    pod = spec().pod
    return ValidInteractive(pod=replace(pod, placement=replace(pod.placement, node_pools=pools)))


@pytest.mark.parametrize(
    ("asked", "own", "department", "seconds"),
    [
        (in_pools(), 100, {"default": 60}, 60),
        (in_pools(), 60, {"default": 100}, 60),
        (in_pools(), None, {"default": 60}, 60),
        (in_pools(), 60, {"default": 0}, 60),
        (in_pools(), 100, {"a100": 60}, 100),
        (in_pools("a100", "h100"), 100, {"default": 1, "a100": 60, "h100": 90}, 60),
        (spec(), None, {"default": 60}, None),
        (gang(), None, {"default": 60}, None),
    ],
    ids=[
        "the department's is stricter",
        "the project's is stricter",
        "only the department has one",
        "zero is none",
        "of another node pool",
        "the strictest of the node pools it may use",
        "training is not limited by departments",
        "nor is distributed",
    ],
)
def test_the_stricter_of_project_and_department_holds(
    asked: Valid, own: int | None, department: dict[str, int], seconds: int | None
) -> None:
    project = ProjectSpec(interactive_job_time_limit_secs=own)
    queues = tuple(
        DepartmentQueue(name=pool, nodepool=pool, interactive_job_time_limit_secs=limit)
        for pool, limit in department.items()
    )
    assert limits_of(asked, project, DepartmentSpec(queues=queues)).seconds == seconds
    assert limits_of(asked, project).seconds == (own if isinstance(asked, ValidInteractive) else None)


def test_work_that_names_no_node_pool_is_limited_in_those_of_its_project() -> None:
    queues = (DepartmentQueue(name="a", nodepool="a100", interactive_job_time_limit_secs=60),)
    project = ProjectSpec(default_node_pools=("a100",))
    assert limits_of(in_pools(), project, DepartmentSpec(queues=queues)) == Limits(60)


def since(begin: float | None, ran: int = 0, limits: Limits = HUNDRED) -> Record:
    return Record(timing=Timing(limits, ran, begin))


OVER = Steps(look_again_at=301, outcome="Failed")
PLANS: dict[str, tuple[list[ObservedPod], Record, float, Steps]] = {
    "it runs until its time is over": ([running()], since(210), 300, Steps(look_again_at=310)),
    "… then its status is to say so first": ([running()], since(200), 300, OVER),
    "… and its pod is stopped": (
        [running()],
        replace(since(None, 100), finished="Failed", timed_out=True, completed_at=300),
        300,
        Steps(delete=("train-0-0",), outcome="Failed"),
    ),
    "it is not made again": (
        [],
        replace(since(None, 100), finished="Failed", timed_out=True, completed_at=300),
        300,
        Steps(outcome="Failed"),
    ),
    "what it ran before counts": ([running()], since(290, ran=40), 300, Steps(look_again_at=350)),
    "while it waits no time passes": ([waiting()], since(None, ran=99), 9000, Steps()),
    "nor while it starts": ([starting()], since(None, ran=99), 9000, Steps()),
    "a stretch ended with its last pod, though nobody has written so yet": (
        [failed(0, finished_at=150, disrupted=True), waiting(0, 1)],
        since(100),
        9000,
        Steps(),
    ),
    "time that was over while nobody looked is over": (
        [failed(0, finished_at=250, disrupted=True), waiting(0, 1)],
        since(100),
        300,
        OVER,
    ),
    "without a limit it is left alone": ([running()], since(0, limits=Limits(idle_seconds=50)), 9000, Steps()),
    "a pod that has work is not idle": ([running()], since(0, limits=LAZY), 9000, Steps()),
    "an idle one is looked at again": ([running(idle_since=280)], since(0, limits=LAZY), 300, Steps(look_again_at=330)),
    "… and is over after the limit": ([running(idle_since=250)], since(0, limits=LAZY), 300, OVER),
    "one that was seen to be so lately": (
        [running(idle_since=250, idle_seen=-300)],
        since(0, limits=LAZY),
        300,
        OVER,
    ),
    "one of which nobody has said so for long": (
        [running(idle_since=250, idle_seen=-301)],
        since(0, limits=LAZY),
        9000,
        Steps(),
    ),
    "a pod is not idle before it runs": (
        [running(idle_since=0, started_at=290)],
        since(0, limits=LAZY),
        300,
        Steps(look_again_at=340),
    ),
    "the sooner limit counts": (
        [running(idle_since=290)],
        since(210, limits=Limits(100, 50)),
        300,
        Steps(look_again_at=310),
    ),
}


@pytest.mark.parametrize(("pods", "record", "now", "expected"), PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("asked", [spec(), NOTEBOOK], ids=["training", "interactive"])
def test_next_steps(asked: Valid, pods: list[ObservedPod], record: Record, now: float, expected: Steps) -> None:
    assert plan(asked, pods, record, now, RETRY) == expected


def test_one_pod_at_work_keeps_a_gang_from_being_idle() -> None:
    lazy = [running(0, idle_since=120), running(1, idle_since=200), running(2)]
    record = since(110, limits=LAZY)
    assert plan(RIGID, lazy, record, 300, RETRY) == Steps()
    lazy[2] = running(2, idle_since=130)
    assert plan(RIGID, lazy, record, 220, RETRY) == Steps(look_again_at=250)
    assert plan(RIGID, lazy, record, 250, RETRY).outcome == "Failed"


def test_a_pod_that_failed_is_tried_again_when_it_is_due_though_a_limit_comes_later() -> None:
    two = spec(completions=2, parallelism=2)
    steps = plan(two, [failed(0, finished_at=200), running(1)], since(110), 201, RETRY)
    assert steps.look_again_at == 210
    steps = plan(two, [failed(0, finished_at=200), running(1)], since(105), 201, RETRY)
    assert steps.look_again_at == 205


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_all_that_lives_is_stopped_whatever_the_kind_leaves_at_its_end(asked: Valid) -> None:
    record = replace(since(None, 100), finished="Failed", timed_out=True, completed_at=300)
    steps = plan(asked, KEPT_RUNNING, record, 300, RETRY)
    assert steps == Steps(delete=("train-0-0", "train-1-0", "train-2-0"), outcome="Failed")


def test_a_workload_that_is_over_is_deleted_in_time() -> None:
    record = replace(since(None, 100), finished="Failed", timed_out=True, completed_at=300)
    fading = replace(NOTEBOOK, ttl_seconds=60)
    assert plan(fading, [], record, 300, RETRY) == Steps(look_again_at=360, outcome="Failed")
    assert plan(fading, [], record, 360, RETRY) == Steps(delete_workload=True, outcome="Failed")


def told(before: WorkloadStatus, now: float, *pods: ObservedPod, **changes: Any) -> WorkloadStatus:
    """Return the next status, which is written once."""
    given = facts(*pods, **changes)
    after = status(given, before, now)
    assert status(given, after, now) is after
    return after


def remembered(given: WorkloadStatus) -> dict[str, Any]:
    return given.time_limits.model_dump(exclude_none=True) if given.time_limits is not None else {}


@pytest.mark.parametrize("asked", KINDS.values(), ids=KINDS)
def test_from_the_start_to_the_end_of_its_time(asked: Valid) -> None:
    new = told(NEW, 100, waiting(), spec=asked, limits=HUNDRED)
    assert remembered(new) == {}
    runs = told(new, 111, running(started_at=110.0), spec=asked, limits=HUNDRED)
    assert remembered(runs) == {"limitSeconds": 100, "runningSince": moment(110)}
    stopped = told(runs, 150, waiting(0, 1), spec=asked, limits=HUNDRED)
    assert remembered(stopped) == {"limitSeconds": 100, "ranSeconds": 40}
    again = told(stopped, 1000, running(0, 1, started_at=1000.0), spec=asked, limits=NO_LIMITS)
    assert remembered(again) == {"limitSeconds": 100, "ranSeconds": 40, "runningSince": moment(1000)}
    assert (told(again, 1059, running(0, 1), spec=asked).phase) == "Running"
    over = told(again, 1060, running(0, 1), spec=asked)
    assert (over.phase, over.reason, over.phase_message) == ("Failed", "TimedOut", RAN)
    assert (over.completion_time, over.requested_gpu) == (moment(1060), "0")
    assert [each.reason for each in over.conditions if each.type == "Failed"] == ["TimedOut"]
    assert remembered(over) == {"limitSeconds": 100, "ranSeconds": 100}
    assert [(each.type, each.reason) for each in happenings(again, over)] == [("Warning", "TimedOut")]
    assert record_of(over).timed_out
    gone = told(over, 2000, spec=asked, limits=Limits(5000))
    assert (gone.phase, gone.reason, gone.phase_message) == ("Failed", "TimedOut", RAN)
    leaving = told(gone, 2001, spec=asked, deleting=True)
    assert (leaving.phase, record_of(leaving).timed_out) == ("Terminating", True)


def test_gpus_without_work_end_it() -> None:
    runs = told(NEW, 111, running(started_at=110.0), spec=NOTEBOOK, limits=LAZY)
    busy = told(runs, 900, running(idle_since=851.0), spec=NOTEBOOK)
    assert busy.phase == "Running"
    over = told(busy, 901, running(idle_since=851.0), spec=NOTEBOOK)
    assert (over.phase, over.reason, over.phase_message) == ("Failed", "TimedOut", IDLE)
    gone = told(over, 902, spec=NOTEBOOK)
    assert (gone.phase, gone.reason) == ("Failed", "TimedOut")


def test_limits_that_are_set_later_concern_others() -> None:
    runs = told(NEW, 111, running(started_at=110.0))
    assert told(runs, 9000, running(started_at=110.0), limits=HUNDRED) is runs


def test_what_has_succeeded_is_done_though_its_time_is_over() -> None:
    runs = told(NEW, 111, running(started_at=110.0), limits=HUNDRED)
    done = told(runs, 215, succeeded(finished_at=212.0))
    assert (done.phase, done.reason) == ("Completed", None)
    assert remembered(done) == {"limitSeconds": 100, "ranSeconds": 102}


def test_what_ends_it_for_others_is_no_end_of_its_time() -> None:
    runs = told(NEW, 111, running(started_at=110.0), limits=HUNDRED)
    evicted = told(runs, 120, going(running(started_at=110.0), reason="EvictionByAliquot"))
    assert (evicted.phase, evicted.reason) == ("Pending", "Evicted")
    assert remembered(evicted) == {"limitSeconds": 100, "runningSince": moment(110)}


MOMENTS = st.lists(st.tuples(st.integers(1, 40), st.sampled_from(["runs", "waits", "is lost"])), max_size=20)


@given(asked=st.sampled_from([*KINDS.values()]), moments=MOMENTS)
def test_no_second_is_counted_twice_and_the_end_is_for_good(asked: Valid, moments: list[tuple[int, str]]) -> None:
    known, now, ran, attempt = NEW, 1000, 0, 0
    begun: int | None = None
    for seconds, what in moments:
        now += seconds
        if begun is not None:
            ran += seconds
        attempt += what != "runs"
        begun = (begun or now) if what == "runs" else None
        pods = {
            "runs": [running(0, attempt, started_at=float(begun or 0))],
            "waits": [waiting(0, attempt)],
            "is lost": [],
        }[what]
        over_before = record_of(known).timed_out
        known = told(known, now, *pods, spec=asked, limits=HUNDRED)
        timing = record_of(known).timing
        assert record_of(known).timed_out == (over_before or ran >= 100)
        if record_of(known).timed_out:
            assert plan(asked, pods, record_of(known), now, RETRY).create == ()
            begun = None
        elif timing is not None:
            assert timing.ran_seconds + (now - (timing.running_since or now)) == ran
