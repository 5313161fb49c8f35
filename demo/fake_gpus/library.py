"""Builds the fake `libnvidia-ml.so.1` from `nvml/` against NVIDIA's public header, once, into the user's cache."""

import hashlib
import shutil
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

from aliquot_lab import LabError
from aliquot_lab.binaries import cache_root, locked

NAME = "libnvidia-ml.so.1"
SOURCES = Path(__file__).parent / "nvml"
_HEADER_PACKAGE = "nvidia-nvml-dev"
# With that SONAME a process that has loaded the file finds it again when it asks for the name alone, as pynvml does.
FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-fPIC", "-pthread")
_LINK = ("-shared", f"-Wl,-soname,{NAME}", "-Wl,--version-script=exports.map")


def ensure() -> Path:
    """The library, built if the cache does not have it.

    Raises:
        LabError: there is no C compiler or no header, or the build failed.
    """
    compiler, header = find_compiler(), find_header()
    built = _folder(compiler, header) / NAME
    if not built.exists():
        with locked(built.parent):
            if not built.exists():  # nobody else built it while we waited for the lock
                _build(compiler, header, built)
    return built


def find_compiler() -> Path:
    """A C compiler.

    Raises:
        LabError: there is none.
    """
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return Path(found)
    message = "the fake NVML library needs a C compiler, and there is no cc, gcc or clang on PATH (Debian: gcc)"
    raise LabError(message)


def find_header() -> Path:
    """NVIDIA's `nvml.h`, from the Python package that brings it.

    Raises:
        LabError: the package is not installed.
    """
    try:
        files = metadata.files(_HEADER_PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nvml.h" and (header := Path(str(file.locate()))).exists():
            return header
    message = f"the fake NVML library needs nvml.h, which the Python package {_HEADER_PACKAGE} brings: install it"
    raise LabError(message)


def _folder(compiler: Path, header: Path) -> Path:
    """Where in the cache the library is that these sources, this header and this compiler make."""
    digest = hashlib.sha256(repr((FLAGS, _LINK, str(compiler.resolve()))).encode())
    for file in (*_files(), header):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return cache_root() / "fake-nvml" / digest.hexdigest()[:16]


def _files() -> list[Path]:
    return sorted(SOURCES.iterdir())


def _build(compiler: Path, header: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".building-", dir=target.parent) as folder:
        output = Path(folder, NAME)
        sources = [file.name for file in _files() if file.suffix == ".c"]
        command = [str(compiler), *FLAGS, *_LINK, f"-I{header.parent}", "-o", str(output), *sources]
        done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            tail = "\n".join(done.stderr.strip().splitlines()[-15:])
            message = f"building the fake NVML library with {compiler} failed:\n{tail}"
            raise LabError(message)
        output.replace(target)
