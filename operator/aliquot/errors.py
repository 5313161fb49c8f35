"""The tree of Aliquot's errors: three kinds, told apart by who can mend them.

    AliquotError
    ├── UserError               the user's: something they wrote is wrong; carries field, value, allowed
    └── (aliquot.kube.problems.ApiProblem)   the world's: an API server refused or did not answer

What is our own fault is an assertion: it crashes the process, and a restart is safe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_TOLD: Final = 25
"""Of many errors so many are told, and how many more there are: a user mends a few and tries again."""
LONGEST_TOLD: Final = 1024
"""Characters of one of them."""
_LONGEST_VALUE: Final = 130
"""Characters of a value that an error repeats, as it is written in code; values may be of any size."""


class AliquotError(Exception):
    """Root of all errors that Aliquot raises on purpose."""


@dataclass
class UserError(AliquotError):
    """Something that a user wrote cannot be carried out.

    Attributes:
        field: path of the field, such as `spec.gpu.value`.
        value: what it says, as the user wrote it; None: it is not there.
        allowed: what it may say, as the end of a sentence, such as "a whole number of GPUs".
    """

    field: str
    value: object
    allowed: str

    def __str__(self) -> str:
        """Say which field, which value, and what is allowed; or that the field is missing."""
        if self.value is None:
            return f"{self.field}: missing: {self.allowed}"
        return f"{self.field}: {_cut(repr(self.value), _LONGEST_VALUE)} is not allowed: {self.allowed}"


def told(errors: Sequence[object]) -> str:
    """Say in one text of bounded length what is wrong: at admission and in a status, word for word the same.

    Args:
        errors: `UserError`s, or whatever else says by `str()` what is wrong.
    """
    said = [_cut(str(error), LONGEST_TOLD) for error in errors[:MOST_TOLD]]
    more = [f"and {len(errors) - MOST_TOLD} more"] if len(errors) > MOST_TOLD else []
    return "; ".join([*said, *more])


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
