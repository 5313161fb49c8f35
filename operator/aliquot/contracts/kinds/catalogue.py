"""What is known of each parameter without an object at hand: its wrapper, types, rules, and the kinds that have it.

For code that treats all parameters alike, such as merging layers and applying policies. Everything is read off the
models, so a parameter that is added to one of them is here too.

    PARAMETERS["gpuMemory"].value_type    ValueType.QUANTITY
    PARAMETERS["pvcs"].members["path"]    Member("path", "path", ValueType.TEXT, required=True, rules="path")
    PARAMETERS["target"].kinds            frozenset({"InferenceWorkload"})
    of_kind("TrainingWorkload")           what a TrainingWorkload's spec and a TrainingPolicy's spec have
    of_shape(MasterParameters)            what a DistributedWorkload's masterSpec has
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Final, Union, cast, get_args, get_origin

from aliquot.contracts.kinds.parameters import (
    DistributedParameters,
    InferenceParameters,
    InteractiveParameters,
    TrainingParameters,
)
from aliquot.contracts.kinds.rules import BoolRules, DecimalRules, IntRules, QuantityRules, StringRules
from aliquot.contracts.kinds.shapes import Shape, outside_name
from aliquot.contracts.kinds.workloads import MUTABLE
from aliquot.contracts.kinds.wrappers import Items, KeyedItems, Value, Values


class Wrapper(StrEnum):
    """How a parameter is written; each has a class in `wrappers`."""

    VALUE = "value"
    """One value: `Value`."""
    ITEMS = "items"
    """Many values, each of several members, under labels that mean nothing: `Items`."""
    KEYED = "keyed"
    """Many texts under keys that mean something: `KeyedItems`."""
    GROUP = "group"
    """A group of parameters with a value each: `Values`."""


class ValueType(StrEnum):
    """Of what type a value is, and so which rules a policy may set for it."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    TEXT = "text"
    DECIMAL = "decimal"
    """A decimal number written as text, such as "0.5"."""
    QUANTITY = "quantity"
    """An amount of memory written as text, such as "80Gi"."""


RULES: Final[Mapping[ValueType, type[Shape]]] = MappingProxyType(
    {
        ValueType.BOOLEAN: BoolRules,
        ValueType.INTEGER: IntRules,
        ValueType.TEXT: StringRules,
        ValueType.DECIMAL: DecimalRules,
        ValueType.QUANTITY: QuantityRules,
    }
)
"""The rules that go with a value of each type."""

_RULE_NAMES: Final = {"rev": "revision"}
"""Members of items whose rules have another name (crd-contract.md: gitSync)."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an item, or of a group of parameters.

    Attributes:
        name: what it is called in an object.
        attribute: what it is called in the model.
        value_type: of what type it is.
        required: whether every item must give it.
        rules: of items, the attribute of `item_rules` with the rules for it; empty: no policy says anything about it.
            Members of groups have their rules with them, as parameters do.
    """

    name: str
    attribute: str
    value_type: ValueType
    required: bool = False
    rules: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of workloads and policies.

    Attributes:
        name: what it is called in an object, such as `gpuMemory`.
        attribute: what it is called in the model, such as `gpu_memory`.
        wrapper: how it is written.
        value_type: of its value, or of the texts under its keys; None where values have members.
        model: the item's model, or the group's.
        members: the members of an item or group, by the names they have in an object.
        item_rules: the model of rules about members of items.
        mutable: whether it may change after submission.
        kinds: the workload kinds that have it.
    """

    name: str
    attribute: str
    wrapper: Wrapper
    value_type: ValueType | None = None
    model: type[Shape] | None = None
    members: Mapping[str, Member] = field(default_factory=dict[str, Member])
    item_rules: type[Shape] | None = None
    mutable: bool = False
    kinds: frozenset[str] = frozenset()


def of_shape(parameters: type[Shape]) -> Mapping[str, Parameter]:
    """Return the parameters of a shape, by the names they have in an object, sorted; their kinds are left open."""
    found = [_parameter(parameters, attribute) for attribute in parameters.model_fields]
    return MappingProxyType({parameter.name: parameter for parameter in sorted(found, key=lambda one: one.name)})


def of_kind(kind: str) -> Mapping[str, Parameter]:
    """Return the parameters of a workload kind, or of the policy for it, by the names they have in an object, sorted.

    Raises:
        KeyError: the kind is neither.
    """
    return MappingProxyType({name: PARAMETERS[name] for name in _OF_KINDS[workload_kind(kind)]})


def workload_kind(kind: str) -> str:
    """Return the kind of the workloads that a kind of policies is about; that of workloads is its own."""
    return f"{kind.removesuffix('Policy')}Workload" if kind.endswith("Policy") else kind


def _parameter(parameters: type[Shape], attribute: str) -> Parameter:
    wrapper = _inner(parameters, attribute)
    plain = Parameter(outside_name(attribute), attribute, Wrapper.VALUE, mutable=attribute in MUTABLE)
    origin = wrapper.__pydantic_generic_metadata__["origin"]
    if origin is Value:
        return replace(plain, value_type=_TYPES[_inner(wrapper, "rules")])
    if origin is KeyedItems:
        return replace(plain, wrapper=Wrapper.KEYED, value_type=ValueType.TEXT)
    if origin is Items:
        item = _inner(_inner(wrapper, "items"), "value")
        rules = _inner(wrapper, "item_rules")
        members = [_member(item, name, rules) for name in item.model_fields]
        return replace(plain, wrapper=Wrapper.ITEMS, model=item, members=_by_name(members), item_rules=rules)
    assert origin is Values, f"{parameters.__name__}.{attribute} has an unknown wrapper: {wrapper}"
    group = _inner(wrapper, "values")
    members = [Member(one.name, one.attribute, cast("ValueType", one.value_type)) for one in of_shape(group).values()]
    return replace(plain, wrapper=Wrapper.GROUP, model=group, members=_by_name(members))


def _member(item: type[Shape], attribute: str, rules: type[Shape]) -> Member:
    field = item.model_fields[attribute]
    of_python = _bare(field.annotation)
    ruled = _RULE_NAMES.get(attribute, attribute)
    return Member(
        name=outside_name(attribute),
        attribute=attribute,
        value_type=ValueType.BOOLEAN
        if of_python is bool
        else ValueType.INTEGER
        if of_python is int
        else ValueType.TEXT,
        required=field.is_required(),
        rules=ruled if ruled in rules.model_fields else "",
    )


def _by_name(members: Iterable[Member]) -> Mapping[str, Member]:
    return MappingProxyType({member.name: member for member in sorted(members, key=lambda one: one.name)})


def _inner(model: type[Shape], attribute: str) -> type[Shape]:
    """Return the model that a member of another, or each entry of that member, has."""
    found = _bare(model.model_fields[attribute].annotation)
    assert isinstance(found, type), f"{model.__name__}.{attribute} is {found}"
    assert issubclass(found, Shape), f"{model.__name__}.{attribute} has no members"
    return found


def _bare(annotation: object) -> object:
    """Strip what a type may be, is marked with, or is kept in."""
    origin, inside = get_origin(annotation), [part for part in get_args(annotation) if part is not NoneType]
    if origin is dict:
        return _bare(inside[1])
    return _bare(inside[0]) if origin in (Annotated, Union, UnionType) else annotation


_TYPES: Final[Mapping[type[Shape], ValueType]] = {rules: value_type for value_type, rules in RULES.items()}
_OF_KINDS: Final[Mapping[str, Mapping[str, Parameter]]] = {
    "TrainingWorkload": of_shape(TrainingParameters),
    "InteractiveWorkload": of_shape(InteractiveParameters),
    "InferenceWorkload": of_shape(InferenceParameters),
    "DistributedWorkload": of_shape(DistributedParameters),
}
_ALL: Final = {name: parameter for parameters in _OF_KINDS.values() for name, parameter in parameters.items()}
PARAMETERS: Final[Mapping[str, Parameter]] = MappingProxyType(
    {
        name: replace(_ALL[name], kinds=frozenset(kind for kind, theirs in _OF_KINDS.items() if name in theirs))
        for name in sorted(_ALL)
    }
)
"""Every parameter that has a wrapper. `usage`, `baseWorkload` and `jobType`, which have none, are beside them in
`workloads`."""
