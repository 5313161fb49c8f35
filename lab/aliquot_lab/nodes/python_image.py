"""An image with Python and some packages, made of what this very process runs on.

The interpreter, its libraries and the packages are copied to where they are here, so containers run just what the tests
run, and nothing is fetched. Below them is busybox, for a shell.
"""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path, PurePosixPath
from typing import Final

from aliquot_lab.errors import LabError
from aliquot_lab.nodes import images
from aliquot_lab.nodes.images import Image

_APP: Final = "app"
_USER: Final = "65532:65532"
_ENVIRONMENT: Final = {
    "PATH": "/usr/bin:/bin",
    "PYTHONPATH": f"/{_APP}",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
}
_LEFT_OUT: Final = {
    "site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3",
    "__pycache__",
}  # fmt: skip
_COMMAND: Final = """#!/usr/bin/python3
import sys

from {module} import {function}

sys.exit({function}())
"""
# A requirement of a package: its name, its extras, and the extra for which alone it is one.
_REQUIREMENT: Final = re.compile(r"\s*([\w.-]+)\s*(?:\[([^\]]*)\])?")
_EXTRA: Final = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")


def write(
    archive: Path,
    tag: str,
    packages: Sequence[str],
    *,
    busybox: Path,
    sources: Mapping[str, Path] | None = None,
    entrypoint: Sequence[str] = ("python3",),
) -> Path:
    """Write an archive with an image and return its path; see `RealNode.load_image`.

    Its containers run as user 65532 and need no file system that they could write to.

    Args:
        archive: Where.
        tag: Name of the image.
        packages: Distributions that are installed here; what they require comes with them, and so do their commands.
        busybox: The program, linked statically.
        sources: Folders of packages that are installed here by reference only, by their names.
        entrypoint: What runs in its containers unless they say otherwise.

    Raises:
        LabError: a package is not installed here.
    """
    with tempfile.TemporaryDirectory(prefix=f"{archive.name}-", dir=archive.parent) as work:
        shell = images.busybox_layer(Path(work, "shell.tar"), busybox)
        python, installed, own = (Path(work, f"{name}.tar") for name in ("python", "packages", "own"))
        with _Layer(python) as layer:
            layer.interpreter()
        with _Layer(installed) as layer:
            for distribution in closure(packages):
                layer.distribution(distribution)
        with _Layer(own) as layer:
            for name, folder in (sources or {}).items():
                layer.tree(folder, f"{_APP}/{name}")
            for package in packages:
                layer.commands(package)
        image = Image(tag, [shell, python, installed, own], entrypoint, _ENVIRONMENT, _USER)
        return images.write(archive, [image])


def closure(packages: Iterable[str]) -> list[metadata.Distribution]:
    """The distributions of these names and all that they require, as far as it is installed here.

    Raises:
        LabError: one of `packages` is not installed here.
    """
    found: dict[str, metadata.Distribution] = {}
    asked = set[tuple[str, str]]()
    waiting = [(_canonical(name), "") for name in packages]
    for name, _ in waiting:
        if _distribution(name) is None:
            message = f"the Python package {name} is not installed here, so it cannot be put into an image"
            raise LabError(message)
    while waiting:
        name, extra = waiting.pop()
        distribution = _distribution(name)
        if (name, extra) in asked or distribution is None:  # what is not installed is for other machines
            continue
        asked.add((name, extra))
        found[name] = distribution
        waiting += [each for text in distribution.requires or () for each in _required(text, extra)]
    return [found[name] for name in sorted(found)]


def _required(text: str, extra: str) -> list[tuple[str, str]]:
    requirement, _, marker = text.partition(";")
    only = _EXTRA.search(marker)
    match = _REQUIREMENT.match(requirement)
    if match is None or (only is not None and only[1] != extra):
        return []
    extras = [each.strip() for each in (match[2] or "").split(",") if each.strip()]
    return [(_canonical(match[1]), each) for each in ("", *extras)]


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


class _Layer:
    """A layer that is being written: no file twice, and every folder before what is in it."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w")  # noqa: SIM115 - closed by __exit__
        self._there: set[str] = set()
        self._binaries: list[Path] = []

    def __enter__(self) -> "_Layer":
        return self

    def __exit__(self, *_: object) -> None:
        self._libraries()
        self._tar.close()

    def interpreter(self) -> None:
        """The Python of this process."""
        program = Path(sys.executable).resolve()
        self.file(program, str(program))
        self.tree(Path(sysconfig.get_path("stdlib")), sysconfig.get_path("stdlib"))
        link = tarfile.TarInfo("usr/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, str(program)
        self._folders(link.name)
        self._tar.addfile(link)

    def distribution(self, distribution: metadata.Distribution) -> None:
        """The files of an installed package, but for its commands."""
        for file in distribution.files or ():
            if (
                ".." not in file.parts
                and not _LEFT_OUT.intersection(file.parts)
                and file.suffix not in {".pyi", ".pth"}
            ):
                self.file(Path(str(distribution.locate_file(file))), f"{_APP}/{PurePosixPath(file)}")

    def tree(self, folder: Path, place: str) -> None:
        """A folder with everything in it."""
        for above, names, files in os.walk(folder):
            names[:] = sorted(name for name in names if name not in _LEFT_OUT and not name.startswith("config-"))
            for name in sorted(files):
                file = Path(above, name)
                self.file(file, f"{place}/{file.relative_to(folder)}")

    def commands(self, package: str) -> None:
        """The commands of a package."""
        for entry in metadata.distribution(package).entry_points.select(group="console_scripts"):
            text = _COMMAND.format(module=entry.module, function=entry.attr)
            name = f"usr/bin/{entry.name}"
            self._folders(name)
            images.put(self._tar, name, text.encode(), mode=0o755)

    def file(self, file: Path, place: str) -> None:
        """A file, with what Python has compiled of it."""
        place = place.lstrip("/")
        if place in self._there or not file.is_file():
            return
        self._there.add(place)
        self._folders(place)
        entry = self._tar.gettarinfo(file.resolve(), place)
        entry.uid, entry.gid, entry.uname, entry.gname, entry.mode = 0, 0, "", "", entry.mode | 0o444
        with file.open("rb") as content:
            self._tar.addfile(entry, content)
        if file.suffix == ".py":
            compiled = Path(cache_from_source(str(file)))
            self.file(compiled, str(PurePosixPath(place).parent / "__pycache__" / compiled.name))
        elif file.suffix == ".so" or os.access(file, os.X_OK):
            self._binaries.append(file)

    def _folders(self, place: str) -> None:
        for folder in reversed(PurePosixPath(place).parents[:-1]):
            if str(folder) not in self._there:
                self._there.add(str(folder))
                images.put_folder(self._tar, str(folder))

    def _libraries(self) -> None:
        """The libraries of this machine that the binaries in this layer load."""
        if self._binaries:
            command = ["ldd", *map(str, self._binaries)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # it fails for what is a script
            for library in sorted(set(re.findall(r"(/\S+) \(0x", done.stdout))):
                if not Path(library).is_relative_to(sysconfig.get_path("platlib")):
                    self.file(Path(library), library)
