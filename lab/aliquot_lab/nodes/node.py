"""The handle on a real node."""

import os
import select
import signal
import subprocess
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from aliquot_lab import cgroups
from aliquot_lab.cluster import Cluster
from aliquot_lab.errors import LabError
from aliquot_lab.nodes.machine import HOLD, KUBELET_LOG, SOCKET, Machine
from aliquot_lab.processes import lives
from aliquot_lab.supervision import tail
from aliquot_lab.waiting import wait_for

_SECONDS: Final = 120.0


class RealNode:
    """A node with a kubelet and containers of its own.

    Attributes:
        name: Of its Node.
        ip: Its address, for this machine and for pods.
        machine_ip: The address at which its pods reach this machine.
        folder: Everything of it: what is `/var/lib` on the node.
        kubelet: The kubelet's folder; the sockets of device plugins are in `device-plugins`.
        run: What is `/run` on the node; emptied when it is powered on.
    """

    def __init__(self, cluster: Cluster, machine: Machine) -> None:
        self._cluster = cluster
        self._machine = machine
        self.name = machine.name
        self.ip = machine.ip
        self.machine_ip = machine.addresses.machine
        self.folder = machine.folder
        self.kubelet = machine.folder / "kubelet"
        self.run = machine.folder / "run"

    @property
    def device_plugins(self) -> Path:
        """The folder of the kubelet's device-plugin socket, `kubelet.sock`, and of those of the plugins."""
        return self.kubelet / "device-plugins"

    @property
    def pod_resources(self) -> Path:
        """The socket of the kubelet's pod-resources API."""
        return self.kubelet / "pod-resources" / "kubelet.sock"

    @property
    def process(self) -> str:
        """What the process of this node is called in the lab."""
        return f"node-{self.name}"

    @property
    def powered(self) -> bool:
        """Whether it runs."""
        return self.process in self._cluster.processes()

    def power_off(self) -> None:
        """Cut its power: every process on it is killed at once, and nothing is said to the API server."""
        first = self._first()
        with ExitStack() as ends:
            opened = [ends.enter_context(_opened(pid)) for pid in first]
            self._cluster.stop(self.process, kill=True)
            for end in opened:  # process 1 ends last
                _wait_for_end(end, f"node {self.name}")

    def power_on(self) -> None:
        """Give it power again, and wait until its kubelet answers: its disk is as it was, its memory is empty.

        Raises:
            LabError: it does not in time.
        """
        before = self._listening()
        self._cluster.start(self.process)
        self._wait_for_kubelet(before)

    def stop_kubelet(self) -> None:
        """End its kubelet, and nothing else: its containers go on."""
        (self.folder / HOLD).touch()
        if (pid := self.pid("kubelet")) is not None:
            with _opened(pid) as end:
                signal.pidfd_send_signal(end, signal.SIGTERM)
                _wait_for_end(end, f"the kubelet of {self.name}")

    def start_kubelet(self) -> None:
        """Start its kubelet again, and wait until it answers requests and device plugins.

        Raises:
            LabError: it does not in time.
        """
        before = self._listening()
        (self.folder / HOLD).unlink(missing_ok=True)
        self._wait_for_kubelet(before)

    def restart_kubelet(self) -> None:
        """Stop and start its kubelet."""
        self.stop_kubelet()
        self.start_kubelet()

    def load_image(self, archive: Path) -> None:
        """Import an archive of images (see `images.write`).

        Raises:
            LabError: it was refused.
        """
        socket = self.folder / Path(SOCKET).relative_to("/")
        ctr = self._machine.programs.path("ctr")
        command = [ctr, "--address", str(socket), "--namespace", "k8s.io", "images", "import", str(archive)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            message = f"{archive} was not imported into {self.name}: {done.stderr.strip()}"
            raise LabError(message)

    def logs(self, *, lines: int = 15) -> str:
        """The end of what the node and its kubelet said."""
        files = (self._cluster.log(self.process), self.folder / "log" / "containerd.log", self.folder / KUBELET_LOG)
        return "\n".join(f"{file.name}:\n{tail(file, lines=lines)}" for file in files)

    def wait_ready(self) -> None:
        """Wait until it is Ready and pods may be bound to it.

        Raises:
            LabError: it is not in time, or has ended.
        """
        self._wait(lambda: self.name in self._cluster.ready_nodes(), "Ready")
        self._wait_for_kubelet(None)

    def pid(self, program: str) -> int | None:
        """The process id of its `containerd` or its `kubelet`, if it runs."""
        found = [pid for first in self._first() for pid in _children(first) if _name(pid) == program and lives(pid)]
        return found[0] if found else None

    def processes_in(self, container: str) -> list[int]:
        """The process ids, on this machine, of what runs in a container.

        Args:
            container: Its id, as in a pod's status but without `containerd://`.
        """
        folder = cgroups.ROOT / "memory" / cgroups.group(self._cluster.directory) / self.name
        groups = [file.parent for file in folder.glob(f"**/{container}/**/cgroup.procs")]
        return sorted(pid for group in groups for pid in cgroups.members(group))

    def _wait_for_kubelet(self, before: object) -> None:
        path = f"/api/v1/nodes/{self.name}/proxy/healthz"
        self._wait(lambda: self._listening() not in (None, before), "its socket for device plugins")
        self._wait(lambda: self._cluster.api.answers(path), "its kubelet")

    def _listening(self) -> tuple[int, int] | None:
        """What tells one socket for device plugins from the next: every kubelet makes its own."""
        try:
            found = (self.device_plugins / "kubelet.sock").stat()
        except OSError:
            return None
        return found.st_ino, found.st_ctime_ns

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        try:
            wait_for(condition, f"node {self.name}: {what}", self._cluster, self.process)
        except LabError as problem:
            message = f"{problem}\n{self.logs()}"
            raise LabError(message) from problem

    def _first(self) -> list[int]:
        """The id of its process 1, if it runs."""
        holder = self._cluster.processes().get(self.process)
        return _children(holder) if holder else []


@contextmanager
def _opened(pid: int) -> Generator[int]:
    """A file descriptor of a process, which tells when it has ended."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _wait_for_end(process: int, what: str) -> None:
    if not select.select([process], [], [], _SECONDS)[0]:
        message = f"{what} did not end within {_SECONDS:.0f} s"
        raise LabError(message)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
