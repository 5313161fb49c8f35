"""The supervisor of one lab: a small process that owns the lab's processes and its directory.

`python -m aliquot_lab.supervisor DIRECTORY OWNER_FD LOCK_FD` serves one-line JSON requests on the socket
`DIRECTORY/control`. When the owner (a pidfd) dies, on SIGTERM, SIGINT or the request `shutdown`, it stops the
processes in the reverse order of their start and removes the directory. If it is killed itself, the kernel kills its
children (`processes.Process`), and the next lab to start sweeps the directory (`directories.sweep`).

It has one thread, as the kernel ties that death signal to the thread that started the child.
"""

import json
import os
import select
import shutil
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from aliquot_lab import directories
from aliquot_lab.processes import Process, ProcessSpec

NOBODY = -1  # as owner: a lab that was started by hand
_LOOK_SECONDS = 1.0
"""Between two starts of a process that ends at once, too."""


class Supervisor:
    """Serves requests until its lab has to go."""

    def __init__(self, directory: Path, owner: int) -> None:
        self._directory = directory
        self._owner = owner
        self._specs: dict[str, ProcessSpec] = {}
        self._running: dict[str, Process] = {}
        self._leaving = False

    def run(self) -> None:
        """Serve until the owner dies, a signal comes or `shutdown` is asked for; then leave nothing behind."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        listener = socket.socket(socket.AF_UNIX)
        os.chdir(self._directory)  # a relative name: paths of sockets are limited to 107 characters
        # It gets its name when it listens: whoever sees it is not refused.
        listener.bind(".control")
        listener.listen(16)
        os.rename(".control", "control")  # noqa: PTH104 - relative, as said
        os.chdir("/")
        try:
            while not self._leaving:
                waiting = [listener.fileno(), wake_read]
                if self._owner != NOBODY:
                    waiting.append(self._owner)
                ready, _, _ = select.select(waiting, [], [], self._until_next_look())
                if self._owner in ready:
                    break
                if listener.fileno() in ready:
                    self._serve(listener)
                self._start_again()
        finally:
            self._clean_up()

    def _until_next_look(self) -> float | None:
        return _LOOK_SECONDS if any(spec.restarts for spec in self._specs.values()) else None

    def _start_again(self) -> None:
        """Start what has ended by itself and is to go on; what was stopped stays so."""
        for name, process in list(self._running.items()):
            if process.spec.restarts and process.exit_code() is not None and not self._leaving:
                self._start(name)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._leave()

    def _leave(self) -> None:
        self._leaving = True

    def _serve(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(30)
            try:
                line = connection.makefile("rb").readline()
                answer = self._answer(json.loads(line))
            except (OSError, ValueError, KeyError, TypeError) as problem:
                answer = {"error": f"{type(problem).__name__}: {problem}"}
            try:
                connection.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:  # the asker is gone; what it asked for is done
                return

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request:
            case {"do": "run", "spec": spec}:
                self._specs[spec["name"]] = ProcessSpec(**spec)
                self._start(spec["name"])
            case {"do": "start", "name": str(name)}:
                self._start(name)
            case {"do": "stop", "name": str(name), "kill": bool(kill)}:
                self._known(name)
                if process := self._running.pop(name, None):
                    process.stop(kill=kill)
            case {"do": "disown"}:
                self._owner = NOBODY
            case {"do": "shutdown"}:
                self._leave()
            case {"do": "processes"}:
                pass
            case _:
                return {"error": f"no such request: {request}"}
        return {"processes": {name: self._state(name) for name in self._specs}}

    def _start(self, name: str) -> None:
        self._known(name)
        running = self._running.get(name)
        if running is None or running.exit_code() is not None:
            # Taken out and put back: the order of this table is the order of starting.
            if (ended := self._running.pop(name, None)) is not None:
                ended.stop()
            self._running[name] = Process(self._specs[name])

    def _known(self, name: str) -> None:
        if name not in self._specs:
            raise KeyError(f"no process {name!r} here, there are: {', '.join(self._specs)}")

    def _state(self, name: str) -> dict[str, int | None]:
        process = self._running.get(name)
        if process is None:
            return {"pid": None, "exit": None}
        code = process.exit_code()
        return {"pid": process.pid if code is None else None, "exit": code}

    def _clean_up(self) -> None:
        for process in reversed(self._running.values()):
            process.stop()
        directories.remove(self._directory)
        # Once more, for a file that an outsider was writing at that moment.
        shutil.rmtree(self._directory, ignore_errors=True)


def main(arguments: list[str]) -> None:
    """Entry point: DIRECTORY OWNER_FD LOCK_FD; the lock is held by being inherited."""
    directory, owner, lock = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    os.set_inheritable(lock, False)
    if owner != NOBODY:
        os.set_inheritable(owner, False)
    Supervisor(directory, owner).run()


if __name__ == "__main__":
    main(sys.argv[1:])
