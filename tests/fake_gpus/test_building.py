"""How the fake NVML library is built, and what is said when it cannot be."""

import subprocess
import sys
from pathlib import Path

import pytest

from aliquot_lab import LabError
from demo.fake_gpus import library


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_it_is_built_once_into_the_cache(cache: Path) -> None:
    built = library.ensure()
    assert built.name == "libnvidia-ml.so.1"
    assert built.is_relative_to(cache)
    made = built.stat().st_mtime_ns
    assert library.ensure() == built
    assert built.stat().st_mtime_ns == made
    assert {path.name for path in built.parent.iterdir()} == {"libnvidia-ml.so.1", ".lock"}


def test_a_process_that_has_loaded_it_finds_it_by_name(fake_library: Path) -> None:
    program = "import ctypes, sys; ctypes.CDLL(sys.argv[1]); ctypes.CDLL('libnvidia-ml.so.1').nvmlInitWithFlags"
    subprocess.run([sys.executable, "-c", program, str(fake_library)], check=True)


def test_without_a_compiler_it_says_so(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(cache))
    with pytest.raises(LabError, match="needs a C compiler, and there is no cc, gcc or clang on PATH"):
        library.ensure()


def test_without_the_header_it_says_which_package_brings_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_HEADER_PACKAGE", "aliquot-no-such-package")
    with pytest.raises(LabError, match=r"needs nvml\.h, which the Python package aliquot-no-such-package brings"):
        library.ensure()


def test_what_the_compiler_says_is_told(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.c").write_text("int nvmlInit(;\n")
    monkeypatch.setattr(library, "SOURCES", tmp_path)
    with pytest.raises(LabError, match=r"(?s)building the fake NVML library with .* failed:.*broken\.c"):
        library.ensure()
    assert list(cache.rglob("libnvidia-ml.so.1")) == []
