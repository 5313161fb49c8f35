"""A part of a list, in an order that is total: two pages never show the same object, nor leave one out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

import orjson
from fastapi import Response
from sqlalchemy import ColumnElement, Select

from aliquot.contracts.administrator_api.listing import Page
from aliquot.controlplane.auth.permit import Permit, Row
from aliquot.controlplane.listing.filters import Field, conditions, parse

Model = TypeVar("Model")


class Part(Protocol):
    """Which part of a list is asked for."""

    @property
    def offset(self) -> int:
        """So many are skipped."""
        ...

    @property
    def limit(self) -> int:
        """At most so many are shown."""
        ...


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """A page.

    Attributes:
        rows: what is on it.
        next: offset of the next one; None: there is none.
    """

    rows: list[Row]
    next: int | None


def ordered(
    query: Select[Model],
    page: Page,
    sort_by: str | None,
    fields: Mapping[str, Field],
    key: Any,
    filters: Mapping[str, Field] | None = None,
) -> Select[Model]:
    """Filter a query, and put it in order.

    Args:
        query: what is to be listed.
        page: what was asked for.
        sort_by: name of the field; None: by age.
        fields: what it can be sorted by.
        key: column that tells any two apart, and the older before the newer; or several that do so together.
        filters: what it can be filtered by; None: the same.

    Raises:
        BadRequest: a filter is none.
    """
    filters = fields if filters is None else filters
    filtered = query.where(*_conditions(page.filter_by, filters))
    keys = cast("tuple[Any, ...]", key) if isinstance(key, tuple) else (key,)
    down = page.sort_order == "desc"
    order = [column.desc() if down else column.asc() for column in keys]
    if sort_by:
        first = fields[sort_by].column  # what is nowhere comes last, in both databases
        order.insert(0, first.desc().nulls_first() if down else first.asc().nulls_last())
    return filtered.order_by(*order)


def counted(permit: Permit, query: Select[Row], filters: Sequence[str], fields: Mapping[str, Field]) -> int:
    """How many a query finds that fulfil filters.

    Args:
        permit: of the caller.
        query: what is to be counted.
        filters: as they were written.
        fields: what it can be filtered by.

    Raises:
        BadRequest: a filter is none.
    """
    return permit.count(query.where(*_conditions(filters, fields)))


def listed(permit: Permit, query: Select[Row], page: Part) -> Listed[Row]:
    """The part of a query that was asked for."""
    found = list(permit.rows(query.offset(page.offset).limit(page.limit + 1)))
    return Listed(found[: page.limit], page.offset + page.limit if len(found) > page.limit else None)


def written(answer: Mapping[str, Any] | Sequence[Any]) -> Response:
    """A long list as it is sent, without the framework's looking through it once more."""
    return Response(orjson.dumps(answer), media_type="application/json")


def _conditions(given: Sequence[str], fields: Mapping[str, Field]) -> list[ColumnElement[bool]]:
    return conditions(parse(given, {name: field.kind for name, field in fields.items()}), fields)
