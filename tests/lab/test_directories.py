"""Lab directories: which are alive, and what a sweep removes. No Kubernetes."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from aliquot_lab import LabError, directories
from aliquot_lab.processes import eventually, started_at
from aliquot_lab.supervision import Owner


@pytest.fixture(autouse=True)
def own_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labs of this test only: a sweep must not see others."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))


@pytest.fixture
def sleeper() -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import signal; print(flush=True); signal.pause()"], stdout=-1)
    assert process.stdout
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("name", ["", "Upper", "-a", "a-", "a/b", "..", "a" * 64, "ä"])
def test_a_name_that_is_no_dns_label_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="allowed are"):
        directories.named(name)


def test_a_new_directory_is_alive_as_long_as_its_lock_is_held() -> None:
    directory, lock = directories.create(None)
    assert directories.alive(directory)
    assert directories.sweep() == []
    os.close(lock)
    assert not directories.alive(directory)
    assert directories.sweep() == [directory]
    assert not directory.exists()


def test_a_directory_is_for_its_owners_eyes_only() -> None:
    for path in (None, directories.named("mine")):
        directory, lock = directories.create(path)
        assert directory.stat().st_mode & 0o777 == 0o700
        os.close(lock)


def test_a_name_is_given_once_at_a_time() -> None:
    path = directories.named("x")
    _, lock = directories.create(path)
    with pytest.raises(LabError, match="is running or starting"):
        directories.create(path)
    os.close(lock)
    # Dead now: the next one sweeps it away and takes the name.
    directory, again = directories.create(path)
    assert directory == path
    os.close(again)


def test_a_directory_without_a_lock_is_left_alone_while_it_may_still_be_in_creation() -> None:
    young, old = (directories.named(name) for name in ("young", "old"))
    for path in (young, old):
        path.mkdir(parents=True)
    os.utime(old, (0, 0))
    assert directories.sweep() == [old]
    assert young.exists()


def test_a_lock_held_by_another_process_counts(tmp_path: Path) -> None:
    directory, lock = directories.create(None)
    read, write = os.pipe()
    holder = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=read, pass_fds=(lock,))
    os.close(read)
    os.close(lock)
    assert directories.alive(directory)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    os.close(write)
    assert not directories.alive(directory)


def test_removing_a_directory_kills_the_processes_that_are_marked_with_it() -> None:
    directory, lock = directories.create(None)
    environment = {**os.environ, directories.MARK: str(directory)}
    process = subprocess.Popen(["sleep", "3600"], env=environment, start_new_session=True)
    assert eventually(lambda: directories.marked(directory) == [process.pid], seconds=120)
    os.close(lock)
    directories.sweep()
    assert process.wait() == -signal.SIGKILL
    assert not directory.exists()


def test_only_directories_of_labs_are_found(tmp_path: Path) -> None:
    (tmp_path / "tmp" / "something-else").mkdir()
    (tmp_path / "tmp" / "aliquot-lab-file").touch()
    temporary, first = directories.create(None)
    by_hand, second = directories.create(directories.named("a"))
    assert set(directories.all_directories()) == {temporary, by_hand}
    os.close(first)
    os.close(second)


def test_a_lock_that_cannot_be_taken_is_given_back(tmp_path: Path) -> None:
    directory, lock = directories.create(None)
    for _ in range(3):  # looking must neither take the lock nor leak a descriptor
        directories.alive(directory)
    with (directory / "alive").open("r+") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)


def test_a_process_is_named_by_its_id_and_its_start(sleeper: subprocess.Popen[bytes]) -> None:
    owner = Owner(sleeper.pid, started_at(sleeper.pid))
    os.close(owner.open())
    with pytest.raises(LabError, match="is gone"):
        Owner(sleeper.pid, owner.started + 1).open()  # the same id, another process
    sleeper.kill()
    sleeper.wait()
    with pytest.raises(LabError, match="is gone"):
        owner.open()


def test_the_start_of_a_process_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ProcessLookupError):
        started_at(2**22 + 1)
