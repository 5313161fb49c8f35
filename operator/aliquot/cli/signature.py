"""Groups of flags that several commands share: dataclasses whose members become options of the command line."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def with_flags(handler: Callable[..., None]) -> Callable[..., None]:
    """Let a command take the members of its dataclasses as options.

    Each parameter whose type is a dataclass is replaced by that one's members, and those of dataclasses in it; the
    handler is called with the dataclasses. Other parameters stay as they are.
    """
    hints = get_type_hints(handler, include_extras=True)
    groups = {name: hints[name] for name in inspect.signature(handler).parameters if is_dataclass(hints[name])}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(handler).parameters.items():
        if name in groups:
            parameters += _options(groups[name])
        else:
            kept = parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            parameters.append(kept)

    @wraps(handler)
    def spread(**values: object) -> None:
        own = {name: values[name] for name in values if name in hints}
        handler(**own, **{name: _gathered(group, values) for name, group in groups.items()})

    vars(spread)["__signature__"] = inspect.Signature(parameters, return_annotation=None)
    spread.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return spread


def _members(group: type[Any]) -> Iterator[tuple[Field[Any], Any]]:
    hints = get_type_hints(group, include_extras=True)
    for member in fields(group):
        yield member, hints[member.name]


def _options(group: type[Any]) -> Iterator[inspect.Parameter]:
    for member, annotation in _members(group):
        if is_dataclass(annotation):
            assert isinstance(annotation, type), "members are typed by classes"
            yield from _options(annotation)
        else:
            default = member.default if member.default_factory is MISSING else member.default_factory()
            yield inspect.Parameter(member.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _gathered(group: type[Any], values: Mapping[str, object]) -> object:
    """Make a group of what was typed; what was not has the group's own defaults."""
    found: dict[str, object] = {}
    for member, annotation in _members(group):
        if is_dataclass(annotation):
            assert isinstance(annotation, type), "members are typed by classes"
            found[member.name] = _gathered(annotation, values)
        elif values.get(member.name) is not None:
            found[member.name] = values[member.name]
    return group(**found)
