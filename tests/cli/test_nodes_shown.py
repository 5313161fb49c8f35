"""Nodes and what is held of them, and what ended jobs asked for: from what the API server says, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from aliquot.cli.looking.jobs import job_of
from aliquot.cli.looking.node_description import node_description
from aliquot.cli.looking.nodes import WholeNode, by_node, node_table, top_table
from aliquot.cli.main import app
from aliquot.contracts.kubernetes import Pod
from tests.cli.scripted_cluster import ScriptedCluster, serving
from tests.cli.test_jobs_shown import JOBS, NOW, workload

GPU = "nvidia.com/gpu"


def raw_node(name: str, gpus: int, *, usable: int | None = None, ready: bool = True, **spec: Any) -> dict[str, Any]:
    there = {GPU: str(gpus if usable is None else usable), "cpu": "64", "memory": "256Gi", "pods": "110"}
    return {
        "metadata": {
            "name": name,
            "labels": {"nvidia.com/gpu.product": "NVIDIA-H200", "nvidia.com/gpu.memory": "80000"} if gpus else {},
        },
        "spec": spec,
        "status": {
            "capacity": {**there, GPU: str(gpus)},
            "allocatable": there,
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }


def raw_pod(name: str, node: str, gpus: int = 0, phase: str = "Running", **members: Any) -> dict[str, Any]:
    limits = {GPU: str(gpus)} if gpus else {}
    container = {"name": "main", "resources": {"limits": limits, "requests": {"cpu": "500m", "memory": "2Gi"}}}
    return {
        "metadata": {"name": name, "namespace": "runai-team-a", "uid": name, **members},
        "spec": {"nodeName": node, "containers": [container], "schedulerName": "runai-scheduler"},
        "status": {"phase": phase},
    }


NODES = [
    raw_node("node-2", 8, usable=7),
    raw_node("node-1", 8, unschedulable=True, ready=False),
    raw_node("no-gpus", 0),
]
PODS = [
    raw_pod("whole", "node-1", 2),
    raw_pod("half", "node-1", annotations={"gpu-fraction": "0.5"}),
    raw_pod("by-memory", "node-1", annotations={"gpu-memory": "20000"}),
    raw_pod("holds-the-card-of-others", "node-1", 1, namespace="runai-reservation"),
    raw_pod("ended", "node-1", 4, phase="Succeeded"),
    raw_pod("waits", "", 8, phase="Pending"),
]

TABLE = """\
NAME     STATUS                       GPU TYPE     GPUs CAPACITY  GPUs ALLOCATABLE  GPUs ALLOCATED  GPUs FREE  \
GPU MEMORY  CPU ALLOCATED (ALLOCATABLE)  MEMORY ALLOCATED (ALLOCATABLE)
no-gpus  Ready                        -            0              0.00              0.00            0.00       \
-           0.0 (64.0)                   0.0 (256.0) GiB
node-1   NotReady,SchedulingDisabled  NVIDIA-H200  8              8.00              2.75            5.25       \
80000 MiB   1.5 (64.0)                   6.0 (256.0) GiB
node-2   Ready                        NVIDIA-H200  8              7.00              0.00            7.00       \
80000 MiB   0.0 (64.0)                   0.0 (256.0) GiB"""


def test_nodes_with_what_pods_hold_of_them() -> None:
    nodes = [msgspec.convert(raw, WholeNode) for raw in NODES]
    assert node_table(nodes, [msgspec.convert(raw, Pod) for raw in PODS]) == TABLE


def test_everything_about_a_node() -> None:
    raw = raw_node("node-1", 8, ready=False, taints=[{"key": "dedicated", "value": "a", "effect": "NoSchedule"}])
    raw["metadata"]["labels"] |= {"aliquot.dev/mps": "true", "run.ai/type": "dgx-2"}
    raw["metadata"]["annotations"] = {
        "aliquot.dev/gpu-health": '{"GPU-7":{"reason":"lost","since":"2026-01-31T12:00:00Z"}}'
    }
    raw["status"]["allocatable"]["nvidia.com/mig-1g.10gb"] = "3"
    half = {"gpu-fraction": "0.5", "aliquot.dev/shared-gpus": "node-1-shared-1", "aliquot.dev/gpu-ids": "GPU-1"}
    pods = [*PODS, raw_pod("known", "node-1", annotations=half), raw_pod("elsewhere", "node-2", 4)]
    held = by_node(msgspec.convert(each, Pod) for each in pods)["node-1"]
    said = node_description(msgspec.convert(raw, WholeNode), held)
    facts, _, table = said.partition("\n\n")
    lines = dict(line.split(":", 1) for line in facts.splitlines())
    assert {name: value.strip() for name, value in lines.items()} == {
        "NAME": "node-1",
        "STATUS": "NotReady",
        "GPU TYPE": "NVIDIA-H200",
        "GPUS CAPACITY": "8",
        "GPUS ALLOCATABLE": "7.00",
        "GPUS ALLOCATED": "3.25",
        "GPUS FREE": "3.75",
        "GPU MEMORY": "80000 MiB",
        "CPU ALLOCATED (ALLOCATABLE)": "2.0 (64.0)",
        "MEMORY ALLOCATED (ALLOCATABLE)": "8.0 (256.0) GiB",
        "GPUS THAT CANNOT BE USED": "1 of 8 GPUs cannot be used (lost)",
        "MIG STRATEGY": "none",
        "MIG DEVICES": "3 x nvidia.com/mig-1g.10gb",
        "MULTI-PROCESS SERVICE": "yes",
        "NODE TYPE": "dgx-2",
        "TAINTS": "dedicated=a:NoSchedule",
    }
    assert [line.split() for line in table.splitlines()] == [
        ["Pods:"],
        ["POD", "NAMESPACE", "STATUS", "GPUs", "GPU", "IDS"],
        ["whole", "runai-team-a", "Running", "2.00", "-"],
        ["half", "runai-team-a", "Running", "0.50", "-"],
        ["known", "runai-team-a", "Running", "0.50", "GPU-1"],
        ["by-memory", "runai-team-a", "Running", "0.25", "-"],
    ]


def test_who_holds_most() -> None:
    lines = [line.split() for line in top_table(JOBS, NOW).splitlines()[1:]]
    assert [(line[0], *line[-3:]) for line in lines] == [
        ("frac05", "0.50", "8192", "MiB"),
        ("large", "0.00", "0", "MiB"),
    ]


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Any:
    cluster = ScriptedCluster()
    cluster.objects = {
        "/api/v1/nodes": {"metadata": {}, "items": NODES},
        "/api/v1/pods": {"metadata": {}, "items": PODS},
    }
    with serving(cluster, tmp_path) as kubeconfig:
        yield kubeconfig


@pytest.mark.parametrize("words", [("list", "nodes"), ("top", "node"), ("top", "nodes")], ids=" ".join)
def test_nodes_by_name(kubeconfig: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    def run(*names: str) -> Any:
        return CliRunner(env={"KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path)}).invoke(app, [*words, *names])

    assert run().stdout == f"{TABLE}\n"
    assert [line.split()[0] for line in run("node-2", "no-gpus").stdout.splitlines()] == ["NAME", "no-gpus", "node-2"]
    absent = run("node-9")
    assert (absent.exit_code, absent.stdout) == (1, "")
    assert absent.stderr.startswith("aliquot: the cluster has no node node-9; it has ")


def test_nodes_are_described_by_name(kubeconfig: Path, tmp_path: Path) -> None:
    def run(*names: str) -> Any:
        environment = {"KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path)}
        return CliRunner(env=environment).invoke(app, ["describe", "node", *names])

    every = run().stdout
    assert [line.split()[1] for line in every.splitlines() if line.startswith("NAME:")] == [
        "no-gpus",
        "node-1",
        "node-2",
    ]
    assert run("node-1").stdout in every
    assert run("node-9").exit_code == 1


def test_names_of_nodes_are_for_nodes() -> None:
    for words in (("list", "jobs", "node-1"), ("top", "jobs", "node-1")):
        done = CliRunner().invoke(app, words)
        assert (done.exit_code, done.stderr) == (
            2,
            "aliquot: NODE: 'node-1' is not allowed: left out, or given with nodes\n",
        )


def wrapped(**values: object) -> dict[str, object]:
    return {name: {"value": value} for name, value in values.items()}


ENDED: dict[str, tuple[dict[str, Any], str | None]] = {
    "training, of all pods at a time": (
        workload("a", spec=wrapped(gpu="0.5", parallelism=2, completions=4)),
        "1",
    ),
    "training, of several devices": (workload("a", spec=wrapped(gpu="0.5", gpuDevices=2)), "1"),
    "an interactive job": (workload("a", "InteractiveWorkload", spec=wrapped(gpu="2")), "2"),
    "a gang, its master with others": (
        workload("a", "DistributedWorkload", spec={"jobType": "PyTorchJob", **wrapped(gpu="2", workers=3)})
        | {"masterSpec": wrapped(gpu="1")},
        "7",
    ),
    "with what came from a template": (
        workload("a", status={"inherited": {"template": "runai/base", "values": wrapped(gpu="3")}}),
        "3",
    ),
    "without any": (workload("a"), "0"),
    "that makes no sense": (workload("a", spec=wrapped(gpu="1.5")), None),
}


@pytest.mark.parametrize(("raw", "wanted"), ENDED.values(), ids=ENDED)
def test_what_an_ended_job_asked_for(raw: dict[str, Any], wanted: str | None) -> None:
    ended = {**raw, "status": {**raw["status"], "phase": "Completed", "requestedGPU": "0"}}
    assert job_of(ended).requested == wanted
    goes_on = {**raw, "status": {**raw["status"], "phase": "Running", "requestedGPU": "9"}}
    assert job_of(goes_on).requested == "9"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str) -> None:
    done = CliRunner(env={"_ALIQUOT_COMPLETE": None}).invoke(app, ["completion", shell])
    assert done.exit_code == 0
    assert f"_ALIQUOT_COMPLETE=complete_{shell}" in done.stdout


def test_commands_are_completed() -> None:
    program = "import sys; sys.argv[0] = 'aliquot'; from aliquot.cli.main import app; app()"
    asked = {"_ALIQUOT_COMPLETE": "complete_bash", "COMP_WORDS": "aliquot top no", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["nodes", "node"]
