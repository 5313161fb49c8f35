"""What policies allow (cluster-api.md 4.3; S18, S20 to S24, S26)."""

from typing import Any

import pytest

from aliquot.contracts.kinds.catalogue import of_kind
from aliquot.contracts.kinds.workloads import (
    DistributedSpec,
    InferenceSpec,
    InteractiveSpec,
    TrainingSpec,
)
from aliquot.core.submission.policy import policy_problems, violations

_SPECS = {
    "TrainingWorkload": TrainingSpec,
    "InteractiveWorkload": InteractiveSpec,
    "InferenceWorkload": InferenceSpec,
    "DistributedWorkload": DistributedSpec,
}


CROSSED_BOUNDS = (
    "spec.ports.itemRules.container: {'min': 5, 'max': 4} is not allowed: min must be no greater than max, which is 4"
)


NO_PORT = (
    "spec.ports.itemRules.container: {'min': 65536, 'format': 'port'} is not allowed: "
    "min and max must leave a port, from 1 to 65535"
)


NOTHING_TO_CHOOSE = (
    "spec.username.rules: {'format': 'email', 'options': [{'value': 'me'}]} is not allowed: "
    "options must offer a value that the other rules allow"
)


def said(policy: dict[str, Any], workload: dict[str, Any], kind: str = "InteractiveWorkload") -> list[str]:
    read = _SPECS[kind].model_validate
    return [str(violation) for violation in violations(of_kind(kind), read(workload), read(policy))]


S20 = {"gpu": {"rules": {"required": True, "min": "1", "max": "4"}, "value": "1"}}
S22 = {
    "ports": {
        "rules": {"canAdd": True},
        "itemRules": {"container": {"min": 30000, "max": 32767}, "external": {"max": 32767}},
        "items": {
            "admin-port-a": {
                "rules": {"canRemove": False, "canEdit": False},
                "value": {"container": 30100, "external": 8080},
            },
            "admin-port-b": {"value": {"container": 30101, "external": 8081}},
        },
    }
}
NO_ADDING = {"ports": {**S22["ports"], "rules": {"canAdd": False}}}


@pytest.mark.parametrize(
    ("gpu", "sentences"),
    [
        ("5", ["gpu: must be no greater than 4"]),
        ("4", []),
        ("4.0", []),
        ("1", []),
        ("0.5", ["gpu: must be no less than 1"]),
        (None, []),
    ],
)
def test_s20_bounds_of_a_number(gpu: str | None, sentences: list[str]) -> None:
    assert said(S20, {"gpu": {"value": gpu}}) == sentences


def test_s21_what_may_not_be_edited() -> None:
    policy = {"runAsUser": {"rules": {"required": True, "canEdit": False}, "value": True}}
    assert said(policy, {}, "TrainingWorkload") == []
    assert said(policy, {"runAsUser": {"value": True}}, "TrainingWorkload") == []
    assert said(policy, {"runAsUser": {"value": False}}, "TrainingWorkload") == [
        "runAsUser: must be left as the policy has it: true"
    ]
    assert said({"nodePools": {"rules": {"canEdit": False}}}, {"nodePools": {"value": "a"}}) == [
        "nodePools: must be left out: the policy allows no value"
    ]


@pytest.mark.parametrize(
    ("policy", "items", "sentences"),
    [
        (S22, {"admin-port-b": {"deleted": True}}, []),
        (S22, {"admin-port-b": {"value": {"container": 30102}}}, []),
        (S22, {"admin-port-a": {"value": {"container": 30100, "external": 8080}}}, []),
        (
            S22,
            {"admin-port-a": {"value": {"container": 30100, "external": 9}}},
            ["ports[admin-port-a]: must be as the policy has it"],
        ),
        (
            S22,
            {"admin-port-a": {"deleted": True}},
            ["ports[admin-port-a]: must be kept: the policy allows no removal"],
        ),
        (S22, {"mine": {"value": {"container": 30000, "external": 32767}}}, []),
        (
            S22,
            {"mine": {"value": {"container": 80, "external": 40000}}},
            [
                "ports[mine].container: must be no less than 30000",
                "ports[mine].external: must be no greater than 32767",
            ],
        ),
        (
            NO_ADDING,
            {"mine": {"value": {"container": 30000}}},
            ["ports[mine]: must be left out: the policy allows no items beside its own"],
        ),
        (NO_ADDING, {"mine": {"deleted": True}}, []),
        (S22, {"admin-port-a": {}}, ["ports[admin-port-a]: must be kept: the policy allows no removal"]),
    ],
)
def test_s22_items(policy: dict[str, Any], items: dict[str, Any], sentences: list[str]) -> None:
    assert said(policy, {"ports": {"items": items}}) == sentences


def test_s23_members_with_defaults() -> None:
    policy = {
        "pvcs": {
            "itemRules": {"existingPvc": {"canEdit": False}, "claimName": {"required": True}},
            "items": {"DEFAULTS": {"value": {"existingPvc": True, "path": "nil"}}},
        }
    }

    def of(item: dict[str, Any]) -> list[str]:
        return said(policy, {"pvcs": {"items": {"data": {"value": item}}}}, "TrainingWorkload")

    assert of({"path": "/data", "claimName": "mine"}) == []
    assert of({"path": "/data"}) == ["pvcs[data].claimName: must be given"]
    assert of({"path": "/data", "claimName": "mine", "existingPvc": False}) == [
        "pvcs[data].existingPvc: must be left as the policy has it: true"
    ]


def test_s23_nil_is_no_default() -> None:
    policy = {
        "pvcs": {
            "itemRules": {"path": {"canEdit": False}, "claimName": {"required": True}},
            "items": {"DEFAULTS": {"value": {"path": "nil", "claimName": "nil"}}},
        }
    }
    assert said(policy, {"pvcs": {"items": {"data": {"value": {"path": "/data"}}}}}, "TrainingWorkload") == [
        "pvcs[data].claimName: must be given",
        "pvcs[data].path: must be left out: the policy allows no value",
    ]


def test_s24_amounts_of_memory() -> None:
    policy = {"gpuMemory": {"rules": {"min": "100M", "max": "2G"}}}
    assert said(policy, {"gpuMemory": {"value": "3G"}}) == ["gpuMemory: must be no greater than 2G"]
    assert said(policy, {"gpuMemory": {"value": "2000M"}}) == []
    assert said(policy, {"gpuMemory": {"value": "99M"}}) == ["gpuMemory: must be no less than 100M"]


def test_s26_no_host_paths() -> None:
    policy = {"volumes": {"itemRules": {"nfsServer": {"required": True}}}}
    host_path = {"volumes": {"items": {"v": {"value": {"path": "/data", "targetPath": "/data"}}}}}
    nfs = {"volumes": {"items": {"v": {"value": {"path": "/x", "targetPath": "/x", "nfsServer": "nfs"}}}}}
    assert said(policy, host_path) == ["volumes[v].nfsServer: must be given"]
    assert said(policy, nfs) == []


@pytest.mark.parametrize(
    ("policy", "workload", "sentences"),
    [
        ({"image": {"rules": {"required": True}}}, {}, ["image: must be given"]),
        ({"image": {"rules": {"required": True}, "value": "x"}}, {}, []),
        ({"environment": {"rules": {"required": True}}}, {}, ["environment: must be given at least one item"]),
        *(
            (
                {"environment": {"rules": {"required": True}, "items": {"A": {"value": "1"}}}},
                {"environment": {"items": {"A": gone}}},
                ["environment: must be given at least one item"],
            )
            for gone in ({"deleted": True}, {})
        ),
        (
            {"cpu": {"rules": {"min": "2", "max": "10", "step": "2"}}},
            {"cpu": {"value": "5"}},
            ["cpu: must be 2 plus a multiple of 2"],
        ),
        ({"cpu": {"rules": {"min": "2", "max": "10", "step": "2"}}}, {"cpu": {"value": "10"}}, []),
        (
            {"image": {"rules": {"options": [{"value": "a"}, {"value": "b"}, {"value": "c", "disabled": True}]}}},
            {"image": {"value": "c"}},
            ["image: must be one of a, b"],
        ),
        ({"image": {"rules": {"options": [{"value": "a"}]}}}, {"image": {"value": "a"}}, []),
        (
            {"username": {"rules": {"format": "email"}}},
            {"username": {"value": "me"}},
            ["username: must be an e-mail address"],
        ),
        ({"username": {"rules": {"format": "email"}}}, {"username": {"value": "me@example.com"}}, []),
        (
            {"environment": {"keyRules": {"format": "envVar"}, "itemRules": {"options": [{"value": "1"}]}}},
            {"environment": {"items": {"1A": {"value": "2"}}}},
            [
                "environment[1A]: must be one of 1",
                "environment[1A]: must be under a key that is the name of an environment variable",
            ],
        ),
    ],
)
def test_other_rules(policy: dict[str, Any], workload: dict[str, Any], sentences: list[str]) -> None:
    assert said(policy, workload) == sentences


def test_everything_that_is_wrong_is_said_at_once_and_in_order() -> None:
    workload = {"gpu": {"value": "5"}, "ports": {"items": {"admin-port-a": {"deleted": True}}}}
    assert said({**S22, **S20}, workload) == [
        "gpu: must be no greater than 4",
        "ports[admin-port-a]: must be kept: the policy allows no removal",
    ]


def test_members_of_a_group_have_rules_too() -> None:
    policy = {"pyTorchJob": {"values": {"maxReplicas": {"rules": {"max": 4}}}}}
    workload = {"pyTorchJob": {"values": {"maxReplicas": {"value": 5}}}}
    assert said(policy, workload, "DistributedWorkload") == ["pyTorchJob.maxReplicas: must be no greater than 4"]


@pytest.mark.parametrize(
    ("policy", "sentences"),
    [
        (S20, []),
        (S22, []),
        (
            {"gpu": {"rules": {"min": "4", "max": "1"}}},
            ["spec.gpu.rules: {'min': '4', 'max': '1'} is not allowed: min must be no greater than max, which is 1"],
        ),
        (
            {"gpu": {"rules": {"max": "4"}, "value": "5"}},
            ["spec.gpu.value: '5' is not allowed: must be no greater than 4"],
        ),
        (
            {"image": {"rules": {"options": [{"value": "a"}]}, "value": "b"}},
            ["spec.image.value: 'b' is not allowed: must be one of a"],
        ),
        (
            {"image": {"rules": {"required": True, "canEdit": False}}},
            ["spec.image.value: missing: required, and users may not give it: give a value here"],
        ),
        (
            {"ports": {"rules": {"required": True, "canAdd": False}}},
            ["spec.ports.items: missing: required, and users may not add items: give an item here"],
        ),
        (
            {"ports": {"itemRules": {"container": {"min": 5, "max": 4}}}},
            [CROSSED_BOUNDS],
        ),
        (
            {"username": {"rules": {"format": "email", "options": [{"value": "me"}]}}},
            [NOTHING_TO_CHOOSE],
        ),
        (
            {"ports": {"itemRules": {"container": {"format": "port", "min": 65536}}}},
            [NO_PORT],
        ),
        ({"ports": {"itemRules": {"container": {"format": "port", "min": -1, "max": 70000}}}}, []),
        (
            {
                "ports": {
                    "itemRules": {"container": {"min": 30000}},
                    "items": {"DEFAULTS": {"value": {"container": 80}}, "mine": {"value": {"container": 80}}},
                }
            },
            ["spec.ports.items[DEFAULTS].value.container: 80 is not allowed: must be no less than 30000"],
        ),
    ],
)
def test_a_policy_that_nobody_can_keep(policy: dict[str, Any], sentences: list[str]) -> None:
    kind = "InteractiveWorkload"
    found = policy_problems(of_kind(kind), _SPECS[kind].model_validate(policy))
    assert [str(problem) for problem in found] == sentences
