"""Kubernetes' times as Unix seconds."""

from datetime import UTC, datetime


def unix_seconds(written: str | datetime | None) -> float:
    """Read an RFC 3339 time, such as `2024-05-01T12:00:00Z`; 0 for anything else.

    A time without a zone is UTC, so that the answer is the same on every machine.
    """
    try:
        moment = datetime.fromisoformat(written) if isinstance(written, str) else written
        if moment is None:
            return 0.0
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def in_rfc_3339(seconds: float) -> str:
    """Write Unix seconds as Kubernetes does, such as `2024-05-01T12:00:00Z`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
