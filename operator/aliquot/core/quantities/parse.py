"""Kubernetes quantities as exact numbers: the one parser of Aliquot.

The grammar is that of Kubernetes' `resource.Quantity`: a decimal number with a binary suffix (Ki…Ei), a decimal one
(n, u, m, k, M, G, T, P, E) or an exponent. Conversions to a unit round up, as Kubernetes does, so that nothing is
counted smaller than it was asked for.
"""

import re
from decimal import ROUND_UP, Decimal
from functools import lru_cache
from typing import Final

_SUFFIXES: Final[dict[str, Decimal]] = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}
_QUANTITY: Final = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:(?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?\d{1,2}))?",
    re.ASCII,
)


class InvalidQuantityError(ValueError):
    """A text that is not a quantity. The message says what it is and what is allowed."""


@lru_cache(maxsize=4096)
def parse_quantity(text: str | int | float) -> Decimal:
    """Read a quantity, such as `"1.5"`, `"500m"`, `"4Gi"` or `2`, as an exact number of its base unit.

    Raises:
        InvalidQuantityError: it is none.
    """
    written = str(text)
    found = _QUANTITY.fullmatch(written)
    if found is None:
        allowed = 'a number, optionally with a suffix such as m, k, M, G, Ki, Mi or Gi, for example "500m" or "4Gi"'
        raise InvalidQuantityError(f"{written!r} is not a quantity: {allowed}")
    number = Decimal(found["number"])
    if found["exponent"]:
        return number.scaleb(int(found["exponent"]))
    return number * _SUFFIXES[found["suffix"] or ""]


def _round_up(number: Decimal) -> int:
    return int(number.to_integral_value(rounding=ROUND_UP))


def parse_cpu_milli(text: str | int | float) -> int:
    """Read CPUs ("2", "1500m") as milli-CPU, rounded up.

    Raises:
        InvalidQuantityError: it is no quantity.
    """
    return _round_up(parse_quantity(text) * 1000)


def parse_bytes(text: str | int | float) -> int:
    """Read an amount of memory ("4Gi", "2G") as bytes, rounded up.

    Raises:
        InvalidQuantityError: it is no quantity.
    """
    return _round_up(parse_quantity(text))


def parse_gpu_percent(text: str | int | float) -> int:
    """Read GPU devices ("2", "0.5") as hundredths of a device, rounded up.

    Raises:
        InvalidQuantityError: it is no quantity.
    """
    return _round_up(parse_quantity(text) * 100)
