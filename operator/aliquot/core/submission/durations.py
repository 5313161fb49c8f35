"""Lengths of time as users write them: `5s`, `2m`, `3h`, `1h30m` (cluster-api.md 1.4)."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_PART: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)", re.ASCII)
_WHOLE: Final = re.compile(f"(?:{_PART.pattern})+", re.ASCII)
_SECONDS: Final = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}


def parse_duration(text: str) -> int | None:
    """Read a length of time; returns seconds, rounded, or None if it is none. A bare `0` is one, too."""
    if text == "0":
        return 0
    if not _WHOLE.fullmatch(text):
        return None
    exact = sum((Decimal(number) * _SECONDS[unit] for number, unit in _PART.findall(text)), Decimal(0))
    return int(exact.to_integral_value(rounding=ROUND_HALF_UP))
