"""What all tests share."""

import pytest
from _pytest.nodeid import NodeId
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("aliquot", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("aliquot")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files; read the diff before you commit it"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of an `xdist_group` on one worker.

    xdist 3.8 writes the group into an attribute from which pytest 9.2 no longer reads a test's id, and so forgets it.
    """
    if config.getoption("loadgroup", False):
        for item in items:
            item._id = NodeId.parse(getattr(item, "_nodeid", item.nodeid))  # pyright: ignore[reportPrivateUsage]
