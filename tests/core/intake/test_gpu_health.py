"""GPUs that agents say cannot be used: how many of a node count, who holds them, and what people are told."""

import json

import pytest

from aliquot import names
from aliquot.contracts.kubernetes import (
    AllocatedDevice,
    AllocatedResource,
    ContainerStatus,
    Metadata,
    Node,
    NodeStatus,
    Pod,
    PodSpec,
    PodStatus,
)
from aliquot.core.intake import (
    ALL_WELL,
    NOT_BELIEVED,
    InTrouble,
    gpus_held,
    health_problem,
    node_fact,
    only_lent,
    overuse_in_words,
    overuse_of,
    still_offered,
    trouble_in_words,
    troubles_of,
)

NOON = "2026-01-31T12:00:00Z"


def told(**reasons: str) -> str:
    return json.dumps({device: {"reason": reason, "since": NOON} for device, reason in reasons.items()})


def node(health: str | None, *, capacity: int = 8, offered: int = 8, strategy: str = "") -> Node:
    annotations = {} if health is None else {names.GPU_HEALTH_ANNOTATION: health}
    labels = {names.MIG_STRATEGY_LABEL: strategy} if strategy else {}
    status = NodeStatus(
        allocatable={"nvidia.com/gpu": str(offered), "cpu": "4"}, capacity={"nvidia.com/gpu": str(capacity)}
    )
    return Node(metadata=Metadata(name="n", annotations=annotations, labels=labels), status=status)


LOST = told(a="lost")
TWO = told(a="lost", b="reset_required")
COUNTED: dict[str, tuple[Node, InTrouble, int]] = {
    "nobody says anything": (node(None), ALL_WELL, 8),
    "the device plugin alone": (node(None, offered=7), ALL_WELL, 7),
    "the agent alone": (node(LOST), ALL_WELL, 7),
    "both, and it counts once": (node(LOST, offered=7), ALL_WELL, 7),
    "the agent more than the plugin": (node(TWO, offered=7), ALL_WELL, 6),
    "the plugin more than the agent": (node(LOST, offered=5), ALL_WELL, 5),
    "one that a pod holds is counted with its pod": (node(LOST), InTrouble(held=frozenset({"a"})), 8),
    "also where the plugin knows": (node(LOST, offered=7), InTrouble(held=frozenset({"a"})), 8),
    "one of two is held": (node(TWO, offered=6), InTrouble(held=frozenset({"b"})), 7),
    "others that are held make no difference": (node(LOST), InTrouble(held=frozenset({"c"})), 7),
    "the plugin is away": (node(LOST, offered=0), ALL_WELL, 0),
    "more than there are": (node(told(a="lost", b="lost"), capacity=1, offered=1), ALL_WELL, 0),
    "a text that is not in order": (node('{"a": {"reason": "ill"}}'), ALL_WELL, 8),
    "nobody is believed": (node(LOST), NOT_BELIEVED, 8),
    "MIG devices are another resource": (node(told(**{"MIG-a": "lost"}), strategy="mixed"), ALL_WELL, 8),
    "but where all GPUs are MIG": (node(told(**{"MIG-a": "lost"}), strategy="single"), ALL_WELL, 7),
}


@pytest.mark.parametrize(("there", "in_trouble", "gpus"), COUNTED.values(), ids=COUNTED)
def test_how_many_gpus_count(there: Node, in_trouble: InTrouble, gpus: int) -> None:
    fact = node_fact(there, (), in_trouble)
    assert fact.allocatable.gpu_percent == gpus * 100
    assert fact.allocatable.cpu_milli == 4000


OFFERED: dict[str, tuple[Node, bool]] = {
    "nobody says anything": (node(None), False),
    "the agent alone": (node(LOST), True),
    "both": (node(LOST, offered=7), False),
    "one of two": (node(TWO, offered=7), True),
}


@pytest.mark.parametrize(("there", "offered"), OFFERED.values(), ids=OFFERED)
def test_whether_the_plugin_gives_them_to_pods_nevertheless(there: Node, offered: bool) -> None:
    assert still_offered(there) == offered


SENTENCES: dict[str, tuple[str | None, str]] = {
    "all well": (None, ""),
    "one": (LOST, "1 of 8 GPUs cannot be used (lost)"),
    "two of a kind": (told(a="failed", b="failed"), "2 of 8 GPUs cannot be used (failed)"),
    "of several kinds": (
        told(a="lost", b="reset_required", c="lost"),
        "3 of 8 GPUs cannot be used (2 lost, 1 needs a reset)",
    ),
}


@pytest.mark.parametrize(("health", "said"), SENTENCES.values(), ids=SENTENCES)
def test_what_is_said_of_a_node(health: str | None, said: str) -> None:
    assert health_problem(node(health)) == said


def test_what_is_said_to_a_pod() -> None:
    troubles = troubles_of(node(TWO))
    assert trouble_in_words("n", troubles) == (
        f"it has GPUs of node n that cannot be used: a (lost, since {NOON}), b (needs a reset, since {NOON})"
    )


def pod(
    annotations: dict[str, str], *allocated: str, resource: str = "nvidia.com/gpu", reservation: bool = False
) -> Pod:
    name, namespace = ("gpu-reservation-n-shared-1", "runai-reservation") if reservation else ("p", "a")
    resources = tuple(AllocatedDevice(resource_id=device) for device in allocated)
    status = ContainerStatus(allocated_resources_status=(AllocatedResource(name=resource, resources=resources),))
    return Pod(
        metadata=Metadata(name=name, namespace=namespace, annotations=annotations),
        spec=PodSpec(node_name="n"),
        status=PodStatus(phase="Running", container_statuses=(status,) if allocated else ()),
    )


PART = {names.SHARED_GPUS_ANNOTATION: "n-shared-1", names.GPU_IDS_ANNOTATION: "a"}
HELD: dict[str, tuple[Pod, dict[str, str]]] = {
    "none": (pod({}), {}),
    "whole ones": (pod({}, "a", "b"), {"a": "", "b": ""}),
    "a MIG device": (pod({}, "MIG-a", resource="nvidia.com/mig-1g.10gb"), {"MIG-a": ""}),
    "of another resource": (pod({}, "a", resource="example.com/nic"), {}),
    "a part": (pod(PART), {"a": "n-shared-1"}),
    "a reservation": (
        pod({names.SHARED_GPUS_ANNOTATION: "n-shared-1"}, "a", reservation=True),
        {"a": "n-shared-1"},
    ),
    "a reservation of which the agent says it": (
        pod({names.SHARED_GPUS_ANNOTATION: "n-shared-1", names.RESERVED_GPU_ANNOTATION: "a"}, reservation=True),
        {"a": "n-shared-1"},
    ),
}


@pytest.mark.parametrize(("held_by", "gpus"), HELD.values(), ids=HELD)
def test_which_gpus_a_pod_holds(held_by: Pod, gpus: dict[str, str]) -> None:
    assert gpus_held(held_by) == gpus


def over(**used: tuple[int, int]) -> dict[str, str]:
    uses = {device: {"usedMib": use, "limitMib": limit, "since": NOON} for device, (use, limit) in used.items()}
    return {names.GPU_OVERUSE_ANNOTATION: json.dumps(uses)}


def lent(used: int) -> dict[str, str]:
    use = {"usedMib": used, "limitMib": 8192, "burstMib": 9000, "since": NOON}
    return {names.GPU_OVERUSE_ANNOTATION: json.dumps({"a": use})}


OVER: dict[str, tuple[dict[str, str], str]] = {
    "within": (PART, ""),
    "too much": (PART | over(a=(9000, 8192)), f"it uses 9000 MiB of a, where it may use 8192 MiB (since {NOON})"),
    "lent": (
        PART | lent(8500),
        f"it uses 8500 MiB of a, where it may use 8192 MiB, or 9000 MiB while nobody else needs them (since {NOON})",
    ),
    "no more than its limit": (PART | over(a=(8192, 8192)), ""),
    "of a GPU that it has no part of": (PART | over(b=(9000, 8192)), ""),
    "a pod without parts": (over(a=(9000, 8192)), ""),
    "a text that is not in order": (PART | {names.GPU_OVERUSE_ANNOTATION: "much"}, ""),
}


@pytest.mark.parametrize(("annotations", "said"), OVER.values(), ids=OVER)
def test_memory_beyond_a_part(annotations: dict[str, str], said: str) -> None:
    uses = overuse_of(pod(annotations))
    assert (overuse_in_words(uses) if uses else "") == said


@pytest.mark.parametrize(("used", "only"), [(8500, True), (9000, True), (9001, False)])
def test_who_used_only_what_was_lent_is_not_to_blame(used: int, only: bool) -> None:
    assert only_lent(overuse_of(pod(PART | lent(used)))) is only
    assert not only_lent(overuse_of(pod(PART | over(a=(9000, 8192)))))
