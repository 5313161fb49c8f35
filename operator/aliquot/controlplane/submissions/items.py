"""From lists of a submission's spec to the items of parameters, each under a label of its own. Pure.

Labels only tell items apart (crd-contract.md): an entry's name where it has one, else its place in the list. Variables,
labels and annotations are known by their keys, other resources by their names; one that is excluded is `deleted`, as a
policy's or template's is so.
"""

from collections.abc import Sequence
from typing import Any, Final, cast

from aliquot.contracts.administrator_api.submissions.parts import Mark, Variable
from aliquot.controlplane.submissions.mapping import Listed, at
from aliquot.errors import UserError

Value = dict[str, Any]

ANY_EFFECT: Final = "Any"
"""A toleration's effect that means all of them."""
_OF_NEW_CLAIMS: Final = ("ephemeral", "claim_info")


def variable(field: str, given: Variable) -> Value:
    """A variable's value, or where it is.

    Raises:
        UserError: it has both, or neither.
    """
    if given.exclude:
        return {"deleted": True}
    if (given.value is None) == (given.secret is None):
        raise UserError(field, given.name, "a variable with either a value or a secret")
    if given.secret is not None:
        return {"value": f"SECRET:{given.secret.name},{given.secret.key}"}
    return {"value": given.value}


def mark(given: Mark) -> Value:
    """A label's or annotation's value."""
    return {"deleted": True} if given.exclude else {"value": given.value or ""}


def keyed(field: str, entries: Sequence[Variable] | Sequence[Mark]) -> Value:
    """Items that are known by their keys.

    Raises:
        UserError: two have the same.
    """
    items: dict[str, Value] = {}
    for number, each in enumerate(entries):
        at_ = f"{field}.{number}"
        if each.name in items:
            raise UserError(f"{at_}.name", each.name, "a name that no other entry has")
        items[each.name] = variable(at_, each) if isinstance(each, Variable) else mark(each)
    return {"items": items}


def labels(entries: Sequence[object], key: str = "name") -> list[str]:
    """The labels of a list's entries: their names if no two have one, else their places."""
    named = [at(each, key) for each in entries]
    given = [name for name in named if name]
    is_unique = len(set(given)) == len(given)
    return [str(name) if name and is_unique else f"item-{number}" for number, name in enumerate(named)]


def listed(entries: Sequence[object], how: Listed) -> Value:
    """Items of the entries of a list."""
    return {
        "items": {
            label: {"deleted": True} if at(each, "exclude") else {"value": value_of(each, how)}
            for label, each in zip(labels(entries, how.key), entries, strict=True)
        }
    }


def value_of(given: object, how: Listed) -> Value:
    """What an entry says, as an item's value; what is said of a new claim does not matter where it is there already."""
    is_there = bool(at(given, "existing_pvc"))
    found = {
        target: value
        for member, target in how.members.items()
        if not (is_there and member.startswith(_OF_NEW_CLAIMS))
        and (value := written(member, at(given, member))) is not None
    }
    return {**found, "customUrl": True} if found.get("url") and how.parameter == "exposedUrls" else found


def written(member: str, value: Any) -> Any:
    """A member's value as items have it; None: it says nothing."""
    match member, value:
        case "effect", "Any":
            return None
        case "existing_pvc", False:
            return None
        case "authorized_users", list():
            return ",".join(cast("list[str]", value)) or None
        case "url", "":
            return None
        case _:
            return value


def capabilities(names: Sequence[str]) -> Value:
    """Items of Linux capabilities, which are nothing but a name."""
    return {"items": {name: {"value": {"capability": name}} for name in dict.fromkeys(names)}}
