"""Child processes that cannot outlive the process that started them."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_OVER = ("Z", "X")
"""States of processes that have ended, in /proc."""
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class ProcessSpec:
    """How to start one process of a lab.

    Attributes:
        name: The name it is asked for by, e.g. `kube-apiserver`.
        arguments: Command line, program first.
        log: File that its output is appended to.
        environment: Added to the environment of the supervisor.
        grace: Seconds between SIGTERM and SIGKILL when it is stopped.
        restarts: Whether it is started again when it ends by itself, as containers of pods are.
    """

    name: str
    arguments: list[str]
    log: str
    environment: dict[str, str] = field(default_factory=dict[str, str])
    grace: float = 5.0
    restarts: bool = False

    def document(self) -> dict[str, Any]:
        """As plain values, for the supervisor's socket."""
        return asdict(self)


class Process:
    """A running process in a process group of its own, killed by the kernel if its parent dies."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        with Path(spec.log).open("ab") as log:
            self._popen = subprocess.Popen(
                spec.arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **spec.environment},
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - the supervisor has one thread
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """The exit code (negative: a signal), or None while it runs.

        A process that has ended stays a zombie until it is stopped, so that no other process gets its id, which is
        also the id of the group that `stop` kills.
        """
        if self._popen.returncode is None:
            ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return None
            return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        return self._popen.returncode

    def stop(self, *, kill: bool = False) -> None:
        """Stop the process and everything it started; `kill` by SIGKILL at once, else after the grace period."""
        if self._popen.returncode is not None:
            return
        if not kill:
            self._signal(signal.SIGTERM)
            eventually(lambda: self.exit_code() is not None, seconds=self.spec.grace, interval=0.01)
        # The group also after a polite end: what the process itself started may still be there.
        self._signal(signal.SIGKILL)
        self._popen.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return


def _die_with(parent: int) -> Callable[[], None]:
    def arrange() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the call above: there will be no signal
            os._exit(1)

    return arrange


def started_at(pid: int) -> int:
    """When the process `pid` started, in clock ticks since boot: with the id it names one process for ever.

    Raises:
        ProcessLookupError: there is no such process.
    """
    try:
        return int(_after_the_name(pid)[19])
    except OSError as problem:
        raise ProcessLookupError(pid) from problem


def lives(pid: int) -> bool:
    """Whether there is a process `pid` that has not ended; one that has is there until it is asked for its end."""
    try:
        return _after_the_name(pid)[0] not in _OVER
    except OSError:
        return False


def _after_the_name(pid: int) -> list[str]:
    """What the kernel says of a process from its state on; the program's name before it may contain anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def eventually(condition: Callable[[], bool], *, seconds: float, interval: float = 0.05) -> bool:
    """Wait until `condition()` holds; returns whether it did within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True
