"""The OpenAPI document: what is deprecated is flagged in it, and what is served can be read from it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from aliquot.contracts.administrator_api.deprecations import Deprecation

Document = dict[str, Any]
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_OF_FRAMEWORK: Final = ("HTTPValidationError", "ValidationError", "Body_")
"""How the names of models begin that the framework makes: errors that no answer of ours has, and forms."""


def flagged(document: Document, deprecations: Iterable[Deprecation]) -> Document:
    """Flag what is deprecated, in place."""
    by_name = {each.what: each for each in deprecations if not each.removed}
    for route, operation in _operations(document):
        _flag(operation, by_name.get(route))
        for parameter in operation.get("parameters", ()):
            _flag(parameter, by_name.get(f"{route}?{parameter['name']}"))
    for model, fields in _models(document):
        for field, schema in fields.items():
            _flag(schema, by_name.get(f"{model}.{field}"))
    return document


def served(document: Document) -> frozenset[str]:
    """All routes, their parameters (`GET /path?name`, of forms, too), and the fields of all models (`Model.field`)."""
    names: set[str] = set()
    for route, operation in _operations(document):
        names.add(route)
        queries = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
        names.update(f"{route}?{name}" for name in (*queries, *_form(document, operation)))
    for model, fields in _models(document):
        names.update(f"{model}.{field}" for field in fields)
    return frozenset(names)


def _flag(what: Document, found: Deprecation | None) -> None:
    if found is not None:
        what["deprecated"] = True
        what["description"] = f"{what.get('description', '')} Deprecated: use {found.instead}.".strip()


def _form(document: Document, operation: Document) -> Iterable[str]:
    """The fields of a form; its model has a name that only the framework knows."""
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/x-www-form-urlencoded", {}).get("schema", {}).get("$ref", "")
    return document["components"]["schemas"][reference.rpartition("/")[2]]["properties"] if reference else ()


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                yield f"{method.upper()} {path}", operations[method]


def _models(document: Document) -> Iterator[tuple[str, Document]]:
    for name, schema in document["components"]["schemas"].items():
        if not name.startswith(_OF_FRAMEWORK):
            yield name, schema.get("properties", {})
