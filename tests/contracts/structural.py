"""What an API server says to an object by its structural schema alone, without the rules in CEL."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, cast

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "integer": (int,),
    "number": (int, float),
}  # fmt: skip


def problems(schema: Schema, value: object, path: str = "") -> list[str]:
    """List the paths of what is wrong, unknown members included; empty: the value is accepted as it is."""
    return list(_problems(schema, value, path))


def _problems(schema: Schema, value: object, path: str) -> Iterator[str]:
    if value is None:
        if not schema.get("nullable"):
            yield path
        return
    if not _is_of_type(schema, value):
        yield path
        return
    if "enum" in schema and value not in schema["enum"]:
        yield path
    if isinstance(value, str):
        yield from _text(schema, value, path)
    elif isinstance(value, int | float):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield path
    elif isinstance(value, list):
        yield from _list(schema, cast("list[object]", value), path)
    elif isinstance(value, dict):
        yield from _members(schema, cast("dict[str, object]", value), path)


def _is_of_type(schema: Schema, value: object) -> bool:
    if schema.get("x-kubernetes-int-or-string"):
        return type(value) in (int, str)
    return "type" not in schema or type(value) in _TYPES[schema["type"]]


def _text(schema: Schema, text: str, path: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
        yield path
    if "pattern" in schema and not re.search(schema["pattern"], text):
        yield path
    if schema.get("format") == "date-time":
        try:
            datetime.fromisoformat(text)
        except ValueError:
            yield path


def _list(schema: Schema, entries: list[object], path: str) -> Iterator[str]:
    if len(entries) > schema.get("maxItems", len(entries)):
        yield path
    seen: list[object] = []
    for number, entry in enumerate(entries):
        yield from _problems(schema["items"], entry, f"{path}[{number}]")
        if schema.get("x-kubernetes-list-type") == "map":
            members = cast("dict[str, object]", entry)
            key = [members.get(name) for name in schema["x-kubernetes-list-map-keys"]]
            if key in seen:
                yield f"{path}[{number}]"
            seen.append(key)


def _members(schema: Schema, members: dict[str, object], path: str) -> Iterator[str]:
    if len(members) > schema.get("maxProperties", len(members)):
        yield path
    for name in schema.get("required", ()):
        if name not in members:
            yield f"{path}.{name}".lstrip(".")
    known: Mapping[str, Schema] = schema.get("properties", {})
    for name, member in members.items():
        inside = f"{path}.{name}".lstrip(".")
        if name in known:
            yield from _problems(known[name], member, inside)
        elif "additionalProperties" in schema:
            yield from _problems(schema["additionalProperties"], member, inside)
        elif not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield inside
