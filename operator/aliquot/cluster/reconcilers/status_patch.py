"""Statuses on their way to the API server: whole, or what differs as a JSON merge patch (RFC 7386) of their members."""

from typing import Any

from aliquot.contracts.kinds.shapes import Shape


def document(status: Shape) -> dict[str, Any]:
    """A status as the API server gets it: members without a value are left out."""
    return status.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


def status_patch(before: Shape, after: Shape) -> dict[str, Any]:
    """Members that differ, with their new value; null for those that are gone. Empty: nothing differs.

    A member is replaced whole: lists cannot be merged, and each of our statuses has one writer.
    """
    old, new = document(before), document(after)
    changed: dict[str, Any] = {name: value for name, value in new.items() if old.get(name) != value}
    return changed | dict.fromkeys(old.keys() - new.keys())
