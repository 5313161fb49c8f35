"""A lab whose custom resources a control plane may have all to itself, and a control plane for each test."""

from collections.abc import Generator
from pathlib import Path

import pytest

from aliquot_lab import Cluster, FaultProxy, Options, dedicated
from demo import platform
from tests.sync.meeting import ControlPlane, Meeting, way_to


@pytest.fixture(scope="package")
def synced_lab() -> Generator[Cluster]:
    """A lab with the chart, whose operators may make what a control plane says; one test after the other."""
    with dedicated(Options(audit=True)) as cluster:
        uid = "cluster.uid=00000000-0000-0000-0000-000000000000"
        platform.install(cluster, "controlPlane.url=http://127.0.0.1:9", "controlPlane.clientSecret=none", uid)
        yield cluster


@pytest.fixture
def control_plane(tmp_path: Path) -> Generator[ControlPlane]:
    """A control plane with a database of its own."""
    folder = tmp_path / "plane"
    folder.mkdir()
    plane = ControlPlane(folder)
    try:
        yield plane
    finally:
        plane.close()


@pytest.fixture
def way(control_plane: ControlPlane) -> Generator[FaultProxy]:
    """A way to the control plane on which requests can be struck."""
    with way_to(control_plane) as proxy:
        yield proxy


@pytest.fixture
def api_proxy(synced_lab: Cluster) -> Generator[FaultProxy]:
    """A way to the API server on which requests can be struck."""
    with FaultProxy(synced_lab.access, seed=1) as proxy:
        yield proxy


@pytest.fixture
def meeting(synced_lab: Cluster, control_plane: ControlPlane, tmp_path: Path, name_for_test: str) -> Generator[Meeting]:
    """A cluster that the control plane knows, and that no operator has connected yet."""
    made = Meeting(synced_lab, name_for_test, control_plane, tmp_path)
    try:
        yield made
    finally:
        made.clear()
