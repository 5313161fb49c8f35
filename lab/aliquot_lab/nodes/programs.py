"""What runs on a real node: kubelet, containerd and its helpers, from public Go modules and the distribution."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from aliquot_lab.binaries import Program, Progress, cache_root, ensure, locked
from aliquot_lab.errors import LabError

CONTAINERD: Final = "2.4.2"
CNI_PLUGINS: Final = "1.10.0"
_CONTAINERD: Final = "github.com/containerd/containerd/v2/cmd"
_PLUGINS: Final = "github.com/containernetworking/plugins/plugins"

PROGRAMS: Final = (
    Program("kubelet", "k8s.io/kubernetes/cmd/kubelet", 30),
    Program("containerd", f"{_CONTAINERD}/containerd", 90, CONTAINERD),
    Program("containerd-shim-runc-v2", f"{_CONTAINERD}/containerd-shim-runc-v2", 5, CONTAINERD),
    Program("ctr", f"{_CONTAINERD}/ctr", 10, CONTAINERD),
    Program("ptp", f"{_PLUGINS}/main/ptp", 10, CNI_PLUGINS),
    Program("host-local", f"{_PLUGINS}/ipam/host-local", 5, CNI_PLUGINS),
)
# Neither builds with Go alone.
PACKAGES: Final = {"runc": ("runc", "usr/sbin/runc"), "busybox": ("busybox-static", "bin/busybox")}


@dataclass(frozen=True)
class Programs:
    """Where they are.

    Attributes:
        folder: Those from Go modules; the network plugins, too.
        runc: The runtime of containers.
        busybox: What containers are made of; linked statically.
    """

    folder: str
    runc: str
    busybox: str

    def path(self, name: str) -> str:
        """One of those from Go modules."""
        return f"{self.folder}/{name}"

    def document(self) -> dict[str, str]:
        """As plain values."""
        return asdict(self)


def find(progress: Progress | None = None) -> Programs:
    """Find them, building or fetching those that neither this machine nor the lab's cache has.

    Args:
        progress: Told about programs that have to be built first.

    Raises:
        LabError: one cannot be built, or fetched.
    """
    built = ensure(progress, programs=PROGRAMS)
    folder = built.path("ptp").parent
    runc = shutil.which("runc", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    busybox = shutil.which("busybox")
    if busybox and not _static(Path(busybox)):
        busybox = None
    fetched = _debian() if runc is None or busybox is None else Path()
    return Programs(
        folder=str(folder),
        runc=runc or str(fetched / PACKAGES["runc"][1]),
        busybox=busybox or str(fetched / PACKAGES["busybox"][1]),
    )


def _static(program: Path) -> bool:
    """Whether a program needs no libraries: its first page names no loader."""
    with program.open("rb") as file:
        return b"/ld-" not in file.read(4096)


def _debian() -> Path:
    """The files of the distribution's packages, unpacked in the lab's cache; nothing is installed."""
    names = sorted(package for package, _ in PACKAGES.values())
    digest = hashlib.sha256(repr((names, _release(), platform.machine())).encode()).hexdigest()[:16]
    home = cache_root() / f"packages-{digest}"
    done = home / "complete"
    if not done.exists():
        with locked(home):
            if not done.exists():
                with tempfile.TemporaryDirectory(prefix=".building-", dir=home) as work:
                    unpack(names, Path(work)).rename(done)
    return done


def unpack(packages: list[str], work: Path) -> Path:
    """Fetch packages of the distribution into the folder `work` and unpack them there; returns where.

    Raises:
        LabError: they cannot be fetched; the message says how else.
    """
    # Its lists may be missing: images of machines are often without.
    for command in (["apt-get", "download", *packages], ["apt-get", "update"], ["apt-get", "download", *packages]):
        try:
            done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        except FileNotFoundError as problem:
            raise LabError(_advice(packages, "there is no apt-get")) from problem
        if done.returncode == 0 and "download" in command:
            break
    else:
        raise LabError(_advice(packages, done.stderr.strip()))
    root = work / "made"
    for file in sorted(work.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", str(file), str(root)], check=True)
    return root


def _advice(packages: list[str], problem: str) -> str:
    return f"real nodes need {' and '.join(packages)}: install them on this machine. Fetching them failed: {problem}"


def _release() -> str:
    try:
        return Path("/etc/os-release").read_text()
    except OSError:
        return ""
