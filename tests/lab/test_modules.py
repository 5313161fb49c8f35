"""What is kept of a Go module: programs, and the manifests beside the source; built by a `go` that is a script here."""

import json
import os
import sys
import textwrap
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from aliquot_lab import LabError
from aliquot_lab.binaries import BuildStep, Program
from aliquot_lab.operators.modules import Edit, Module, ensure

CREW = Module(
    path="example.com/crew",
    version="v1.2.0",
    manifests="config",
    programs=(Program("crew", "example.com/crew/cmd/crew", 1), Program("mate", "example.com/crew/cmd/mate", 1)),
    companions=("example.com/boat",),
    edits=(Edit("cmd/crew/main.go", 'port = ":8080"', 'port = ":0"'),),
)


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `go` that serves two modules, and whose programs are their own source; returns its log.

    It fails for the package whose name is in `GO_FAILS`.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GOFLAGS", raising=False)
    archive(
        tmp_path / "crew.zip",
        "example.com/crew@v1.2.0",
        {
            "cmd/crew/main.go": 'const port = ":8080"',
            "cmd/mate/main.go": "the mate",
            "config/crds/crew.yaml": "kind: Crew",
        },
    )
    archive(tmp_path / "boat.zip", "example.com/boat@v0.3.0", {"config/boat.yaml": "kind: Boat", "main.go": "no"})
    about = {
        "example.com/crew@v1.2.0": {
            "Path": "example.com/crew",
            "Version": "v1.2.0",
            "Zip": str(tmp_path / "crew.zip"),
        },
        "example.com/boat": {"Path": "example.com/boat", "Version": "v0.3.0", "Zip": str(tmp_path / "boat.zip")},
    }
    script = f"""\
        #!{sys.executable}
        import json, os, pathlib, shutil, sys
        if sys.argv[1] == "version":
            print("go version go1.26.0 linux/amd64")
            sys.exit()
        asked = sys.argv[-1]
        with open({str(tmp_path / "go.log")!r}, "a") as log:
            print(asked, "in", pathlib.Path.cwd().name, "by", *sys.argv[1:-1], file=log)
            print("workspace:", os.environ.get("GOWORK", "any"), file=log)
        if os.environ.get("GO_FAILS", "nothing") in asked:
            sys.exit("it does not compile")
        if sys.argv[1:3] == ["mod", "download"]:
            print(json.dumps({json.dumps(about)}[asked]))
        else:
            source = pathlib.Path(asked.removeprefix("example.com/crew/"), "main.go")
            shutil.copy(source, sys.argv[sys.argv.index("-o") + 1])
    """
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / "go").write_text(textwrap.dedent(script))
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return tmp_path / "go.log"


def archive(path: Path, root: str, files: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(f"{root}/{name}", content)


def test_programs_and_manifests_are_kept_and_nothing_is_asked_again(go: Path) -> None:
    steps: list[BuildStep] = []
    kept = ensure(CREW, steps.append)
    assert kept.program("mate").read_text() == "the mate"
    assert (kept.manifests("crew") / "crds" / "crew.yaml").read_text() == "kind: Crew"
    assert [file.name for file in kept.manifests("boat").iterdir()] == ["boat.yaml"]
    assert [str(step).partition(" …")[0] for step in steps if step.seconds is None] == ["1/2 crew", "2/2 mate"]
    asked = go.read_text()
    assert ensure(CREW) == kept
    assert go.read_text() == asked


def test_a_companion_is_of_the_version_that_the_module_requires(go: Path) -> None:
    ensure(CREW)
    assert "example.com/boat in crew@v1.2.0" in go.read_text()


def test_the_source_is_changed_before_it_is_built(go: Path) -> None:
    assert ensure(CREW).program("crew").read_text() == 'const port = ":0"'


@pytest.mark.parametrize(
    ("old", "times"), [pytest.param("port = 80", 0, id="missing"), pytest.param("o", 2, id="ambiguous")]
)
def test_a_change_that_does_not_fit_the_source_is_an_error(go: Path, old: str, times: int) -> None:
    module = replace(CREW, edits=(Edit("cmd/crew/main.go", old, ""),))
    with pytest.raises(LabError, match=rf"cmd/crew/main.go has '{old}' {times} times"):
        ensure(module)


def test_a_failed_build_keeps_nothing_and_is_tried_again(
    go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GO_FAILS", "cmd/mate")
    with pytest.raises(LabError, match=r"building mate .*failed:\nit does not compile"):
        ensure(CREW)
    assert not list((tmp_path / "cache").glob("**/crew.yaml"))
    monkeypatch.delenv("GO_FAILS")
    assert ensure(CREW).program("mate").exists()


def test_what_is_changed_is_kept_beside_what_was(go: Path) -> None:
    plain = ensure(replace(CREW, edits=()))
    assert plain != ensure(CREW)
    assert plain.program("crew").read_text() == 'const port = ":8080"'


def test_a_module_is_built_alone_and_with_its_tags(go: Path) -> None:
    """Neither a workspace that its authors develop it in nor manifests are needed."""
    kept = ensure(replace(CREW, manifests="", companions=(), tags=("small", "fast")))
    assert kept.program("mate").exists()
    assert not kept.manifests("crew").exists()
    builds = [part for part in go.read_text().split("example.com/crew/cmd/") if " by build" in part]
    assert len(builds) == 2
    assert all("-tags small,fast" in build and "workspace: off" in build for build in builds)
