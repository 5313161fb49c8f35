"""Control groups of a lab's real nodes, one per node in every hierarchy (version 1).

They are files of the machine, which outlive whoever made them. So their names are made from the lab's directory, and
whoever removes the directory removes them, too.
"""

import os
import signal
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

ROOT: Final = Path("/sys/fs/cgroup")
_CPUSET: Final = ("cpuset.cpus", "cpuset.mems")
_SECONDS: Final = 10.0


def hierarchies() -> list[str]:
    """The folders of the version 1 hierarchies below `ROOT`, such as `memory` and `systemd`."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    names = (controllers.removeprefix("name=") for number, controllers, _ in lines if number != "0")
    return sorted(name for name in names if (ROOT / name / "cgroup.procs").exists())


def group(directory: Path) -> str:
    """The name of the control group of the lab in `directory`."""
    return f"aliquot-lab-{quote(str(directory), safe='')}"


def members(folder: Path) -> list[int]:
    """The processes in a control group, not in those below it; none where it has gone."""
    try:
        return [int(line) for line in (folder / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def enter(directory: Path, node: str) -> None:
    """Move this process into the control groups of a node, which are made if there are none."""
    for hierarchy in hierarchies():
        folder = ROOT / hierarchy
        for part in (group(directory), node):
            parent, folder = folder, folder / part
            folder.mkdir(exist_ok=True)
            # A new one has no CPUs and no memory, and so takes no process.
            for file in _CPUSET:
                if (folder / file).exists():
                    (folder / file).write_text((parent / file).read_text())
        (folder / "cgroup.procs").write_text(str(os.getpid()))


def remove(directory: Path, node: str | None = None) -> None:
    """Kill whatever is in the control groups of a lab, or of one of its nodes, and remove them."""
    deadline = time.monotonic() + _SECONDS
    while not _removed(directory, node) and time.monotonic() < deadline:
        time.sleep(0.02)


def _removed(directory: Path, node: str | None) -> bool:
    gone = True
    for top in ROOT.glob(f"*/{group(directory)}/{node}" if node else f"*/{group(directory)}"):
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except FileNotFoundError:
                continue
            except OSError:  # somebody is in it, or in one below it
                gone = False
                _kill(Path(folder))
    return gone


def _kill(folder: Path) -> None:
    for pid in members(folder):
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
