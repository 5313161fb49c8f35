"""Finding the lab's programs: in KUBEBUILDER_ASSETS, in the cache, or built by a `go` that is a script here."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from aliquot_lab import LabError, binaries
from aliquot_lab.binaries import PROGRAMS, BuildStep, ensure

Folder = Callable[..., Path]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no programs from elsewhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.delenv("GOFLAGS", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `go` that writes a line per build into its log and makes a file where the program should be.

    It fails for the package whose name is in `GO_FAILS`.
    """
    folder = tmp_path / "path"
    folder.mkdir()
    script = f"""\
        #!{sys.executable}
        import os, pathlib, sys
        if sys.argv[1] == "version":
            print("go version go1.26.0 linux/amd64")
            sys.exit()
        with open({str(tmp_path / "go.log")!r}, "a") as log:
            print(sys.argv[-1], file=log)
        if os.environ.get("GO_FAILS", "nothing") in sys.argv[-1]:
            sys.exit("cannot find module")
        if "-o" in sys.argv:
            target = sys.argv[sys.argv.index("-o") + 1]
        else:
            target = os.environ["GOBIN"] + "/" + sys.argv[-1].partition("@")[0].rpartition("/")[2]
        pathlib.Path(target).touch(mode=0o755)
    """
    (folder / "go").write_text(textwrap.dedent(script))
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "go.log"


def programs(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).touch(mode=0o755)
    return folder


ALL = [program.name for program in PROGRAMS]


def test_programs_given_by_the_user_are_taken_as_they_are(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = programs(tmp_path / "assets", *ALL)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    assert ensure().paths == {name: assets / name for name in ALL}
    assert not cache.exists()


def test_what_the_user_does_not_give_is_built(
    cache: Path, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = programs(tmp_path / "assets", "etcd", "kube-apiserver", "kubectl")
    (assets / "kwok").touch(mode=0o644)  # not executable
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    found = ensure()
    assert found.path("etcd").parent == assets
    assert found.path("kwok").is_relative_to(cache)
    assert len(go.read_text().splitlines()) == len(ALL) - 3


def test_a_folder_of_programs_that_is_none_is_an_error(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "missing"))
    with pytest.raises(LabError, match="is not a folder"):
        ensure()


def test_everything_is_built_once_and_reported_step_by_step(cache: Path, go: Path) -> None:
    steps: list[BuildStep] = []
    found = ensure(steps.append)
    assert list(found.paths) == ALL
    assert all(os.access(path, os.X_OK) for path in found.paths.values())
    assert [(step.program.name, step.seconds is None) for step in steps] == [
        (name, starting) for name in ALL for starting in (True, False)
    ]
    assert str(steps[0]) == f"1/7 etcd … {PROGRAMS[0].usual_seconds} s usually"
    built = go.read_text()
    assert ensure().paths == found.paths
    assert go.read_text() == built


def test_only_what_is_asked_for_is_built(cache: Path, go: Path) -> None:
    assert set(ensure(only=("kwok", "helm")).paths) == {"kwok", "helm"}
    assert len(go.read_text().splitlines()) == 2


def test_a_failed_build_leaves_no_program_and_is_tried_again(
    cache: Path, go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GO_FAILS", "kube-apiserver")
    with pytest.raises(LabError, match=r"building kube-apiserver .*failed:\ncannot find module"):
        ensure()
    assert not list(cache.glob("**/kube-apiserver"))
    assert not list(cache.glob("**/.building-*"))
    monkeypatch.delenv("GO_FAILS")
    ensure()
    assert go.read_text().count("go.etcd.io") == 1  # what was finished before the failure is kept


def test_what_a_killed_build_left_is_swept(cache: Path, go: Path) -> None:
    [folder] = {path.parent for path in ensure(only=("kwok",)).paths.values()}
    (folder / ".building-killed").mkdir()
    (folder / ".building-killed" / "helm").touch()
    ensure()
    assert not (folder / ".building-killed").exists()


def test_processes_that_want_the_same_programs_build_them_once(cache: Path, go: Path) -> None:
    command = [sys.executable, "-c", "from aliquot_lab.binaries import ensure; ensure()"]
    running = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait(300) for process in running] == [0, 0, 0]
    assert len(go.read_text().splitlines()) == len(ALL)


def test_other_build_flags_are_another_cache(cache: Path, go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ensure(only=("kwok",)).path("kwok")
    monkeypatch.setenv("GOFLAGS", "-race")
    assert ensure(only=("kwok",)).path("kwok") != plain


def test_kubernetes_says_its_version(tmp_path: Path) -> None:
    for program in PROGRAMS:
        if program.package.startswith("k8s.io/kubernetes/"):
            assert f"gitVersion=v{binaries.KUBERNETES}" in " ".join(program.arguments(tmp_path))
