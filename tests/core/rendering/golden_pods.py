"""The golden files: a folder for each case, with the workload that a user writes and the pod that becomes of it.

Other tests may use them, for instance to let an API server have its say about every pod.
"""

from pathlib import Path
from typing import cast

import yaml

GOLDEN = Path(__file__).parent / "golden"


def golden_workloads() -> list[Path]:
    """Files with a workload each, sorted; the first line says why the case exists."""
    return sorted(GOLDEN.glob("*/workload.yaml"))


def golden_pods() -> list[Path]:
    """Files with a pod each, sorted; all are in the namespace `runai-team-a`."""
    return sorted(GOLDEN.glob("*/pod.yaml"))


def load(path: Path) -> dict[str, object]:
    """Read the object that a golden file holds."""
    found: object = yaml.safe_load(path.read_text())
    assert isinstance(found, dict), path
    return cast("dict[str, object]", found)
