"""How much a document may be, and how what is more is refused."""

from typing import Final, NoReturn

from aliquot.core.simulation.problems import SimulationError, problem

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_VALUES: Final = 2_000_000
"""Values of a document, with those that an alias stands for counted each time."""
MOST_LEVELS: Final = 60
MOST_DIGITS: Final = 60
"""Of a number."""


def refuse(path: str, value: object, allowed: str) -> NoReturn:
    """Stop reading.

    Raises:
        SimulationError: with this one problem.
    """
    raise SimulationError([problem(path, value, allowed)])


def too_deep(where: str) -> NoReturn:
    """Stop reading: `MOST_LEVELS` is passed."""
    refuse(where, "nesting", f"mappings and lists are nested {MOST_LEVELS} deep at most")


def too_much(where: str) -> NoReturn:
    """Stop reading: `MOST_VALUES` is passed."""
    refuse(where, "values", f"a cluster document has at most {MOST_VALUES} values, aliases written out")
