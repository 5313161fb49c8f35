"""What all tests share."""

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("aliquot", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("aliquot")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files; read the diff before you commit it"
    )
