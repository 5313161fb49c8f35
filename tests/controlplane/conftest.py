"""A control plane for all tests of a worker; each test has a tenant of its own, which sees nothing of the others'."""

from collections.abc import Generator

import pytest

from tests.controlplane.plane import Plane, Tenant, running


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Generator[Plane]:
    with running(f"sqlite:///{tmp_path_factory.mktemp('plane')}/aliquot.db") as made:
        yield made


@pytest.fixture
def tenant(plane: Plane) -> Tenant:
    return plane.tenant()
