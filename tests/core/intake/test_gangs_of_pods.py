"""Since when pods run, which start together, and since when a gang has had too few (scheduling.md 2.8, 2.12)."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import msgspec
import pytest

from aliquot import names
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake import PodFacts, Tenant, is_short, job_of, pod_facts, pod_problems
from aliquot.core.quantities import Request, Vector
from aliquot.core.scheduling.facts import Group, Job, PodSet, Task

TENANT = Tenant("vision", ())
MADE, BOUND, STARTED, SHORT = (f"2024-05-01T12:0{minute}:00Z" for minute in range(4))
NOON = 1_714_564_800.0
MINUTE = 60.0


def read(
    name: str = "p-0",
    *,
    node: str = "n1",
    phase: str = "Running",
    annotations: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
    conditions: Sequence[dict[str, str]] = (),
    scheduler: str = names.SCHEDULER_NAME,
    **status_and_metadata: str,
) -> Pod:
    """A pod, decoded from the API server's bytes."""
    deleted = status_and_metadata.pop("deletionTimestamp", None)
    written: dict[str, Any] = {
        "metadata": {
            "name": name,
            "namespace": "runai-vision",
            "uid": f"uid-{name}",
            "creationTimestamp": MADE,
            "annotations": annotations or {},
            "labels": labels or {},
            **({"deletionTimestamp": deleted} if deleted else {}),
        },
        "spec": {"schedulerName": scheduler, "nodeName": node, "containers": [{"name": "c"}]},
        "status": {"phase": phase, "conditions": conditions, **status_and_metadata},
    }
    return msgspec.json.decode(msgspec.json.encode(written), type=Pod)


def condition(kind: str, status: str, since: str) -> dict[str, str]:
    return {"type": kind, "status": status, "lastTransitionTime": since}


HAS_NODE = condition("PodScheduled", "True", BOUND)

STARTS: dict[str, tuple[Pod, float | None]] = {
    "when it was bound": (read(conditions=[HAS_NODE], startTime=STARTED), NOON + MINUTE),
    "also before its node has heard of it": (read(phase="Pending", conditions=[HAS_NODE]), NOON + MINUTE),
    "whatever else it says": (
        read(conditions=[condition("Ready", "True", STARTED), HAS_NODE], startTime=STARTED),
        NOON + MINUTE,
    ),
    "made with a node: when the node took it": (read(startTime=STARTED), NOON + 2 * MINUTE),
    "made with a node that is silent": (read(phase="Pending"), NOON),
    "a time that cannot be read": (read(conditions=[condition("PodScheduled", "True", "soon")]), NOON),
    "not yet": (
        read(node="", phase="Pending", conditions=[condition("PodScheduled", "False", BOUND)]),
        None,
    ),
    "it has ended": (read(phase="Succeeded", conditions=[HAS_NODE]), None),
    "it is being stopped": (read(conditions=[HAS_NODE], deletionTimestamp=STARTED), None),
}


@pytest.mark.parametrize(("pod", "wanted"), STARTS.values(), ids=STARTS)
def test_since_when_a_pod_runs(pod: Pod, wanted: float | None) -> None:
    facts = pod_facts(pod, TENANT)
    assert facts.started == wanted
    assert job_of([facts]).last_started == wanted


# Gangs

GROUP = {names.POD_GROUP_ANNOTATION: "ring"}
OF_THREE = {**GROUP, names.MIN_MEMBER_ANNOTATION: "3"}


def test_pods_that_name_a_group_are_one_job() -> None:
    first, second = (pod_facts(read(name, annotations=OF_THREE), TENANT) for name in ("b", "a"))
    assert first.job.id == second.job.id == first.task.job == second.task.job == "runai-vision/ring"
    job = job_of([first, second])
    assert (job.name, job.namespace, job.queue, job.min_member) == ("ring", "runai-vision", "vision", 3)
    assert {first.task.id, second.task.id} == {"uid-a", "uid-b"}


ALONE: dict[str, Pod] = {
    "it names none": read(),
    "an empty name is none": read(annotations={names.POD_GROUP_ANNOTATION: ""}),
    "other schedulers' pods have theirs": read(annotations=OF_THREE, scheduler="default-scheduler"),
}


@pytest.mark.parametrize("pod", ALONE.values(), ids=ALONE)
def test_all_others_are_on_their_own(pod: Pod) -> None:
    job = pod_facts(pod, TENANT).job
    assert (job.id, job.name, job.min_member) == ("uid-p-0", "p-0", 1)


def test_pods_of_parts_say_which_they_are_of() -> None:
    of_parts = {**GROUP, names.MIN_MEMBER_ANNOTATION: "leader=1,worker=2"}
    pods = [read(name, annotations=of_parts, labels={names.SUBGROUP_LABEL: part}) for name, part in PARTS.items()]
    facts = [pod_facts(pod, TENANT) for pod in pods]
    assert {each.task.name: each.task.pod_set for each in facts} == PARTS
    job = job_of(facts)
    assert (job.min_member, job.group) == (3, Group(pod_sets=(PodSet("leader", 1), PodSet("worker", 2))))


PARTS = {"a": "leader", "b": "worker", "c": "worker"}
MINIMUM = names.MIN_MEMBER_ANNOTATION
NUMBER = "allowed is a whole number from 1 to 100000"
BAD: dict[str, tuple[dict[str, str], str]] = {
    "no number": ({**GROUP, MINIMUM: "all"}, f"{MINIMUM} is 'all': {NUMBER}"),
    "none": ({**GROUP, MINIMUM: "0"}, f"{MINIMUM} is '0': {NUMBER}"),
    "more than there can be": ({**GROUP, MINIMUM: "100001"}, f"{MINIMUM} is '100001': {NUMBER}"),
    "without a group": ({MINIMUM: "2"}, f"{MINIMUM} is '2': allowed only with pod-group-name"),
    "no name of a part": ({**GROUP, MINIMUM: "=1"}, f"{MINIMUM} is '=1': allowed are parts as NAME=NUMBER, each once"),
    "a part twice": (
        {**GROUP, MINIMUM: "a=1,a=2"},
        f"{MINIMUM} is 'a=1,a=2': allowed are parts as NAME=NUMBER, each once",
    ),
    "no number of a part": (
        {**GROUP, MINIMUM: "a=1,b"},
        f"{MINIMUM} of b is '': allowed is a whole number from 0 to 100000",
    ),
    "parts that need nobody": (
        {**GROUP, MINIMUM: "a=0"},
        f"{MINIMUM} is 'a=0': allowed are parts of which one at least needs a pod",
    ),
    "a pod of no part": (
        {**GROUP, MINIMUM: "b=1,a=2"},
        f"{MINIMUM} is 'b=1,a=2', and label {names.SUBGROUP_LABEL} is '': allowed is one of a, b",
    ),
    "too long": ({**GROUP, MINIMUM: "a=1," * 300}, f"{MINIMUM} has 1200 characters: allowed are 1024"),
}


@pytest.mark.parametrize(("annotations", "wanted"), BAD.values(), ids=BAD)
def test_a_minimum_that_cannot_be_starts_nothing_and_is_told(annotations: dict[str, str], wanted: str) -> None:
    pod = read(annotations=annotations, node="", phase="Pending")
    facts = pod_facts(pod, TENANT)
    assert (names.UNREADABLE_RESOURCE, 1) in facts.task.request.extended
    assert facts.job.id == "uid-p-0"
    assert pod_problems(pod) == (f"metadata.annotations: {wanted}",)


def member(
    name: str,
    *,
    started: float | None = 0.0,
    minimum: int = 3,
    succeeded: bool = False,
    attempt: int = 0,
    short_since: float | None = None,
    created: float = 0.0,
    priority: int = 50,
    pod_set: str = "default",
    group: Group | None = None,
) -> PodFacts:
    job = Job("g", "here", "g", "vision", min_member=minimum, created=created, priority=priority, group=group)
    task = Task(name, "g", "here", name, Request(Vector(pods=1)), created=created, pod_set=pod_set)
    return PodFacts(job, task, started, succeeded, attempt, short_since)


A, B, C = (member(name, started=start) for name, start in (("a", 30.0), ("b", 10.0), ("c", 20.0)))
WAITS = member("d", started=None)

SHORTAGE: dict[str, tuple[list[PodFacts], float | None]] = {
    # pods; since when it is short where 99 is when that was noticed
    "all it needs": ([A, B, C], None),
    "more than it needs": ([A, B, C, member("e")], None),
    "one too few": ([A, B], 99.0),
    "the missing one waits": ([A, B, WAITS], 99.0),
    "nothing runs": ([WAITS], None),
    "one is done: the others are at their end": ([A, member("c", started=None, succeeded=True)], None),
    "a mark is from before": ([A, member("b", short_since=50.0)], 50.0),
    "of several marks the earliest": ([member("a", short_since=70.0), member("b", short_since=50.0)], 50.0),
    "the mark of one that is complete again is old": ([A, B, member("c", short_since=50.0)], None),
    "the mark of one that has ended says nothing": ([A, B, member("c", started=None, short_since=50.0)], 99.0),
}


@pytest.mark.parametrize(("members", "wanted"), SHORTAGE.values(), ids=SHORTAGE)
def test_since_when_a_gang_is_short(members: list[PodFacts], wanted: float | None) -> None:
    assert is_short(members) is (wanted is not None)
    assert {job_of(order, noticed=99.0).stale_since for order in permutations(members)} == {wanted}


def test_a_gang_of_parts_is_short_of_those_of_any_part() -> None:
    parts = Group(pod_sets=(PodSet("master", 1), PodSet("worker", 2)))
    master, *workers = (
        member(name, pod_set=pod_set, group=parts)
        for name, pod_set in (("m", "master"), ("w0", "worker"), ("w1", "worker"), ("w2", "worker"))
    )
    assert not is_short([master, *workers])
    assert not is_short([master, *workers[1:]])
    assert is_short([master, *workers[2:]])
    assert is_short(workers)
    assert job_of([*workers, master]).group == parts


def done(name: str, **given: Any) -> PodFacts:
    return member(name, started=None, succeeded=True, **given)


MINIMA: dict[str, tuple[list[PodFacts], int]] = {
    # pods; with how many the gang starts
    "nobody is done": ([WAITS, WAITS], 3),
    "one was bound alone and is done": ([done("a"), WAITS, WAITS], 2),
    "all but one are": ([done("a"), done("b"), WAITS], 1),
    "what was done before the gang began anew is to be done again": (
        [done("a"), member("d", started=None, attempt=1)],
        3,
    ),
    "what is done since counts": ([done("a"), done("b", attempt=1), member("d", started=None, attempt=1)], 2),
}


@pytest.mark.parametrize(("members", "wanted"), MINIMA.values(), ids=MINIMA)
def test_a_gang_does_not_wait_for_those_that_are_done(members: list[PodFacts], wanted: int) -> None:
    assert {job_of(order).min_member for order in permutations(members)} == {wanted}


def test_parts_of_a_gang_do_not_wait_for_those_that_are_done() -> None:
    parts = Group(pod_sets=(PodSet("leader", 1),), groups=(Group("rest", pod_sets=(PodSet("worker", 2),)),))
    members = [done("w0", pod_set="worker", group=parts), member("m", started=None, pod_set="leader", group=parts)]
    left = Group(pod_sets=(PodSet("leader", 1),), groups=(Group("rest", pod_sets=(PodSet("worker", 1),)),))
    assert job_of(members).group == left


def test_a_gang_has_run_since_its_first_pod_that_still_runs() -> None:
    assert job_of([A, B, C]).last_started == 10.0
    assert job_of([A, C, WAITS]).last_started == 20.0
    assert job_of([WAITS]).last_started is None


def test_what_a_gang_is_its_oldest_pod_says_and_the_largest_minimum_counts() -> None:
    young, old = member("a", created=5.0, priority=75, minimum=4), member("b", created=1.0)
    for order in ([young, old], [old, young]):
        job = job_of(order)
        assert (job.created, job.priority, job.min_member) == (1.0, 50, 4)


def test_a_running_pod_carries_the_mark_of_a_gang_that_is_short() -> None:
    mark = condition(names.GANG_COMPLETE_CONDITION, "False", SHORT)
    assert pod_facts(read(annotations=OF_THREE, conditions=[mark]), TENANT).short_since == NOON + 3 * MINUTE
