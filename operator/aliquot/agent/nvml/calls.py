"""Calls of NVML: what each failure means, and which answers cannot be true.

    not supported, function not found, another version   the GPU or driver lacks it: None, noted in `not_supported`
    not found, time-out, no data                         there is nothing now: None
    GPU lost, reset required                             `DeviceGoneError`: nothing more is to be learned of this GPU
    uninitialised, no driver, driver replaced            `NvmlError`: nothing at all is to be learned; open it anew
    anything else, also answers that are no text         None, and counted in the `Ledger`

A missing symbol is NVMLError_FunctionNotFound for most functions and NVMLLibraryMismatchError, which is no NVMLError,
for some: old drivers give both.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, ParamSpec, TypeVar

import pynvml

from aliquot import log
from aliquot.errors import AliquotError

P = ParamSpec("P")
T = TypeVar("T")
Gone = Literal["lost", "reset_required"]


class Absence(Enum):
    """That there is no answer, and never will be."""

    LACKING = "lacking"


LACKING: Final = Absence.LACKING
"""The GPU or driver does not have the function."""
_log = log.get(__name__)
_UNINITIALIZED: Final = 1
_VERSION_MISMATCH: Final = 18
_LACKING: Final = frozenset({3, 13, 25, 26})
"""Not supported; function not found; argument of another version; deprecated, and gone."""
_NOTHING: Final = frozenset({6, 10, 21})
"""Not found; time-out; no data."""
_GONE: Final[dict[int, Gone]] = {15: "lost", 16: "reset_required", 28: "lost"}
_CLOSED: Final = frozenset({_UNINITIALIZED, 9, 12, _VERSION_MISMATCH})
"""Uninitialised; driver not loaded; library not found; library and driver of different versions."""
_LONGEST_TEXT: Final = 128
_NO_LETTERS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode: controls, directions, halves of surrogate pairs, ends of lines and paragraphs."""


class NvmlError(AliquotError):
    """Nothing can be read: there is no library, or no driver, or they do not fit together.

    Attributes:
        outdated: the driver was replaced while this process has the old library: only a new process can read again.
    """

    def __init__(self, text: str, *, outdated: bool = False) -> None:
        super().__init__(text)
        self.outdated = outdated


class DeviceGoneError(AliquotError):
    """A GPU is lost, or has to be reset; `state` says which."""

    def __init__(self, state: Gone) -> None:
        super().__init__(f"GPU: {state}")
        self.state: Gone = state


@dataclass
class Ledger:
    """What went wrong, counted since the process began.

    Attributes:
        errors: by function and error.
        refused: values that cannot be true, by function.
    """

    errors: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    refused: dict[str, int] = field(default_factory=dict[str, int])

    def failed(self, function: str, error: str) -> None:
        """Count a call that failed; the first of its kind is said in the log."""
        if (function, error) not in self.errors:
            _log.warning("NVML: a call failed", function=function, error=error)
        self.errors[function, error] = self.errors.get((function, error), 0) + 1

    def refuse(self, function: str, value: object) -> None:
        """Count a value that cannot be true; the first of a function is said in the log."""
        if function not in self.refused:
            _log.warning("NVML: a value that cannot be true", function=function, value=repr(value)[:_LONGEST_TEXT])
        self.refused[function] = self.refused.get(function, 0) + 1


class Calls:
    """The calls of one reading of one GPU.

    Args:
        ledger: where failures are counted.

    Attributes:
        ledger: the same.
        lacking: functions that this GPU or driver does not have, as far as they were called.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.lacking: list[str] = []
        self.ledger = ledger

    def attempt(
        self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | Literal[Absence.LACKING] | None:
        """Call a function for which there is another one; None: there is nothing now.

        Raises:
            DeviceGoneError: the GPU is lost.
            NvmlError: nothing can be read.
        """
        try:
            return function(*args, **kwargs)
        except pynvml.NVMLLibraryMismatchError:
            return LACKING
        except pynvml.NVMLError as error:
            code = code_of(error)
            if code in _LACKING:
                return LACKING
            if code in _NOTHING:
                return None
            if code in _GONE:
                raise DeviceGoneError(_GONE[code]) from error
            if code in _CLOSED:
                raise closed(error) from error
            self.ledger.failed(function.__name__, str(error))
        except (UnicodeDecodeError, ValueError, TypeError) as error:
            # What the library gave is no text, or no value of its kind.
            self.ledger.refuse(function.__name__, error)
        return None

    def ask(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Call a function; None: it has nothing to say.

        Raises:
            DeviceGoneError: the GPU is lost.
            NvmlError: nothing can be read.
        """
        answer = self.attempt(function, *args, **kwargs)
        if answer is LACKING:
            self.lack(function.__name__)
            return None
        return answer

    def lack(self, function: str) -> None:
        """Note that there is no such function."""
        if function not in self.lacking:
            self.lacking.append(function)

    def count(self, most: int, function: Callable[P, int], *args: P.args, **kwargs: P.kwargs) -> int | None:
        """Call a function that counts something, of which there cannot be more than `most`. Raises as `ask` does."""
        return self.plausible(most, function.__name__, self.ask(function, *args, **kwargs))

    def text(self, function: Callable[P, str], *args: P.args, **kwargs: P.kwargs) -> str:
        """Call a function that gives a name; empty: it does not. Raises as `ask` does."""
        return printable(self.ask(function, *args, **kwargs) or "")

    def plausible(self, most: int, function: str, value: int | None) -> int | None:
        """A value, unless it cannot be true."""
        if value is None or 0 <= value <= most:
            return value
        self.ledger.refuse(function, value)
        return None


def code_of(error: Exception) -> int:
    """The number of an NVMLError, which its class does not declare; 0 of other errors."""
    return int(vars(error).get("value", 0))


def closed(error: Exception) -> NvmlError:
    """Why nothing can be read, for people."""
    return NvmlError(f"NVML: {error}", outdated=code_of(error) == _VERSION_MISMATCH)


def printable(text: str) -> str:
    """A name from the library as one short line: no control characters, nothing that cannot be written as UTF-8."""
    short = text[:_LONGEST_TEXT].strip()
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(each) in _NO_LETTERS else each for each in short)
