"""How answers are printed: columns for people, JSON and YAML for programs."""

import json
from collections.abc import Sequence
from enum import StrEnum
from itertools import zip_longest
from typing import Final

_GAP: Final = "  "
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


class View(StrEnum):
    """What `-o` takes."""

    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows under their heads; a cell of several lines goes on below."""
    lines = [list(heads), *(line for row in rows for line in _lines(row))]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    laid = (_GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in laid)


def _lines(row: Sequence[str]) -> list[list[str]]:
    parts = [cell.split("\n") for cell in row]
    return [[printable(cell) for cell in line] for line in zip_longest(*parts, fillvalue="")]


def printable(text: str) -> str:
    """Show characters that a terminal would obey as what they are: texts are from whoever may write objects."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def as_json(value: object) -> str:
    """Write a value as JSON."""
    return json.dumps(value, indent=2)


def as_yaml(value: object) -> str:
    """Write a value as YAML, members in their own order, without a line break at the end."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(value, Dumper=dumper, sort_keys=False)).rstrip("\n")


def length(seconds: float) -> str:
    """Write a length of time as kubectl does ages: 9s, 5m, 3h, 12d."""
    whole = max(0, int(seconds))
    for unit, size in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE)):
        if whole >= 2 * size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def amount(text: str | None) -> str:
    """Write a number of GPUs as lists of jobs do: `0.50`; `-`: there is none."""
    return "-" if not text else f"{float(text):.2f}"
