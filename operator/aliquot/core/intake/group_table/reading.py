"""A table from its text, with everything that is wrong about it by place, value and what is allowed.

An entry that is wrong is left out; the others hold.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aliquot.contracts.workload_kinds import TAG, NamedTopology, WorkloadKind, WorkloadKinds, keys_of
from aliquot.errors import UserError

_WHOLE: Final = "document"
_LONGEST_VALUE: Final = 80
_ALLOWED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "refused": "{allowed}",
        "missing": "it is required",
        "string_type": "a text; put it into quotes",
        "int_type": "a whole number",
        "bool_type": "true or false",
        "list_type": "a list",
        "dict_type": "a mapping",
        "model_type": "a mapping",
        "literal_error": "one of {expected}",
        "greater_than_equal": "at least {ge}",
        "less_than_equal": "at most {le}",
        "string_too_short": "not an empty text",
        "string_too_long": "a text of at most {max_length} characters",
        "too_short": "a list of at least {min_length}",
        "too_long": "a list of at most {max_length}",
    }
)
_Loader: Final = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
EntryT = TypeVar("EntryT", bound=BaseModel)


class _Shown:
    """A value that is not shown as it is."""

    def __init__(self, said: str) -> None:
        self._said = said

    def __repr__(self) -> str:
        return self._said


def read_kinds(text: str) -> tuple[WorkloadKinds, list[UserError]]:
    """Read a table.

    Returns:
        What of it is right, and what is wrong with the rest.
    """
    problems: list[UserError] = []
    values = _values(text, problems)
    if not isinstance(values, dict):
        if not problems and values is not None:
            problems.append(UserError(_WHOLE, _shown(values), "a mapping with kinds, topologies, or both"))
        return WorkloadKinds(), problems
    known = keys_of(WorkloadKinds)
    found = cast("dict[object, object]", values)
    problems += [
        UserError(str(key), _Shown(repr(key)), f"it is an unknown key; known here are {', '.join(known)}")
        for key in found
        if key not in known
    ]
    kinds = _entries("kinds", found.get("kinds"), WorkloadKind, problems)
    topologies = _entries("topologies", found.get("topologies"), NamedTopology, problems)
    return WorkloadKinds(kinds=kinds, topologies=topologies), problems


def _values(text: str, problems: list[UserError]) -> object:
    try:
        _look_through(yaml.compose(text, Loader=_Loader), set(), problems)
        return None if problems else yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = _WHOLE if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"
        line = "" if mark is None else next(iter(text.splitlines()[mark.line : mark.line + 1]), "").strip()
        problems.append(UserError(where, line[:_LONGEST_VALUE], f"it is no YAML: {error.problem or error.context}"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problems.append(UserError(_WHOLE, _Shown("the text"), f"it is no YAML: {' '.join(str(error).split())[:200]}"))
    return None


def _look_through(node: yaml.Node | None, seen: set[int], problems: list[UserError]) -> None:
    """Find what has no place in a table: values that stand for others, keys that stand twice."""
    if node is None:
        return
    where = f"line {node.start_mark.line + 1}, column {node.start_mark.column + 1}" if node.start_mark else _WHOLE
    if id(node) in seen:
        problems.append(UserError(where, _Shown("the value"), "aliases are not taken here: write it out"))
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
        keys = [cast("object", key.value) for key, _ in pairs]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        problems += [UserError(where, key, "a key may stand only once in a mapping") for key in sorted(twice)]
        for _, value in pairs:
            _look_through(value, seen, problems)
    elif isinstance(node, yaml.SequenceNode):
        for value in cast("list[yaml.Node]", node.value):
            _look_through(value, seen, problems)


def _entries(key: str, value: object, shape: type[EntryT], problems: list[UserError]) -> list[EntryT]:
    if value is None:
        return []
    if not isinstance(value, list):
        problems.append(UserError(key, _shown(value), "a list"))
        return []
    right: list[EntryT] = []
    for number, entry in enumerate(cast("list[object]", value)):
        try:
            right.append(shape.model_validate(entry, by_alias=True, by_name=False))
        except ValidationError as error:
            problems += [_problem((key, number), shape, found) for found in error.errors(include_url=False)]
    return right


def _problem(begin: tuple[str | int, ...], shape: type[BaseModel], found: ErrorDetails) -> UserError:
    place = [part for part in found["loc"] if not (isinstance(part, str) and part.startswith(TAG))]
    path = _written((*begin, *place))
    if found["type"] == "extra_forbidden":
        known = ", ".join(_keys_at(shape, found["loc"][:-1]))
        return UserError(path, _Shown(repr(place[-1])), f"it is an unknown key; known here are {known}")
    value: object = _Shown("nothing") if found["type"] == "missing" else _shown(found["input"])
    template = _ALLOWED.get(found["type"], found["msg"])
    return UserError(path, value, template.format(**cast("dict[str, object]", found.get("ctx", {}))))


def _written(place: Sequence[str | int]) -> str:
    path = ""
    for part in place:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _shown(value: object) -> object:
    if isinstance(value, (dict, list)):
        return _Shown("a mapping" if isinstance(value, dict) else "a list")
    if isinstance(value, str) and len(value) > _LONGEST_VALUE:
        return _Shown(repr(value[:_LONGEST_VALUE]) + "…")
    return value


def _keys_at(shape: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The keys that are known at a place in an entry."""
    for part in place:
        if isinstance(part, int):
            continue
        if part.startswith(TAG):
            shape = next((each for each in _shapes_in(_numbers()) if each.__name__.lower() == part[1:]), shape)
            continue
        index = keys_of(shape).index(part) if part in keys_of(shape) else -1
        annotation = list(shape.model_fields.values())[index].annotation if index >= 0 else None
        shape = next(iter(_shapes_in(annotation)), shape)
    return keys_of(shape)


def _numbers() -> object:
    return WorkloadKind.model_fields["minimum"].annotation


def _shapes_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [shape for inner in get_args(annotation) for shape in _shapes_in(inner)]
