"""The tree of Aliquot's errors: three kinds, told apart by who can mend them.

    AliquotError
    ├── UserError               the user's: something they wrote is wrong; carries field, value, allowed
    └── (aliquot.kube.problems.ApiProblem)   the world's: an API server refused or did not answer

What is our own fault is an assertion: it crashes the process, and a restart is safe.
"""

from dataclasses import dataclass


class AliquotError(Exception):
    """Root of all errors that Aliquot raises on purpose."""


@dataclass
class UserError(AliquotError):
    """Something that a user wrote cannot be carried out.

    Attributes:
        field: path of the field, such as `spec.gpu.value`.
        value: what it says, as the user wrote it.
        allowed: what it may say, as the end of a sentence, such as "a whole number of GPUs".
    """

    field: str
    value: object
    allowed: str

    def __str__(self) -> str:
        """Say which field, which value, and what is allowed."""
        return f"{self.field}: {self.value!r} is not allowed: {self.allowed}"
