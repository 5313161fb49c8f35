"""What becomes of tests with real nodes on a machine that can have none: here one without programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TEST = """
def test_with_real_nodes(real_nodes_here: None) -> None:
    pass
"""


@pytest.mark.parametrize(
    ("wish", "outcome", "said"),
    [
        pytest.param(None, 0, ["1 skipped", "real nodes need"], id="skipped"),
        pytest.param("required", 1, ["1 error", "real nodes need"], id="failed where they are required"),
        pytest.param("requierd", 1, ["ALIQUOT_REAL_NODES=requierd: it is `required`, or not set"], id="misspelt"),
    ],
)
def test_they_are_skipped_or_fail(wish: str | None, outcome: int, said: list[str], tmp_path: Path) -> None:
    file = tmp_path / "test_wanted.py"
    file.write_text(TEST)
    environment = {**os.environ, "PATH": str(tmp_path)}
    environment.pop("ALIQUOT_REAL_NODES", None)
    if wish is not None:
        environment["ALIQUOT_REAL_NODES"] = wish
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == outcome, done.stdout + done.stderr
    assert [each for each in said if each not in done.stdout] == []
