"""The fake NVML library, built once."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from demo.fake_gpus import library
from demo.fake_gpus.model import NodeState
from tests.fake_gpus.probing import Nvml, nvml_process


@pytest.fixture(scope="session")
def fake_library() -> Path:
    return library.ensure()


@pytest.fixture
def started(fake_library: Path, tmp_path: Path) -> Generator[Callable[..., Nvml]]:
    """Start a process that has called nvmlInit and sees a node."""
    with ExitStack() as stack:

        def start(node: NodeState, **environment: str) -> Nvml:
            nvml = stack.enter_context(nvml_process(fake_library, tmp_path, node, **environment))
            nvml.call("nvmlInit")
            return nvml

        yield start
