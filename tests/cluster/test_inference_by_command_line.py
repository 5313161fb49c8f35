"""Inference from the command line: S39, on a real API server with hollow nodes and without Knative."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aliquot.cli.main import app
from tests.support.arena import Arena
from tests.support.command_line import own_logging

pytestmark = pytest.mark.cluster
KIND = "InferenceWorkload"


def test_s39_four_replicas_of_a_quarter_share_one_gpu(arena: Arena, tmp_path: Path) -> None:
    [node] = arena.nodes(1)
    namespace, project = arena.project("a", deserved=1), f"{arena.name}-a"
    env = {"KUBECONFIG": str(arena.lab.kubeconfig), "HOME": str(tmp_path), "XDG_CONFIG_HOME": None}

    def run(*words: str) -> Result:
        done = CliRunner(env=env).invoke(app, [words[0], "-p", project, *words[1:]])
        assert "Traceback" not in done.output
        return done

    with own_logging():
        made = run("submit", "chat", "-i", "x", "--inference", "--replicas", "4", "-g", "0.25", "--port", "8000")
        assert (made.exit_code, made.stdout.splitlines()[0]) == (0, "The job 'chat' has been submitted successfully")
        [name] = [each["metadata"]["name"] for each in arena.get(arena.path(namespace, kind=KIND))["items"]]
        arena.until_running_pods(namespace, 4)
        arena.until(lambda: arena.status(namespace, name, KIND).get("runningPods") == 4, "the status to count them")
        [row] = run("list").stdout.splitlines()[2:]
        assert row.split()[:2] == ["chat", "Running"]
        for cell in (node, "Inference", "1.00 (1.00)", "4 (0)"):
            assert cell in row
        told = " ".join(run("describe", "chat").stdout.split())
        pods = [pod["metadata"]["name"] for pod in arena.running_pods(namespace)]
        for words in ("TYPE: Inference", "MIN REPLICAS: 4", "MAX REPLICAS: 4", *(f"{pod} Running" for pod in pods)):
            assert words in told
        assert name in run("list", "workloads", "--inference").stdout
        refused = run("suspend", "chat")
        assert (refused.exit_code, "inference cannot be suspended" in refused.stderr) == (1, True)
        assert run("delete", "chat").stdout == "Job chat deleted successfully.\n"
    arena.until(lambda: not arena.pods(namespace), "its pods to be gone")
