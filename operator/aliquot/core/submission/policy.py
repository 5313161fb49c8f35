"""What a policy says about a workload (cluster-api.md 4.3): everything that breaks its rules, at once.

Rules are about what users give, themselves or by a template: the policy's own defaults pass. Amounts are compared as
amounts: "1", "1.0" and "1000m" are the same. `core.submission.layers` has put the values together before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from aliquot.contracts.kinds.catalogue import Member, Parameter, Wrapper
from aliquot.contracts.kinds.rules import ItemRules, MapRules, Rules
from aliquot.contracts.kinds.shapes import Shape
from aliquot.contracts.kinds.wrappers import Item, Value
from aliquot.core.submission.layers import DEFAULTS, Parameters, default_of, over, settled
from aliquot.core.submission.value_rules import rule_problems, same_amount, unfulfillable
from aliquot.errors import UserError

ADDED: Final = "left out: the policy allows no items beside its own"
REMOVED: Final = "kept: the policy allows no removal"


@dataclass
class PolicyViolation(UserError):  # noqa: N818 - it says what is wrong, like `InvalidWorkload`
    """A value that a policy does not allow.

    Attributes:
        field: the parameter in the user's own terms, such as `gpu` or `ports[ui].container`.
        value: what it says.
        allowed: what it must be, as the end of a sentence that begins with "must be" unless it says otherwise.
    """

    def __str__(self) -> str:
        """Say it in the documented words (cluster-api.md 4.3)."""
        return f"{self.field}: must be {self.allowed}"


def violations(parameters: Parameters, given: Shape, policy: Shape) -> tuple[PolicyViolation, ...]:
    """Find everything in a workload that a policy does not allow.

    Args:
        parameters: of the kind, from the catalogue.
        given: what the user gives: the workload over its template, deletions and all.
        policy: the spec of the policy.

    Returns:
        Sorted by field; empty: all is allowed.
    """
    whole = settled(parameters, over(parameters, given, policy))
    found = [
        violation
        for parameter in parameters.values()
        for violation in _of_parameter(
            parameter, _wrapper(given, parameter), _wrapper(policy, parameter), _wrapper(whole, parameter)
        )
    ]
    return tuple(sorted(found, key=lambda violation: (violation.field, violation.allowed)))


def policy_problems(parameters: Parameters, policy: Shape) -> tuple[UserError, ...]:
    """Find everything in a policy that no workload could ever keep, and defaults that break its own rules.

    Args:
        parameters: of the kind, from the catalogue.
        policy: the spec of the policy.

    Returns:
        Sorted by field, whose paths are those of the policy.
    """
    found: list[UserError] = []
    for parameter in parameters.values():
        wrapper = _wrapper(policy, parameter)
        field = f"spec.{parameter.name}"
        match parameter.wrapper:
            case Wrapper.VALUE if wrapper is not None:
                found.extend(_value_problems(field, wrapper.value, wrapper.rules))
            case Wrapper.GROUP if wrapper is not None and wrapper.values is not None:
                for member in parameter.members.values():
                    value = _member_of(wrapper.values, member)
                    found.extend(_value_problems(f"{field}.values.{member.name}", value.value, value.rules))
            case Wrapper.ITEMS | Wrapper.KEYED if wrapper is not None:
                found.extend(_items_problems(field, parameter, wrapper))
            case _:
                pass
    return tuple(sorted(found, key=lambda problem: (problem.field, problem.allowed)))


def _value_problems(field: str, value: Any | None, rules: Rules | None) -> Iterable[UserError]:
    if rules is None:
        return
    yield from (UserError(f"{field}.rules", _shown(rules), told) for told in unfulfillable(rules))
    if value is None and rules.required and not rules.can_edit:
        yield UserError(f"{field}.value", None, "required, and users may not give it: give a value here")
    elif value is not None:
        yield from (UserError(f"{field}.value", value, f"must be {told}") for told in rule_problems(rules, value))


def _items_problems(field: str, parameter: Parameter, policy: Any) -> Iterable[UserError]:
    rules: MapRules = policy.rules or MapRules()
    if rules.required and not rules.can_add and not policy.items.keys() - {DEFAULTS}:
        yield UserError(f"{field}.items", None, "required, and users may not add items: give an item here")
    for name, content, default in _content_rules(parameter, policy):
        yield from (UserError(f"{field}.{name}", _shown(content), told) for told in unfulfillable(content))
        if default is not None:
            of_default = f"{field}.items[{DEFAULTS}].value.{name.rpartition('.')[2]}"
            yield from (UserError(of_default, default, f"must be {told}") for told in rule_problems(content, default))


def _content_rules(parameter: Parameter, policy: Any) -> Iterable[tuple[str, Rules, Any | None]]:
    """The rules for what items say, each with its path, and the default that the policy gives for it."""
    if parameter.wrapper is Wrapper.KEYED:
        of_items = {"itemRules": policy.item_rules, "keyRules": policy.key_rules}
        yield from ((name, rules, None) for name, rules in of_items.items() if rules is not None)
        return
    for member in parameter.members.values() if policy.item_rules is not None else ():
        rules = getattr(policy.item_rules, member.rules, None) if member.rules else None
        if rules is not None:
            yield f"itemRules.{member.name}", rules, default_of(policy.items, member.attribute)


def _shown(rules: Rules) -> dict[str, object]:
    return rules.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _wrapper(spec: Shape, parameter: Parameter) -> Any | None:
    return getattr(spec, parameter.attribute, None)


def _of_parameter(
    parameter: Parameter, given: Any | None, policy: Any | None, whole: Any | None
) -> Iterable[PolicyViolation]:
    if given is None or policy is None or whole is None:
        return
    match parameter.wrapper:
        case Wrapper.VALUE:
            yield from _of_value(parameter.name, given, policy, whole)
        case Wrapper.GROUP if policy.values is not None:
            for member in parameter.members.values():
                values = [_member_of(wrapper.values, member) for wrapper in (given, policy, whole)]
                yield from _of_value(f"{parameter.name}.{member.name}", *values)
        case Wrapper.ITEMS | Wrapper.KEYED:
            yield from _of_items(parameter, given.items, policy, whole.items)
        case _:
            pass


def _member_of(values: Any | None, member: Member) -> "Value[Any, Any]":
    return Value() if values is None else getattr(values, member.attribute)


def _of_value(
    field: str, given: "Value[Any, Any]", policy: "Value[Any, Any]", whole: "Value[Any, Any]"
) -> Iterable[PolicyViolation]:
    rules = policy.rules
    if rules is None:
        return
    if given.value is not None and not rules.can_edit:
        if not _same(given.value, policy.value):
            yield PolicyViolation(field, given.value, _as_it_is(policy.value))
        return
    if given.value is not None:
        yield from (PolicyViolation(field, given.value, allowed) for allowed in rule_problems(rules, given.value))
    if rules.required and whole.value is None:
        yield PolicyViolation(field, None, "given")


def _of_items(
    parameter: Parameter, given: Mapping[str, Item[Any]], policy: Any, whole: Mapping[str, Item[Any]]
) -> Iterable[PolicyViolation]:
    rules: MapRules = policy.rules or MapRules()
    theirs = cast("Mapping[str, Item[Any]]", policy.items)
    for label, item in sorted(given.items()):
        field = f"{parameter.name}[{label}]"
        if label == DEFAULTS:
            continue
        if label in theirs:
            yield from _of_known_item(field, item, theirs[label])
        elif not item.deleted and not rules.can_add:
            yield PolicyViolation(field, item.value, ADDED)
    if rules.required and all(item.value is None for item in whole.values()):
        yield PolicyViolation(parameter.name, None, "given at least one item")
    for label, item in sorted(whole.items()):
        if label in given and not given[label].deleted:
            yield from _of_content(parameter, label, given[label], item, policy)


def _of_known_item(field: str, item: Item[Any], policy: Item[Any]) -> Iterable[PolicyViolation]:
    rules, gone = policy.rules or ItemRules(), item.deleted or item.value is None
    if gone and not rules.can_remove:
        yield PolicyViolation(field, None, REMOVED)
    elif not gone and not rules.can_edit and not _same(item.value, policy.value):
        yield PolicyViolation(field, item.value, _as_it_is(policy.value))


def _of_content(
    parameter: Parameter, label: str, given: Item[Any], whole: Item[Any], policy: Any
) -> Iterable[PolicyViolation]:
    """What is wrong with the key, the text or the members of an item that the user gives."""
    field = f"{parameter.name}[{label}]"
    if parameter.wrapper is Wrapper.KEYED:
        if policy.key_rules is not None:
            yield from (
                PolicyViolation(field, label, f"under a key that is {allowed}")
                for allowed in rule_problems(policy.key_rules, label)
            )
        if policy.item_rules is not None and given.value is not None:
            yield from (
                PolicyViolation(field, given.value, allowed)
                for allowed in rule_problems(policy.item_rules, given.value)
            )
        return
    if policy.item_rules is None:
        return
    for member in parameter.members.values():
        rules = getattr(policy.item_rules, member.rules, None) if member.rules else None
        if rules is not None:
            of_layers = (
                _given_member(given.value, member),
                default_of(policy.items, member.attribute),
                _given_member(whole.value, member),
            )
            values = [Value[Any, Any](value=value, rules=rules) for value in of_layers]
            yield from _of_value(f"{field}.{member.name}", *values)


def _given_member(item: Shape | None, member: Member) -> Any | None:
    """What an item itself says about a member, not what its model says for it."""
    return getattr(item, member.attribute) if item is not None and member.attribute in item.model_fields_set else None


def _same(left: object, right: object) -> bool:
    """Whether two values say the same; amounts may be written in several ways."""
    return left == right or (isinstance(left, str) and isinstance(right, str) and same_amount(left, right))


def _as_it_is(value: object) -> str:
    """What a value that users may not change must be."""
    if value is None:
        return "left out: the policy allows no value"
    if isinstance(value, Shape):
        return "as the policy has it"
    return f"left as the policy has it: {str(value).lower() if isinstance(value, bool) else value}"
