"""A model as a structural schema, the dialect of OpenAPI that custom resource definitions speak.

pydantic's JSON schema comes in; out comes one tree without references, unions, null types or titles. What cannot be
said structurally is refused, with the path of the culprit, so a model that would be served wrongly never is.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from pydantic import BaseModel

Node = dict[str, Any]

KEPT: Final = frozenset({
    "description", "type", "format", "enum", "pattern", "required", "nullable", "minLength", "maxLength", "minimum",
    "maximum", "multipleOf", "minItems", "maxItems", "minProperties", "maxProperties", "x-kubernetes-int-or-string",
    "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-validations",
    "x-kubernetes-preserve-unknown-fields",
})  # fmt: skip
DROPPED: Final = frozenset({"title", "$defs", "examples"})


def structural(model: type[BaseModel]) -> Node:
    """Return the model's structural schema.

    Raises:
        ValueError: the model has something that such schemas cannot say: a union, recursion, a tuple of fixed length.
    """
    document = model.model_json_schema(mode="validation", by_alias=True)
    return _converted(document, _definitions(document), model.__name__, ())


def _definitions(document: Node) -> Mapping[str, Node]:
    return cast("Mapping[str, Node]", document.get("$defs", {}))


def _converted(node: Node, definitions: Mapping[str, Node], path: str, inside: tuple[str, ...]) -> Node:
    node, inside = _resolved(node, definitions, path, inside)

    def below(child: Node, step: str) -> Node:
        return _converted(child, definitions, f"{path}{step}", inside)

    schema: Node = {}
    for key, value in node.items():
        if key in KEPT:
            schema[key] = value
        elif key in MEMBERS:
            schema.update(MEMBERS[key](value, below))
        elif key not in DROPPED:
            raise ValueError(f"{path}: a structural schema cannot say {key}: {value!r}")
    if "description" in schema:
        schema["description"] = " ".join(inspect.cleandoc(schema["description"]).split())
    if schema.get("x-kubernetes-int-or-string"):
        schema.pop("type", None)
    elif "type" not in schema and "x-kubernetes-preserve-unknown-fields" not in schema:
        raise ValueError(f"{path}: no type")
    return schema


def _resolved(
    node: Node, definitions: Mapping[str, Node], path: str, inside: tuple[str, ...]
) -> tuple[Node, tuple[str, ...]]:
    """Follow references and pick what an optional member is when given; what is said nearer to the field wins."""
    near: Node = {key: value for key, value in node.items() if key not in {"$ref", "anyOf"}}
    if "$ref" in node:
        reference = str(node["$ref"]).removeprefix("#/$defs/")
        if reference in inside:
            raise ValueError(f"{path}: {reference} contains itself, which a structural schema cannot say")
        return _resolved({**definitions[reference], **near}, definitions, path, (*inside, reference))
    if "anyOf" not in node:
        return node, inside
    choices = [choice for choice in cast("list[Node]", node["anyOf"]) if choice.get("type") != "null"]
    if len(choices) == 1:
        return _resolved({**choices[0], **near}, definitions, path, inside)
    if {choice.get("type") for choice in choices} == {"integer", "string"}:
        return {"x-kubernetes-int-or-string": True, **near}, inside
    raise ValueError(f"{path}: a structural schema has no unions, but this is {choices}")


Below = Callable[[Node, str], Node]


def _properties(value: Mapping[str, Node], below: Below) -> Node:
    return {"properties": {name: below(member, f".{name}") for name, member in sorted(value.items())}}


def _entries(value: Node | bool, below: Below) -> Node:
    if value is True:
        return {"x-kubernetes-preserve-unknown-fields": True}
    return {"additionalProperties": below(value, "[*]")} if value else {}


def _default(value: object, _: Below) -> Node:
    return {"default": value} if isinstance(value, bool | int | float | str) else {}


MEMBERS: Final[Mapping[str, Callable[[Any, Below], Node]]] = {
    "properties": _properties,
    "items": lambda value, below: {"items": below(value, "[*]")},
    "additionalProperties": _entries,
    "const": lambda value, _: {"enum": [value]},
    "default": _default,
}
"""How the members of a JSON schema that contain schemas, or are said in another way, are converted."""
