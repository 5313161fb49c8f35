"""What the tests of the command line share."""

from collections.abc import Generator

import pytest

from tests.support.command_line import own_logging


@pytest.fixture(autouse=True)
def logging_of_its_own() -> Generator[None]:
    """Commands set logging up for their process."""
    with own_logging():
        yield
