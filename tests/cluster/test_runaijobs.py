"""RunaiJobs on a real API server (cluster-api.md 1.7, S10): their pods, their end, whose GPUs they take and give."""

from typing import Any, Final

import pytest

from aliquot_lab.api import ApiError
from tests.support.arena import PROJECTS, Arena, names_of
from tests.support.runai_jobs import JOBS, submit

pytestmark = pytest.mark.cluster

DURATION: Final = "lab.aliquot.dev/duration"
BUILD: Final = {"priorityClassName": "build"}


def until(arena: Arena, path: str, kind: str, reason: str, status: str = "True") -> dict[str, Any]:
    """Wait until the job has a condition; returns its status."""
    found: dict[str, Any] = {}

    def there() -> bool:
        nonlocal found
        found = arena.get(path).get("status", {})
        has = [(each["type"], each["status"], each["reason"]) for each in found.get("conditions", ())]
        return (kind, status, reason) in has

    arena.until(there, f"{path} to be {kind}: {reason}")
    return found


def until_running(arena: Arena, namespace: str, gpus: int) -> None:
    arena.until(lambda: arena.running(namespace) == gpus, f"{gpus} GPUs of {namespace} to be in use")


def finish(arena: Arena, namespace: str, job: str) -> None:
    """End the pods of a job."""
    for pod in arena.pods(namespace, job):
        path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
        arena.patch(path, {"metadata": {"annotations": {DURATION: "1ms"}}})


def test_s10_a_job_runs_to_its_end(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    path = submit(arena, namespace, "sweep", completions=3, parallelism=2, annotations={"duration": "100ms"})
    status = until(arena, path, "Complete", "CompletionsReached")
    assert (status["succeeded"], status.get("active", 0), status["completedIndexes"]) == (3, 0, "0-2")
    assert status["startTime"] <= status["completionTime"]
    pods = arena.pods(namespace, "sweep")
    assert names_of(pods) == ["sweep-0-0", "sweep-1-0", "sweep-2-0"]
    assert {pod["metadata"]["labels"]["user"] for pod in pods} == {"ada"}
    assert {pod["spec"]["priorityClassName"] for pod in pods} == {"train"}
    arena.delete(path)
    arena.until(lambda: not arena.pods(namespace, "sweep"), "its pods to go with it")


def test_s10_without_a_label_it_is_training_and_with_it_interactive(arena: Arena) -> None:
    """Training goes beyond the quota and gives back; interactive work stays within, and takes what is the project's."""
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=1)
    training = submit(arena, namespace, "training", gpus=2)
    until_running(arena, namespace, 2)
    submit(arena, namespace, "building", labels=BUILD)
    arena.until(
        lambda: [pod["status"]["phase"] for pod in arena.pods(namespace, "building")] == ["Running"],
        "the interactive one to run",
    )
    arena.until(
        lambda: [pod["status"]["phase"] for pod in arena.pods(namespace, "training")] == ["Pending"],
        "the training one to wait for its next turn",
    )
    assert arena.get(training)["status"].get("failed", 0) == 0
    submit(arena, namespace, "more", labels=BUILD)
    # The quota is used up, though a GPU is idle.
    arena.event(namespace, "more-0-0", "NonPreemptibleOverQuota")
    assert [pod["status"]["phase"] for pod in arena.pods(namespace, "building")] == ["Running"]


def test_failures_are_tried_again_and_then_it_has_failed(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    bad = {"duration": "50ms", "exit-code": "3"}
    path = submit(arena, namespace, "bad", backoffLimit=1, annotations=bad)
    status = until(arena, path, "Failed", "BackoffLimitExceeded")
    assert (status["failed"], status.get("active", 0)) == (2, 0)
    assert names_of(arena.pods(namespace, "bad")) == ["bad-0-0", "bad-0-1"]


def test_it_is_suspended_resumed_and_deleted_after_its_end(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    path = submit(arena, namespace, "job", ttlSecondsAfterFinished=0)
    until_running(arena, namespace, 1)
    arena.patch(path, {"spec": {"suspend": True}})
    until(arena, path, "Suspended", "JobSuspended")
    arena.until(lambda: not arena.pods(namespace, "job"), "its pod to go")
    arena.patch(path, {"spec": {"suspend": False}})
    until_running(arena, namespace, 1)
    until(arena, path, "Suspended", "JobResumed", status="False")
    finish(arena, namespace, "job")
    arena.until(lambda: not arena.get(path), "the job to go")
    arena.until(lambda: not arena.pods(namespace, "job"), "its pod to go with it")


def test_its_time_may_be_limited(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    path = submit(arena, namespace, "long", activeDeadlineSeconds=2)
    until(arena, path, "Failed", "DeadlineExceeded")
    arena.until(lambda: not arena.pods(namespace, "long"), "its pod to be stopped")


def test_what_is_wrong_is_told(arena: Arena) -> None:
    namespace = arena.project("a", deserved=8)
    with pytest.raises(ApiError, match=r"spec\.template"):
        arena.lab.api.call("POST", JOBS.format(namespace), {
            "apiVersion": "run.ai/v1", "kind": "RunaiJob", "metadata": {"name": "nothing"}, "spec": {},
        })  # fmt: skip
    for name, pod, kind, reason in (
        ("empty", {}, "Failed", "InvalidSpec"),
        (
            "for-ever",
            {"restartPolicy": "Always", "containers": [{"name": "main", "image": "x"}]},
            "Failed",
            "InvalidSpec",
        ),
    ):
        job = {
            "apiVersion": "run.ai/v1",
            "kind": "RunaiJob",
            "metadata": {"name": name},
            "spec": {"template": {"spec": pod}},
        }
        arena.lab.api.call("POST", JOBS.format(namespace), job)
        status = until(arena, f"{JOBS.format(namespace)}/{name}", kind, reason)
        assert "spec.template.spec" in status["conditions"][0]["message"]
    submit(arena, namespace, "refused", labels={"priorityClassName": "no-such-class"})
    arena.event(namespace, "refused", "CreateRefused", "no-such-class")


@pytest.mark.parametrize(
    ("labels", "limit"),
    [({}, "trainingJobTimeLimitSecs"), (BUILD, "interactiveJobTimeLimitSecs")],
    ids=["train", "build"],
)
def test_s63_a_job_ends_when_its_time_is_over(arena: Arena, labels: dict[str, str], limit: str) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8, members={limit: 2})
    path = submit(arena, namespace, "long", labels=labels)
    status = until(arena, path, "Failed", "TimedOut")
    [condition] = [each for each in status["conditions"] if each["type"] == "Failed"]
    assert condition["message"] == "it has run for 2 s, the time limit of its project or department when it started"
    assert status["timeLimits"]["ranSeconds"] >= 2
    arena.until(lambda: not arena.pods(namespace), "its pod to go")
    arena.until(lambda: arena.get(path)["status"]["active"] == 0, "nothing of it to be active")


def test_s63_a_job_that_began_without_a_limit_keeps_running(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    before = submit(arena, namespace, "before")
    arena.until(lambda: arena.get(before).get("status", {}).get("timeLimits") == {}, "it to have begun")
    project = f"{PROJECTS}/{arena.name}-a"
    arena.patch(project, {"spec": {"trainingJobTimeLimitSecs": 1}})
    after = f"{JOBS.format(namespace)}/after-0"
    for number in range(7):  # the first of them may begin before the change is heard of
        after = submit(arena, namespace, f"after-{number}")
        arena.until(lambda after=after: "timeLimits" in arena.get(after).get("status", {}), "the next to have begun")
        if arena.get(after)["status"]["timeLimits"]:
            break
    until(arena, after, "Failed", "TimedOut")
    assert arena.get(before)["status"]["active"] == 1
    assert arena.get(before)["status"].get("conditions", []) == []
