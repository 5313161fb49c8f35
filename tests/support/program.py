"""The command line as a process of its own, at a pipe or at a terminal, as users have it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

SECONDS: Final = 120.0
"""How long anything is waited for: only a failure takes so long."""
_MOST_SECONDS: Final = 5 * SECONDS
"""How long a command runs at most that is told to end."""
_ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Program:
    """The program `aliquot` of this checkout.

    Attributes:
        kubeconfig: which cluster, and as whom.
        home: of the user.
        project: the one that is meant.
    """

    kubeconfig: Path
    home: Path
    project: str

    @property
    def _environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        path = os.pathsep.join((str(_ROOT / "operator"), kept.get("PYTHONPATH", "")))
        return {**kept, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.home), "PYTHONPATH": path, "TERM": "xterm"}

    def _line(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "aliquot", words[0], "-p", self.project, *words[1:]]

    def run(self, *words: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; `typed` comes on its standard input."""
        return subprocess.run(
            self._line(words),
            env=self._environment,
            input=typed,
            stdin=subprocess.DEVNULL if typed is None else None,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def said(self, *words: str) -> str:
        """What a command prints that must go well."""
        done = self.run(*words)
        assert done.returncode == 0, done
        return done.stdout

    @contextmanager
    def running(self, *words: str) -> Generator["Running"]:
        """Have a command run for the length of a `with` block."""
        pipe = subprocess.PIPE
        with _heeding_ctrl_c():
            started = subprocess.Popen(
                self._line(words), env=self._environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
            )
        hopeless = threading.Timer(_MOST_SECONDS, started.kill)  # a line that never comes is waited for no longer
        hopeless.start()
        with started as process:
            try:
                yield Running(process)
            finally:
                hopeless.cancel()
                process.kill()

    @contextmanager
    def at_terminal(self, *words: str, rows: int = 24, columns: int = 80) -> Generator["Terminal"]:
        """Have a command run at a terminal of so many rows and columns for the length of a `with` block."""
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        try:
            with subprocess.Popen(
                self._line(words), env=self._environment, stdin=its, stdout=its, stderr=its, start_new_session=True
            ) as process:
                try:
                    yield Terminal(process, ours)
                finally:
                    process.kill()
        finally:
            os.close(its)
            os.close(ours)


@dataclass(frozen=True)
class Running:
    """A command that goes on, at pipes."""

    process: subprocess.Popen[str]

    def line(self) -> str:
        """The next line that it prints, without its end; waits for it."""
        return _line_of(self.process.stdout)

    def complaint(self) -> str:
        """The next line on its error output."""
        return _line_of(self.process.stderr)

    def type(self, text: str) -> None:
        """Type something."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def interrupt(self) -> int:
        """Press Ctrl-C; returns its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.ends()

    def ends(self) -> int:
        """Wait for its end; returns its exit code."""
        return self.process.wait(SECONDS)


@dataclass(frozen=True)
class Terminal:
    """A command that goes on, at a terminal."""

    process: subprocess.Popen[bytes]
    keyboard: int

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self.keyboard, text.encode())

    def until(self, text: str) -> str:
        """Wait for a text on the screen; returns what has come since the last time."""
        shown, deadline = b"", time.monotonic() + SECONDS
        while text.encode() not in shown:
            ready, _, _ = select.select([self.keyboard], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"no {text!r} but {shown!r}"
            shown += os.read(self.keyboard, 4096)
        return shown.decode()

    def ends(self) -> int:
        """Wait for its end; returns its exit code."""
        return self.process.wait(SECONDS)


@contextmanager
def _heeding_ctrl_c() -> Generator[None]:
    """Let what is started heed Ctrl-C: tests that run in the background may ignore it, and hand that down."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _line_of(output: IO[str] | None) -> str:
    assert output is not None
    return output.readline().rstrip("\n")
