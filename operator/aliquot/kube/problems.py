"""What can go wrong between us and an API server, as a tree that callers can catch by branch.

    ApiProblem
    ├── NoAnswer                it is unknown whether the request was carried out, unless `sent` is False
    │   ├── Unreachable         no connection, or it broke
    │   └── Timeout             no answer in time
    ├── Unreadable              an answer came that does not have the wanted shape
    └── Refused                 the server answered with an error
        ├── NotFound            404
        ├── Conflict            409: the object changed meanwhile, or is not in the presumed state: read it again
        ├── AlreadyExists       409: an object of that name is there
        ├── Expired             410: the resource version or continue token is too old: list again
        ├── Invalid             400, 405, 406, 413, 415, 422: the request itself is wrong; `causes` name the fields
        ├── Unauthorized        401: the server does not know us
        ├── Forbidden           403: it knows us and refuses
        ├── TooManyRequests     429: later, see `retry_after_seconds`; or a disruption budget forbids an eviction
        └── ServerError         5xx, also a watch event of type ERROR that is nothing else

`worth_retry` says whether the very same request may succeed a little later without anyone doing anything about it, and
`may_be_done` whether it may have been carried out nevertheless.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Final

import msgspec

from aliquot.errors import AliquotError

_DISRUPTION_BUDGET: Final = "DisruptionBudget"
_LONGEST_MESSAGE: Final = 2000


@dataclass(frozen=True, slots=True)
class Request:
    """Which request a problem is about.

    Attributes:
        verb: get, list, watch, create, patch, apply or delete.
        resource: `Resource.full_name`, or a path outside of resources.
        namespace: empty for cluster-wide.
        name: empty for a collection.
        subresource: such as `status`.
    """

    verb: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        """As in a sentence: `patch pods/status team-a/trainer`."""
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return " ".join(filter(None, [self.verb, resource, "/".join(filter(None, [self.namespace, self.name]))]))


class Cause(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of a Status's `details.causes`.

    Attributes:
        reason: such as `FieldValueInvalid`.
        field: path of the field that it is about.
        message: for people.
    """

    reason: str = ""
    field: str = ""
    message: str = ""


class StatusDetails(msgspec.Struct, frozen=True, rename="camel"):
    """`details` of a Status."""

    causes: tuple[Cause, ...] | None = None
    retry_after_seconds: int = 0


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """A `metav1.Status`: how an API server says no."""

    code: int = 0
    reason: str = ""
    message: str = ""
    details: StatusDetails | None = None


@dataclass(eq=False)
class ApiProblem(AliquotError):  # noqa: N818 - the branches read better: NotFound, Conflict
    """Root of all problems with an API server.

    Attributes:
        request: what was asked.
        message: for people, in the server's words where it has some.
        status: HTTP status; 0 without an answer.
        reason: the Status's reason, for programs, such as `NotFound`.
        causes: which fields or rules are behind it.
        retry_after_seconds: how long the server wants us to wait, 0 if it does not say.
    """

    request: Request
    message: str
    status: int = 0
    reason: str = ""
    causes: tuple[Cause, ...] = field(default=())
    retry_after_seconds: float = 0

    _worth_retry: ClassVar[bool] = False

    @property
    def worth_retry(self) -> bool:
        """Whether the same request may succeed a little later by itself."""
        return self._worth_retry

    @property
    def may_be_done(self) -> bool:
        """Whether the request may have been carried out nevertheless."""
        return True

    def has_cause(self, reason: str) -> bool:
        """Whether one of the causes has this reason, such as `NamespaceTerminating`."""
        return any(cause.reason == reason for cause in self.causes)

    def __str__(self) -> str:
        """The request, the status and reason, and the message."""
        answer = " ".join(filter(None, [str(self.status or ""), self.reason]))
        return f"{self.request}: {answer}: {self.message}" if answer else f"{self.request}: {self.message}"


@dataclass(eq=False)
class NoAnswer(ApiProblem):
    """No answer came.

    Attributes:
        sent: False if the request certainly never reached the server.
    """

    sent: bool = True
    _worth_retry: ClassVar[bool] = True

    @property
    def may_be_done(self) -> bool:
        """Whether the request may have reached the server."""
        return self.sent


class Unreachable(NoAnswer):
    """No connection could be made, or it broke."""


class Timeout(NoAnswer):
    """No answer came in time."""


class Unreadable(ApiProblem):
    """The answer does not have the shape that was asked for."""


class Refused(ApiProblem):
    """The server answered with an error."""

    @property
    def may_be_done(self) -> bool:
        """No: it said so."""
        return False


class NotFound(Refused):
    """The object, or the resource as such, is not there."""


class Conflict(Refused):
    """The object changed since it was read, or a precondition on uid, version or field ownership failed."""


class AlreadyExists(Refused):
    """An object of that name is there already."""


class Expired(Refused):
    """The resource version or continue token is too old."""


class Invalid(Refused):
    """The request itself is wrong: schema, CEL rules, admission, preconditions of the kind."""


class Unauthorized(Refused):
    """The server does not know who we are."""


class Forbidden(Refused):
    """We may not do this: RBAC, an admission policy, a quota, or a namespace that is going away."""


class TooManyRequests(Refused):
    """The server wants less, or asks to come back later."""

    @property
    def worth_retry(self) -> bool:
        """Yes, unless a disruption budget forbids an eviction: that lasts until other pods are ready."""
        return not self.has_cause(_DISRUPTION_BUDGET)


class ServerError(Refused):
    """The server, its storage or an extension of it failed."""

    _worth_retry: ClassVar[bool] = True

    @property
    def may_be_done(self) -> bool:
        """Yes: it may have failed after it was done."""
        return True


_BY_CODE: Final[dict[int, type[Refused]]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: Invalid,
    406: Invalid,
    409: Conflict,
    410: Expired,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
}
_STATUS: Final = msgspec.json.Decoder(Status)


def refusal(request: Request, code: int, body: bytes, retry_after: str = "") -> Refused:
    """The problem that an answer of 400 or above stands for.

    Args:
        request: what was asked.
        code: HTTP status.
        body: a `metav1.Status` as JSON, or anything else that a proxy on the way may have put there.
        retry_after: the header `Retry-After`, in seconds; dates are ignored.
    """
    try:
        status = _STATUS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        status = Status(message=body.decode(errors="replace").strip())
    return from_status(
        request, status, code=code, retry_after_seconds=float(retry_after) if retry_after.isdecimal() else 0
    )


def from_status(request: Request, status: Status, *, code: int = 0, retry_after_seconds: float = 0) -> Refused:
    """The problem that a Status stands for; `code` is the HTTP status, where there is one beside the Status's own."""
    code = code or status.code
    details = status.details or StatusDetails()
    kind = AlreadyExists if status.reason == "AlreadyExists" else _BY_CODE.get(code)
    if kind is None:
        kind = Invalid if 400 <= code < 500 else ServerError
    return kind(
        request=request,
        message=(status.message or "the server gave no reason")[:_LONGEST_MESSAGE],
        status=code,
        reason=status.reason,
        causes=details.causes or (),
        retry_after_seconds=max(retry_after_seconds, float(details.retry_after_seconds)),
    )
