"""The owner's side of supervision: starting a supervisor and speaking with it."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aliquot_lab import directories
from aliquot_lab.errors import LabError
from aliquot_lab.processes import ProcessSpec, eventually, started_at

_START_SECONDS = 20.0
_ANSWER_SECONDS = 60.0

_launched: dict[Path, "subprocess.Popen[bytes]"] = {}  # to be reaped when their lab ends before us


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
            with (directory / "supervisor.log").open("ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "aliquot_lab.supervisor", str(directory), str(watched), str(lock)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, directories.MARK: str(directory)},
                    pass_fds=(watched, lock),
                    start_new_session=True,  # Ctrl-C in the owner's terminal is the owner's business
                )
        finally:
            os.close(watched)
            os.close(lock)
        (directory / "supervisor.pid").write_text(str(process.pid))
        _launched[directory] = process
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

    def shutdown(self, *, seconds: float = 30.0) -> None:
        """Stop everything and wait until the directory is gone.

        Raises:
            LabError: it was still there after `seconds`.
        """
        try:
            self._ask(do="shutdown")
        except LabError:
            if self._directory.exists() and not directories.alive(self._directory):
                directories.remove(self._directory)
        if not eventually(lambda: not self._directory.exists(), seconds=seconds, interval=0.02):
            message = f"the lab in {self._directory} did not end within {seconds:.0f} s"
            raise LabError(message)
        if process := _launched.pop(self._directory, None):
            process.wait(seconds)

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


def tail(log: Path, *, lines: int = 15) -> str:
    """The last lines of a log file, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"
