"""Lab directories: one per lab, alive as long as its supervisor, swept when it is not.

Whether a lab lives is told by a lock (`alive`) that its supervisor holds: the kernel drops it when the supervisor
dies, however it dies, so neither a stale file nor a reused process id can be mistaken for a living lab. The lock is
taken by whoever creates the directory and handed to the supervisor, so there is no moment without it.
"""

import fcntl
import os
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path

from aliquot_lab import cgroups
from aliquot_lab.errors import LabError

PREFIX = "aliquot-lab-"
MARK = "ALIQUOT_LAB_DIRECTORY"  # in the environment of every process of a lab
_LOCK = "alive"
_CREATION_SECONDS = 60


def state_root() -> Path:
    """Where labs that were started by hand live."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "aliquot" / "lab"


def named(name: str) -> Path:
    """The directory of the lab called `name`.

    Raises:
        LabError: the name is no DNS label.
    """
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name):
        message = f"name {name!r}: allowed are lower-case letters, digits and '-', 63 at most"
        raise LabError(message)
    return state_root() / name


def create(path: Path | None) -> tuple[Path, int]:
    """Make a lab directory (a temporary one if `path` is None).

    Returns:
        The directory, and the file descriptor that holds its lock.

    Raises:
        LabError: a living lab is there already.
    """
    sweep()
    if path is None:
        directory = Path(tempfile.mkdtemp(prefix=PREFIX))
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir(mode=0o700)
        except FileExistsError as problem:
            message = f"{path} exists: a lab of that name is running or starting; see `aliquot-lab list`"
            raise LabError(message) from problem
        directory = path
    # Locked before it gets its name: a sweep never sees a lock file that nobody holds yet.
    unnamed = directory / f".{_LOCK}"
    descriptor = os.open(unnamed, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    unnamed.rename(directory / _LOCK)
    return directory, descriptor


def alive(directory: Path) -> bool:
    """Whether the lab in `directory` has a living supervisor (or is being created)."""
    try:
        descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def all_directories() -> list[Path]:
    """Every lab directory of this user, living or dead."""
    by_hand = [path for path in state_root().glob("*") if path.is_dir()]
    temporary = [path for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*") if path.is_dir()]
    return sorted(path for path in (*by_hand, *temporary) if path.stat().st_uid == os.getuid())


def sweep() -> list[Path]:
    """Remove what dead labs left behind: their directories, and processes that outlived their supervisor.

    Returns:
        The directories that were removed.
    """
    removed: list[Path] = []
    for directory in all_directories():
        # Without a lock it is being created at this moment, or its creator was killed in that moment.
        settled = (directory / _LOCK).exists() or time.time() - directory.stat().st_mtime > _CREATION_SECONDS
        if settled and not alive(directory):
            remove(directory)
            removed.append(directory)
    return removed


def remove(directory: Path) -> None:
    """Kill every process that is marked with `directory` or in a control group of its nodes, then remove it."""
    deadline = time.monotonic() + 5
    while (leftover := marked(directory)) and time.monotonic() < deadline:
        for pid in leftover:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)
    cgroups.remove(directory)
    shutil.rmtree(directory, ignore_errors=True)


def marked(directory: Path) -> list[int]:
    """The ids of living processes that belong to the lab in `directory`, this process excepted."""
    wanted = f"{MARK}={directory}".encode()
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # gone meanwhile, or not ours
            continue
    return found
