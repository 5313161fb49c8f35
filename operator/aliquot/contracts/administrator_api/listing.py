"""How lists are asked for: pages, order and filters (control-plane-api.md 1.1)."""

from typing import Annotated, Final, Literal, cast

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import INT32_MAX, Body

DEFAULT_LIMIT: Final = 50
MOST_LISTED: Final = 500


def split(given: object) -> object:
    """Take lists apart that are written with commas, as well as those that repeat the parameter."""
    if not isinstance(given, list):
        return given
    parts = cast("list[object]", given)
    return [part for each in parts for part in (each.split(",") if isinstance(each, str) else [each])]


class Page(Body):
    """Which part of a list, and of which objects."""

    offset: Annotated[int, Field(ge=0, le=INT32_MAX)] = 0
    """So many objects are skipped."""
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = DEFAULT_LIMIT
    """At most so many are shown."""
    sort_order: Literal["asc", "desc"] = "asc"
    """Which way they are sorted."""
    filter_by: Annotated[list[str], Field(default_factory=list, max_length=100)]
    """Only objects that fulfil all of these, such as `name==team-a`; given several times, or separated by commas."""
