"""pytest fixtures: one control plane for a whole test run, names of one's own, hollow nodes, a fault proxy.

The first test that needs it starts the lab; all xdist workers share it. Its owner is the process that was started by
hand (with xdist: the controller), so it ends with the run, also on `kill -9`. `ALIQUOT_TEST_KUBECONFIG` names another
cluster to use instead, on purpose: `KUBECONFIG` is never looked at.
"""

import fcntl
import os
import re
import secrets
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

# Every pytest run loads this module, pure ones too: what is heavy is behind the package's lazy door.
import aliquot_lab
from aliquot_lab.directories import PREFIX, alive
from aliquot_lab.supervision import Owner, SupervisorClient

OTHER_CLUSTER: Final = "ALIQUOT_TEST_KUBECONFIG"
REAL_NODES: Final = "ALIQUOT_REAL_NODES"
_OWNER: Final = "aliquot_lab_owner"
_NAME_LENGTH: Final = 40  # of a DNS label's 63: what is derived from it is longer


class NodeMaker(Protocol):
    """Adds hollow nodes; see the fixture `lab_nodes`."""

    def __call__(
        self,
        count: int = 1,
        *,
        gpus: int = 8,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
    ) -> list[str]:
        """Add `count` nodes, wait until they are Ready, and return their names."""
        ...


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker who owns the lab: the controller, in which this runs."""
    owner = Owner.this_process()
    node.workerinput[_OWNER] = [owner.pid, owner.started]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End the lab with the run, in the process that owns it, so that nothing is left when pytest returns."""
    if not hasattr(config, "workerinput"):
        directory = _directory(Owner.this_process())
        if alive(directory):
            SupervisorClient(directory).shutdown()


def _owner(config: pytest.Config) -> Owner:
    given: dict[str, Any] = getattr(config, "workerinput", {})
    return Owner(*given[_OWNER]) if _OWNER in given else Owner.this_process()


def _directory(owner: Owner) -> Path:
    """Where the lab of a test run is: known to every process of the run without asking, and to no other run."""
    return Path(tempfile.gettempdir()) / f"{PREFIX}pytest-{owner.pid}-{owner.started}"


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "aliquot_lab.Cluster":
    """The control plane of this test run, without nodes: shared by all tests and workers, so keep to your own names."""
    owner = _owner(request.config)
    directory = _directory(owner)
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base
    with (shared / "aliquot-lab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if alive(directory):
            return aliquot_lab.Cluster(directory)
        if other := os.environ.get(OTHER_CLUSTER):
            return aliquot_lab.attach(Path(other), directory=directory, owner=owner)
        return aliquot_lab.start(aliquot_lab.Options(audit=True), directory=directory, owner=owner)


@pytest.fixture
def name_for_test(request: pytest.FixtureRequest) -> str:
    """A DNS label that no other test, worker or run has: for namespaces, projects, nodes; 40 characters at most."""
    unique = secrets.token_hex(4)
    # Of a parametrised test the function's own name: the parameters may be anything.
    words = re.sub(r"[^a-z0-9]+", "-", request.function.__name__.lower())
    words = words.removeprefix("test-")[: _NAME_LENGTH - len(unique) - 3].strip("-")
    return f"t-{words}-{unique}" if words else f"t-{unique}"


@pytest.fixture
def lab_namespace(lab: "aliquot_lab.Cluster", name_for_test: str) -> Generator[str]:
    """A namespace of this test, ready for pods; its deletion is asked for afterwards."""
    lab.add_namespace(name_for_test)
    yield name_for_test
    # At once: nobody would stop pods whose hollow node has been removed already.
    lab.api.call("DELETE", f"/api/v1/namespaces/{name_for_test}/pods?gracePeriodSeconds=0")
    lab.remove_namespace(name_for_test)


@pytest.fixture
def lab_nodes(lab: "aliquot_lab.Cluster", name_for_test: str) -> Generator[NodeMaker]:
    """A function that adds hollow nodes of this test; they are removed afterwards.

    Other tests see them too, unless a label or a taint keeps them away. Each carries the label `lab.aliquot.dev/test`
    with the test's name.
    """
    made: list[str] = []

    def make(
        count: int = 1,
        *,
        gpus: int = 8,
        labels: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
    ) -> list[str]:
        names = [f"{name_for_test}-{number}" for number in range(len(made), len(made) + count)]
        made.extend(names)
        ours = {"lab.aliquot.dev/test": name_for_test, **(labels or {})}
        return lab.add_nodes(names, gpus=gpus, labels=ours, taints=taints)

    yield make
    for name in made:
        lab.remove_node(name)


@pytest.fixture(scope="session")
def real_nodes_here() -> None:
    """Skips tests, with the reason, on a machine that cannot have real nodes (see `aliquot_lab.real_nodes`).

    They fail instead where `ALIQUOT_REAL_NODES` is `required`, so that nobody takes a test for passed that did not run.
    """
    wish = os.environ.get(REAL_NODES, "")
    if wish not in ("", "required"):
        pytest.fail(f"{REAL_NODES}={wish}: it is `required`, or not set")
    if problem := aliquot_lab.obstacle():
        pytest.fail(problem) if wish else pytest.skip(problem)


@pytest.fixture
def fault_proxy(lab: "aliquot_lab.Cluster") -> Generator["aliquot_lab.FaultProxy"]:
    """A proxy before the lab's API server, for this test."""
    with aliquot_lab.FaultProxy(lab.access) as proxy:
        yield proxy
