"""Backups: made while it is served, and a control plane that is what it was when they were made."""

import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from aliquot.cli.main import app
from aliquot_lab.postgresql import binaries, postgresql
from tests.controlplane.plane import Caller, Process, serving

PROJECTS = "/api/v1/org-unit/projects"


def _command(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["control-plane", *map(str, arguments)])


def _done(*arguments: object) -> None:
    done = _command(*arguments)
    assert done.exit_code == 0, done.output


def _project(admin: Caller, cluster: str, name: str) -> dict[str, Any]:
    return admin.done("POST", PROJECTS, {"name": name, "clusterId": cluster, "resources": [{"gpu": {"deserved": 1}}]})


def _names(admin: Caller) -> set[str]:
    return {each["name"] for each in admin.done("GET", PROJECTS, limit=500)["projects"]}


def _signed_in(process: Process, http: httpx.Client, printed: dict[str, str]) -> Caller:
    return process.administrator(http, printed["password"])


def test_what_was_answered_before_a_backup_is_there_after_it_is_restored(tmp_path: Path) -> None:
    file, copy = tmp_path / "aliquot.db", tmp_path / "copy.db"
    database = f"sqlite:///{file}"
    with serving(database, tmp_path) as process, process.http as http:
        printed, port = process.printed, process.address.rpartition(":")[2]
        admin = _signed_in(process, http, printed)
        cluster = admin.done("POST", "/api/v1/clusters", {"name": "c1"})["uuid"]
        answered, enough, over = list[str](), threading.Event(), threading.Event()

        def write() -> None:
            for number in range(500):
                answered.append(_project(admin, cluster, f"p{number}")["name"])
                if number == 5:
                    enough.set()
                if over.is_set():
                    return

        writing = threading.Thread(target=write)
        writing.start()
        try:
            assert enough.wait(600)
            before = set(answered)
            _done("backup", copy, "--database", database)
            after = _names(admin)
        finally:
            over.set()
            writing.join()
        _project(admin, cluster, "later")
        refused = _command("restore", copy, "--database", database, "--replace")
        assert (refused.exit_code, "stop it first" in refused.output) == (1, True), refused.output
        assert "later" in _names(admin), "which changed nothing"
        process.kill()  # leaves a journal, which must not be taken for the copy's
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.glob("copy*")) == ["copy.db"]
    _done("restore", copy, "--database", database, "--replace")
    with serving(database, tmp_path, "--port", port) as process, process.http as http:
        assert process.printed == {}
        admin = Caller(http, "localhost", admin.token)
        assert before <= _names(admin) <= after, "a token from before counts, and so does all that was answered"
        assert "later" not in _names(admin)
        _signed_in(process, http, printed)
        _project(admin, cluster, "again")


def test_a_copy_makes_a_database_elsewhere_and_a_damaged_one_anew(tmp_path: Path) -> None:
    file, copy, other = tmp_path / "aliquot.db", tmp_path / "copy.db", tmp_path / "other.db"
    with serving(f"sqlite:///{file}", tmp_path) as process:
        printed = process.printed
        _done("backup", copy, "--database", f"sqlite:///{file}")
    other.write_bytes(b"not a database any more" * 1000)
    _done("restore", copy, "--database", f"sqlite:///{other}", "--replace")
    _done("restore", copy, "--database", f"sqlite:///{tmp_path}/third.db")
    for name in ("other", "third"):
        with serving(f"sqlite:///{tmp_path}/{name}.db", tmp_path) as process, process.http as http:
            assert _signed_in(process, http, printed).done("GET", "/api/v1/clusters") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("backup", "{copy}", "--database", "sqlite:///{folder}/none.db"), "there is no database"),
        (("backup", "{database}", "--database", "sqlite:///{database}"), "that is not there yet"),
        (("backup", "{folder}/no/such.db", "--database", "sqlite:///{database}"), "No such file"),
        (("backup", "{copy}", "--database", "postgresql://me:hush@db/aliquot"), "pg_dump"),
        (("backup", "{copy}", "--database", "sqlite:///{text}"), "no database of Aliquot"),
        (("restore", "{text}", "--database", "sqlite:///{copy}"), "no database of Aliquot"),
        (("restore", "{half}", "--database", "sqlite:///{copy}"), "{half}"),
        (("restore", "{folder}/none.db", "--database", "sqlite:///{copy}"), "No such file"),
        (("restore", "{database}", "--database", "sqlite:///{text}"), "--replace"),
        (("restore", "{database}", "--database", "postgresql://me:hush@db/aliquot"), "pg_dump"),
    ],
    ids=lambda each: each if isinstance(each, str) else each[0],
)
def test_what_cannot_be_copied_is_refused_and_nothing_is_left(
    tmp_path: Path, made_database: Path, arguments: tuple[str, ...], says: str
) -> None:
    whole = made_database.read_bytes()
    files = {name: tmp_path / f"{name}.db" for name in ("database", "copy", "text", "half")}
    files["database"].write_bytes(whole)
    files["text"].write_text("hello")
    files["half"].write_bytes(whole[: len(whole) // 2])
    before = sorted(tmp_path.iterdir())
    places = {**files, "folder": tmp_path}
    done = _command(*(each.format(**places) for each in arguments))
    assert done.exit_code == 1
    assert says.format(**places) in done.output
    assert "hush" not in done.output
    assert "Traceback" not in done.output
    assert sorted(tmp_path.iterdir()) == before
    assert (files["text"].read_text(), files["database"].read_bytes()) == ("hello", whole)


@pytest.fixture(scope="module")
def made_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in one file."""
    folder = tmp_path_factory.mktemp("made")
    with serving(f"sqlite:///{folder}/aliquot.db", folder):
        _done("backup", folder / "copy.db", "--database", f"sqlite:///{folder}/aliquot.db")
    return folder / "copy.db"


def test_postgresql_is_copied_and_restored_by_its_own_programs(tmp_path: Path) -> None:
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server on this machine")
    copy = tmp_path / "aliquot.dump"
    with postgresql() as url:
        with serving(url, tmp_path) as process, process.http as http:
            printed = process.printed
            admin = _signed_in(process, http, printed)
            cluster = admin.done("POST", "/api/v1/clusters", {"name": "c1"})["uuid"]
            _project(admin, cluster, "before")
            _run(programs / "pg_dump", "--format=custom", f"--file={copy}", url)
            _project(admin, cluster, "later")
        _run(programs / "pg_restore", "--clean", "--if-exists", "--single-transaction", f"--dbname={url}", copy)
        with serving(url, tmp_path) as process, process.http as http:
            assert process.printed == {}
            admin = _signed_in(process, http, printed)
            assert _names(admin) == {"before"}
            _project(admin, cluster, "again")


def _run(program: Path, *arguments: object) -> None:
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
