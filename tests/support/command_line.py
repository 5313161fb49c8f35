"""Commands run in the process of a test: what they set up for the whole process is taken back."""

import logging
from collections.abc import Generator
from contextlib import contextmanager

import structlog


@contextmanager
def own_logging() -> Generator[None]:
    """Give back the logging of the process as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
