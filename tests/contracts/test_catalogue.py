"""What the catalogue tells of parameters is what the contract says of them."""

from typing import Any, Final

import pytest

from aliquot.contracts.kinds.catalogue import PARAMETERS, RULES, ValueType, Wrapper, of_kind, of_shape
from aliquot.contracts.kinds.parameters import MasterParameters
from aliquot.contracts.kinds.registry import KINDS
from tests.contracts.contract import TABLE, WORKLOADS

PUBLISHED: Final[dict[str, dict[str, Any]]] = {
    name: row for name, row in TABLE["parameters"].items() if "plain" not in row
}
OLDER: Final = {"replicas", "ttlAfterFinish"}
"""Spellings that the contract no longer has."""
TYPES: Final = {"string": "text", "int32": "integer"}


def value_type(published: str) -> str:
    return "text" if published.startswith("one of") else TYPES.get(published, published)


def test_it_has_every_parameter() -> None:
    assert PARAMETERS.keys() == PUBLISHED.keys() | OLDER
    assert list(PARAMETERS) == sorted(PARAMETERS)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_parameter_is_told_as_it_is_published(name: str) -> None:
    parameter, row = PARAMETERS[name], PUBLISHED[name]
    assert parameter.kinds == {f"{WORKLOADS[letter]}Workload" for letter in row["kinds"] if letter != "M"}
    if parameter.wrapper in (Wrapper.VALUE, Wrapper.KEYED):
        assert parameter.value_type == value_type(row["value" if parameter.wrapper is Wrapper.VALUE else "items"])
        assert not parameter.members
        return
    members = row["items" if parameter.wrapper is Wrapper.ITEMS else "values"]
    assert {f"{member.name}{'*' * member.required}": member.value_type for member in parameter.members.values()} == {
        member: value_type(published) for member, published in members.items()
    }
    of_rules = {member.rules for member in parameter.members.values()} - {""}
    assert len(of_rules) == len(row.get("itemRules", ()))


def test_which_kind_has_which() -> None:
    kinds = [kind.name for kind in KINDS if kind.name.endswith(("Workload", "Policy")) and "External" not in kind.name]
    for kind in kinds:
        [letter] = [letter for letter, name in WORKLOADS.items() if kind.startswith(name)]
        published = {name for name, row in PUBLISHED.items() if letter in row["kinds"]}
        assert of_kind(kind).keys() - OLDER == published
        [model] = [one.model for one in KINDS if one.name == kind]
        spec = getattr(model.model_validate({"spec": {}}), "spec")  # noqa: B009 -- every one of these kinds has it
        assert all(hasattr(spec, parameter.attribute) for parameter in of_kind(kind).values())


def test_a_master_has_its_own() -> None:
    assert of_shape(MasterParameters).keys() == {name for name, row in PUBLISHED.items() if "M" in row["kinds"]}


def test_each_type_has_its_rules() -> None:
    assert RULES.keys() == set(ValueType)
    rules = {"text": "string", "boolean": "boolean", "integer": "integer", "decimal": "decimal", "quantity": "quantity"}
    for kind, published in rules.items():
        names = {field.alias for field in RULES[ValueType(kind)].model_fields.values()}
        assert names == TABLE["rules"][published].keys()


def test_what_may_change_is_told() -> None:
    assert PARAMETERS["active"].mutable
    assert not PARAMETERS["image"].mutable


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError, match="OtherWorkload"):
        of_kind("OtherWorkload")
