"""The OpenAPI document: what the routes say of themselves, and the refusals that any of them may answer with.

Which refusals those are follows from what a route takes (control-plane-api.md 1.2): a secret, parameters, an id in its
path, a body, `If-Match`. A route that answers in another form says so itself, and is left alone.
"""

from typing import Any, Final

from fastapi import FastAPI

from aliquot.contracts.administrator_api.problems import Problem

_WORDS: Final = {
    400: "A rule of the API is broken: the message names field, value and what is allowed.",
    401: "There is no token that counts.",
    403: "The caller has no such right there.",
    404: "There is no such object.",
    409: "There is one of this name.",
    412: "The object was changed meanwhile.",
    413: "The body is too large.",
    429: "Too many requests, or too many wrong secrets; Retry-After says when to try again.",
    500: "Something went wrong.",
    503: "The database, or somebody else who is needed, does not answer.",
}
_NEVER: Final = "422"
"""What FastAPI says to be answered where a request is wrong; here that is 400."""
_MADE_FOR_IT: Final = ("HTTPValidationError", "ValidationError")


def document(app: FastAPI) -> None:
    """Write the document, and keep it where the application looks for it."""
    written = app.openapi()
    for path, operations in written["paths"].items():
        for operation in operations.values():
            answers = operation["responses"]
            answers.pop(_NEVER, None)
            for status in _refusals(path, operation):
                answers.setdefault(str(status), _answer(status))
    schemas = written.setdefault("components", {}).setdefault("schemas", {})
    for name in _MADE_FOR_IT:
        schemas.pop(name, None)
    schemas[Problem.__name__] = Problem.model_json_schema()


def _refusals(path: str, operation: dict[str, Any]) -> list[int]:
    is_for_known = bool(operation.get("security"))
    parameters = operation.get("parameters", [])
    has_body = "requestBody" in operation
    statuses = {429, 500, 503}
    if is_for_known:
        statuses |= {401, 403}
    if parameters or has_body:
        statuses.add(400)
    if "{" in path:
        statuses.add(404)
    if has_body:
        statuses.add(413)
    if has_body and is_for_known:
        statuses |= {404, 409}
    if any(parameter["name"].lower() == "if-match" for parameter in parameters):
        statuses.add(412)
    return sorted(statuses)


def _answer(status: int) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {"description": _WORDS[status], "content": {"application/json": {"schema": schema}}}
