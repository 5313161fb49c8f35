"""Quotas in a live cluster: lending, taking back, limits, priorities, and reasons that say so."""

import pytest

from demo.platform import OperatorProcess
from tests.support.arena import PROJECTS, Arena
from tests.support.scheduler_state import tasks_of

pytestmark = pytest.mark.cluster


def test_idle_gpus_are_lent_and_taken_back_by_their_owner(arena: Arena) -> None:
    """cluster-api.md S43 and S44; names as of their age, which counts in whole seconds."""
    arena.nodes(2, gpus=2)
    a = arena.project("a", deserved=2)
    b = arena.project("b", deserved=2)
    arena.submit(a, "a1", gpu="2")
    arena.until_phase(a, "a1", "Running")
    arena.submit(a, "a2", gpu="1")
    arena.submit(b, "b1", gpu="1")
    for namespace, name in ((a, "a2"), (b, "b1")):
        arena.until_phase(namespace, name, "Running")
    arena.submit(b, "b2", gpu="1")
    arena.until_phase(b, "b2", "Running")
    status = arena.until_reason(a, "a2", "NotEnoughResources")
    assert (status["phase"], status.get("failedPods", 0), status["preemptions"]) == ("Pending", 0, 1)
    assert arena.status(a, "a1")["phase"] == "Running"
    arena.until(
        lambda: [event for event in arena.events(a, "a2") if "b2" in event.get("note", "")],
        "an event on a2 that says for whom it was stopped",
    )


def test_two_projects_end_with_their_halves(arena: Arena) -> None:
    """cluster-api.md S46."""
    arena.nodes(1, gpus=4)
    a = arena.project("a", deserved=2)
    b = arena.project("b", deserved=2)
    for number in range(4):
        arena.submit(a, f"a{number}")
    arena.until(lambda: arena.running(a) == 4, "a to use all GPUs")
    for number in range(4):
        arena.submit(b, f"b{number}")
    arena.until(lambda: (arena.running(a), arena.running(b)) == (2, 2), "two for each")


def test_a_limit_is_never_passed(arena: Arena) -> None:
    """cluster-api.md S53."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=1, limit=1)
    arena.submit(namespace, "first")
    arena.until_phase(namespace, "first", "Running")
    arena.submit(namespace, "second")
    status = arena.until_reason(namespace, "second", "OverLimit")
    assert "1" in status["phaseMessage"]
    assert status["phase"] == "Pending"


def test_work_that_cannot_be_preempted_stays_within_quota(arena: Arena) -> None:
    """cluster-api.md S50, with a training workload of class build."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "first", labels={"priorityClassName": "build"})
    arena.until_phase(namespace, "first", "Running")
    arena.submit(namespace, "second", labels={"priorityClassName": "build"})
    arena.until_reason(namespace, "second", "NonPreemptibleOverQuota")
    arena.submit(namespace, "third")
    arena.until_phase(namespace, "third", "Running")


def test_higher_priority_takes_the_place_of_lower_in_the_same_project(arena: Arena) -> None:
    """cluster-api.md S49 and S51, with a training workload of class build."""
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "training")
    arena.until_phase(namespace, "training", "Running")
    arena.submit(namespace, "building", labels={"priorityClassName": "build"})
    arena.until_phase(namespace, "building", "Running")
    arena.until_phase(namespace, "training", "Pending")


def test_a_department_takes_back_what_another_borrowed(arena: Arena) -> None:
    """cluster-api.md S65."""
    arena.nodes(1)
    one = arena.department("one", deserved=4)
    two = arena.department("two", deserved=4)
    a = arena.project("a", deserved=8, department=one)
    b = arena.project("b", deserved=4, department=two)
    arena.submit(a, "a", completions=8, parallelism=8)
    arena.until(lambda: arena.running(a) == 8, "a to use all GPUs")
    arena.submit(b, "b", completions=4, parallelism=4)
    arena.until(lambda: (arena.running(a), arena.running(b)) == (4, 4), "b to get its own back")


def test_what_waits_says_why_with_numbers_and_starts_when_there_is_room(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "first", gpu="6")
    arena.until_phase(namespace, "first", "Running")
    arena.submit(namespace, "second", gpu="4")
    status = arena.until_reason(namespace, "second", "NotEnoughResources")
    assert "4 GPUs" in status["phaseMessage"]
    assert "2" in status["phaseMessage"]
    arena.end(namespace, "first")
    arena.until_phase(namespace, "second", "Running")


def test_more_than_any_node_has_is_said_to_be_so(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=32)
    arena.submit(namespace, "huge", gpu="17")
    status = arena.until_reason(namespace, "huge", "NoSuchNode")
    assert "17" in status["phaseMessage"]
    assert "8" in status["phaseMessage"]


def test_pods_that_others_bind_count_as_used(arena: Arena, operator: OperatorProcess) -> None:
    [node] = arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    resources = {"limits": {"nvidia.com/gpu": "6"}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "foreign"},
        "spec": {"nodeName": node, "containers": [{"name": "main", "image": "x", "resources": resources}]},
    }
    arena.lab.api.call("POST", f"/api/v1/namespaces/{namespace}/pods", pod)
    # The operator knows its own pods before it hears of others'.
    arena.until(lambda: "foreign" in tasks_of(operator, arena.name), "the operator to know the pod")
    arena.submit(namespace, "large", gpu="4")
    arena.until_reason(namespace, "large", "NotEnoughResources")
    arena.submit(namespace, "small", gpu="2")
    arena.until_phase(namespace, "small", "Running")
    arena.delete(f"/api/v1/namespaces/{namespace}/pods/foreign")
    arena.until_phase(namespace, "large", "Running")


def test_a_raised_quota_starts_what_waited_for_it(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=1, limit=1)
    arena.submit(namespace, "first")
    arena.until_phase(namespace, "first", "Running")
    arena.submit(namespace, "second")
    arena.until_reason(namespace, "second", "OverLimit")
    project = f"{PROJECTS}/{arena.name}-a"
    queues = arena.get(project)["spec"]["queues"]
    queues[0]["resources"]["gpu"] = {"deserved": 2, "limit": 2}
    arena.patch(project, {"spec": {"queues": queues}})
    arena.until_phase(namespace, "second", "Running")


def test_a_project_says_what_it_holds_and_wants(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=2)
    arena.submit(namespace, "job-1", gpu="4")
    arena.submit(namespace, "job-2", gpu="6")

    def quota() -> tuple[str, str]:
        use = arena.get(f"{PROJECTS}/{arena.name}-a").get("status", {}).get("quotaStatus", {})
        amounts = [use.get(what, {}).get("nvidia.com/gpu", "0") for what in ("allocated", "requested")]
        return amounts[0], amounts[1]

    arena.until(lambda: quota() in (("4", "10"), ("6", "10")), "4 or 6 GPUs held and 10 wanted")
