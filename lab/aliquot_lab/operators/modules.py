"""Programs of public Go modules, and the manifests that lie beside the source, cached together.

A module is unpacked and built where it lies, so its own `go.mod` says what it is built with. Each set is made under a
temporary name and moved into place when it is complete, under a lock.
"""

import hashlib
import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson

from aliquot_lab.binaries import BuildStep, Program, Progress, cache_root, locked
from aliquot_lab.errors import LabError
from aliquot_lab.go import go_command, run


@dataclass(frozen=True)
class Edit:
    """A change of the source before it is built, for what a program takes from no flag and no variable.

    Attributes:
        file: Path in the module.
        old: Text that must be there exactly once.
        new: What stands there instead.
    """

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Module:
    """What is built and kept of a Go module.

    Attributes:
        path: Of the module.
        version: Of the module.
        programs: What is built, each by its package.
        manifests: The folder with its manifests; empty: there are none.
        companions: Modules among its requirements whose folder `config` is kept, too.
        edits: What is changed before it is built.
        tags: Go's build tags.
    """

    path: str
    version: str
    programs: tuple[Program, ...]
    manifests: str = ""
    companions: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Kept:
    """What is in the cache of one module."""

    folder: Path

    def program(self, name: str) -> Path:
        """The program called `name`."""
        return self.folder / "bin" / name

    def manifests(self, module: str) -> Path:
        """The manifests of the module, or of one of its companions, by the last part of its path."""
        return self.folder / "manifests" / module


def ensure(module: Module, progress: Progress | None = None) -> Kept:
    """Find what is kept of a module; fetch and build it, if it is not there.

    Args:
        module: Which.
        progress: Called before and after each build.

    Raises:
        LabError: Go is missing and cannot be installed, or fetching or building failed.
    """
    home = cache_root() / f"{module.name}-{_digest(module)}"
    done = home / "complete"
    if not done.exists():
        with locked(home):
            # Another process may have made it while we waited for the lock.
            if not done.exists():
                for leftover in home.glob(".building-*"):  # of a build that was killed
                    shutil.rmtree(leftover, ignore_errors=True)
                with tempfile.TemporaryDirectory(prefix=".building-", dir=home) as work:
                    _make(module, Path(work), progress).rename(done)
    return Kept(done)


def _digest(module: Module) -> str:
    programs = [(program.name, program.package) for program in module.programs]
    what: tuple[object, ...] = (
        module.path, module.version, module.manifests, programs, module.companions, module.edits,
        *module.tags,
    )  # fmt: skip
    return hashlib.sha256(repr((what, os.environ.get("GOFLAGS", ""))).encode()).hexdigest()[:16]


def _make(module: Module, work: Path, progress: Progress | None) -> Path:
    go = go_command(cache_root())
    made = work / "made"
    (made / "bin").mkdir(parents=True)
    source = _fetch(go, work, work, f"{module.path}@{module.version}")
    if module.manifests:
        shutil.copytree(source / module.manifests, made / "manifests" / module.name)
    for companion in module.companions:
        fetched = _fetch(go, source, work, companion)  # at the version that the module requires
        shutil.copytree(fetched / "config", made / "manifests" / companion.rpartition("/")[2])
    _edit(source, module.edits)
    for number, program in enumerate(module.programs, start=1):
        if progress:
            progress(BuildStep(number, len(module.programs), program))
        began = time.monotonic()
        output = made / "bin" / program.name
        flags = ["-trimpath", "-ldflags", "-s -w", *(["-tags", ",".join(module.tags)] if module.tags else [])]
        arguments = ["build", *flags, "-o", str(output), program.package]
        # Alone: a workspace that the module is developed in has modules beside it which are not here.
        run(go, arguments, folder=source, what=f"building {program.name} ({program.package})", GOWORK="off")
        if progress:
            progress(BuildStep(number, len(module.programs), program, time.monotonic() - began))
    return made


def _fetch(go: Path, folder: Path, work: Path, module: str) -> Path:
    """Download a module and unpack it below `work`; without a version, the one that the module in `folder` requires."""
    output = run(go, ["mod", "download", "-json", module], folder=folder, what=f"fetching {module}")
    about = cast("dict[str, Any]", orjson.loads(output))
    # The archive and not the unpacked module, whose files and folders are read-only.
    with zipfile.ZipFile(about["Zip"]) as archive:
        archive.extractall(work / "sources")
    return work / "sources" / f"{about['Path']}@{about['Version']}"


def _edit(source: Path, edits: Iterable[Edit]) -> None:
    for edit in edits:
        file = source / edit.file
        text = file.read_text()
        if text.count(edit.old) != 1:
            message = f"{edit.file} has {edit.old!r} {text.count(edit.old)} times, and not once"
            raise LabError(message)
        file.write_text(text.replace(edit.old, edit.new))
