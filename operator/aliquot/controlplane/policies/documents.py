"""What policies say, as JSON: changed, and put together for a scope out of what the scopes on the way to it say. Pure.

defaults    of a field the lowest scope's; of what there are several of each by its name; of GPUs all together
rules       of a field one scope's only: two that bind the same field are never taken
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

from aliquot.contracts.administrator_api.policies import Policy

Document = dict[str, Any]

_INSTANCES: Final = "instances"
_KEYS: Final = ("name", "resource")
"""What tells the instances of a field apart."""
_GPUS: Final = frozenset({
    "gpuDevicesRequest", "gpuRequestType", "gpuPortionRequest", "gpuPortionLimit", "gpuMemoryRequest", "gpuMemoryLimit",
    "migProfile",
})  # fmt: skip


class Layer(NamedTuple):
    """What the policy of one scope says.

    Attributes:
        source: the scope, as rules name it.
        document: what it says.
    """

    source: Document
    document: Document


def document_of(policy: Policy | None) -> Document:
    """A policy as JSON, without what says nothing."""
    return {} if policy is None else _without_nothing(changes_of(policy))


def changes_of(policy: Policy | None) -> Document:
    """Changes of a policy as JSON; null takes away."""
    return {} if policy is None else policy.model_dump(mode="json", by_alias=True, exclude_unset=True)


def changed(before: Document, changes: Document, reset: Iterable[str]) -> Document:
    """What a policy says after a change.

    Args:
        before: what it said.
        changes: laid upon that (RFC 7386).
        reset: fields of which nothing is left before.
    """
    kept = before
    for field in reset:
        for half in ("defaults", "rules"):
            kept = _without(kept, [half, *field.split(".")])
    return _without_nothing(_patched(kept, changes))


def rule_fields(document: Document) -> list[str]:
    """The fields that rules bind, such as `compute.gpuDevicesRequest` or `storage.pvc.instances`; sorted."""
    return sorted(path for path, _ in _leaves(document.get("rules", {})))


def effective(layers: Sequence[Layer], *, sources: bool = False) -> Document:
    """What counts in a scope.

    Args:
        layers: from the tenant down to the scope.
        sources: whether rules say which scope they are from.
    """
    defaults: Document = {}
    rules: Document = {}
    for layer in layers:
        defaults = _over(layer.document.get("defaults", {}), defaults)
        for path, leaf in _leaves(layer.document.get("rules", {})):
            _put(rules, path.split("."), {**leaf, "sourceOfRule": layer.source} if sources else leaf)
    return _without_nothing({"defaults": _without_excluded(defaults), "rules": rules})


def _over(lower: Document, upper: Document) -> Document:
    """What a lower scope gives, over what the one above it gives."""
    if lower.keys() & _GPUS:
        upper = {member: value for member, value in upper.items() if member not in _GPUS}
    found = dict(upper)
    for member, value in lower.items():
        before = upper.get(member)
        if member == _INSTANCES:
            found[member] = _instances(value, before or [])
        elif isinstance(value, dict) and isinstance(before, dict):
            found[member] = _over(cast("Document", value), cast("Document", before))
        else:
            found[member] = value
    return found


def _instances(lower: Sequence[Document], upper: Sequence[Document]) -> list[Document]:
    theirs = {key for each in lower if (key := _key(each)) is not None}
    return [*(each for each in upper if _key(each) not in theirs), *lower]


def _key(instance: Document) -> str | None:
    return next((instance[key] for key in _KEYS if instance.get(key)), None)


def _without_excluded(defaults: Document) -> Document:
    """What is left when what a lower scope takes away of an upper one's is gone."""
    found: Document = {}
    for member, value in defaults.items():
        if member == _INSTANCES:
            found[member] = [each for each in value if not each.get("exclude")]
        else:
            found[member] = _without_excluded(cast("Document", value)) if isinstance(value, dict) else value
    return found


def _leaves(rules: Document, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Document]]:
    """The rules of each field: what has members that are no rules of members."""
    if path and any(not isinstance(value, dict) for value in rules.values()):
        yield ".".join(path), rules
        return
    for member, value in rules.items():
        if isinstance(value, dict):
            yield from _leaves(cast("Document", value), (*path, member))


def _put(into: Document, path: Sequence[str], value: Document) -> None:
    first, *rest = path
    if rest:
        _put(into.setdefault(first, {}), rest, value)
    else:
        into.setdefault(first, value)


def _without(document: Document, path: Sequence[str]) -> Document:
    first, *rest = path
    if first not in document:
        return document
    if not rest:
        return {member: value for member, value in document.items() if member != first}
    below = document[first]
    return {**document, first: _without(cast("Document", below), rest)} if isinstance(below, dict) else document


def _patched(before: Document, changes: Document) -> Document:
    found = dict(before)
    for member, value in changes.items():
        if isinstance(value, dict):
            below = before.get(member)
            kept = cast("Document", below if isinstance(below, dict) else {})
            found[member] = _patched(kept, cast("Document", value))
        else:
            found[member] = value
    return found


def _without_nothing(document: Document) -> Document:
    found: Document = {}
    for member, value in document.items():
        said = _cleaned(value)
        if said is not None and said != {}:
            found[member] = said
    return found


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return _without_nothing(cast("Document", value))
    return [_cleaned(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value
