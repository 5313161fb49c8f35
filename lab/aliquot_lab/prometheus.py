"""Prometheus, the server and its tool, for tests of metrics: built from the public Go module when asked for first.

Of its service discoveries it has those by file and HTTP alone, which halves the time to build it; its web pages are not
there.
"""

import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

import orjson

from aliquot_lab.binaries import Program, Progress
from aliquot_lab.errors import LabError
from aliquot_lab.operators.modules import Kept, Module
from aliquot_lab.operators.modules import ensure as ensure_module
from aliquot_lab.ports import HOST, free_ports
from aliquot_lab.processes import eventually

MODULE: Final = Module(
    path="github.com/prometheus/prometheus",
    version="v0.316.0",  # of the server 3.16.0
    programs=(
        Program("promtool", "github.com/prometheus/prometheus/cmd/promtool", 90),
        Program("prometheus", "github.com/prometheus/prometheus/cmd/prometheus", 60),
    ),
    tags=("remove_all_sd",),
)
_READY_SECONDS: Final = 120.0
_ATTEMPTS: Final = 3
_INTERVAL: Final = "1s"
_CONFIGURATION: Final = "prometheus.json"


@dataclass(frozen=True)
class Sample:
    """An element of a query's answer.

    Attributes:
        labels: by their names, with `__name__` where it has one.
        value: what it is.
    """

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Prometheus:
    """A server that runs; made by `serving`.

    Attributes:
        address: its URL.
    """

    address: str

    def query(self, expression: str) -> list[Sample]:
        """What an expression is now.

        Raises:
            HTTPError: it makes no sense to the server.
        """
        return [
            Sample(each["metric"], float(each["value"][1])) for each in self._get("query", query=expression)["result"]
        ]

    def value(self, expression: str) -> float | None:
        """What an expression is now that has one element at most; None: it has none.

        Raises:
            LabError: it has several.
        """
        found = self.query(expression)
        if len(found) > 1:
            message = f"{expression} has {len(found)} elements: {found}"
            raise LabError(message)
        return found[0].value if found else None

    def targets(self) -> list[dict[str, Any]]:
        """What it scrapes, and how that went (`health`, `lastError`)."""
        return self._get("targets")["activeTargets"]

    def rules(self) -> list[dict[str, Any]]:
        """The rules of all groups, and how they went (`health`, `lastError`)."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def _get(self, what: str, **parameters: str) -> dict[str, Any]:
        with urlopen(f"{self.address}/api/v1/{what}?{urlencode(parameters)}", timeout=_READY_SECONDS) as answer:
            return orjson.loads(answer.read())["data"]


def ensure(progress: Progress | None = None) -> Kept:
    """Find the programs `prometheus` and `promtool`, building them if the cache does not have them.

    Args:
        progress: told about each that has to be built.

    Raises:
        LabError: they cannot be built.
    """
    return ensure_module(MODULE, progress)


def promtool(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run `promtool`, whether it succeeds or not.

    Args:
        *arguments: as on the command line.
        text: given to its standard input.

    Raises:
        LabError: it cannot be built.
    """
    command = [str(ensure().program("promtool")), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@contextmanager
def serving(scrapes: Sequence[Mapping[str, Any]], rules: Sequence[Path] = ()) -> Generator[Prometheus]:
    """Run a server for a `with` block; it scrapes and evaluates once a second.

    Args:
        scrapes: as in `scrape_configs` of its configuration.
        rules: files of rules.

    Raises:
        LabError: it cannot be built, or does not get ready; the message has what it said.
    """
    configuration = {
        "global": {"scrape_interval": _INTERVAL, "scrape_timeout": _INTERVAL, "evaluation_interval": _INTERVAL},
        "rule_files": [str(file) for file in rules],
        "scrape_configs": [dict(scrape) for scrape in scrapes],
    }
    program = ensure().program("prometheus")
    with tempfile.TemporaryDirectory(prefix="aliquot-prometheus-") as folder:
        Path(folder, _CONFIGURATION).write_bytes(orjson.dumps(configuration))  # JSON is YAML
        process, server = _start(program, Path(folder))
        try:
            yield server
        finally:
            _end(process)


def _start(program: Path, folder: Path) -> tuple["subprocess.Popen[bytes]", Prometheus]:
    """Start a server at a free port and wait until it is ready; another port, if somebody takes that one meanwhile."""
    log = folder / "log"
    text = ""
    for _ in range(_ATTEMPTS):
        (port,) = free_ports(1)
        command = [
            str(program),
            f"--config.file={folder / _CONFIGURATION}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={HOST}:{port}",
        ]
        with log.open("wb") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said)
        server = Prometheus(f"http://{HOST}:{port}")
        if _gets_ready(process, server):
            return process, server
        _end(process)
        text = log.read_text()
        if "address already in use" not in text:
            break
    message = f"prometheus did not get ready:\n{text[-4000:]}"
    raise LabError(message)


def _gets_ready(process: "subprocess.Popen[bytes]", server: Prometheus) -> bool:
    eventually(lambda: process.poll() is not None or _ready(server), seconds=_READY_SECONDS)
    return process.poll() is None and _ready(server)


def _ready(server: Prometheus) -> bool:
    try:
        with urlopen(f"{server.address}/-/ready", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
