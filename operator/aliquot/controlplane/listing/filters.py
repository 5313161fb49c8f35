"""Filters such as `name==team-a` or `createdAt>=2026-01-01T00:00:00Z` (control-plane-api.md 1.1).

A list may give several, by repeating the parameter or with commas between; all of them have to hold. Text is compared
as it is, capital letters are not small ones. A value cannot contain a comma.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, not_, or_

from aliquot.contracts.administrator_api.shapes import to_milliseconds
from aliquot.controlplane.refusals import BadRequest

Kind = Literal["text", "number", "amount", "time"]
_Compare = Callable[[Any, Any], ColumnElement[bool]]

_TERM: Final = re.compile(r"([A-Za-z]+)(==|!=|<=|>=|=@|!@|=\^|=\$)(.*)", re.DOTALL)
_LARGEST: Final = 2**63 - 1


def _lacks(column: Any, text: str | float) -> ColumnElement[bool]:
    return or_(column.is_(None), not_(column.contains(text, autoescape=True)))


_COMPARISONS: Final[Mapping[str, _Compare]] = {
    "==": operator.eq,
    "!=": lambda column, value: column.is_distinct_from(value),
    "<=": operator.le,
    ">=": operator.ge,
    "=@": lambda column, value: column.contains(value, autoescape=True),
    "!@": _lacks,
    "=^": lambda column, value: column.startswith(value, autoescape=True),
    "=$": lambda column, value: column.endswith(value, autoescape=True),
}
_OF_KIND: Final[Mapping[Kind, tuple[str, ...]]] = {
    "text": tuple(_COMPARISONS),
    "number": ("==", "!=", "<=", ">="),
    "amount": ("==", "!=", "<=", ">="),
    "time": ("==", "!=", "<=", ">="),
}


@dataclass(frozen=True, slots=True)
class Field:
    """What a list can be filtered and sorted by.

    Attributes:
        column: where it is.
        kind: how it is compared.
    """

    column: Any
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Term:
    """One filter.

    Attributes:
        field: its name outside.
        comparison: `==` and so on.
        value: in the unit of the column.
    """

    field: str
    comparison: str
    value: str | int | float


def parse(given: Iterable[str], kinds: Mapping[str, Kind]) -> list[Term]:
    """Read filters.

    Args:
        given: the parameters, each with one filter or several.
        kinds: the fields that there are.

    Raises:
        BadRequest: one of them is none; says what there is.
    """
    return [_term(text, kinds) for parameter in given for text in parameter.split(",")]


def conditions(terms: Sequence[Term], fields: Mapping[str, Field]) -> list[ColumnElement[bool]]:
    """Say in SQL what the filters say."""
    return [_COMPARISONS[term.comparison](fields[term.field].column, term.value) for term in terms]


def _term(text: str, kinds: Mapping[str, Kind]) -> Term:
    found = _TERM.fullmatch(text)
    if found is None or found[1] not in kinds:
        raise _refusal(text, f"FIELD, COMPARISON and value, where FIELD is one of {', '.join(kinds)}")
    field, comparison, value = found.groups()
    kind = kinds[field]
    if comparison not in _OF_KIND[kind]:
        raise _refusal(text, f"{field} is compared by {' '.join(_OF_KIND[kind])}")
    if kind == "number":
        if not re.fullmatch(r"[0-9]{1,19}", value, re.ASCII) or int(value) > _LARGEST:
            raise _refusal(text, f"{field} is a whole number")
        return Term(field, comparison, int(value))
    if kind == "amount":
        if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", value, re.ASCII):
            raise _refusal(text, f"{field} is a number such as 2 or 0.5")
        return Term(field, comparison, float(value))
    if kind == "time":
        try:
            return Term(field, comparison, to_milliseconds(datetime.fromisoformat(value)))
        except (ValueError, OverflowError) as error:
            raise _refusal(text, f"{field} is a time such as 2026-01-31T12:00:00Z") from error
    if not value.isprintable():
        raise _refusal(text, "values have printable characters only")
    return Term(field, comparison, value)


def _refusal(text: str, allowed: str) -> BadRequest:
    return BadRequest(f"Bad request - filterBy: {text[:130]!r} is not allowed: {allowed}")
