"""The owner's side of supervision: starting a supervisor and speaking with it."""

import json
import os
import select
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aliquot_lab import directories
from aliquot_lab.errors import LabError
from aliquot_lab.processes import ProcessSpec, eventually, started_at

_START_SECONDS = 120.0
_ANSWER_SECONDS = 120.0

_launched: dict[Path, int] = {}  # process ids, to be reaped when their lab ends before us


@dataclass(frozen=True)
class Owner:
    """The process whose death ends a lab: its id, and when it started (see `processes.started_at`)."""

    pid: int
    started: int

    @classmethod
    def this_process(cls) -> "Owner":
        """This process as owner."""
        return cls(os.getpid(), started_at(os.getpid()))

    def open(self) -> int:
        """A pidfd of the owner.

        Raises:
            LabError: the owner is gone.
        """
        try:
            descriptor = os.pidfd_open(self.pid)
            if started_at(self.pid) != self.started:
                os.close(descriptor)
                raise ProcessLookupError(self.pid)
        except ProcessLookupError as problem:
            message = f"process {self.pid}, the owner of the lab, is gone"
            raise LabError(message) from problem
        return descriptor


class SupervisorClient:
    """Asks the supervisor of one lab; every call is one short connection, so it may be used from any thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @classmethod
    def launch(cls, directory: Path, lock: int, owner: Owner) -> "SupervisorClient":
        """Start the supervisor of `directory`, handing over the directory's lock.

        Raises:
            LabError: it did not start.
        """
        watched = owner.open()
        try:
            pid = _spawn(directory, watched, lock)
        finally:
            os.close(watched)
            os.close(lock)
        (directory / "supervisor.pid").write_text(str(pid))
        _launched[directory] = pid
        control = directory / "control"
        if not eventually(control.exists, seconds=_START_SECONDS, interval=0.01):
            message = f"the lab's supervisor did not start:\n{tail(directory / 'supervisor.log')}"
            raise LabError(message)
        return cls(directory)

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return int((self._directory / "supervisor.pid").read_text())

    def run(self, spec: ProcessSpec) -> None:
        """Make a process known and start it."""
        self._ask(do="run", spec=spec.document())

    def start(self, name: str) -> None:
        """Start a known process again, if it does not run."""
        self._ask(do="start", name=name)

    def stop(self, name: str, *, kill: bool = False) -> None:
        """Stop a process; `kill` means SIGKILL at once."""
        self._ask(do="stop", name=name, kill=kill)

    def processes(self) -> dict[str, int]:
        """Name → process id of the processes that run."""
        states = self._ask(do="processes")["processes"]
        return {name: state["pid"] for name, state in states.items() if state["pid"] is not None}

    def disown(self) -> None:
        """Let the lab live on when its owner ends."""
        self._ask(do="disown")

    def shutdown(self, *, seconds: float = 120.0) -> None:
        """Stop everything and wait until the directory and the supervisor are gone.

        Raises:
            LabError: one of them was still there after `seconds`.
        """
        supervisor = self._open_supervisor()
        try:
            try:
                self._ask(do="shutdown")
            except LabError:
                if self._directory.exists() and not directories.alive(self._directory):
                    directories.remove(self._directory)
            gone = eventually(lambda: not self._directory.exists(), seconds=seconds, interval=0.02)
            if not gone or (supervisor is not None and not select.select([supervisor], [], [], seconds)[0]):
                message = f"the lab in {self._directory} did not end within {seconds:.0f} s"
                raise LabError(message)
        finally:
            if supervisor is not None:
                os.close(supervisor)
        if pid := _launched.pop(self._directory, None):
            os.waitpid(pid, 0)

    def _open_supervisor(self) -> int | None:
        """A pidfd of the supervisor, which tells when it has ended; None: it is gone already."""
        if not directories.alive(self._directory):
            return None
        try:
            return os.pidfd_open(self.pid)
        except (OSError, ValueError):
            return None

    def _ask(self, **request: object) -> dict[str, Any]:
        try:
            # By way of a descriptor, as the path of a socket is limited to 107 characters.
            folder = os.open(self._directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as problem:
            message = f"there is no lab in {self._directory}"
            raise LabError(message) from problem
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_ANSWER_SECONDS)
                connection.connect(f"/proc/self/fd/{folder}/control")
                connection.sendall(json.dumps(request).encode() + b"\n")
                answer = json.loads(connection.makefile("rb").readline() or b'{"error": "no answer"}')
        except OSError as problem:
            message = f"the supervisor of the lab in {self._directory} does not answer: {problem}"
            raise LabError(message) from problem
        finally:
            os.close(folder)
        if "error" in answer:
            raise LabError(str(answer["error"]))
        return answer


def _spawn(directory: Path, watched: int, lock: int) -> int:
    """Start the program of a supervisor; returns its process id.

    Not by `subprocess`, which expects that whoever started a process outlives it: the lab of a test run is started by
    one of its workers, and ends with the whole run.
    """
    for descriptor in (watched, lock):
        os.set_inheritable(descriptor, True)
    with (directory / "supervisor.log").open("ab") as log:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "aliquot_lab.supervisor", str(directory), str(watched), str(lock)],
            {**os.environ, directories.MARK: str(directory)},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
            ],
            setsid=True,  # Ctrl-C in the owner's terminal is the owner's business
        )


def tail(log: Path, *, lines: int = 15) -> str:
    """The last lines of a log file, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
