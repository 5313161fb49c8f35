"""Process 1 of a real node: mounts, containerd, the kubelet; reaps what others leave.

`python -m aliquot_lab.nodes.init FOLDER`, in namespaces of its own. Whatever of the two programs ends is started again.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aliquot_lab import cgroups
from aliquot_lab.nodes.machine import HOLD, KUBELET_LOG, SOCKET, Machine

_HERE: Final = Path("/var/lib")
_TICK: Final = 0.1
_START_SECONDS: Final = 120.0


def main(arguments: list[str]) -> None:
    """Entry point: the folder of the node."""
    folder = Path(arguments[0])
    machine = Machine.read(folder)
    socket.sethostname(machine.name)
    _mount(folder)
    containerd = [machine.programs.path("containerd"), "--config=/var/lib/containerd.toml"]
    running: dict[str, int] = {"containerd": _spawn(containerd, "log/containerd.log")}
    _import_images(machine.programs.path("ctr"))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    starts: dict[str, Callable[[], int]] = {
        "containerd": lambda: _spawn(containerd, "log/containerd.log"),
        "kubelet": lambda: _spawn(machine.kubelet_arguments(), KUBELET_LOG),
    }
    while True:
        for name, start in starts.items():
            if name not in running and not (name == "kubelet" and (_HERE / HOLD).exists()):
                running[name] = start()
        signal.sigtimedwait({signal.SIGCHLD}, _TICK)
        ended = _reap()
        running = {name: pid for name, pid in running.items() if pid not in ended}


def _mount(folder: Path) -> None:
    """Make it look like a machine of its own, with the folders that its programs have everywhere."""
    groups = cgroups.hierarchies()
    _run("mount", "-t", "proc", "proc", "/proc")
    _run("mount", "-t", "sysfs", "sysfs", "/sys")
    _run("mount", "-t", "tmpfs", "tmpfs", str(cgroups.ROOT))
    for name in groups:
        place = cgroups.ROOT / name
        place.mkdir()
        _run("mount", "-t", "cgroup", "-o", name if name != "systemd" else "none,name=systemd", "cgroup", str(place))
    for inner, place in (("run", "/run"), ("log", "/var/log"), (".", str(_HERE))):
        _run("mount", "--bind", str(folder / inner), place)
    _run("mount", "--make-rshared", "/")


def _import_images(ctr: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    version = [ctr, "--address", SOCKET, "version"]
    while subprocess.run(version, capture_output=True, check=False).returncode != 0:
        if time.monotonic() > deadline:
            sys.exit(f"containerd did not answer within {_START_SECONDS:.0f} s")
        time.sleep(_TICK)
    _run(ctr, "--address", SOCKET, "--namespace", "k8s.io", "images", "import", str(_HERE / "images.tar"))


def _spawn(arguments: list[str], log: str) -> int:
    """Start a program and return its process id; not by `subprocess`, which reaps what it starts itself."""
    with (_HERE / log).open("ab") as file:
        return os.posix_spawn(
            arguments[0],
            arguments,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, file.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, file.fileno(), 2),
            ],
            # Neither what we wait for nor what Python ignores is for them.
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
        )


def _reap() -> set[int]:
    """Take notice of every process that has ended: the orphans of a node are ours."""
    ended: set[int] = set()
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.add(pid)


def _run(*arguments: str) -> None:
    subprocess.run(arguments, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
