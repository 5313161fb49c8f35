"""Times with microseconds, as leases and Events have them (`metav1.MicroTime`)."""

from datetime import UTC, datetime


def micro_time(seconds: float) -> str:
    """Write Unix seconds as the API server itself prints them: `2026-01-31T12:00:00.000000Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
