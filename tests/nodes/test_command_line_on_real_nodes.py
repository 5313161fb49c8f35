"""The program `aliquot` with containers that really run: S30 to S32, what they print, shells in them, their ports."""

import re
import socket
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from aliquot_lab.nodes.images import BUSYBOX
from tests.support.arena import Arena
from tests.support.program import Program, Running

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("real-nodes")]

IMAGE: Final = ("-i", BUSYBOX, "--image-pull-policy", "Never", "--cpu", "0.01", "--memory", "10Mi", "-g", "1")
WEB: Final = "mkdir -p /www && hostname > /www/index.html && httpd -f -p 80 -h /www & wait"
ECHO: Final = "nc -ll -p 7 -e cat & wait"
ENDS_BY_SIGNAL: Final = "trap exit TERM; "


@pytest.fixture
def aliquot(arena: Arena, tmp_path: Path) -> Program:
    """The program, for a project of the test's own."""
    arena.project("a", deserved=4)
    return Program(arena.lab.kubeconfig, tmp_path, f"{arena.name}-a")


def until(arena: Arena, aliquot: Program, job: str, phase: str) -> None:
    """Wait until a job is in a phase; a process for each look would take longer than all the rest."""
    namespace = f"runai-{aliquot.project}"
    kinds = [arena.path(namespace, kind=kind) for kind in ("TrainingWorkload", "InteractiveWorkload")]

    def there() -> bool:
        found = [each.get("status", {}) for path in kinds for each in arena.get(path)["items"]]
        return any((each.get("jobName"), each.get("phase")) == (job, phase) for each in found)

    arena.until(there, f"{job} to be {phase}")


def until_printed(arena: Arena, aliquot: Program, pod: str, text: str) -> None:
    namespace = f"runai-{aliquot.project}"
    arena.until(lambda: text in arena.lab.kubectl("logs", "-n", namespace, pod), f"{pod} to print {text}")


def status(aliquot: Program, job: str) -> str:
    """The status of a job as `list` has it; empty: there is no such job."""
    rows = [line.split() for line in aliquot.said("list").splitlines()]
    return next((row[1] for row in rows if row[0] == job), "")


def shell(script: str) -> Sequence[str]:
    return ("--command", "--", "sh", "-c", ENDS_BY_SIGNAL + script)


def test_s30_train(arena: Arena, aliquot: Program) -> None:
    script = "echo one; echo two; echo three; until test -e /tmp/go; do sleep 0.1; done; echo four"
    aliquot.said("submit", "train1", *IMAGE, *shell(script))
    until(arena, aliquot, "train1", "Running")
    until_printed(arena, aliquot, "train1-0-0", "three")
    assert aliquot.said("logs", "train1") == "one\ntwo\nthree\n"
    assert aliquot.said("logs", "train1", "--tail", "1", "--since", "2h") == "three\n"
    stamped = aliquot.said("logs", "train1", "--timestamps", "--since-time", "2026-01-01T00:00:00Z").splitlines()
    assert [re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|\+\d\d:\d\d) ", "", line) for line in stamped] == [
        "one",
        "two",
        "three",
    ]
    with aliquot.running("logs", "train1", "-f", "--tail", "1") as followed:
        assert followed.line() == "three"
        aliquot.said("exec", "train1", "--", "touch", "/tmp/go")
        assert (followed.line(), followed.ends()) == ("four", 0)
    until(arena, aliquot, "train1", "Completed")
    listed = aliquot.said("list").splitlines()[-1]
    assert listed.split()[:2] == ["train1", "Succeeded"]
    assert "- (1.00)" in listed, "it asked for one"
    assert aliquot.said("logs", "train1", "--tail", "1") == "four\n"
    assert aliquot.said("delete", "train1") == "Job train1 deleted successfully.\n"
    gone = aliquot.run("logs", "train1")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.startswith(f"aliquot: job train1 does not exist in project {aliquot.project}")


def test_s31_build(arena: Arena, aliquot: Program) -> None:
    """As the guide to it has it, in the older spelling."""
    older = ("--command", "sleep", "--args", "infinity")
    done = aliquot.run("submit", "build1", *IMAGE, "--interactive", *older)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "The job 'build1' has been submitted successfully")
    until(arena, aliquot, "build1", "Running")
    with aliquot.at_terminal("bash", "build1", rows=33, columns=123) as terminal:
        terminal.type("tty; echo $((6 * 7)) of them\n")
        assert "/dev/pts/" in terminal.until("42 of them")
        terminal.type("until test \"$(stty size)\" = '33 123'; do sleep 0.1; done; echo as large as $((30 + 3))\n")
        terminal.until("as large as 33")
        terminal.type("exit 7\n")
        assert terminal.ends() == 7
    assert aliquot.run("exec", "build1", "--", "sh", "-c", "echo no >&2; exit 3").returncode == 3
    typed = aliquot.run("exec", "build1", "-i", "--", "tr", "a-z", "A-Z", typed="loud\n")
    assert (typed.returncode, typed.stdout) == (0, "LOUD\n")
    missing = aliquot.run("exec", "build1", "--", "no-such-program")
    assert missing.returncode != 0
    assert missing.stderr.startswith("aliquot: ")
    assert "no-such-program" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert status(aliquot, "build1") == "Running", "it never finishes by itself"


def test_attaching_to_what_a_job_runs(arena: Arena, aliquot: Program) -> None:
    script = 'echo ready; while read line && test "$line" != bye; do echo "heard $line"; done; echo ends'
    aliquot.said("submit", "chat", *IMAGE, "--interactive", "--stdin", *shell(script))
    until(arena, aliquot, "chat", "Running")
    until_printed(arena, aliquot, "chat-0-0", "ready")
    with aliquot.running("attach", "chat", "--no-tty") as attached:
        assert attached.complaint() == "Connecting to pod chat-0-0"
        attached.type("hello\n")
        assert attached.line() == "heard hello"
        attached.type("bye\n")
        assert (attached.line(), attached.ends()) == ("ends", 0)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=120) as answer:
        return str(answer.read().decode())


def forwarded(program: Running) -> int:
    """The port here that the next line tells of."""
    found = re.fullmatch(r"Forwarding from 127\.0\.0\.1:(\d+) -> \d+", program.line())
    assert found is not None
    return int(found[1])


def test_s32_ports(arena: Arena, aliquot: Program) -> None:
    """With the very output of cluster-api.md 7.3."""
    port = free_port()
    words = ("--interactive", "--service-type", "portforward", "--port", f"{port}:80", *shell(WEB))
    with aliquot.running("submit", "nginx-test", *IMAGE, *words) as program:
        assert [program.line() for _ in range(5)] == [
            "The job 'nginx-test' has been submitted successfully",
            f"You can run `aliquot describe job nginx-test -p {aliquot.project}` to check the job status",
            "Waiting for pod to start running...",
            f"Open access point(s) to service from localhost:{port}",
            f"Forwarding from 127.0.0.1:{port} -> 80",
        ]
        assert re.fullmatch(r"INFO\[\d{4}\] Job started", program.complaint())
        arena.until(lambda: _answers(port), "the server in the container to listen")
        with ThreadPoolExecutor(20) as readers:
            assert set(readers.map(page, [port] * 40)) == {"nginx-test-0-0\n"}
        assert program.interrupt() == 0
    with socket.create_server(("127.0.0.1", port)):
        pass
    assert status(aliquot, "nginx-test") == "Running"
    aliquot.said("delete", "nginx-test")


def _answers(port: int) -> bool:
    try:
        return bool(page(port))
    except OSError:
        return False


def test_ports_of_a_job_that_runs(arena: Arena, aliquot: Program) -> None:
    aliquot.said("submit", "echo1", *IMAGE, "--interactive", *shell(ECHO))
    until(arena, aliquot, "echo1", "Running")
    sent = b"0123456789abcdef" * 2**16
    with aliquot.running("port-forward", "echo1", "--port", ":7,:8") as program:
        assert re.fullmatch(r"Open access point\(s\) to service from localhost:\d+, localhost:\d+", program.line())
        echo, nobody = forwarded(program), forwarded(program)
        taken = aliquot.run("port-forward", "echo1", "--port", f"{echo}:7")
        assert (taken.returncode, taken.stdout) == (2, "")
        assert taken.stderr.startswith(f"aliquot: --port: '{echo}:7' is not allowed: a port that is free on 127.0.0.1")
        with socket.create_connection(("127.0.0.1", nobody)) as connection:
            assert connection.recv(1) == b""
        assert program.complaint() == "aliquot: port 8 of pod echo1-0-0 takes no connection: connection refused"
        arena.until(lambda: _echoed(echo, b"x") == b"x", "the server in the container to listen")
        with ThreadPoolExecutor(4) as speakers:
            assert set(speakers.map(_echoed, [echo] * 4, [sent] * 4)) == {sent}
        aliquot.said("delete", "echo1")
        namespace = f"runai-{aliquot.project}"
        arena.until(lambda: not arena.pods(namespace), "its pod to be gone")
        assert _echoed(echo, b"x") == b""
        assert program.ends() == 1
        said = program.process.stderr.read() if program.process.stderr is not None else ""
        assert said.splitlines()[-1] == 'aliquot: refused (job echo1): pods "echo1-0-0" not found'


def _echoed(port: int, sent: bytes) -> bytes:
    """What comes back once nothing more is sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection, ThreadPoolExecutor(1) as sender:
        sending = sender.submit(_speak, connection, sent)
        found = b""
        while len(found) < len(sent) and (more := connection.recv(2**16)):
            found += more
        sending.result()
        return found


def _speak(connection: socket.socket, sent: bytes) -> None:
    try:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the other side has ended it
