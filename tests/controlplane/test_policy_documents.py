"""What several scopes say becomes what counts in one: defaults from the lowest, rules from the only one."""

from typing import Any

import pytest

from aliquot.controlplane.policies.documents import Document, Layer, changed, document_of, effective, rule_fields
from aliquot.controlplane.policies.judging import MODELS

TENANT = {"scope": "tenant"}
PROJECT = {"scope": "project", "projectId": 3}


def put_together(upper: Document, lower: Document, **options: Any) -> Document:
    return effective([Layer(TENANT, upper), Layer(PROJECT, lower)], **options)


def variables(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


ROWS: dict[str, tuple[Document, Document, Document]] = {
    "a default of the lower scope wins": (
        {"image": "a", "command": "x"},
        {"image": "b"},
        {"image": "b", "command": "x"},
    ),
    "parts count by their members": (
        {"compute": {"cpuCoreRequest": 1, "largeShmRequest": True}},
        {"compute": {"cpuCoreRequest": 2}},
        {"compute": {"cpuCoreRequest": 2, "largeShmRequest": True}},
    ),
    "how many GPUs is taken from one scope, all together": (
        {"compute": {"gpuDevicesRequest": 2, "cpuCoreRequest": 1}},
        {"compute": {"gpuRequestType": "memory", "gpuMemoryRequest": "1G"}},
        {"compute": {"gpuRequestType": "memory", "gpuMemoryRequest": "1G", "cpuCoreRequest": 1}},
    ),
    "instances are known by their names": (
        {"environmentVariables": {"instances": variables(A="1", B="2")}},
        {"environmentVariables": {"instances": variables(B="3", C="4")}},
        {"environmentVariables": {"instances": variables(A="1", B="3", C="4")}},
    ),
    "devices by theirs": (
        {"compute": {"extendedResources": {"instances": [{"resource": "a", "quantity": "1"}]}}},
        {"compute": {"extendedResources": {"instances": [{"resource": "a", "quantity": "2"}]}}},
        {"compute": {"extendedResources": {"instances": [{"resource": "a", "quantity": "2"}]}}},
    ),
    "what has no name is added": (
        {"ports": {"instances": [{"container": 1}]}},
        {"ports": {"instances": [{"container": 1}]}},
        {"ports": {"instances": [{"container": 1}, {"container": 1}]}},
    ),
    "a lower scope takes away": (
        {"labels": {"instances": variables(A="1", B="2")}},
        {"labels": {"instances": [{"name": "A", "exclude": True}]}},
        {"labels": {"instances": variables(B="2")}},
    ),
    "lists that are one value are replaced": ({"nodePools": ["a", "b"]}, {"nodePools": ["c"]}, {"nodePools": ["c"]}),
}


@pytest.mark.parametrize("row", ROWS)
def test_defaults(row: str) -> None:
    upper, lower, expected = ROWS[row]
    assert put_together({"defaults": upper}, {"defaults": lower}) == {"defaults": expected}


def test_rules_say_where_they_are_from() -> None:
    upper = {"rules": {"compute": {"gpuDevicesRequest": {"max": 4}}}}
    lower = {"rules": {"compute": {"cpuCoreRequest": {"min": 1}}, "image": {"required": True}}}
    assert put_together(upper, lower, sources=True) == {
        "rules": {
            "compute": {
                "gpuDevicesRequest": {"max": 4, "sourceOfRule": TENANT},
                "cpuCoreRequest": {"min": 1, "sourceOfRule": PROJECT},
            },
            "image": {"required": True, "sourceOfRule": PROJECT},
        }
    }
    assert rule_fields(lower) == ["compute.cpuCoreRequest", "image"]
    assert rule_fields({"rules": {"storage": {"pvc": {"instances": {"canAdd": False}}}}}) == ["storage.pvc.instances"]


def test_what_says_nothing_is_left_out() -> None:
    given = {"defaults": {"image": None, "compute": {"cpuCoreRequest": None}}, "rules": None}
    assert document_of(MODELS["training"].model_validate(given)) == {}


def test_changes_are_laid_upon_what_was_there() -> None:
    before = {"defaults": {"image": "a", "command": "x"}, "rules": {"image": {"required": True, "canEdit": False}}}
    changes = {"defaults": {"command": None, "args": "y"}, "rules": {"image": {"canEdit": True}}}
    assert changed(before, changes, ()) == {
        "defaults": {"image": "a", "args": "y"},
        "rules": {"image": {"required": True, "canEdit": True}},
    }


@pytest.mark.parametrize(
    ("reset", "left"),
    [
        ("image", {"defaults": {"compute": {"cpuCoreRequest": 1}}}),
        ("compute", {"defaults": {"image": "a"}, "rules": {"image": {"required": True}}}),
        ("compute.cpuCoreRequest", {"defaults": {"image": "a"}, "rules": {"image": {"required": True}}}),
        (
            "compute.nothing",
            {"defaults": {"image": "a", "compute": {"cpuCoreRequest": 1}}, "rules": {"image": {"required": True}}},
        ),
    ],
)
def test_a_field_is_reset_before_it_is_changed(reset: str, left: Document) -> None:
    before = {"defaults": {"image": "a", "compute": {"cpuCoreRequest": 1}}, "rules": {"image": {"required": True}}}
    assert changed(before, {}, [reset]) == left
