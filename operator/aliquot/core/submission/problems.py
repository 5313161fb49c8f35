"""Collecting what is wrong with a workload, so that a user hears of everything at once."""

from typing import Final

from aliquot.core.submission.spec import InvalidWorkload
from aliquot.errors import UserError

LONGEST_SHOWN: Final = 120
"""Characters of a value that an error repeats; the rest would bury the message."""
LONGEST_FIELD: Final = 400
"""Characters of a path; keys of items are part of it and may be of any length."""


class Problems:
    """What is wrong so far."""

    def __init__(self) -> None:
        self._errors: list[UserError] = []

    def add(self, field: str, value: object, allowed: str) -> None:
        """Note that a field says something that it may not say.

        Args:
            field: path of the field from the object's root, such as `spec.gpu.value`.
            value: what it says; long texts are cut.
            allowed: what it may say, as the end of a sentence.
        """
        if isinstance(value, str) and len(value) > LONGEST_SHOWN:
            value = value[:LONGEST_SHOWN] + "…"
        self._errors.append(UserError(field[:LONGEST_FIELD], value, allowed))

    @property
    def errors(self) -> tuple[UserError, ...]:
        """What was noted, in that order."""
        return tuple(self._errors)

    def raise_if_any(self) -> None:
        """Refuse the workload if anything is wrong with it.

        Raises:
            InvalidWorkload: with everything noted.
        """
        if self._errors:
            raise InvalidWorkload(self._errors)
