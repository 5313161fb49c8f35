"""The platform on the lab of the test run: one operator for all tests, and an arena for each."""

import fcntl
import json
from collections.abc import Generator

import pytest

from aliquot_lab import Cluster
from demo import platform
from tests.support.arena import Arena

_NAME = "operator"
DOMAIN = "gpu.example.com"
"""Where the operator of the test run makes addresses."""
AUTH_URL = "http://oauth2-proxy.auth.svc/oauth2/auth?allowed_emails={users}"
"""Whom it has ingress controllers ask who may open one."""

GUARD_GRACE_SECONDS = 3600
"""For so long pods may use more of a GPU's memory than they were given: a test says since when they do."""


@pytest.fixture(scope="session")
def operator(lab: Cluster) -> platform.OperatorProcess:
    """The operator of this test run, shared by all workers: tests that stop or break it need a lab of their own."""
    record = lab.directory / f"{_NAME}.json"
    with (lab.directory / f"{_NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            platform.install(lab)
            settings = {
                "ALIQUOT_WORKLOADS__RETRY_BASE_SECONDS": "0.5",
                "ALIQUOT_ADDRESSES__DOMAIN": DOMAIN,
                "ALIQUOT_ADDRESSES__AUTH_URL": AUTH_URL,
                "ALIQUOT_GRANTS__MEMORY_GUARD": "evict",
                "ALIQUOT_GRANTS__MEMORY_GUARD_GRACE_SECONDS": str(GUARD_GRACE_SECONDS),
                "ALIQUOT_LOG__LEVEL": "debug",
            }
            started = platform.start_operator(lab, _NAME, settings=settings)
            record.write_text(json.dumps({"port": started.port}))
    operator = platform.OperatorProcess(lab, _NAME, json.loads(record.read_text())["port"])
    assert operator.pid is not None, f"the operator has ended:\n{operator.log()[-4000:]}"
    return operator


@pytest.fixture
def arena(lab: Cluster, operator: platform.OperatorProcess, name_for_test: str) -> Generator[Arena]:
    """Nodes, a node pool and projects of this test's own."""
    assert operator.pid is not None
    arena = Arena(lab, name_for_test)
    arena.pool()
    yield arena
    arena.clear()
