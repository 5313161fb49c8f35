"""Ports that are forwarded: how they are typed, which are kept here, and bytes by way of a scripted cluster."""

import re
import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from aliquot.cli.inside.ports import doors, pairs
from aliquot.errors import UserError
from tests.cli.scripted_cluster import ScriptedCluster, serving
from tests.cli.test_inside import KINDS, PODS, raw_pod
from tests.cli.test_jobs_shown import workload
from tests.support.program import Program, Running

TYPED = {
    "both": ("8080:80", (8080, 80)),
    "the same": ("80", (80, 80)),
    "any": (":80", (0, 80)),
    "any, said by number": ("0:80", (0, 80)),
    "the highest": ("65535:65535", (65535, 65535)),
}


@pytest.mark.parametrize(("typed", "ports"), TYPED.values(), ids=TYPED)
def test_a_pair_of_ports(typed: str, ports: tuple[int, int]) -> None:
    [pair] = pairs([typed])
    assert (pair.local, pair.pod) == ports


@pytest.mark.parametrize("typed", ["", "http", "8080:", "1:2:3", "65536", "65536:1", "0", "8080:0", "-1:80", "٣"])
def test_ports_that_make_no_sense(typed: str) -> None:
    with pytest.raises(UserError) as refused:
        pairs([typed])
    assert str(refused.value).startswith(f"--port: {typed!r} is not allowed: LOCAL:POD, such as 8080:80;")


def test_ports_must_be_given() -> None:
    with pytest.raises(UserError, match="--port: missing: LOCAL:POD"):
        pairs([])


def test_a_port_is_kept_until_it_is_let_go() -> None:
    with doors(pairs([":80"]), []) as (door,):
        assert (door.address, door.pod, door.here) == ("127.0.0.1", 80, f"127.0.0.1:{door.local}")
        with pytest.raises(UserError, match=r"a port that is free on 127\.0\.0\.1 \(.*\); :80 takes any that is"):
            _keep(f"{door.local}:80", "localhost")
    _keep(f"{door.local}:80", "127.0.0.1")


@pytest.mark.parametrize("address", ["example.com", "127.0.0.1:80", ""])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(UserError, match=r"--address: .* is not allowed: IP addresses of this machine, or localhost"):
        _keep(":80", address)


def _keep(port: str, address: str) -> None:
    with doors(pairs([port]), [address]):
        pass


@pytest.fixture
def cluster() -> ScriptedCluster:
    """A project with a training job."""
    cluster = ScriptedCluster()
    cluster.objects = {
        "/apis/run.ai/v2/projects/team-a": {"metadata": {"name": "team-a"}, "spec": {}},
        f"{KINDS}/trainingworkloads": {"metadata": {}, "items": [workload("train1")]},
        PODS: {"metadata": {}, "items": [raw_pod("train1-0-0", "train1")]},
    }
    cluster.logs = {"train1-0-0": b""}
    return cluster


@pytest.fixture
def aliquot(cluster: ScriptedCluster, tmp_path: Path) -> Generator[Program]:
    with serving(cluster, tmp_path) as kubeconfig:
        yield Program(kubeconfig, tmp_path, "team-a")


def here(program: Running) -> int:
    """The port here of which the next line tells."""
    found = re.fullmatch(r"Forwarding from 127\.0\.0\.1:(\d+) -> \d+", program.line())
    assert found is not None
    return int(found[1])


def answer(port: int, sent: bytes) -> bytes:
    """As much as should come back; less, if the other side ends it before."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(sent)
        found = b""
        while len(found) < 2 * len(sent) and (more := connection.recv(2**16)):
            found += more
        return found


def test_connections_go_to_the_pod_and_end_by_ctrl_c(aliquot: Program) -> None:
    with aliquot.running("port-forward", "train1", "--port", ":80", "--port", ":81") as program:
        assert program.line().startswith("Open access point(s) to service from localhost:")
        twice, nobody = here(program), here(program)
        with socket.create_connection(("127.0.0.1", twice), timeout=60) as first:
            assert answer(twice, b"a" * 100_000) == b"a" * 200_000
            first.sendall(b"b")
            assert first.recv(1) == b"b"
            assert answer(nobody, b"c") == b""
            assert program.complaint() == "aliquot: port 81 of pod train1-0-0 takes no connection: connection refused"
            assert program.interrupt() == 0
        assert program.process.stderr is not None
        assert program.process.stderr.read() == ""


def test_a_pod_that_is_gone_ends_it(aliquot: Program, cluster: ScriptedCluster) -> None:
    with aliquot.running("port-forward", "train1", "--port", ":80") as program:
        program.line()
        port = here(program)
        assert answer(port, b"a") == b"aa"
        del cluster.logs["train1-0-0"]
        assert answer(port, b"a") == b""
        assert program.complaint() == f"aliquot: refused (job train1): {PODS}/train1-0-0/portforward not found"
        assert program.ends() == 1


def test_a_pod_that_does_not_run(aliquot: Program, cluster: ScriptedCluster) -> None:
    cluster.objects[PODS]["items"][0]["status"]["phase"] = "Pending"
    done = aliquot.run("port-forward", "train1", "--port", ":80")
    assert done.returncode == 1
    assert done.stderr == "aliquot: pod train1-0-0 of job train1 does not run: it is Pending\n"
