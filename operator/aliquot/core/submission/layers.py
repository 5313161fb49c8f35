"""Values from several layers: the workload's own, its template's, its policy's (cluster-api.md 1.2, 1.6, 4).

    policy ◀── template ◀── workload      the upper one wins; of items and groups, each label and member by itself

`over` lays one layer upon another, and may be asked in any order: deletions and the label DEFAULTS are kept in what it
returns, for the layers that follow. `settled` takes them out when there is nothing more to follow.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar, cast

from aliquot.contracts.kinds.catalogue import Parameter, Wrapper
from aliquot.contracts.kinds.shapes import Shape
from aliquot.contracts.kinds.wrappers import Item, Items, KeyedItems, Value, Values

ShapeT = TypeVar("ShapeT", bound=Shape)
Parameters = Mapping[str, Parameter]

DEFAULTS: Final = "DEFAULTS"
"""The label of a policy's item whose members hold wherever an item of the same parameter gives none."""


NIL: Final = "nil"
"""What policies write in DEFAULTS for a text that the schema demands and that has no default (cluster-api.md, S23)."""


class Layer(StrEnum):
    """Where a value comes from."""

    WORKLOAD = "workload"
    TEMPLATE = "template"
    POLICY = "policy"


def over(parameters: Parameters, upper: ShapeT, lower: Shape) -> ShapeT:
    """Lay one layer upon another.

    Args:
        parameters: of the kind, from the catalogue.
        upper: whose values win; the result has its type, and its members that are no parameters.
        lower: whose values hold where the upper one has none; its rules are left behind.
    """
    changes: dict[str, object] = {}
    for parameter in parameters.values():
        theirs = _of(lower, parameter)
        if theirs is not None:
            merged = _merged(parameter, _of(upper, parameter), theirs)
            if merged is not None:
                changes[parameter.attribute] = merged
    return upper.model_copy(update=changes) if changes else upper


def settled(parameters: Parameters, spec: ShapeT) -> ShapeT:
    """Take out what only layers need: deleted items go, and DEFAULTS fills the members that items leave out."""
    changes: dict[str, object] = {}
    for parameter in parameters.values():
        wrapper = _of(spec, parameter)
        if isinstance(wrapper, Items | KeyedItems):
            held: Mapping[str, Item[Any]] = cast("Any", wrapper).items
            items = _settled_items(held)
            if items != held:
                changes[parameter.attribute] = wrapper.model_copy(update={"items": items})
    return spec.model_copy(update=changes) if changes else spec


def without_defaults(parameters: Parameters, spec: ShapeT) -> tuple[ShapeT, tuple[str, ...]]:
    """Take out what has a meaning in policies only: whoever could give DEFAULTS would go round the policy's.

    Returns:
        The spec without it, and the names of the parameters that had it.
    """
    held = {each.name: each for each in parameters.values() if DEFAULTS in _items(_of(spec, each))}
    changes: dict[str, object] = {}
    for parameter in held.values():
        wrapper = _of(spec, parameter)
        items = {label: item for label, item in _items(wrapper).items() if label != DEFAULTS}
        changes[parameter.attribute] = cast("Shape", wrapper).model_copy(update={"items": items})
    return (spec.model_copy(update=changes) if changes else spec), tuple(held)


def _items(wrapper: Any | None) -> Mapping[str, Item[Any]]:
    return cast("Any", wrapper).items if isinstance(wrapper, Items | KeyedItems) else {}


def default_of(items: Mapping[str, Item[Any]], attribute: str) -> Any | None:
    """What DEFAULTS says of a member of the other items; None: nothing.

    Args:
        items: of a parameter.
        attribute: the member as the model calls it.
    """
    value = items[DEFAULTS].value if DEFAULTS in items and not items[DEFAULTS].deleted else None
    if not isinstance(value, Shape) or attribute not in value.model_fields_set:
        return None
    default: object = getattr(value, attribute)
    return None if default == NIL else default


def origins(parameters: Parameters, layers: Iterable[tuple[Layer, Shape | None]]) -> dict[str, Layer]:
    """Say of every value which layer it comes from.

    Args:
        parameters: of the kind.
        layers: the uppermost first; None: that layer is empty.

    Returns:
        `gpu`, `ports[ui]` or `mpiJob.slotsPerWorker` → the layer; sorted. Deleted items are not values.
    """
    found: dict[str, Layer] = {}
    gone: set[str] = set()
    for layer, spec in layers:
        if spec is None:
            continue
        for parameter in parameters.values():
            for path, deleted in _paths(parameter, _of(spec, parameter)):
                if path not in found and path not in gone:
                    if deleted:
                        gone.add(path)
                    else:
                        found[path] = layer
    return dict(sorted(found.items()))


def _of(spec: Shape, parameter: Parameter) -> Any | None:
    """The wrapper of a parameter; None: the shape, such as a master's, does not have it, or leaves it out."""
    return getattr(spec, parameter.attribute, None)


def _merged(parameter: Parameter, upper: Any, lower: Any) -> object | None:
    """The upper wrapper with what it takes from the lower one; None: nothing."""
    if upper is None:
        return None
    match parameter.wrapper:
        case Wrapper.VALUE:
            if upper.value is None and lower.value is not None:
                return upper.model_copy(update={"value": lower.value})
        case Wrapper.ITEMS | Wrapper.KEYED:
            items = {label: item.model_copy(update={"rules": None}) for label, item in lower.items.items()}
            if items.keys() - upper.items.keys():
                return upper.model_copy(update={"items": {**items, **upper.items}})
        case Wrapper.GROUP:
            return _merged_group(parameter, upper, lower)
    return None


def _merged_group(parameter: Parameter, upper: Values[Shape], lower: Values[Shape]) -> object | None:
    if lower.values is None:
        return None
    if upper.values is None:
        return upper.model_copy(update={"values": lower.values})
    changes: dict[str, object] = {}
    for member in parameter.members.values():
        mine = cast("Value[object, object]", getattr(upper.values, member.attribute))
        theirs = cast("Value[object, object]", getattr(lower.values, member.attribute))
        if mine.value is None and theirs.value is not None:
            changes[member.attribute] = mine.model_copy(update={"value": theirs.value})
    return upper.model_copy(update={"values": upper.values.model_copy(update=changes)}) if changes else None


def _settled_items(items: Mapping[str, Item[Any]]) -> dict[str, Item[Any]]:
    settled: dict[str, Item[Any]] = {}
    for label, item in items.items():
        if item.deleted or label == DEFAULTS:
            continue
        filled = _filled(item.value, items)
        settled[label] = item if filled is item.value else item.model_copy(update={"value": filled})
    return settled


def _filled(value: object, items: Mapping[str, Item[Any]]) -> object:
    """An item's value with the members that it leaves out; a text has no members."""
    if not isinstance(value, Shape) or DEFAULTS not in items:
        return value
    given = {name for name in value.model_fields_set if getattr(value, name) is not None}
    defaults = {name: default_of(items, name) for name in type(value).model_fields if name not in given}
    missing = {name: default for name, default in defaults.items() if default is not None}
    return value.model_copy(update=missing) if missing else value


def _paths(parameter: Parameter, wrapper: Any | None) -> Iterable[tuple[str, bool]]:
    """The paths of the values that a wrapper gives, and whether it deletes them."""
    if wrapper is None:
        return
    match parameter.wrapper:
        case Wrapper.VALUE:
            if wrapper.value is not None:
                yield parameter.name, False
        case Wrapper.ITEMS | Wrapper.KEYED:
            for label, item in wrapper.items.items():
                if label != DEFAULTS:
                    yield f"{parameter.name}[{label}]", bool(item.deleted)
        case Wrapper.GROUP:
            for member in parameter.members.values() if wrapper.values is not None else ():
                if getattr(wrapper.values, member.attribute).value is not None:
                    yield f"{parameter.name}.{member.name}", False
