"""The supervisor: processes and directory of a lab end with their owner, however it dies. No Kubernetes."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest

from aliquot_lab import LabError, directories
from aliquot_lab.processes import ProcessSpec, eventually, lives
from aliquot_lab.supervision import Owner, SupervisorClient

SECONDS = 120.0
Launch = Callable[..., tuple[Path, SupervisorClient]]


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Launch]:
    """Starts supervisors of empty labs, where a sweep sees no others."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    launched: list[SupervisorClient] = []

    def start(owner: Owner | None = None) -> tuple[Path, SupervisorClient]:
        directory, lock = directories.create(None)
        client = SupervisorClient.launch(directory, lock, owner or Owner.this_process())
        launched.append(client)
        return directory, client

    yield start
    for client in launched:
        client.shutdown()


def script(directory: Path, name: str, code: str, *, grace: float = SECONDS) -> ProcessSpec:
    """A process that runs `code`, prints `ready` when it likes, and has `pause()`."""
    head = "import os, signal, subprocess, sys\npause = signal.pause\n"
    arguments = [sys.executable, "-u", "-c", head + textwrap.dedent(code)]
    return ProcessSpec(name, arguments, log=str(directory / f"{name}.log"), grace=grace)


SLEEPS = "print('ready'); pause()"


def dies(pid: int) -> bool:
    return eventually(lambda: not lives(pid), seconds=SECONDS)


def ready(spec: ProcessSpec) -> None:
    assert eventually(lambda: "ready" in Path(spec.log).read_text(), seconds=SECONDS)


def test_shutting_down_leaves_no_process_and_no_directory(launch: Launch) -> None:
    directory, supervisor = launch()
    for name in ("first", "second"):
        supervisor.run(script(directory, name, SLEEPS))
    pids = [supervisor.pid, *supervisor.processes().values()]
    assert len(pids) == 3
    supervisor.shutdown()
    assert not directory.exists()
    assert all(dies(pid) for pid in pids)
    supervisor.shutdown()  # once more is fine


def test_a_process_that_is_to_go_on_is_started_again_when_it_ends_and_not_when_it_is_stopped(launch: Launch) -> None:
    directory, supervisor = launch()
    supervisor.run(replace(script(directory, "goes-on", SLEEPS), restarts=True))
    supervisor.run(script(directory, "ends", SLEEPS))
    before = supervisor.processes()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: supervisor.processes().get("goes-on", before["goes-on"]) != before["goes-on"], seconds=60)
    assert "ends" not in supervisor.processes()
    supervisor.stop("goes-on")
    assert not eventually(lambda: bool(supervisor.processes()), seconds=2.5)


def test_processes_are_stopped_in_the_reverse_order_of_their_start(launch: Launch, tmp_path: Path) -> None:
    directory, supervisor = launch()
    order = tmp_path / "order"
    for name in ("a", "b", "c"):
        spec = script(
            directory,
            name,
            f"""
            def leave(*_):
                open({str(order)!r}, "a").write({name!r})
                sys.exit()
            signal.signal(signal.SIGTERM, leave)
            {SLEEPS}
            """,
        )
        supervisor.run(spec)
        ready(spec)
    supervisor.stop("a")
    supervisor.start("a")
    assert eventually(lambda: Path(directory / "a.log").read_text().count("ready") == 2, seconds=SECONDS)
    supervisor.shutdown()
    assert order.read_text() == "a" + "acb"  # stopped once by hand, and so the last to start


def test_a_process_is_stopped_and_started_again_by_name(launch: Launch) -> None:
    directory, supervisor = launch()
    supervisor.run(script(directory, "one", SLEEPS))
    before = supervisor.processes()["one"]
    supervisor.start("one")  # it runs: nothing happens
    assert supervisor.processes() == {"one": before}
    supervisor.stop("one")
    assert supervisor.processes() == {}
    assert not lives(before)
    supervisor.start("one")
    assert supervisor.processes()["one"] != before


def test_a_process_that_ended_by_itself_is_reported_as_gone(launch: Launch) -> None:
    directory, supervisor = launch()
    supervisor.run(script(directory, "short", "pass"))
    assert eventually(lambda: supervisor.processes() == {}, seconds=SECONDS)


def test_a_process_that_will_not_stop_is_killed_with_everything_it_started(launch: Launch) -> None:
    directory, supervisor = launch()
    spec = script(
        directory,
        "stubborn",
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "3600"])
        print(child.pid, "ready")
        pause()
        """,
        grace=0.1,
    )
    supervisor.run(spec)
    ready(spec)
    child = int(Path(spec.log).read_text().split()[0])
    assert lives(child)
    supervisor.stop("stubborn")
    assert dies(child)
    assert supervisor.processes() == {}


def test_a_process_nobody_knows_is_an_error(launch: Launch) -> None:
    directory, supervisor = launch()
    supervisor.run(script(directory, "known", SLEEPS))
    with pytest.raises(LabError, match="no process 'other' here, there are: known"):
        supervisor.stop("other")


def test_a_program_that_is_not_there_is_an_error_and_the_supervisor_goes_on(launch: Launch) -> None:
    directory, supervisor = launch()
    with pytest.raises(LabError, match="FileNotFoundError"):
        supervisor.run(ProcessSpec("missing", ["/no/such/program"], log=str(directory / "log")))
    assert supervisor.processes() == {}


@pytest.fixture
def owner() -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    yield process
    process.kill()
    process.wait()


def owner_of(process: subprocess.Popen[bytes]) -> Owner:
    from aliquot_lab.processes import started_at

    return Owner(process.pid, started_at(process.pid))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_lab_ends_with_its_owner(launch: Launch, owner: subprocess.Popen[bytes], number: signal.Signals) -> None:
    directory, supervisor = launch(owner_of(owner))
    supervisor.run(script(directory, "one", SLEEPS))
    pids = [supervisor.pid, *supervisor.processes().values()]
    owner.send_signal(number)
    assert eventually(lambda: not directory.exists(), seconds=SECONDS)
    assert all(dies(pid) for pid in pids)


def test_a_lab_that_was_disowned_lives_on(launch: Launch, owner: subprocess.Popen[bytes]) -> None:
    directory, supervisor = launch(owner_of(owner))
    supervisor.run(script(directory, "one", SLEEPS))
    supervisor.disown()
    owner.kill()
    owner.wait()
    assert supervisor.processes().keys() == {"one"}
    assert directories.alive(directory)


def test_an_owner_that_is_gone_already_gets_no_lab(launch: Launch, owner: subprocess.Popen[bytes]) -> None:
    gone = owner_of(owner)
    owner.kill()
    owner.wait()
    with pytest.raises(LabError, match="is gone"):
        launch(gone)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_supervisor_that_is_asked_to_go_cleans_up(launch: Launch, number: signal.Signals) -> None:
    directory, supervisor = launch()
    supervisor.run(script(directory, "one", SLEEPS))
    pids = list(supervisor.processes().values())
    os.kill(supervisor.pid, number)
    assert eventually(lambda: not directory.exists(), seconds=SECONDS)
    assert all(dies(pid) for pid in pids)


def test_a_killed_supervisor_takes_its_processes_along_and_the_next_lab_removes_the_rest(launch: Launch) -> None:
    directory, supervisor = launch()
    spec = script(
        directory,
        "one",
        """
        child = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        print(child.pid, "ready")
        pause()
        """,
    )
    supervisor.run(spec)
    ready(spec)
    [process] = supervisor.processes().values()
    child = int(Path(spec.log).read_text().split()[0])
    os.kill(supervisor.pid, signal.SIGKILL)
    assert dies(process)
    assert lives(child)  # it hid in a session of its own
    assert eventually(lambda: not directories.alive(directory), seconds=SECONDS)
    launch()
    assert not directory.exists()
    assert dies(child)


def test_two_labs_do_not_know_each_other(launch: Launch) -> None:
    (first, one), (second, two) = launch(), launch()
    one.run(script(first, "same", SLEEPS))
    two.run(script(second, "same", SLEEPS))
    one.shutdown()
    assert two.processes().keys() == {"same"}
