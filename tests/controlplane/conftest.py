"""A control plane for all tests of a worker; each test has a tenant of its own, which sees nothing of the others'."""

from collections.abc import Generator

import pytest

from tests.controlplane.databases import KINDS, empty_database
from tests.controlplane.plane import Plane, Tenant, running


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Generator[Plane]:
    with running(f"sqlite:///{tmp_path_factory.mktemp('plane')}/aliquot.db") as made:
        yield made


@pytest.fixture
def tenant(plane: Plane) -> Tenant:
    return plane.tenant()


@pytest.fixture(scope="module", params=KINDS)
def planes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Plane, Plane]]:
    """Two instances on one database, of either kind."""
    address = "http://control-plane.example.com"
    with (
        empty_database(request.param, tmp_path_factory) as url,
        running(url, server={"url": address}) as first,
        running(url, server={"url": address}) as second,
    ):
        yield first, second
