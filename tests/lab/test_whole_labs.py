"""Whole labs: by hand on the command line, as fixtures of a pytest run that is killed, on somebody else's cluster."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import aliquot_lab
from aliquot_lab import Cluster, LabError, attach, dedicated, directories
from aliquot_lab.api import Api, ApiError
from aliquot_lab.audit import Record
from aliquot_lab.kubeconfig import Access, read, write
from aliquot_lab.main import app
from aliquot_lab.processes import eventually, lives

SECONDS = 240.0


@pytest.mark.parametrize("name", aliquot_lab.__all__)
def test_what_the_door_promises_is_there(name: str) -> None:
    assert getattr(aliquot_lab, name)


def test_what_the_door_does_not_promise_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = aliquot_lab.nothing  # pyright: ignore[reportAttributeAccessIssue] - that is the test


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Labs by hand of this test only."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "stray"))  # to be ignored
    return tmp_path / "state"


def command(*arguments: str, code: int = 0) -> str:
    line = [sys.executable, "-m", "aliquot_lab", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["status", "--name", "y"], 1, "start it with `aliquot-lab up --name y`"),
        (["kubeconfig"], 1, "there is no lab called default"),
        (["down", "--name", "y"], 0, "There is no lab called y"),
        (["up", "--name", "No Name"], 1, "allowed are lower-case letters"),
        (["up", "--with", "spark"], 2, "'training-operator', 'knative'"),
        (["attach", "--kubeconfig", "/no/such/file"], 1, "not a kubeconfig"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(own_state: Path, arguments: list[str], code: int, said: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code
    assert said in result.output
    assert not list(own_state.glob("aliquot/lab/*"))


@pytest.mark.cluster
@pytest.mark.crashes
def test_a_lab_by_hand_lives_until_it_is_taken_down(own_state: Path) -> None:
    try:
        said = command("up", "--name", "by-hand", "--nodes", "3", "--gpus", "2")
        assert "3 hollow nodes of 2 GPUs" in said
        kubeconfig = command("kubeconfig", "--name", "by-hand").strip()
        assert kubeconfig in said
        assert "3 of 3 nodes Ready" in command("status", "--name", "by-hand")
        assert "by-hand" in command("list")
        assert "is running or starting" in command("up", "--name", "by-hand", code=1)
        cluster = Cluster(own_state / "aliquot" / "lab" / "by-hand")
        nodes = json.loads(cluster.kubectl("get", "nodes", "--output=json"))["items"]
        assert [node["status"]["allocatable"]["nvidia.com/gpu"] for node in nodes] == ["2"] * 3
        assert Path(kubeconfig).stat().st_mode & 0o777 == 0o600
        processes = [cluster.supervisor, *cluster.processes().values()]
        assert len(processes) == 6
    finally:
        command("down", "--name", "by-hand")
    assert not cluster.directory.exists()
    assert eventually(lambda: not any(lives(pid) for pid in processes), seconds=SECONDS)


def pytest_run(folder: Path, code: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a pytest of its own in `folder`."""
    (folder / "test_inner.py").write_text(textwrap.dedent(code))
    (folder / "pytest.ini").touch()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'base'}", *arguments],
        cwd=folder,
        env={**inherited, **environment, "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


SHARED = """
    import json, os, pathlib, pytest, signal

    @pytest.mark.parametrize("number", [1, 2])
    def test_lab(lab, number, name_for_test, worker_id):
        seen = {
            "directory": str(lab.directory),
            "server": lab.server,
            "processes": [os.getpid(), lab.supervisor, *lab.processes().values()],
            "name": name_for_test,
            "worker": worker_id,
        }
        pathlib.Path(f"seen-{number}.tmp").write_text(json.dumps(seen))
        os.rename(f"seen-{number}.tmp", f"seen-{number}.json")
"""


def seen(folder: Path) -> list[dict[str, Any]]:
    files = [folder / f"seen-{number}.json" for number in (1, 2)]
    assert eventually(lambda: all(file.exists() for file in files), seconds=SECONDS)
    return [json.loads(file.read_text()) for file in files]


@pytest.mark.cluster
@pytest.mark.crashes
def test_killing_pytest_ends_the_lab_that_its_workers_share(folder: Path) -> None:
    run = pytest_run(folder, SHARED + "        signal.pause()\n", "-n", "2")
    try:
        one, two = seen(folder)
        assert one["worker"] != two["worker"]
        assert one["directory"] == two["directory"]
        assert one["name"] != two["name"]
        assert directories.alive(Path(one["directory"]))
    finally:
        run.kill()
        run.wait()
    assert eventually(lambda: not Path(one["directory"]).exists(), seconds=SECONDS)
    processes = {*one["processes"], *two["processes"]}
    assert len(processes) == 8  # two workers, the supervisor, five processes
    assert eventually(lambda: not any(lives(pid) for pid in processes), seconds=SECONDS)


@pytest.fixture(scope="module")
def elsewhere() -> Generator[Cluster]:
    """Somebody else's cluster, side by side with the lab of this run; nothing there brings hollow nodes to life."""
    with dedicated() as cluster:
        cluster.stop("kwok")
        yield cluster


@pytest.mark.cluster
@pytest.mark.xdist_group("elsewhere")
def test_a_run_may_use_another_cluster_and_leaves_nothing_when_it_ends(elsewhere: Cluster, folder: Path) -> None:
    run = pytest_run(folder, SHARED, "-n", "2", ALIQUOT_TEST_KUBECONFIG=str(elsewhere.kubeconfig))
    assert run.wait(SECONDS) == 0
    one, two = seen(folder)
    assert {one["server"], two["server"]} == {elsewhere.server}
    assert one["directory"] == two["directory"]
    assert not Path(one["directory"]).exists()  # at once, not some time later
    processes = {*one["processes"], *two["processes"]}
    assert len(processes) == 4  # two workers, the supervisor, kwok
    assert eventually(lambda: not any(lives(pid) for pid in processes), seconds=SECONDS)
    assert elsewhere.api.answers("/readyz")


@pytest.mark.cluster
@pytest.mark.xdist_group("elsewhere")
def test_an_attached_cluster_has_hollow_nodes_that_live(elsewhere: Cluster, own_state: Path) -> None:
    said = command("attach", "--kubeconfig", str(elsewhere.kubeconfig), "--name", "kind", "--nodes", "2", "--gpus", "4")
    assert "2 hollow nodes of 4 GPUs" in said
    attached = Cluster(own_state / "aliquot" / "lab" / "kind")
    try:
        assert attached.ready_nodes() == {"hollow-0", "hollow-1"}
        assert attached.processes().keys() == {"kwok"}
        with pytest.raises(LabError, match="keeps no history"):
            attached.audit()
        with pytest.raises(LabError, match="no process"):
            attached.restart("kube-apiserver")
    finally:
        command("down", "--name", "kind")
    assert not attached.directory.exists()
    assert "hollow-0" in elsewhere.kubectl("get", "nodes")


@pytest.mark.cluster
@pytest.mark.xdist_group("elsewhere")
def test_two_labs_side_by_side_do_not_see_each_other(lab: Cluster, elsewhere: Cluster, name_for_test: str) -> None:
    elsewhere.add_namespace(name_for_test)
    assert not lab.api.answers(f"/api/v1/namespaces/{name_for_test}")
    assert not set(lab.processes().values()) & set(elsewhere.processes().values())


def test_attaching_to_a_cluster_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    file = write(tmp_path / "kubeconfig", Access("http://127.0.0.1:9", None), user="nobody")
    with pytest.raises(LabError, match="does not answer"):
        attach(file)
    with pytest.raises(LabError, match="not a kubeconfig"):
        attach(tmp_path / "missing")


@pytest.mark.cluster
def test_a_service_account_has_just_the_rights_it_was_given(lab: Cluster, lab_namespace: str) -> None:
    api = Api(read(lab.kubeconfig_for("default", lab_namespace)))
    assert api.answers("/version")
    with pytest.raises(ApiError) as refusal:
        api.call("GET", f"/api/v1/namespaces/{lab_namespace}/pods")
    assert refusal.value.status == 403
    with pytest.raises(ApiError, match="404"):
        lab.kubeconfig_for("nobody", lab_namespace)


@pytest.mark.cluster
def test_history_tells_who_bound_what(lab: Cluster, lab_namespace: str) -> None:
    if not lab.audited:
        pytest.skip("this cluster is not ours and keeps no history for us")
    path = f"/api/v1/namespaces/{lab_namespace}/pods"
    containers = [{"name": "main", "image": "example.com/x"}]
    lab.api.call("POST", path, {"metadata": {"name": "p"}, "spec": {"schedulerName": "none", "containers": containers}})
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "no-such-node"}}
    lab.api.call("POST", f"{path}/p/binding", binding)
    lab.api.call("DELETE", f"{path}/p?gracePeriodSeconds=0")
    ours: list[Record] = []

    def written() -> bool:  # a moment after it was answered
        nonlocal ours
        records = [record for record in lab.audit() if (record.namespace, record.resource) == (lab_namespace, "pods")]
        ours = [record for record in records if record.user == "lab-admin"]
        return len(ours) == 3

    eventually(written, seconds=SECONDS)
    assert [(record.verb, record.subresource, record.code) for record in ours] == [
        ("create", "", 201), ("create", "binding", 201), ("delete", "", 200),
    ]  # fmt: skip
    assert ours[1].request
    assert ours[1].request["target"]["name"] == "no-such-node"


@pytest.mark.cluster
@pytest.mark.crashes
@pytest.mark.xdist_group("elsewhere")
def test_a_killed_api_server_comes_back_with_everything_it_knew(elsewhere: Cluster, name_for_test: str) -> None:
    elsewhere.add_namespace(name_for_test)
    before = elsewhere.processes()["kube-apiserver"]
    elsewhere.restart("kube-apiserver", kill=True)
    assert elsewhere.processes()["kube-apiserver"] != before
    assert elsewhere.api.answers(f"/api/v1/namespaces/{name_for_test}")


def test_a_directory_without_a_lab_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="there is no running lab"):
        Cluster(tmp_path)
