"""The difference between two statuses of an object, as a JSON merge patch (RFC 7386) of its members."""

from typing import Any

from aliquot.contracts.kinds.shapes import Shape


def status_patch(before: Shape, after: Shape) -> dict[str, Any]:
    """Members that differ, with their new value; null for those that are gone. Empty: nothing differs.

    A member is replaced whole: lists cannot be merged, and each of our statuses has one writer.
    """
    old = before.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    new = after.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    changed: dict[str, Any] = {name: value for name, value in new.items() if old.get(name) != value}
    return changed | dict.fromkeys(old.keys() - new.keys())
