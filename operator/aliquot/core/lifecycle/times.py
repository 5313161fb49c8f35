"""Times of Kubernetes objects, as the Unix seconds that the core reckons with and back."""

from datetime import UTC, datetime
from typing import Final

_END_OF_TIME: Final = 253_402_300_799
"""The last second of the year 9999."""


def seconds(written: str | None) -> float | None:
    """Read a time such as `2026-01-31T12:00:00Z`; None where there is none, or none that can be read."""
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def moment(unix_seconds: float) -> datetime:
    """Return a time as statuses have it: UTC, in whole seconds, so that reading it back gives the same.

    What no calendar has (pods' times come from the clocks of nodes) becomes the nearest time that it has.
    """
    return datetime.fromtimestamp(int(min(max(unix_seconds, 0), _END_OF_TIME)), UTC)
