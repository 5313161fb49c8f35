"""Both kinds of databases, empty."""

import contextlib
from collections.abc import Generator
from typing import Final

import pytest

from aliquot_lab.postgresql import binaries, postgresql

KINDS: Final = ("sqlite", "postgresql")


@contextlib.contextmanager
def empty_database(kind: str, folders: pytest.TempPathFactory) -> Generator[str]:
    """A database of a kind; gives its URL."""
    if kind == "sqlite":
        yield f"sqlite:///{folders.mktemp('databases')}/aliquot.db"
    elif binaries() is None:
        pytest.skip("no PostgreSQL server on this machine")
    else:
        with postgresql() as made:
            yield made
