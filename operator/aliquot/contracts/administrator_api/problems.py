"""The body of every error (control-plane-api.md 1.2)."""

from aliquot.contracts.administrator_api.shapes import Answer


class Problem(Answer):
    """Why a request was not carried out."""

    code: int
    """The status of the answer."""
    message: str
    """What is wrong: which field, its value, and what is allowed."""
    details: str | None = None
    """More about it."""
