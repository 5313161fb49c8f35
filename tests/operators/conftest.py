"""Other people's operators beside ours, in a lab of their own: elsewhere tests define the same kinds bare.

A test that names `training_operator` or `knative` has it in its lab from then on. The tests of this folder are in one
xdist group, "operators", so there is one such lab.
"""

from collections.abc import Generator
from contextlib import closing

import pytest

from aliquot_lab import Cluster, Options, dedicated
from aliquot_lab.operators import knative as serving
from aliquot_lab.operators import kubeflow
from aliquot_lab.operators.knative import Knative
from aliquot_lab.operators.kubeflow import TrainingOperator
from demo import platform
from tests.support.arena import Arena


@pytest.fixture(scope="package")
def lab() -> Generator[Cluster]:
    """A control plane with the chart, for the tests of this folder."""
    with dedicated(Options(audit=True)) as cluster:
        platform.install(cluster)
        yield cluster


@pytest.fixture(scope="package")
def operator(lab: Cluster) -> platform.OperatorProcess:
    """Our operator in that lab."""
    return platform.start_operator(lab, settings={"ALIQUOT_LOG__LEVEL": "debug"})


@pytest.fixture(scope="package")
def training_operator(lab: Cluster) -> Generator[TrainingOperator]:
    """The Kubeflow Training Operator in that lab."""
    with closing(kubeflow.install(lab)) as operator:
        yield operator


@pytest.fixture(scope="package")
def knative(lab: Cluster) -> Generator[Knative]:
    """Knative Serving in that lab."""
    with closing(serving.install(lab)) as running:
        yield running


@pytest.fixture
def arena(lab: Cluster, operator: platform.OperatorProcess, name_for_test: str) -> Generator[Arena]:
    """Nodes, a node pool and projects of this test's own."""
    assert operator.pid is not None, f"the operator has ended:\n{operator.log()[-4000:]}"
    arena = Arena(lab, name_for_test)
    arena.pool()
    yield arena
    arena.clear()
