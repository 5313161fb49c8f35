"""Changes of objects, written down as they are made: what an object was, and what it became."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from aliquot.contracts.administrator_api.shapes import Answer
from aliquot.controlplane.auth.permit import Permit, Row


def document(shown: Answer) -> dict[str, Any]:
    """An object as the API shows it: no secrets are in that."""
    return shown.model_dump(mode="json", by_alias=True)


@contextmanager
def updating(permit: Permit, kind: str, row: Row, show: Callable[[Row], Answer]) -> Generator[None]:
    """Within this an object is changed; that is noted on it, and in the audit log.

    Args:
        permit: of the caller.
        kind: type of the object, for people.
        row: the object.
        show: how it is shown.
    """
    before = document(show(row))
    yield
    permit.touch(row)
    permit.record("update", kind, row, before=before, after=document(show(row)))
