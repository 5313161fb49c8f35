"""What all tests share."""

import pytest
from hypothesis import HealthCheck, settings

from tests.support.laws import BrokenLawError

# How long an example takes says how busy the machine is.
settings.register_profile("aliquot", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("aliquot")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files; read the diff before you commit it"
    )
    parser.addoption(
        "--second-go",
        action="store_true",
        help="run a test of a cluster once more when it fails, unless it saw a broken law; it is shown as RERUN",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What waits for a cluster may wait too long where others keep the machine busy; its failure is shown anyway."""
    if config.getoption("--second-go"):
        for item in items:
            if item.get_closest_marker("cluster"):
                item.add_marker(pytest.mark.flaky(reruns=1, rerun_except=BrokenLawError.__name__))
