"""What can go wrong between a cluster and its control plane, as a tree that callers can catch by branch.

    ControlPlaneProblem
    ├── NoAnswer                no connection, or it broke, or no answer in time: what was told may have been taken
    ├── Unreadable              an answer came that is none of a control plane's
    ├── NoSecret                the file with the secret cannot be read
    └── Refused                 the control plane, or somebody on the way, answered with an error
        └── SessionOver         409: begin a new session

None of them says the secret, so all may be logged.
"""

from dataclasses import dataclass

from aliquot.errors import AliquotError


@dataclass(eq=False)
class ControlPlaneProblem(AliquotError):  # noqa: N818 - the branches read better: NoAnswer, SessionOver
    """Root of all problems with a control plane.

    Attributes:
        message: for people; never the secret.
    """

    message: str

    def __str__(self) -> str:
        """The message."""
        return self.message


class NoAnswer(ControlPlaneProblem):
    """No connection could be made, or it broke, or no answer came in time."""


class Unreadable(ControlPlaneProblem):
    """The answer is none of a control plane's, or longer than any of them."""


class NoSecret(ControlPlaneProblem):
    """The file with the secret cannot be read."""


@dataclass(eq=False)
class Refused(ControlPlaneProblem):
    """The answer is an error.

    Attributes:
        status: of the answer.
        retry_after_seconds: how long the control plane wants us to wait; 0: it does not say.
    """

    status: int
    retry_after_seconds: float = 0


class SessionOver(Refused):
    """The session does not count any more, or not yet, or the report does not follow the last that was taken."""
