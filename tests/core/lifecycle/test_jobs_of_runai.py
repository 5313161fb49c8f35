"""RunaiJobs: from the object to its pods, its plan and its status (cluster-api.md 1.7, S10)."""

from dataclasses import replace
from typing import Any, cast

import pytest

from aliquot.contracts.kinds.runaijob import RunaiJob, RunaiJobStatus
from aliquot.contracts.kinds.tenancy import DepartmentQueue, DepartmentSpec
from aliquot.contracts.kinds.tenancy.projects import ProjectSpec
from aliquot.core.lifecycle import NO_LIMITS, Limits, ObservedPod, Steps, job_status, limits_of, plan_job
from aliquot.core.lifecycle.steps import NewPod
from aliquot.core.rendering import Owner, job_pod
from aliquot.core.submission import InvalidWorkload, ValidJob, effective_job
from tests.core.lifecycle.lifecycle_world import RETRY, failed, going, running, succeeded, waiting

OWNER = Owner("run.ai/v1", "RunaiJob", "runai-a", "job1", "uid-1")
CONTAINER: dict[str, Any] = {"name": "main", "image": "x"}
TEMPLATE: dict[str, Any] = {"spec": {"containers": [CONTAINER]}}
NEW = RunaiJobStatus()
RAN = "it has run for 100 s, the time limit of its project or department when it started"


def made(template: dict[str, Any] = TEMPLATE, labels: dict[str, str] | None = None, **spec: Any) -> ValidJob:
    document = {"metadata": {"name": "job1", "labels": labels or {}}, "spec": {"template": template, **spec}}
    return effective_job(RunaiJob.model_validate(document))


# Its pods


def test_a_pod_is_the_template_and_belongs_to_the_job() -> None:
    user = {"metadata": {"labels": {"user": "ada"}, "annotations": {"note": "1"}}, **TEMPLATE}
    pod = cast("dict[str, Any]", job_pod(made(user), OWNER, 2, 1, 1))
    metadata, spec = pod["metadata"], pod["spec"]
    assert (metadata["name"], metadata["namespace"]) == ("job1-2-1", "runai-a")
    assert metadata["labels"] == {
        "release": "job1",
        "user": "ada",
        "aliquot.dev/pod-index": "2",
        "aliquot.dev/attempt": "1",
    }
    assert metadata["annotations"] == {"note": "1", "aliquot.dev/failed-attempts": "1"}
    [owner] = metadata["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("RunaiJob", "uid-1", True)
    assert (spec["schedulerName"], spec["restartPolicy"], spec["priorityClassName"]) == (
        "runai-scheduler",
        "Never",
        "train",
    )
    told = {variable["name"]: variable["value"] for variable in spec["containers"][0]["env"]}
    assert told == {"JOB_NAME": "job1", "JOB_UUID": "uid-1", "POD_INDEX": "2"}
    assert TEMPLATE == {"spec": {"containers": [CONTAINER]}}, "the template itself stays as it is"


def test_what_the_template_says_holds() -> None:
    said = {"schedulerName": "other", "restartPolicy": "OnFailure", "priorityClassName": "urgent"}
    own = {**CONTAINER, "env": [{"name": "POD_INDEX", "value": "mine"}]}
    spec = cast("dict[str, Any]", job_pod(made({"spec": {**said, "containers": [own]}}), OWNER, 0, 0, 0)["spec"])
    assert {member: spec[member] for member in said} == said
    assert [variable["value"] for variable in spec["containers"][0]["env"]] == ["job1", "uid-1", "mine"]


@pytest.mark.parametrize(
    ("labels", "of_template", "expected"),
    [
        ({}, {}, "train"),
        ({"priorityClassName": "build"}, {}, "build"),
        ({"priorityClassName": "interactivePreemptible"}, {}, "interactive-preemptible"),
        ({}, {"priorityClassName": "build"}, "build"),
        ({"app": "x"}, {"priorityClassName": "build"}, "train"),
    ],
)
def test_the_label_names_the_priority_class(labels: dict[str, str], of_template: dict[str, str], expected: str) -> None:
    assert made({"metadata": {"labels": of_template}, **TEMPLATE}, labels).priority_class == expected


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no pod": ({}, {}, "spec.template.spec.containers"),
    "no containers": ({"spec": {"containers": []}}, {}, "spec.template.spec.containers"),
    "a pod that never ends": (
        {"spec": {"containers": [CONTAINER], "restartPolicy": "Always"}},
        {},
        "spec.template.spec.restartPolicy",
    ),
    "too many": (TEMPLATE, {"completions": 100_001}, "spec.completions"),
}


@pytest.mark.parametrize(("template", "spec", "field"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_carried_out_is_named(template: dict[str, Any], spec: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidWorkload) as caught:
        made(template, **spec)
    assert [error.field for error in caught.value.errors] == [field]


def test_more_at_a_time_than_there_is_work_for_is_no_mistake_in_a_job() -> None:
    assert made(parallelism=5, completions=2).parallelism == 2


# Its life


def told(job: ValidJob, *pods: ObservedPod, before: RunaiJobStatus = NEW, now: float = 300) -> RunaiJobStatus:
    return job_status(job, (), pods, before, now)


def conditions(status: RunaiJobStatus) -> list[tuple[str, str, str | None]]:
    return [(each.type, each.status, each.reason) for each in status.conditions]


HPO = made(completions=3, parallelism=2)
LATE = made(activeDeadlineSeconds=100)
STARTED = told(LATE, running(), now=300)
OVER = told(LATE, running(), before=STARTED, now=400)
PLANS: dict[str, tuple[ValidJob, list[ObservedPod], RunaiJobStatus, float, Steps]] = {
    "as many as may run": (HPO, [], NEW, 300, Steps(create=(NewPod(0, 0, 0), NewPod(1, 0, 0)))),
    "the next index": (HPO, [succeeded(0), running(1)], NEW, 300, Steps(create=(NewPod(2, 0, 0),))),
    "what succeeded stays so, though its pod is gone": (
        HPO,
        [running(1)],
        RunaiJobStatus(completed_indexes="0"),
        300,
        Steps(create=(NewPod(2, 0, 0),)),
    ),
    "what was evicted is made again": (
        HPO,
        [failed(0, disrupted=True), running(1)],
        NEW,
        300,
        Steps(create=(NewPod(0, 1, 0),)),
    ),
    "a failure waits": (made(), [failed(finished_at=299)], NEW, 300, Steps(look_again_at=309)),
    "suspended": (made(suspend=True), [running()], NEW, 300, Steps(delete=("train-0-0",))),
    "it looks at its deadline": (LATE, [running()], STARTED, 300, Steps(look_again_at=400)),
    "its time is over: it says so first": (LATE, [running()], STARTED, 400, Steps(look_again_at=401, outcome="Failed")),
    "… and its pod is stopped": (LATE, [running()], OVER, 400, Steps(delete=("train-0-0",), outcome="Failed")),
    "it goes when its time has come": (
        made(ttlSecondsAfterFinished=10),
        [succeeded(finished_at=200)],
        NEW,
        210,
        Steps(delete_workload=True, outcome="Completed"),
    ),
}


@pytest.mark.parametrize(("job", "pods", "status", "now", "steps"), PLANS.values(), ids=PLANS)
def test_what_a_job_does_next(
    job: ValidJob, pods: list[ObservedPod], status: RunaiJobStatus, now: float, steps: Steps
) -> None:
    assert plan_job(job, pods, status, now, RETRY) == steps


def test_its_status_is_that_of_a_job() -> None:
    status = told(HPO, succeeded(0), failed(1), running(1, 1))
    assert (status.active, status.succeeded, status.failed, status.completed_indexes) == (1, 1, 1, "0")
    assert status.start_time is not None
    assert (status.completion_time, conditions(status)) == (None, [])
    assert told(HPO, succeeded(0), failed(1), running(1, 1), before=status, now=400) == status
    done = told(HPO, *(succeeded(index, finished_at=500) for index in range(3)), before=status, now=600)
    assert conditions(done) == [("Complete", "True", "CompletionsReached")]
    assert (done.active, done.succeeded, done.completed_indexes) == (0, 3, "0-2")
    assert done.completion_time is not None
    assert done.completion_time.timestamp() == 500
    assert told(HPO, before=done, now=900) == done.model_copy(update={"active": 0}), "though its pods are gone"


def test_a_job_that_fails_too_often_or_too_long_has_failed() -> None:
    too_often = told(made(backoffLimit=0), failed())
    assert conditions(too_often) == [("Failed", "True", "BackoffLimitExceeded")]
    assert too_often.conditions[0].message == "failures: 1, backoffLimit: 0"
    assert conditions(OVER) == [("Failed", "True", "DeadlineExceeded")]
    assert told(made(), before=OVER, now=900).conditions == OVER.conditions, "for good, whatever it says later"


HUNDRED = Limits(seconds=100)
LAZY = Limits(idle_seconds=50)


def limited(
    limits: Limits, *pods: ObservedPod, before: RunaiJobStatus = NEW, now: float = 300, job: ValidJob | None = None
) -> RunaiJobStatus:
    return job_status(job or made(), (), pods, before, now, limits)


def ran(status: RunaiJobStatus) -> tuple[int | None, int | None, float | None] | None:
    """The limit, what it has run before, and since when it runs; None: nothing is remembered."""
    times = status.time_limits
    if times is None:
        return None
    return times.limit_seconds, times.ran_seconds, times.running_since and times.running_since.timestamp()


def test_the_limits_of_a_job_are_those_of_when_its_first_pod_began_to_run() -> None:
    waits = limited(HUNDRED, waiting())
    assert ran(waits) is None
    begun = limited(HUNDRED, running(started_at=290), before=waits)
    assert ran(begun) == (100, None, 290)
    assert ran(limited(Limits(5, 5), running(started_at=290), before=begun)) == (100, None, 290), (
        "a change is for others"
    )
    free = limited(NO_LIMITS, running(started_at=290), before=waits)
    assert ran(free) == (None, None, None), "it is known that it began without"
    assert limited(HUNDRED, running(started_at=290), before=free, now=900) == free
    gone = limited(HUNDRED, before=begun, now=330)
    assert ran(gone) == (100, 40, None), "waiting does not count"


def test_a_job_whose_time_is_over_says_so_and_then_its_pods_go() -> None:
    pods = [running(started_at=200)]
    begun = limited(HUNDRED, *pods, now=200)
    assert plan_job(made(), pods, begun, 250, RETRY) == Steps(look_again_at=300)
    assert plan_job(made(), pods, begun, 300, RETRY) == Steps(look_again_at=301, outcome="Failed")
    over = limited(HUNDRED, *pods, before=begun, now=300)
    assert conditions(over) == [("Failed", "True", "TimedOut")]
    assert over.conditions[0].message == RAN
    assert ran(over) == (100, 100, None)
    assert plan_job(made(), pods, over, 300, RETRY) == Steps(delete=("train-0-0",), outcome="Failed")
    assert limited(NO_LIMITS, before=over, now=900).conditions == over.conditions, "for good"
    assert plan_job(made(), [], over, 900, RETRY) == Steps(outcome="Failed")


def test_a_job_whose_gpus_are_idle_for_too_long_ends() -> None:
    begun = limited(LAZY, running(started_at=200), now=200)
    idle = [replace(running(started_at=200), idle_since=230.0)]
    assert plan_job(made(), idle, begun, 250, RETRY) == Steps(look_again_at=280)
    assert conditions(limited(LAZY, *idle, before=begun, now=280)) == [("Failed", "True", "TimedOut")]


def test_of_deadline_and_limit_the_one_that_comes_first_is_named() -> None:
    pods = [running(started_at=200)]
    for seconds, reason in ((50, "DeadlineExceeded"), (150, "TimedOut")):
        job = made(activeDeadlineSeconds=seconds)
        begun = limited(HUNDRED, *pods, now=200, job=job)
        assert plan_job(job, pods, begun, 210, RETRY) == Steps(look_again_at=200 + min(seconds, 100))
        over = limited(HUNDRED, *pods, before=begun, now=200 + min(seconds, 100), job=job)
        assert conditions(over) == [("Failed", "True", reason)]


PROJECT = ProjectSpec(
    interactive_job_time_limit_secs=1,
    interactive_job_max_idle_duration_secs=2,
    interactive_preemptible_job_max_idle_duration_secs=3,
    training_job_time_limit_secs=4,
    training_job_max_idle_duration_secs=5,
)
DEPARTMENT = DepartmentSpec(queues=(DepartmentQueue(name="d", nodepool="h100", interactive_job_time_limit_secs=7),))


@pytest.mark.parametrize(
    ("job", "project", "expected"),
    [
        (made(), PROJECT, Limits(4, 5)),
        (made(labels={"priorityClassName": "build"}), PROJECT, Limits(1, 2)),
        (made(labels={"priorityClassName": "interactivePreemptible"}), PROJECT, Limits(1, 3)),
        (made(labels={"priorityClassName": "inference"}), PROJECT, NO_LIMITS),
        (made({"spec": {**TEMPLATE["spec"], "priorityClassName": "build"}}), PROJECT, Limits(1, 2)),
        (made({"spec": {**TEMPLATE["spec"], "priorityClassName": 7}}), PROJECT, Limits(4, 5)),
        (made(labels={"priorityClassName": "build"}), ProjectSpec(), NO_LIMITS),
        (made(labels={"priorityClassName": "build", "runai/node-pool": "h100"}), ProjectSpec(), Limits(7)),
        (
            made(
                {"metadata": {"labels": {"runai/node-pool": "a100, h100"}}, **TEMPLATE}, {"priorityClassName": "build"}
            ),
            ProjectSpec(),
            Limits(7),
        ),
    ],
)
def test_a_job_has_the_limits_of_what_its_priority_class_says_it_is(
    job: ValidJob, project: ProjectSpec, expected: Limits
) -> None:
    assert limits_of(job, project, DEPARTMENT) == expected


def test_a_suspended_job_says_so_and_begins_anew() -> None:
    asleep = told(made(suspend=True, activeDeadlineSeconds=100), going(running()), before=STARTED, now=350)
    assert (conditions(asleep), asleep.start_time) == ([("Suspended", "True", "JobSuspended")], None)
    awake = told(LATE, running(), before=asleep, now=390)
    assert conditions(awake) == [("Suspended", "False", "JobResumed")]
    assert plan_job(LATE, [running()], awake, 400, RETRY) == Steps(look_again_at=490)


def test_what_is_wrong_is_told_and_curable() -> None:
    with pytest.raises(InvalidWorkload) as caught:
        made({})
    wrong = job_status(None, caught.value.errors, [], NEW, 300)
    assert conditions(wrong) == [("Failed", "True", "InvalidSpec")]
    assert "spec.template.spec.containers" in (wrong.conditions[0].message or "")
    assert conditions(told(made(), running(), before=wrong)) == []
    assert plan_job(made(), [], wrong, 300, RETRY) == Steps(create=(NewPod(0, 0, 0),))
