"""Importing a library without what it would only use if it were there."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def without(name: str) -> Generator[None]:
    """Hide a package in a `with` block from those who import it, as if it were not installed.

    Args:
        name: of a package at the top level. Where it is imported already it is seen all the same.
    """
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    hidden = name not in modules
    if hidden:
        modules[name] = None
    try:
        yield
    finally:
        if hidden:
            del modules[name]
