"""Nodes and custom resources as a cluster reports them: in the units of control planes, and always so that they fit."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.cluster.sync.reported import (
    platform,
    reported_access_rule,
    reported_department,
    reported_node,
    reported_node_pool,
    reported_policy,
    reported_project,
    reported_storage_class,
)
from aliquot.contracts.cluster_sync import REFUSED, Report
from aliquot.contracts.kinds.policies import TrainingPolicy
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project
from aliquot.contracts.kubernetes import Node, StorageClass
from aliquot.core.quantities import Vector
from aliquot.core.tenancy import Usage, resource_amounts
from aliquot.core.tenancy.usage import quota_use


def node(**parts: Any) -> Node:
    whole = {"metadata": {"name": "n1", "creationTimestamp": "2026-01-01T00:00:00Z", **parts.pop("metadata", {})}}
    return msgspec.convert({**whole, **parts}, Node)


def project(**status: Any) -> Project:
    return Project.model_validate({"metadata": {"name": "team-a"}, "spec": {}, "status": status})


NODES: dict[str, tuple[Node, dict[str, Any]]] = {
    "of which nobody has heard is unknown": (node(), {"status": "Unknown", "gpuCount": 0}),
    "that is well": (
        node(
            metadata={"labels": {"nvidia.com/gpu.product": "H100"}},
            status={
                "capacity": {"nvidia.com/gpu": "8"},
                "conditions": [
                    {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": "2026-01-01"}
                ],
            },
        ),
        {"status": "Ready", "gpuType": "H100", "gpuCount": 8},
    ),
    "that is not": (
        node(status={"conditions": [{"type": "Ready", "status": "False"}]}),
        {"status": "NotReady"},
    ),
    "whose GPUs are all cut into parts": (
        node(metadata={"labels": {"nvidia.com/gpu.count": "4"}}, status={"capacity": {"nvidia.com/gpu": "0"}}),
        {"gpuCount": 4},
    ),
    "that makes no sense": (
        node(
            metadata={"labels": {"nvidia.com/gpu.count": "many"}},
            spec={"taints": [{"key": "a", "effect": "Sometimes"}, {"key": "b", "effect": "NoSchedule"}]},
            status={"capacity": {"nvidia.com/gpu": "x"}, "conditions": [{"type": "A", "status": "Maybe"}]},
        ),
        {"gpuCount": 0, "taints": ({"key": "b", "value": None, "effect": "NoSchedule"},)},
    ),
}


@pytest.mark.parametrize(("given_", "said"), NODES.values(), ids=list(NODES))
def test_a_node(given_: Node, said: dict[str, Any]) -> None:
    told = reported_node(given_, "default").model_dump()
    assert {member: told[member] for member in said} == said
    assert (told["name"], told["nodePool"], told["createdAt"]) == ("n1", "default", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("annotations", "is_default"),
    [
        ({}, False),
        ({"storageclass.kubernetes.io/is-default-class": "true"}, True),
        ({"storageclass.beta.kubernetes.io/is-default-class": "true"}, True),
        ({"storageclass.kubernetes.io/is-default-class": "false"}, False),
        ({"is-default-class": "true"}, False),
    ],
)
def test_a_storage_class(annotations: dict[str, str], is_default: bool) -> None:
    told = reported_storage_class(
        msgspec.convert({"metadata": {"name": "fast", "annotations": annotations}}, StorageClass)
    )
    assert told.model_dump(by_alias=True) == {"kind": "storageClass", "name": "fast", "isDefault": is_default}


def test_amounts_are_in_the_units_of_control_planes() -> None:
    use = {
        "allocated": {"nvidia.com/gpu": "2.5", "cpu": "1500m", "memory": "1Gi"},
        "allocatedNonPreemptible": {"nvidia.com/gpu": 1, "cpu": 2, "memory": "2G"},
        "requested": {"nvidia.com/gpu": "x", "cpu": "-1", "ephemeral-storage": "1"},
    }
    pools = [{"nodePoolName": "default", "queueStatus": use}]
    told = reported_project("team-a", project(quotaStatus=use, nodePoolsQuotaStatuses=pools), None)
    assert told.use.allocated == {"gpu": 2.5, "cpu": 1500, "memory": 1073.741824}
    assert told.use.allocated_non_preemptible == {"gpu": 1, "cpu": 2000, "memory": 2000}
    assert told.use.requested == {"cpu": 0}
    assert told.node_pools == {"default": told.use}


axis = st.integers(0, 10**12)


@given(axis, axis, axis)
def test_what_our_own_statuses_say_is_told_exactly(gpu: int, cpu: int, memory: int) -> None:
    held = Vector(gpu_percent=gpu, cpu_milli=cpu, memory_bytes=memory)
    use = quota_use(Usage(held, held, held)).model_dump()
    told = reported_department(
        "d", Department.model_validate({"spec": {}, "status": {"quotaStatus": use}}), None
    ).use.requested
    assert set(resource_amounts(held)) == {"nvidia.com/gpu", "cpu", "memory"}
    assert round(told["gpu"] * 100) == gpu
    assert told["cpu"] == cpu
    assert round(told["memory"] * 10**6) == memory


def test_what_cannot_be_made_says_why() -> None:
    told = reported_project("team-a", None, "metadata.name must have at most 57 characters")
    assert (told.phase, told.message) == (REFUSED, "metadata.name must have at most 57 characters")
    assert reported_access_rule("7", None, None).phase == ""


PLATFORMS = {
    "": ("", None),
    "vanilla": ("v1.34.1", "kubernetes.io/os"),
    "gke": ("v1.33.2-gke.100", "kubernetes.io/os"),
    "eks": ("v1.33.2-eks-1a2b", "kubernetes.io/os"),
    "rke": ("v1.33.2+rke2r1", "kubernetes.io/os"),
    "aks": ("v1.33.2", "kubernetes.azure.com/cluster"),
    "openshift": ("v1.33.2", "node.openshift.io/os_id"),
}


@pytest.mark.parametrize(("name", "betrayed"), PLATFORMS.items(), ids=list(PLATFORMS))
def test_platforms_are_told_apart(name: str, betrayed: tuple[str, str | None]) -> None:
    version, label = betrayed
    assert platform(version, None if label is None else node(metadata={"labels": {label: "x"}})) == name


text = st.text(max_size=6000)
written = st.one_of(st.integers(), st.text(max_size=8), st.sampled_from(["1e9", "9E", "-3", "0.5", "1e99"]))
uses = st.dictionaries(st.sampled_from(["nvidia.com/gpu", "cpu", "memory", "other"]), written)
name = st.from_regex(r"[a-z0-9]{1,63}", fullmatch=True)
conditions = st.lists(
    st.fixed_dictionaries({"type": text, "status": text, "reason": text, "message": text}), max_size=70
)


@given(
    conditions,
    st.lists(st.fixed_dictionaries({"key": name, "effect": text}), max_size=70),
    st.dictionaries(st.sampled_from(["nvidia.com/gpu", "cpu"]), st.one_of(st.integers(), st.text(max_size=8))),
    st.dictionaries(st.sampled_from(["nvidia.com/gpu.count", "nvidia.com/gpu.product"]), name),
    text,
    text,
    st.lists(st.tuples(name, uses), max_size=210),
    st.lists(name, max_size=50),
)
def test_whatever_objects_say_a_report_of_them_is_one(
    conditions_: list[Any],
    taints: list[Any],
    capacity: dict[str, Any],
    labels: dict[str, str],
    phase: str,
    message: str,
    pools: list[tuple[str, dict[str, Any]]],
    nodes: list[str],
) -> None:
    status: dict[str, Any] = {
        "phase": phase,
        "message": message,
        "nodePoolsQuotaStatuses": [{"nodePoolName": of, "queueStatus": {"allocated": use}} for of, use in pools],
    }
    if pools:
        status["quotaStatus"] = {"requested": pools[0][1]}
    pool = {"spec": {}, "status": {"phase": phase, "message": message, "nodes": [{"name": each} for each in nodes]}}
    told = (
        reported_node(
            node(
                metadata={"labels": labels},
                spec={"taints": taints},
                status={"capacity": capacity, "conditions": conditions_},
            ),
            "default",
        ),
        reported_node_pool("p", NodePool.model_validate(pool), None),
        reported_project("p", project(**status), None),
        reported_department("d", Department.model_validate({"spec": {}, "status": status}), message),
        reported_access_rule("7", AccessRule.model_validate({"spec": {}, "status": {"phase": phase}}), None),
    )
    report = Report(term=0, session="0" * 36, sequence=1, objects=told)
    assert Report.model_validate_json(report.model_dump_json()) == report


@pytest.mark.parametrize(
    ("conditions", "problem", "phase", "message"),
    [
        ([], None, "", ""),
        ([{"type": "Ready", "status": "True", "message": "holds"}], None, "Ready", "holds"),
        ([{"type": "Ready", "status": "False", "message": "another is older"}], None, "NotReady", "another is older"),
        ([{"type": "Ready", "status": "True"}], "no room", REFUSED, "no room"),
    ],
    ids=["nobody has looked yet", "in force", "not in force", "refused"],
)
def test_a_policy_says_whether_it_is_in_force(
    conditions: list[dict[str, str]], problem: str | None, phase: str, message: str
) -> None:
    held = TrainingPolicy.model_validate({"spec": {}, "status": {"conditions": conditions}})
    told = reported_policy("TrainingPolicy.runai-a", held, problem)
    assert (told.name, told.phase, told.message) == ("TrainingPolicy.runai-a", phase, message)
    assert reported_policy("TrainingPolicy", None, None).phase == ""
