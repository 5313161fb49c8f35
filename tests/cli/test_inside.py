"""Logs of jobs and commands beside them, against an API server that answers from a script."""

import os
from collections.abc import Callable, Generator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aliquot.cli.inside.terminal import LOST, exit_code
from aliquot.cli.main import app
from tests.cli.scripted_cluster import ScriptedCluster, serving
from tests.cli.test_jobs_shown import workload

Run = Callable[..., Result]
KINDS = "/apis/run.ai/v2alpha1/namespaces/runai-team-a"
PODS = "/api/v1/namespaces/runai-team-a/pods"


def raw_pod(name: str, of: str, kind: str = "TrainingWorkload") -> dict[str, Any]:
    labels = {"workloadName": f"{of}-2026", "run.ai/workload-kind": kind}
    return {
        "metadata": {"name": name, "namespace": "runai-team-a", "uid": name, "labels": labels},
        "spec": {"nodeName": "node-1", "containers": [{"name": of}]},
        "status": {"phase": "Running"},
    }


@pytest.fixture
def cluster() -> ScriptedCluster:
    """A project with a training job, a distributed one, and one that has no pods."""
    cluster = ScriptedCluster()
    distributed = "DistributedWorkload"
    cluster.objects = {
        "/apis/run.ai/v2/projects/team-a": {"metadata": {"name": "team-a"}, "spec": {}},
        f"{KINDS}/trainingworkloads": {"metadata": {}, "items": [workload("train1"), workload("idle")]},
        f"{KINDS}/distributedworkloads": {"metadata": {}, "items": [workload("dist1", distributed)]},
        PODS: {
            "metadata": {},
            "items": [raw_pod("train1-0-0", "train1")]
            + [raw_pod(f"dist1-{rank}-0", "dist1", distributed) for rank in (0, 1)],
        },
    }
    cluster.logs = {"train1-0-0": b"one\ntwo \xff\n", "dist1-0-0": b"lead\n", "dist1-1-0": b"work\nmore"}
    return cluster


@pytest.fixture
def run(cluster: ScriptedCluster, tmp_path: Path) -> Generator[Run]:
    """Runs a command in project team-a, which the kubeconfig names."""
    with serving(cluster, tmp_path) as kubeconfig:
        env = {"KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path), "XDG_CONFIG_HOME": None}

        def command(*words: str) -> Result:
            return CliRunner(env=env).invoke(app, [*words])

        yield command


def test_the_log_of_a_job(run: Run, cluster: ScriptedCluster) -> None:
    """S30 of cluster-api.md 8.4, as far as logs go."""
    done = run("logs", "train1", "--tail", "5", "--since", "2m", "--timestamps", "-f")
    assert (done.exit_code, done.stdout_bytes) == (0, b"one\ntwo \xff\n")
    [query] = [query for _, path, query in cluster.asked if path == f"{PODS}/train1-0-0/log"]
    assert set(query.lower().split("&")) == {
        "container=train1",
        "follow=true",
        "sinceseconds=120",
        "taillines=5",
        "timestamps=true",
    }


def test_logs_of_a_distributed_job_are_merged(run: Run) -> None:
    lines = run("logs", "dist1").stdout.splitlines()
    assert sorted(lines) == ["[dist1-0-0] lead", "[dist1-1-0] more", "[dist1-1-0] work"]
    assert run("logs", "dist1", "--pod", "dist1-1-0").stdout == "work\nmore"


def test_logs_that_there_are_not(run: Run, cluster: ScriptedCluster) -> None:
    idle = run("logs", "idle")
    assert (idle.exit_code, idle.stderr) == (1, "aliquot: job idle has no pods\n")
    other = run("logs", "train1", "--pod", "x")
    assert other.stderr == "aliquot: job train1 has no pod x; it has train1-0-0\n"
    del cluster.logs["train1-0-0"]
    gone = run("logs", "train1")
    assert (gone.exit_code, gone.stderr) == (1, f"aliquot: refused (job train1): {PODS}/train1-0-0/log not found\n")


def test_a_command_beside_a_job(run: Run, cluster: ScriptedCluster) -> None:
    done = run("exec", "train1", "--", "nvidia-smi", "-L")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "ran nvidia-smi -L\n", "a word of warning\n")
    assert run("exec", "train1", "ls").stdout == "ran ls\n"
    [first, _] = [query for _, path, query in cluster.asked if path == f"{PODS}/train1-0-0/exec"]
    assert "container=train1" in first
    assert "stdin=false" in first


def test_a_command_ends_with_its_own_exit_code(run: Run, cluster: ScriptedCluster) -> None:
    cluster.ending = {
        "status": "Failure",
        "message": "command terminated with exit code 42",
        "details": {"causes": [{"reason": "ExitCode", "message": "42"}]},
    }
    assert run("exec", "train1", "--", "false").exit_code == 42


def test_without_a_command_there_is_nothing_to_run(run: Run) -> None:
    done = run("exec", "train1")
    assert (done.exit_code, done.stderr) == (2, "aliquot: COMMAND: missing: what to run, such as -- nvidia-smi\n")


def test_a_pod_that_lets_nobody_in(run: Run, cluster: ScriptedCluster) -> None:
    del cluster.logs["train1-0-0"]
    done = run("exec", "train1", "--", "ls")
    assert done.exit_code == 1
    assert done.stderr == f"aliquot: refused (job train1): {PODS}/train1-0-0/exec not found\n"


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """What is typed, and the end of it: CliRunner's own input is no file."""
    readable, writable = os.pipe()
    os.write(writable, b"exit\n")
    os.close(writable)
    monkeypatch.setattr("aliquot.cli.inside.terminal.keyboard", lambda: readable)
    yield
    os.close(readable)


@pytest.mark.usefixtures("keyboard")
def test_what_is_typed_goes_there(run: Run, cluster: ScriptedCluster) -> None:
    done = run("bash", "train1")
    assert (done.exit_code, cluster.heard) == (0, b"exit\n")
    assert done.stdout == "ran /bin/sh -c command -v bash > /dev/null && exec bash || exec sh\nexit\n"


@pytest.mark.usefixtures("keyboard")
def test_attaching(run: Run, cluster: ScriptedCluster) -> None:
    done = run("attach", "dist1", "--pod", "dist1-1-0")
    assert (done.exit_code, cluster.heard) == (0, b"exit\n")
    assert done.stderr.splitlines()[0] == "Connecting to pod dist1-1-0"
    assert run("attach", "dist1", "--no-stdin").stderr.splitlines()[0] == "Connecting to pod dist1-0-0"


@pytest.mark.usefixtures("keyboard")
def test_submitting_and_attaching(run: Run, cluster: ScriptedCluster) -> None:
    def starts(made: dict[str, Any]) -> None:
        pod = raw_pod("build1-0-0", "build1", "InteractiveWorkload")
        pod["metadata"]["labels"]["workloadName"] = made["metadata"]["name"]
        cluster.objects[PODS]["items"].append(pod)
        made["status"] = {"phase": "Running"}

    cluster.created, cluster.logs["build1-0-0"] = starts, b""
    cluster.warnings = ['Secret \\"key\\" is not there']
    done = run("submit", "build1", "-i", "ubuntu", "--interactive", "--attach")
    assert (done.exit_code, cluster.heard) == (0, b"exit\n")
    assert done.stdout.splitlines()[0] == "The job 'build1' has been submitted successfully"
    assert "Waiting for pod to start running..." in done.stdout
    assert done.stderr.splitlines() == [
        'aliquot: warning: Secret "key" is not there',
        "Connecting to pod build1-0-0",
        "a word of warning",
    ]


def test_a_name_that_another_job_has(run: Run, cluster: ScriptedCluster) -> None:
    done = run("submit", "train1", "-i", "x")
    assert done.exit_code == 2
    assert done.stderr.startswith("aliquot: --name: 'train1' is not allowed: a name that no job of the project has")
    items = cluster.objects[f"{KINDS}/trainingworkloads"]["items"]
    items[0]["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    assert run("submit", "train1", "-i", "x").exit_code == 0


def test_jobs_of_the_same_second_have_objects_of_their_own(
    run: Run, cluster: ScriptedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(2026, 1, 31, 12, tzinfo=tz)

    monkeypatch.setattr("aliquot.cli.submission.sending.datetime", Clock)
    for name in ("job-2026-01-31t12-00-00", "job-2026-01-31t12-00-00-2", "job-2026-01-31t12-00-00-3"):
        done = run("submit", "-i", "x")
        assert done.stdout.splitlines()[0] == f"A request to submit a job has been created: {name}"
        assert f"{KINDS}/trainingworkloads/{name}" in cluster.objects


def test_a_job_that_ends_before_anybody_attaches(run: Run, cluster: ScriptedCluster) -> None:
    def fails(made: dict[str, Any]) -> None:
        made["status"] = {"phase": "Failed", "phaseMessage": "no such image"}

    cluster.created = fails
    done = run("submit", "build1", "-i", "ubuntu", "--interactive", "--attach")
    assert done.exit_code == 1
    assert done.stderr == "aliquot: job build1 is over: Failed: no such image\n"


ENDINGS: dict[str, tuple[bytes, tuple[int, str]]] = {
    "well": (b'{"status":"Success"}', (0, "")),
    "with a code": (
        b'{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}',
        (3, ""),
    ),
    "without one": (b'{"status":"Failure","message":"no such file"}', (1, "no such file")),
    "in no JSON": (b"killed", (1, "killed")),
    "silently": (b"", (1, LOST)),
}


@pytest.mark.parametrize(("said", "ending"), ENDINGS.values(), ids=ENDINGS)
def test_how_a_command_ends(said: bytes, ending: tuple[int, str]) -> None:
    assert exit_code(said) == ending
