"""The programs of the lab: upstream's own, built once from public Go modules into a cache outside the checkout.

A finished cache folder holds every program; a second start builds nothing. Each program is built under a temporary
name and moved into place when complete, under a lock, so that neither a kill nor a second process leaves half a file.
Programs found in the folder that `KUBEBUILDER_ASSETS` names are used as they are.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aliquot_lab.errors import LabError
from aliquot_lab.go import go_command, run

KUBERNETES = "1.37.2"
KWOK = "0.8.0"
HELM = "4.3.1"

_MAJOR, _MINOR, _ = KUBERNETES.split(".")
_VERSION_FLAGS = " ".join(
    f"-X k8s.io/component-base/version.{name}={value}"
    for name, value in (
        ("gitVersion", f"v{KUBERNETES}"),
        ("gitMajor", _MAJOR),
        ("gitMinor", _MINOR),
        ("gitTreeState", "clean"),
    )
)


@dataclass(frozen=True)
class Program:
    """One program and how it is built.

    Attributes:
        name: File name of the program.
        package: Go package of its `main`.
        version: Module version for `go install`; None builds at the version in `kubernetes/go.mod`.
        usual_seconds: Build time measured on two quiet cores with cold caches.
    """

    name: str
    package: str
    usual_seconds: int
    version: str | None = None

    def arguments(self, output: Path) -> list[str]:
        """The `go` command line that leaves the program in the folder `output` (`go install`) or file (`go build`)."""
        if self.version is not None:
            return ["install", "-trimpath", "-ldflags", "-s -w", f"{self.package}@v{self.version}"]
        return ["build", "-trimpath", "-ldflags", f"-s -w {_VERSION_FLAGS}", "-o", str(output), self.package]


PROGRAMS = (
    Program("etcd", "go.etcd.io/etcd/server/v3", 30),
    Program("kubectl", "k8s.io/kubernetes/cmd/kubectl", 55),
    Program("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", 280),
    Program("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", 85),
    Program("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", 10),
    Program("kwok", "sigs.k8s.io/kwok/cmd/kwok", 105, KWOK),
    Program("helm", "helm.sh/helm/v4/cmd/helm", 155, HELM),
)


@dataclass(frozen=True)
class BuildStep:
    """Progress: program `number` of `total` is being built (`seconds` None) or is finished after `seconds`."""

    number: int
    total: int
    program: Program
    seconds: float | None = None

    def __str__(self) -> str:
        head = f"{self.number}/{self.total} {self.program.name}"
        if self.seconds is None:
            return f"{head} … {self.program.usual_seconds} s usually"
        return f"{head} built in {self.seconds:.0f} s"


Progress = Callable[[BuildStep], None]


@dataclass(frozen=True)
class Binaries:
    """Where each program is."""

    paths: dict[str, Path]

    def path(self, name: str) -> Path:
        """The program called `name`."""
        return self.paths[name]


def ensure(
    progress: Progress | None = None,
    *,
    only: Collection[str] | None = None,
    programs: Sequence[Program] = PROGRAMS,
) -> Binaries:
    """Find the programs, building those that neither `KUBEBUILDER_ASSETS` nor the cache has.

    Args:
        progress: Called before and after each build.
        only: Names of the programs that are needed; None is all.
        programs: The set they are of, which has a cache folder of its own.

    Raises:
        LabError: Go is missing and cannot be installed, `KUBEBUILDER_ASSETS` names no folder, or a build failed.
    """
    assets = _assets(programs)
    cached = _cache_folder(programs) / "bin"
    paths: dict[str, Path] = {}
    missing: list[Program] = []
    for program in programs:
        if only is not None and program.name not in only:
            continue
        if program.name in assets:
            paths[program.name] = assets[program.name]
            continue
        paths[program.name] = cached / program.name
        if not paths[program.name].exists():
            missing.append(program)
    if missing:
        with locked(cached):
            # Another process may have built some of them while we waited for the lock.
            _build([program for program in missing if not (cached / program.name).exists()], cached, progress)
    return Binaries(paths)


def _assets(programs: Sequence[Program]) -> dict[str, Path]:
    value = os.environ.get("KUBEBUILDER_ASSETS")
    if not value:
        return {}
    folder = Path(value)
    if not folder.is_dir():
        message = (
            f"KUBEBUILDER_ASSETS={value} is not a folder; unset it, or let it name a folder of Kubernetes programs"
        )
        raise LabError(message)
    return {program.name: folder / program.name for program in programs if os.access(folder / program.name, os.X_OK)}


def cache_root() -> Path:
    """The lab's own folder in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aliquot" / "lab"


def _cache_folder(programs: Sequence[Program]) -> Path:
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((_modules() / name).read_bytes())
    for program in programs:
        digest.update(repr((program.name, *program.arguments(Path("OUT")))).encode())
    digest.update(os.environ.get("GOFLAGS", "").encode())
    return cache_root() / digest.hexdigest()[:16]


def _modules() -> Path:
    """The folder with `go.mod`: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parent
    for folder in (package.parent / "kubernetes", package / "kubernetes"):
        if (folder / "go.mod").exists():
            return folder
    message = f"the lab's kubernetes/go.mod is missing beside {package}"
    raise LabError(message)


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Hold the lock of a folder of the cache, which is made if there is none: one process builds at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(programs: list[Program], target: Path, progress: Progress | None) -> None:
    if not programs:
        return
    # Left by a build that was killed; we hold the lock, so nobody is using them.
    for leftover in target.glob(".building-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    go = go_command(cache_root())
    for number, program in enumerate(programs, start=1):
        if progress:
            progress(BuildStep(number, len(programs), program))
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=".building-", dir=target) as folder:
            output = Path(folder, program.name)
            what = f"building {program.name} ({program.package})"
            run(go, program.arguments(output), folder=_modules(), what=what, GOBIN=folder)
            output.replace(target / program.name)
        if progress:
            progress(BuildStep(number, len(programs), program, time.monotonic() - began))
