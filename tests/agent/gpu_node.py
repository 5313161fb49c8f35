"""A node whose GPUs are whatever a test says: the real `pynvml` on the project's fake library, in this process."""

import ctypes
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aliquot.agent.nvml import Device, Ledger, Library, Session, Snapshot, load
from demo.fake_gpus import library, state
from demo.fake_gpus.model import Failure, NodeState
from demo.fake_gpus.products import node
from tests.agent.manual_clock import ManualClock

LOST = 15


class GpuNode:
    """What the node has, and the session that reads it."""

    def __init__(self, path: Path, nvml: Library | None = None) -> None:
        self.path = path
        self.clock = ManualClock()
        self.jumped_seconds = 0.0
        self.ledger = Ledger()
        self.session = Session(nvml or load(), self.clock, self.ledger)
        self.state = node("n1", 2)

    def has(self, given: NodeState) -> None:
        """From now on the node is like this."""
        self.state = given
        state.write(self.path, given)

    def gpu(self, index: int = 0, **fields: object) -> None:
        """From now on a GPU says something else."""
        self.has(self.state.with_gpu(index, **fields))

    def fails(self, function: str, code: int, gpu: str | None = None) -> None:
        """From now on a function fails."""
        failures = (*self.state.failures, Failure(function=function, code=code, gpu=gpu))
        self.has(self.state.with_fields(failures=failures))

    def read(self) -> Snapshot:
        """A reading, ten seconds after the one before. Samples of the library have the time of day."""
        self.clock.seconds += 10
        self.clock.wall_offset_seconds = time.time() + self.jumped_seconds - self.clock.seconds
        return self.session.read()

    def device(self, index: int = 0) -> Device:
        return self.read().devices[index]


def open_node(path: Path, monkeypatch: pytest.MonkeyPatch, nvml: Library | None = None) -> GpuNode:
    """A node with two idle GPUs, whose state is in that file."""
    monkeypatch.setenv(state.VARIABLE, str(path))
    monkeypatch.delenv("NVIDIA_VISIBLE_DEVICES", raising=False)
    # Its SONAME is that of the real one, so that whoever asks for the name gets this one.
    ctypes.CDLL(str(library.ensure()))
    made = GpuNode(path, nvml)
    made.has(made.state)
    return made


class Instead:
    """NVML with some functions in the place of its own: what no state of the fake library can say."""

    def __init__(self, **functions: Any) -> None:
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        return self._functions.get(name) or getattr(load(), name)


def pids(device: Device) -> Sequence[int]:
    return [process.pid for process in device.processes]
