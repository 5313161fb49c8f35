"""Drives `nvml_probe`, a process of its own that uses the fake NVML library."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo.fake_gpus import state
from demo.fake_gpus.model import NodeState

_PROBE = Path(__file__).parent / "nvml_probe.py"
Kept = Mapping[str, int]


class NvmlError(Exception):
    """pynvml raised the exception of that name."""

    def __init__(self, name: str, code: int | None) -> None:
        super().__init__(name)
        self.name = name
        self.code = code


class Nvml:
    """A process with the library loaded, and the state that it sees."""

    def __init__(self, process: "subprocess.Popen[str]", path: Path) -> None:
        self._process = process
        self.path = path
        self._asked = 0

    def set(self, node: NodeState) -> None:
        """Replace the state while the process runs."""
        state.write(self.path, node)

    def ask(self, function: str, *arguments: object) -> None:
        """Let it call a function; `answer` waits for what comes of it."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps([function, *arguments]) + "\n")
        self._process.stdin.flush()
        self._asked += 1

    def answer(self) -> Any:
        assert self._process.stdout
        told = json.loads(self._process.stdout.readline())
        if "error" in told:
            raise NvmlError(told["error"], told["code"])
        return told["value"]

    def call(self, function: str, *arguments: object) -> Any:
        self.ask(function, *arguments)
        return self.answer()

    def keep(self, function: str, *arguments: object) -> Kept:
        """Call a function, and keep what it returns to be an argument of others: a handle, an event set."""
        self.call(function, *arguments)
        return {"kept": self._asked - 1}

    def gpu(self, index: int) -> Kept:
        return self.keep("nvmlDeviceGetHandleByIndex", index)


@contextmanager
def nvml_process(library: Path, folder: Path, node: NodeState | None, **environment: str) -> Generator[Nvml]:
    """A process that has not yet called nvmlInit."""
    path = folder / "state"
    if node is not None:
        state.write(path, node)
    inherited = {name: value for name, value in os.environ.items() if name != "NVIDIA_VISIBLE_DEVICES"}
    variables = {"LD_LIBRARY_PATH": str(library.parent), state.VARIABLE: str(path), **environment}
    with subprocess.Popen(
        [sys.executable, str(_PROBE)],
        env={**inherited, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Nvml(process, path)
        finally:
            assert process.stdin
            process.stdin.close()
            process.terminate()
