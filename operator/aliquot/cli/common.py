"""Flags that every command of a researcher has (cluster-api.md 7)."""

import shlex
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

PROGRAMS: Final = ("aliquot", "runai")
"""What this program is called: the second is what researchers are used to."""


class Level(StrEnum):
    """How much is told of what goes on; it goes to the error output."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonFlags:
    """Where, and how much is told."""

    project: Annotated[
        str | None, typer.Option("--project", "-p", help="The project; else the one that was chosen.")
    ] = None
    loglevel: Annotated[Level, typer.Option("--loglevel", help="How much is told.")] = Level.INFO

    def begin(self) -> None:
        """Set logging up: to the error output, as much as was asked for."""
        from aliquot import log
        from aliquot.settings import Log

        level = "warning" if self.loglevel is Level.WARN else self.loglevel.value
        log.configure(Log.model_validate({"level": level, "format": "text"}))


def program() -> str:
    """The name under which this program was called."""
    called = Path(sys.argv[0]).name if sys.argv else ""
    return called if called in PROGRAMS else PROGRAMS[0]


def command_line() -> str:
    """The command line, as it could be typed again."""
    return shlex.join([program(), *sys.argv[1:]])
