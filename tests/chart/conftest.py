"""Helm for the chart's tests. Those that install take a lab of their own: a chart belongs to a whole cluster."""

import shutil
from pathlib import Path

import pytest

from aliquot_lab import binaries
from tests.chart.chart_support import Helm


def _program() -> Path | None:
    """The lab's helm, else the machine's. Nothing is built here: `make test` has done so, `make test-pure` must not."""
    built = [path for path in binaries.cache_root().glob("*/bin/helm") if path.is_file()]
    if built:
        return max(built, key=lambda path: path.stat().st_mtime)
    found = shutil.which("helm")
    return Path(found) if found else None


@pytest.fixture(scope="session")
def helm() -> Helm:
    program = _program()
    if program is None:
        pytest.skip("there is no helm: run `make lab-build`")
    return Helm(program)
