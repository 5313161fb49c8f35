"""What is wrong with a document: a list of sentences, each with a path, a value, and what is allowed."""

import json
from collections.abc import Sequence
from typing import Final

from aliquot.errors import AliquotError, UserError

_MOST_SHOWN: Final = 100
_LONGEST_VALUE: Final = 80
_LONGEST_SENTENCE: Final = 400


class SimulationError(AliquotError):
    """A cluster document that cannot be simulated.

    Attributes:
        problems: everything that is wrong with it, as far as one can tell.
    """

    def __init__(self, problems: Sequence[UserError]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """One line for each problem."""
        lines = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        more = len(self.problems) - len(lines)
        return "\n".join([*lines, f"… and {more} more"] if more > 0 else lines)


class Problems:
    """Collects problems, so that all of them are told at once."""

    def __init__(self) -> None:
        self._found: list[UserError] = []

    def add(self, path: str, value: object, allowed: str) -> None:
        """Note that this value is not allowed there; `allowed` ends the sentence."""
        self._found.append(problem(path, value, allowed))

    def raise_if_any(self) -> None:
        """Stop here when something was wrong.

        Raises:
            SimulationError: it was.
        """
        if self._found:
            raise SimulationError(self._found)


def problem(path: str, value: object, allowed: str) -> UserError:
    """What is wrong in one line that a terminal can show, whatever the value is and whomever `allowed` names."""
    return UserError(path, _short(value), _printable(allowed, _LONGEST_SENTENCE))


class _Shortened:
    """The beginning of a long value."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


NOTHING: Final = _Shortened("nothing")
"""The value where something is missing."""


def _short(value: object) -> object:
    if isinstance(value, (dict, list)):
        return _Shortened("a mapping" if isinstance(value, dict) else "a list")
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_VALUE else _Shortened(repr(value[:_LONGEST_VALUE]) + "…")
    return value


def at(path: str, *parts: int | str) -> str:
    """The path of a part: `nodes[0].labels["a/b"]`."""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif len(part) <= _LONGEST_VALUE and part.replace("-", "_").isidentifier():
            path += f".{part}" if path else part
        else:
            path += f"[{_quoted(part)}]"
    return path


def _quoted(key: str) -> str:
    """The key as JSON has it, on one line, and not all of it where it is long."""
    shown = _cut(key, _LONGEST_VALUE)
    return json.dumps(shown, ensure_ascii=not shown.isprintable())


def _printable(text: str, most: int) -> str:
    """The text, at most so much of it, with escapes for what does not print."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in _cut(text, most))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"
