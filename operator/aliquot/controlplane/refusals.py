"""Why requests are refused, by the status that says so (control-plane-api.md 1.2).

Refusal
├── BadRequest 400       a rule of the API is broken; names field, value and what is allowed
│   └── NotCompliant     a policy does not allow a workload
├── Unauthorized 401     nobody knows who asks
│   └── UnknownCluster   which cluster asks
├── Forbidden 403        the caller has no such right there
├── NotFound 404         there is no such object, or it is another tenant's
├── Conflict 409         it exists already
├── Outdated 412         it is not as the caller thinks it is
├── TooLarge 413         an image is too large
├── WrongType 415        what should be an image is none
├── NotKept 503          what is asked for is not kept here, and will not be in a while either
└── Later                it may be different in a while
    ├── TooMany 429      passwords are being guessed, or there were too many requests
    └── NotNow 503       something that is needed does not answer
"""

from collections.abc import Sequence
from typing import ClassVar

from aliquot.contracts.administrator_api.problems import ComplianceIssue
from aliquot.errors import AliquotError, told


class Refusal(AliquotError):  # noqa: N818 - the branches read better: NotFound, Conflict
    """A request that is not carried out.

    Args:
        message: what is wrong, for the caller.
        details: more about it.
    """

    status: ClassVar[int]
    message: ClassVar[str] = ""

    def __init__(self, message: str = "", details: str | None = None) -> None:
        self.says = message or self.message
        self.details = details
        super().__init__(self.says)


class BadRequest(Refusal):
    """A rule of the API is broken."""

    status = 400


class NotCompliant(BadRequest):
    """A policy does not allow a workload.

    Args:
        issues: all that it does not allow.
    """

    message = "The workload request does not comply with the policy set by the administrator"

    def __init__(self, issues: Sequence[ComplianceIssue]) -> None:
        self.issues = list(issues)
        super().__init__(details=told([f"{each.field}: {each.details}" for each in issues]))


class Unauthorized(Refusal):
    """Nobody knows who asks."""

    status = 401
    message = "Issuer is not familiar."
    challenge: ClassVar[str] = "Bearer"
    """How to say who one is."""


class UnknownCluster(Unauthorized):
    """Nobody knows which cluster asks; whether there is such a one is nobody's business."""

    message = "The cluster or its secret is wrong."
    challenge = 'Basic realm="cluster-sync", charset="UTF-8"'


class Forbidden(Refusal):
    """The caller has no such right there."""

    status = 403
    message = "You do not have sufficient permissions."


class NotFound(Refusal):
    """There is no such object, or it is another tenant's."""

    status = 404
    message = "Resource id not found."


class Conflict(Refusal):
    """It exists already."""

    status = 409


class Outdated(Refusal):
    """It is not as the caller thinks it is."""

    status = 412
    message = "Precondition failed"


class TooLarge(Refusal):
    """An image is too large."""

    status = 413


class WrongType(Refusal):
    """What should be an image is none."""

    status = 415


class NotKept(Refusal):
    """What is asked for is not kept here: trying again does not help."""

    status = 503


class Later(Refusal):
    """It may be different in a while.

    Args:
        message: what is wrong, for the caller.
        retry_seconds: when to try again.
    """

    def __init__(self, message: str, retry_seconds: int) -> None:
        self.retry_seconds = retry_seconds
        super().__init__(message)


class TooMany(Later):
    """Passwords are being guessed, or there were too many requests."""

    status = 429


class NotNow(Later):
    """Something that is needed does not answer."""

    status = 503


def guessing(retry_seconds: int) -> TooMany:
    """Refuse to look at a secret, as there were too many wrong ones."""
    return TooMany(f"Too many failed attempts: try again in {retry_seconds} s.", retry_seconds)
