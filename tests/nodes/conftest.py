"""A real node with GPUs that a file says it has, the platform, and what a test needs of both."""

from collections.abc import Generator

import pytest

from aliquot_lab import Cluster, Options, RealNode, dedicated, real_nodes
from aliquot_lab.nodes.images import PAUSE
from demo import platform
from tests.nodes.gpu_node import GpuNode
from tests.support.arena import TEST_LABEL, Arena

GPUS = 4


@pytest.fixture(scope="package")
def cluster(real_nodes_here: None) -> Generator[Cluster]:
    """A lab of its own, with its history, the chart, and an operator that checks its books all the time."""
    with dedicated(Options(audit=True), nodes=0) as cluster:
        platform.install(cluster)
        settings = {
            "ALIQUOT_GRANTS__RESERVATION_IMAGE": PAUSE,
            "ALIQUOT_SCHEDULING__CHECK_SECONDS": "1",
            "ALIQUOT_WORKLOADS__RETRY_BASE_SECONDS": "0.5",
        }
        platform.start_operator(cluster, settings=settings)
        yield cluster


@pytest.fixture(scope="package")
def node(cluster: Cluster) -> Generator[RealNode]:
    with real_nodes(cluster, 1) as (node,):
        yield node


@pytest.fixture
def gpus(cluster: Cluster, node: RealNode, request: pytest.FixtureRequest) -> Generator[GpuNode]:
    """The node with the device plugin, with all its GPUs free; how many, and which, can be the fixture's parameter."""
    count, product = getattr(request, "param", (GPUS, "h100"))
    with GpuNode(cluster, node).running(count, product) as gpus:
        yield gpus


@pytest.fixture
def arena(cluster: Cluster, gpus: GpuNode, name_for_test: str) -> Generator[Arena]:
    """A node pool of that node, and projects, of this test's own."""
    arena = Arena(cluster, name_for_test)
    arena.pool()
    gpus.label({TEST_LABEL: arena.name})
    arena.until_node(gpus.node.name, "Ready")
    yield arena
    arena.clear()
    gpus.until_free()
