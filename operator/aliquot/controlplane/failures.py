"""What goes wrong, as answers: the status, and the body of 1.2 with a sentence that names the field.

Nobody is told what goes wrong inside: that is in the log, with the request's method and path.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aliquot import log
from aliquot.contracts.administrator_api.problems import ComplianceProblem, Problem
from aliquot.controlplane.database import Unavailable
from aliquot.controlplane.refusals import Later, NotCompliant, Refusal, Unauthorized
from aliquot.errors import UserError, told

_log = log.get(__name__)
_WHERE: Final = frozenset({"body", "query", "path", "header"})
_INSIDE: Final = frozenset({"int", "float", "constrained-int", "constrained-float"})
_TOO_LARGE: Final = 413
_PHRASES: Final = {
    400: "Bad request",
    404: "Resource id not found.",
    405: "Method Not Allowed",
    _TOO_LARGE: "The request is too large.",
    415: "Unsupported Media Type",
}


def answered_with_problems(app: FastAPI) -> None:
    """Have the application answer with problems."""
    app.add_middleware(_LargeAsProblem)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(Exception, _unexpected)


class _LargeAsProblem:
    """Refuses a request that is too large in the form of all other refusals. A middleware.

    Args:
        app: carries requests out, and refuses those in a form of its own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry out a request."""
        is_replaced = False

        async def sending(message: Message) -> None:
            nonlocal is_replaced
            if message["type"] == "http.response.start" and message["status"] == _TOO_LARGE:
                is_replaced = "json" not in Headers(raw=message["headers"]).get("content-type", "")
                if is_replaced:
                    await problem(_TOO_LARGE, _PHRASES[_TOO_LARGE])(scope, receive, send)
            if not is_replaced:
                await send(message)

        await self._app(scope, receive, sending)


def in_words(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Say what is wrong with a request: a sentence, and all that there is to say."""
    sentences: list[str] = []
    for error in errors:
        if error["type"] == "json_invalid":
            sentences.append(f"the body is not JSON: {error.get('ctx', {}).get('error', error['msg'])}")
            continue
        field = ".".join(str(part) for part in error["loc"] if part not in _WHERE and not _is_branch(part))
        sentences.append(_sentence(field or "the body", error))
    return f"Bad request - {sentences[0]}", told(list(dict.fromkeys(sentences)))


def _is_branch(part: object) -> bool:
    """Whether a part of a location names the branch of a union, not a member."""
    return isinstance(part, str) and (part in _INSIDE or part.startswith("function-") or "[" in part)


def _sentence(field: str, error: Mapping[str, Any]) -> str:
    kind = error["type"]
    if kind == "missing":
        return f"{field}: missing"
    if kind == "extra_forbidden":
        return f"{field}: there is no such field"
    return str(UserError(field, _shown(error["input"]), str(error["msg"])))


def _shown(value: object) -> object:
    return "null" if value is None else value


def problem(status: int, message: str, details: str | None = None) -> JSONResponse:
    """An answer that says what is wrong."""
    return _answer(Problem(code=status, message=message, details=details), status)


def _answer(body: Problem, status: int) -> JSONResponse:
    return JSONResponse(body.model_dump(mode="json", by_alias=True, exclude_none=True), status)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    if isinstance(error, NotCompliant):
        said = {"code": error.status, "message": error.says, "details": error.details}
        return _answer(ComplianceProblem.model_validate({**said, "complianceIssues": error.issues}), error.status)
    answer = problem(error.status, error.says, error.details)
    if isinstance(error, Unauthorized):
        answer.headers["WWW-Authenticate"] = error.challenge
    if isinstance(error, Later):
        answer.headers["Retry-After"] = str(error.retry_seconds)
    return answer


async def _user_error(_: Request, error: Exception) -> JSONResponse:
    return problem(400, f"Bad request - {error}")


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    given = request.headers.get("content-type", "")
    if isinstance(error.body, bytes) and "json" not in given:  # it was not read, and may have secrets in it
        wrong = str(UserError("Content-Type", given, "application/json"))
        return problem(400, f"Bad request - {wrong}", wrong)
    return problem(400, *in_words(error.errors()))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answer = problem(error.status_code, _PHRASES.get(error.status_code, str(error.detail)))
    answer.headers.update(error.headers or {})
    return answer


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    _log.error("database unavailable", method=request.method, path=request.url.path, reason=str(error.__cause__))
    answer = problem(503, "Please try again in few minutes.")
    answer.headers["Retry-After"] = "10"
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return problem(500, "Something went wrong.")
