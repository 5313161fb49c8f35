"""`aliquot agent` as a process, on the fake library."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo.fake_gpus import state
from demo.fake_gpus.model import NodeState

PATIENCE_SECONDS = 120


class AgentProcess:
    """A running agent, and the state of the node that it sees."""

    def __init__(self, process: "subprocess.Popen[str]", address: str, path: Path) -> None:
        self.process = process
        self.address = address
        self.path = path

    def get(self, page: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{self.address}/{page}", timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def metric(self, name: str, **labels: str) -> float | None:
        """The value of the one sample with these labels, by a scrape; None: there is none."""
        for family in text_string_to_metric_families(self.get("metrics")[1]):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return None

    def has(self, given: NodeState) -> None:
        state.write(self.path, given)


@contextmanager
def running(path: Path, nvml: Path | None, **environment: str) -> Generator[AgentProcess]:
    """An agent without an API server and a kubelet, at a port of its own; `nvml` is where the library is."""
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "LD_LIBRARY_PATH": "" if nvml is None else str(nvml.parent),
        state.VARIABLE: str(path),
        "ALIQUOT_SERVER__HOST": "127.0.0.1",
        "ALIQUOT_SERVER__PORT": "0",
        "ALIQUOT_IDENTITY__NODE": "n1",
        "ALIQUOT_SOURCES__PODS": "none",
        # A busy machine takes its time; a scrape that is not answered by a reading of its own shows an earlier one.
        "ALIQUOT_READINGS__DEADLINE_SECONDS": "60",
        "ALIQUOT_READINGS__STALE_SECONDS": "600",
        "ALIQUOT_SOURCES__KUBELET_SOCKET": str(path.with_name("no-kubelet.sock")),
        "ALIQUOT_PUBLISHING__LAST_LOOK": str(path.with_name("last-look")),
        **environment,
    }
    command = [sys.executable, "-m", "aliquot", "agent"]
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                said = json.loads(line)
                if "port" in said:
                    yield AgentProcess(process, f"http://127.0.0.1:{said['port']}", path)
                    break
            else:
                pytest.fail("the agent ended before it served")
        finally:
            process.kill()
