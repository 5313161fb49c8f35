"""A lab that may be broken: not shared with other tests, and one operator at a time, a test's own."""

from collections.abc import Generator

import pytest

from aliquot_lab import Cluster, FaultProxy, Options, dedicated
from demo import platform
from tests.crashes.stage import Stage
from tests.support import auditor


@pytest.fixture(scope="package")
def plane() -> Generator[Cluster]:
    """A control plane with the chart, for the crash tests of one worker, one after the other."""
    with dedicated(Options(audit=True)) as cluster:
        platform.install(cluster)
        yield cluster


@pytest.fixture
def proxy(plane: Cluster) -> Generator[FaultProxy]:
    """A proxy before that control plane; the same seed each time."""
    with FaultProxy(plane.access, seed=1) as proxy:
        yield proxy


@pytest.fixture
def stage(plane: Cluster, proxy: FaultProxy, name_for_test: str) -> Generator[Stage]:
    """What the test plays on; afterwards the books are audited, and everything is cleared away, operators first."""
    assert proxy.url  # it ends after the operators that use it
    stage = Stage(plane, name_for_test)
    try:
        yield stage
        books = auditor.check(plane, about=name_for_test)
        assert books.lives, "there is no history to look through"
    finally:
        stage.clear()
