"""Flags of `submit` and what becomes of them, as `--dry-run` shows it."""

import getpass
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from aliquot.cli.main import app
from tests.cli.flag_rows import ROWS, SUBMIT, Row

DOCUMENTED = """
interactive jupyter preemptible completions parallelism ttl-after-finish name job-name-prefix template add-capability
annotation attach command create-home-dir environment image image-pull-policy label preferred-pod-topology-key
required-pod-topology-key stdin tty working-dir cpu cpu-limit extended-resource gpu gpu-memory memory memory-limit
mig-profile backoff-limit git-sync large-shm mount-propagation nfs-server pvc pvc-exists pvc-new s3 volume
configmap-volume host-ipc host-network port service-type allow-privilege-escalation node-pools node-type toleration
address loglevel workers clean-pod-policy slots-per-worker min-replicas max-replicas
"""
"""Of cluster-api.md 7.1 and 7.2; `--run-as-user`, `-p` and `--dry-run` have tests of their own."""

ALWAYS = {"name", "image", "imagePullPolicy", "username", "jobType"}
"""What every row's workload may have."""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str | None]:
    """Nobody's home, without a cluster."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": None, "KUBECONFIG": None, "KUBERNETES_SERVICE_HOST": None}


def typed(home: dict[str, str | None], *words: str) -> Result:
    return CliRunner(env=home).invoke(app, [*words])


def dry_run(home: dict[str, str | None], *words: str) -> dict[str, Any]:
    """The workload that is made of a command line, in which the flags that all need are put in front."""
    depth = 2 if words[0] == "submit-dist" else 1
    done = typed(home, *words[:depth], "-p", "team-a", "--dry-run", *words[depth:])
    assert done.exit_code == 0, done.output
    return yaml.safe_load(done.stdout)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_flag_becomes_a_parameter(home: dict[str, str | None], row: Row) -> None:
    made = dry_run(home, *row.typed)
    assert made["kind"] == row.kind
    assert {name: made["spec"].get(name) for name in row.becomes} == dict(row.becomes)
    assert set(made["spec"]) <= ALWAYS | {*row.becomes, *row.beside}
    assert made.get("masterSpec", {}) == dict(row.master)


def test_every_documented_flag_has_a_row() -> None:
    shown = {word for name in ROWS for word in re.findall(r"--[a-z0-9-]+", name)}
    assert {f"--{flag}" for flag in DOCUMENTED.split()} - shown == set()


def test_s4_a_dry_run_prints_the_workload(home: dict[str, str | None]) -> None:
    """As the guide shows it: an interactive job called build1."""
    words = ("submit", "build1", "-i", "ubuntu", "-g", "1", "--interactive", "--dry-run", "-p", "team-a")
    made = yaml.safe_load(typed(home, *words, "--", "sleep", "infinity").stdout)
    assert (made["apiVersion"], made["kind"]) == ("run.ai/v2alpha1", "InteractiveWorkload")
    assert made["metadata"]["labels"] == {"PreviousJob": "true"}
    assert made["metadata"]["namespace"] == "runai-team-a"
    assert re.fullmatch(r"build1-\d{4}-\d\d-\d\dt\d\d-\d\d-\d\d", made["metadata"]["name"])
    assert made["metadata"]["annotations"]["runai-cli-version"]
    assert made["spec"].pop("username", {"value": getpass.getuser()}) == {"value": getpass.getuser()}
    assert made["spec"] == {
        "name": {"value": "build1"},
        "image": {"value": "ubuntu"},
        "imagePullPolicy": {"value": "Always"},
        "gpu": {"value": "1"},
        "arguments": {"value": "sleep infinity"},
    }


def test_without_a_name_the_cluster_chooses_one(home: dict[str, str | None]) -> None:
    made = dry_run(home, "submit", "-i", "x")
    assert made["metadata"]["name"].startswith("job-")
    assert not {"name", "namePrefix"} & set(made["spec"])


def test_a_template_is_not_overruled_by_defaults(home: dict[str, str | None]) -> None:
    spec = dry_run(home, "submit", "n-1", "--template", "base")["spec"]
    assert set(spec) - {"username"} == {"baseWorkload", "name"}


def test_whoever_runs_as_user_runs_with_their_numbers(home: dict[str, str | None]) -> None:
    done = typed(home, *SUBMIT, "--run-as-user", "--dry-run", "-p", "team-a")
    if os.getuid() == 0:
        assert done.exit_code == 2
        assert done.stderr.startswith("aliquot: --run-as-user: 0 is not allowed: a whole number from 1")
        return
    spec = yaml.safe_load(done.stdout)["spec"]
    assert (spec["runAsUser"], spec["runAsUid"], spec["runAsGid"]) == (
        {"value": True},
        {"value": os.getuid()},
        {"value": os.getgid()},
    )


OLDER = {
    "--command with a value, and --args": (
        ("--command", "sleep", "--args", "infinity"),
        {"command": {"value": "sleep infinity"}},
        "write --command -- sleep",
    ),
    "--args alone": (("--args", "x", "--args=y"), {"arguments": {"value": "x y"}}, "write -- x"),
    "--always-pull-image": (
        ("--always-pull-image",),
        {"imagePullPolicy": {"value": "Always"}},
        "write --image-pull-policy=Always",
    ),
    "--local-image": (("--local-image",), {"imagePullPolicy": {"value": "Never"}}, "write --image-pull-policy=Never"),
    "--volumes": (
        ("--volumes", "/a:/b"),
        {"volumes": {"items": {"volume--0": {"value": {"sourcePath": "/a", "targetPath": "/b"}}}}},
        "write --volume",
    ),
    "--backoffLimit": (("--backoffLimit=3",), {"backoffLimit": {"value": 3}}, "write --backoff-limit"),
    "--mig": (("--mig", "1g.5gb"), {"migProfile": {"value": "1g.5gb"}}, "write --mig-profile"),
    "--workload": (("--workload", "base"), {"baseWorkload": "base"}, "write --template"),
    "--prevent-privilege-escalation": (
        ("--prevent-privilege-escalation",),
        {"allowPrivilegeEscalation": {"value": False}},
        "write --no-allow-privilege-escalation",
    ),
    "--pvc": (
        ("--pvc", "data:/data"),
        {"pvcs": {"items": {"pvc--0": {"value": {"claimName": "data", "path": "/data", "existingPvc": True}}}}},
        "write --pvc-exists or --pvc-new",
    ),
}


@pytest.mark.parametrize(("words", "becomes", "warning"), OLDER.values(), ids=OLDER)
def test_an_older_spelling_is_taken_with_a_warning(
    home: dict[str, str | None], words: tuple[str, ...], becomes: dict[str, Any], warning: str
) -> None:
    done = typed(home, *SUBMIT, "-p", "team-a", "--dry-run", *words)
    assert done.exit_code == 0, done.output
    spec = yaml.safe_load(done.stdout)["spec"]
    assert {name: spec.get(name) for name in becomes} == becomes
    assert f"aliquot: warning: {words[0].partition('=')[0]}" in done.stderr
    assert warning in done.stderr


WRONG = {
    "a number of GPUs": (("-g", "1.5"), "--gpu: '1.5' is not allowed: a whole number of GPUs"),
    "an amount of GPU memory": (
        ("--gpu-memory", "lots"),
        "--gpu-memory: 'lots' is not allowed: an amount of GPU memory",
    ),
    "two ways to ask for GPUs": (
        ("-g", "1", "--gpu-memory", "5G"),
        "--gpu-memory: '5G' is not allowed: left out, because --gpu says which GPUs are wanted",
    ),
    "a slice that is none": (("--mig-profile", "huge"), "--mig-profile: 'huge' is not allowed: a MIG profile"),
    "an amount of memory": (("--memory", "4 GB"), "--memory: '4 GB' is not allowed:"),
    "a name": (("--name", "Job_1"), "--name: 'Job_1' is not allowed:"),
    "two names": (("--job-name-prefix", "x"), "--job-name-prefix: 'x' is not allowed: left out, because --name"),
    "an image": (("-i", "not an image"), "--image: 'not an image' is not allowed: a container image"),
    "a pull policy": (("--image-pull-policy", "Often"), "'Often' is not allowed: Always, IfNotPresent or Never"),
    "a variable without a value": (("-e", "A"), "--environment: 'A' is not allowed: KEY=VALUE"),
    "a variable's name": (("-e", "1 A=b"), "--environment: "),
    "a terminal without input": (("--tty",), "--tty: True is not allowed: left out, or given together with --stdin"),
    "a command that is missing": (("--command",), "--command: True is not allowed: followed by --"),
    "a directory": (("--working-dir", "work"), "--working-dir: 'work' is not allowed: an absolute path"),
    "a volume": (("-v", "/only"), "--volume: '/only' is not allowed: SOURCE:TARGET"),
    "a volume's mode": (("-v", "/a:/b:x"), "--volume: '/a:/b:x' is not allowed: SOURCE:TARGET"),
    "a claim without a path": (
        ("--pvc-exists", "claimname=x"),
        "--pvc-exists: 'claimname=x' is not allowed: claimname=NAME,path=PATH[,ro]; path must be given",
    ),
    "an unknown member": (
        ("--pvc-new", "size=1G,path=/x,colour=red"),
        "[,ephemeral]; 'colour=red' is none of these",
    ),
    "an old claim": (("--pvc", "a:b:c:d"), "--pvc: 'a:b:c:d' is not allowed: [CLASS]:SIZE:PATH[:ro], or NAME:PATH"),
    "a repository": (("--git-sync", "branch=main"), "source must be given"),
    "a bucket": (("--s3", "bucket=b"), "key and secret and target must be given"),
    "a port": (("--port", "80:http"), "--port: '80:http' is not allowed: CONTAINER, or EXTERNAL:CONTAINER"),
    "a port that is too high": (("--port", "70000"), "--port: 70000 is not allowed: a port"),
    "a type of service": (
        ("-s", "magic", "--port", "80"),
        "--service-type: 'magic' is not allowed: one of portforward",
    ),
    "a service without ports": (("-s", "nodeport"), "given together with --port"),
    "a capability": (("--add-capability", "FLY"), "--add-capability: 'FLY' is not allowed: the name of a Linux"),
    "a toleration": (("--toleration", "key=x,operator=Maybe"), "--toleration: 'key=x,operator=Maybe' is not allowed:"),
    "seconds that are none": (("--toleration", "key=x,seconds=soon"), "is not allowed: operator=Equal|Exists"),
    "two topologies": (
        ("--required-pod-topology-key", "a", "--preferred-pod-topology-key", "b"),
        "--preferred-pod-topology-key: 'b' is not allowed: left out",
    ),
    "a length of time": (("--ttl-after-finish", "soon"), "--ttl-after-finish: 'soon' is not allowed: a length of time"),
    "more at a time than in all": (
        ("--parallelism", "3"),
        "--parallelism: 3 is not allowed: at most --completions, which must be given with it",
    ),
    "preemptible training": (("--preemptible",), "given together with --interactive"),
    "interactive work that finishes": (
        ("--interactive", "--completions", "2"),
        "--completions: 2 is not allowed: left out: interactive work is one pod",
    ),
    "inference that is something else, too": (
        ("--inference", "--port", "80", "--interactive"),
        "--interactive: True is not allowed: left out: inference answers requests, and never finishes by itself",
    ),
    "inference that finishes": (("--inference", "--completions", "2"), "--completions: 2 is not allowed: left out:"),
    "replicas, said twice": (
        ("--inference", "--replicas", "2", "--min-replicas", "1"),
        "--min-replicas: 1 is not allowed: left out, because --replicas says how many there are",
    ),
    "replicas of training": (("--replicas", "2"), "--replicas: 2 is not allowed: left out, or given together with"),
    "more replicas at least than at most": (
        ("--inference", "--port", "80", "--min-replicas", "3", "--max-replicas", "2"),
        "--max-replicas: 2 is not allowed: a whole number from 3 to",
    ),
    "a metric": (
        ("--inference", "--port", "80", "--metric", "latency"),
        "--metric: 'latency' is not allowed: concurrency",
    ),
    "two ports on which a model answers": (
        ("--inference", "--port", "80,81"),
        "--port: '80, 81' is not allowed: one port of the container",
    ),
    "a right that inference has no parameter for": (
        ("--inference", "--port", "80", "--allow-privilege-escalation"),
        "--allow-privilege-escalation: True is not allowed: left out: inference has no such parameter",
    ),
    "forwarding and attaching": (
        ("-s", "portforward", "--port", "80", "--attach"),
        "--attach: True is not allowed: left out, because --service-type portforward stays with the job, too",
    ),
    "another device": (("--extended-resource", "rdma/hca"), "is not allowed: NAME=QUANTITY"),
    "a node pool": (("--node-pools", "A_B"), "--node-pools: 'A_B' is not allowed: names of at most"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_flag_is_named_with_what_is_allowed(
    home: dict[str, str | None], words: tuple[str, ...], said: str
) -> None:
    base = ("submit", "-i", "x") if "--name" in words else SUBMIT
    done = typed(home, *base, "-p", "team-a", "--dry-run", *words)
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_everything_that_is_wrong_is_told_at_once(home: dict[str, str | None]) -> None:
    done = typed(home, *SUBMIT, "-p", "team-a", "--dry-run", "-e", "A", "--port", "x", "-v", "y")
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == ["--environment", "--port", "--volume"]


def test_a_flag_that_there_is_not_is_refused(home: dict[str, str | None]) -> None:
    assert typed(home, *SUBMIT, "--elastic").exit_code == 2


def test_two_names_that_disagree(home: dict[str, str | None]) -> None:
    done = typed(home, *SUBMIT, "--name", "other", "--dry-run", "-p", "team-a")
    assert (done.exit_code, done.stderr) == (
        2,
        "aliquot: NAME: 'job-1' is not allowed: left out, because --name other says it\n",
    )


def test_an_address_without_forwarding_is_warned_of(home: dict[str, str | None]) -> None:
    done = typed(home, *SUBMIT, "-p", "team-a", "--dry-run", "--port", "80", "--address", "localhost")
    assert done.stderr.startswith("aliquot: warning: --address has no effect without --service-type portforward")


def test_without_a_project_it_is_said_where_one_was_looked_for(home: dict[str, str | None]) -> None:
    done = typed(home, *SUBMIT, "--dry-run")
    assert done.exit_code == 2
    assert "project: missing: the name of a project: give -p PROJECT" in done.stderr
