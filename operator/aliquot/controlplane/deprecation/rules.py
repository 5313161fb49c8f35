"""What is said of something deprecated, and when it may go (control-plane-api.md 6; RFC 9745, RFC 8594), pure.

0.1  says that it is deprecated
0.2  still has it, as does 0.3
0.4  may be without it, if six months have passed since 0.1 was released
"""

import calendar
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote

from aliquot.contracts.administrator_api.deprecations import Deprecation

MONTHS: Final = 6
RELEASES: Final = 2
_PARAMETER: Final = re.compile(r"\{(\w+)\}")

Release = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Served:
    """What a version served.

    Attributes:
        version: which.
        released: when it came out; None: not yet.
        names: routes, parameters and fields.
    """

    version: str
    released: date | None
    names: frozenset[str]


def headers(deprecation: Deprecation, values: Mapping[str, object]) -> list[tuple[str, str]]:
    """The headers of each answer of a route that is deprecated.

    Args:
        deprecation: of the route.
        values: of the parameters in the request's path.
    """
    said = [("Deprecation", f"@{int(_midnight(deprecation.announced).timestamp())}")]
    if deprecation.ends is not None:
        said.append(("Sunset", format_datetime(_midnight(deprecation.ends), usegmt=True)))
    path = _PARAMETER.sub(lambda found: quote(str(values.get(found[1], "")), safe=""), deprecation.instead)
    return [*said, ("Link", f'<{path}>; rel="successor-version"')]


def ends_too_early(deprecation: Deprecation, releases: Iterable[Served]) -> str | None:
    """Say why something may not go on the day that was decided; None: it may, or none was decided."""
    if deprecation.ends is None:
        return None
    day = _earliest_day(deprecation, releases)
    if day is None:
        return f"{deprecation.what}: ends {deprecation.ends}, and {deprecation.since} has not been released"
    return f"{deprecation.what}: ends {deprecation.ends}, before {day}" if deprecation.ends < day else None


def may_not_go(
    name: str, deprecations: Collection[Deprecation], releases: Collection[Served], version: str, today: date
) -> str | None:
    """Say why something that a release served may not be missing; None: it may.

    Args:
        name: a route, parameter or field.
        deprecations: all there are.
        releases: what versions served, this one or not.
        version: the one that lacks it.
        today: the day.
    """
    found = next((each for each in deprecations if each.what == name or name.startswith(f"{each.what}?")), None)
    if found is None:
        return f"{name}: was not deprecated"
    if not found.removed:
        return f"{name}: say in which version it was removed"
    began, now = release_of(found.since), release_of(version)
    between = {release_of(each.version) for each in releases if each.released is not None}
    had_it = sum(began < each < now for each in between)
    if had_it < RELEASES:
        return f"{name}: {had_it} releases after {found.since} had it, of {RELEASES}"
    day = _earliest_day(found, releases)
    return f"{name}: may go on {day}" if day is None or today < day else None


def release_of(version: str) -> Release:
    """The release of a version: its first two numbers."""
    first, second = version.split(".")[:2]
    return int(first), int(second)


def _earliest_day(deprecation: Deprecation, releases: Iterable[Served]) -> date | None:
    """When something may go at the earliest; None: no release has said yet that it is deprecated."""
    began = release_of(deprecation.since)
    days = [each.released for each in releases if each.released is not None and release_of(each.version) >= began]
    return months_later(min(days), MONTHS) if days else None


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last one of that month."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
