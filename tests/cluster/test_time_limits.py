"""Time limits of projects, on a real API server: workloads end when their time is over."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.arena import Arena

pytestmark = pytest.mark.cluster
INTERACTIVE = "InteractiveWorkload"


def until_over(arena: Arena, namespace: str, name: str, kind: str) -> dict[str, Any]:
    """Wait until the workload has ended by a limit and its pods are gone; returns its status."""
    arena.until_reason(namespace, name, "TimedOut", kind=kind)
    arena.until(lambda: not arena.pods(namespace, name), f"the pods of {name} to be gone")
    status = arena.until_status(
        namespace, name, lambda status: status["totalAllocatedGPU"] == "0", "to hold nothing any more", kind=kind
    )
    assert (status["phase"], status["reason"]) == ("Failed", "TimedOut")
    assert [each["reason"] for each in status["conditions"] if each["type"] == "Failed"] == ["TimedOut"]
    return status


@pytest.mark.parametrize(
    ("kind", "limit"),
    [(INTERACTIVE, "interactiveJobTimeLimitSecs"), ("TrainingWorkload", "trainingJobTimeLimitSecs")],
)
def test_s63_a_workload_ends_when_its_time_is_over(arena: Arena, kind: str, limit: str) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8, members={limit: 2})
    arena.submit(namespace, "long", kind=kind, duration="1h")
    status = until_over(arena, namespace, "long", kind)
    assert status["phaseMessage"] == "it has run for 2 s, the time limit of its project or department when it started"
    assert status["timeLimits"]["limitSeconds"] == 2
    assert status["timeLimits"]["ranSeconds"] >= 2
    assert "runningSince" not in status["timeLimits"]
    arena.event(namespace, "long", "TimedOut")


def test_s63_limits_that_change_concern_what_starts_after(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "before", kind=INTERACTIVE)
    arena.until_phase(namespace, "before", "Running", kind=INTERACTIVE)
    project = f"/apis/run.ai/v2/projects/{arena.name}-a"
    arena.patch(project, {"spec": {"interactiveJobTimeLimitSecs": 1, "department": "not-there"}})
    arena.until(
        lambda: any(each["type"] == "NoDepartment" for each in arena.get(project)["status"].get("conditions", ())),
        "the change to be seen",
    )
    arena.submit(namespace, "after", kind=INTERACTIVE)
    until_over(arena, namespace, "after", INTERACTIVE)
    assert arena.status(namespace, "before", INTERACTIVE)["phase"] == "Running"


def test_s63_a_workload_ends_when_its_gpus_have_no_work(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8, members={"interactiveJobMaxIdleDurationSecs": 2})
    for name in ("idle", "busy"):
        arena.submit(namespace, name, kind=INTERACTIVE)
        arena.until_phase(namespace, name, "Running", kind=INTERACTIVE)
    since = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    pod = f"/api/v1/namespaces/{namespace}/pods/idle-0-0"
    arena.patch(pod, {"metadata": {"annotations": {"aliquot.dev/gpu-idle-since": since}}})
    status = until_over(arena, namespace, "idle", INTERACTIVE)
    assert status["phaseMessage"] == "its GPUs were idle for 2 s, the limit of its project when it started"
    assert arena.status(namespace, "busy", INTERACTIVE)["phase"] == "Running"
