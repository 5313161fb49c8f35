"""The commands of researchers against a real API server: S30, and what the others show and change."""

import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from aliquot.cli.main import app
from tests.cli.flag_rows import ROWS
from tests.support.arena import Arena
from tests.support.command_line import own_logging

pytestmark = pytest.mark.cluster

QUICKSTART = "gcr.io/run-ai-demo/quickstart"
Run = Callable[..., Result]


@pytest.fixture
def run(arena: Arena, tmp_path: Path) -> Generator[Run]:
    """Runs a command as the lab's administrator, in a home of the test's own; `kubeconfig` makes it somebody else."""

    def command(*words: str, kubeconfig: Path = arena.lab.kubeconfig) -> Result:
        env = {"KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path), "XDG_CONFIG_HOME": None}
        return CliRunner(env=env).invoke(app, [*words])

    with own_logging():
        yield command


def rows(listed: Result) -> dict[str, list[str]]:
    """The rows of a list of jobs, by name."""
    assert listed.exit_code == 0, listed.output
    return {line.split()[0]: line.split() for line in listed.stdout.splitlines()[2:]}


def test_s30_a_training_job_from_submission_to_deletion(arena: Arena, run: Run) -> None:
    [node] = arena.nodes(1)
    namespace = arena.project("a", deserved=2)
    project = f"{arena.name}-a"
    done = run("submit", "train1", "-i", QUICKSTART, "-g", "1", "-p", project)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "The job 'train1' has been submitted successfully",
        f"You can run `aliquot describe job train1 -p {project}` to check the job status",
    ]

    def status() -> str:
        return rows(run("list", "jobs", "-p", project))["train1"][1]

    arena.until(lambda: status() == "Running", "train1 to be listed as Running")
    listed = run("list", "-p", project)
    assert listed.stdout.splitlines()[0] == f"Showing jobs for project {project}"
    _, _, _, at, image, kind, of, *_ = rows(listed)["train1"]
    assert (at, image, kind, of) == (node, QUICKSTART, "Train", project)
    assert "1.00 (1.00)" in listed.stdout
    assert "1 (0)" in listed.stdout
    pod = arena.only_pod(namespace)["metadata"]["name"]
    arena.until(lambda: "[Scheduled]" in run("describe", "train1", "-p", project).stdout, "its Event to be told")
    told = " ".join(run("describe", "job", "train1", "-p", project).stdout.split())
    for words in ("STATUS: Running", "ALLOCATED GPUS: 1.00", "CREATED BY CLI: true", f"{pod} Running TRAIN", node):
        assert words in told
    arena.end(namespace, pod)
    arena.until(lambda: status() == "Succeeded", "train1 to be listed as Succeeded")
    assert "- (1.00)" in run("list", "-p", project).stdout, "it asked for one"
    deleted = run("delete", "train1", "-p", project)
    assert (deleted.exit_code, deleted.stdout) == (0, "Job train1 deleted successfully.\n")
    assert rows(run("list", "-p", project)) == {}
    again = run("delete", "train1", "-p", project)
    assert again.exit_code == 1
    assert again.stderr.startswith(f"aliquot: job train1 does not exist in project {project}")


def test_a_job_that_waits_says_why_with_numbers(arena: Arena, run: Run) -> None:
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=2)
    project = f"{arena.name}-a"
    assert run("submit", "large", "-i", QUICKSTART, "-g", "4", "-p", project).exit_code == 0
    [large] = [each["metadata"]["name"] for each in arena.get(arena.path(namespace))["items"]]
    status = arena.until_status(
        namespace, large, lambda status: "4 GPUs" in status["phaseMessage"], "to give a reason with numbers"
    )
    message = status["phaseMessage"]
    assert rows(run("list", "-p", project))["large"][1] == "Pending"
    assert message in run("list", "-p", project, "-o", "wide").stdout
    assert message in run("describe", "large", "-p", project).stdout
    assert "0.00 (4.00)" in run("list", "-p", project).stdout
    as_json = json.loads(run("list", "-p", project, "-o", "json").stdout)
    assert [each["metadata"]["name"] for each in as_json["items"]] == [large]
    assert yaml.safe_load(run("describe", large, "-p", project, "-o", "yaml").stdout)["spec"]["gpu"] == {"value": "4"}


def test_a_job_is_suspended_and_resumed(arena: Arena, run: Run) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=2)
    project = f"{arena.name}-a"
    run("submit", "build1", "-i", "ubuntu", "-g", "1", "--interactive", "-p", project, "--", "sleep", "infinity")
    assert run("config", "project", project).stdout == f"Project {project} has been set as default project\n"

    def until(status: str) -> None:
        arena.until(lambda: rows(run("list"))["build1"][1] == status, f"build1 to be {status}")

    until("Running")
    assert run("suspend", "build1").stdout == "Job build1 suspended successfully.\n"
    until("Suspended")
    arena.until(lambda: "[Suspended]" in run("describe", "build1").stdout, "the Event of it to be told")
    arena.until(lambda: not arena.pods(namespace), "its pod to be gone")
    assert run("resume", "--all").stdout == "Job build1 resumed successfully.\n"
    until("Running")
    assert run("delete", "--all").exit_code == 0


def test_a_distributed_job_is_one_row(arena: Arena, run: Run) -> None:
    arena.nodes(2, gpus=1)
    arena.project("a", deserved=2)
    project = f"{arena.name}-a"
    words = ("submit-dist", "pytorch", "--name", "dist1", "--workers=1", "-g", "1", "-i", "x", "-p", project)
    assert run(*words).exit_code == 0
    arena.until(lambda: "2.00 (2.00)" in run("list", "-p", project).stdout, "both pods of dist1 to have their GPU")
    arena.until(lambda: rows(run("list", "-p", project))["dist1"][1] == "Running", "dist1 to run")
    row = rows(run("list", "-p", project))["dist1"]
    assert (row[3], row[5]) == ("<multiple>", "Pytorch")
    refused = run("suspend", "dist1", "-p", project)
    assert (refused.exit_code, "cannot be suspended" in refused.stderr) == (1, True)


def test_training_by_mpi_is_not_suspended(arena: Arena, run: Run) -> None:
    namespace, project = arena.project("a", deserved=1), f"{arena.name}-a"
    arena.submit(namespace, "solver", mpi=True)
    refused = run("suspend", "solver", "-p", project)
    assert (refused.exit_code, "cannot be suspended" in refused.stderr) == (1, True)
    assert run("suspend", "--all", "-p", project).stdout == ""
    assert "active" not in arena.workload(namespace, "solver")["spec"]


def test_every_workload_that_flags_make_is_taken_by_the_api_server(arena: Arena, run: Run) -> None:
    arena.project("a", deserved=1)
    project = f"{arena.name}-a"
    made: list[Any] = []
    for row in ROWS.values():
        depth = 2 if row.typed[0] == "submit-dist" else 1
        done = run(*row.typed[:depth], "-p", project, "--dry-run", *row.typed[depth:])
        workload = yaml.safe_load(done.stdout)
        workload["metadata"]["name"] = f"row-{len(made)}"
        made.append(workload)
    text = yaml.safe_dump_all(made)
    said = arena.lab.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", input=text)
    assert said.count("created (server dry run)") == len(made)


def test_what_the_api_server_refuses_is_told_in_a_sentence(arena: Arena, run: Run) -> None:
    namespace = arena.project("a", deserved=1)
    project = f"{arena.name}-a"
    wrong = run("submit", "n-1", "--template", "base", "-g", "1.5", "-p", project)
    assert wrong.exit_code == 1
    assert wrong.stderr.startswith(f"aliquot: refused (project {project}): spec.gpu.value: ")
    assert "a whole number of GPUs" in wrong.stderr
    nobody = run("list", "-p", project, kubeconfig=arena.lab.kubeconfig_for("default", namespace))
    assert nobody.exit_code == 1
    assert nobody.stderr.startswith(f"aliquot: not allowed (project {project}): you are 'system:serviceaccount:")
    missing = run("list", "-p", f"{project}x")
    assert missing.exit_code == 2
    assert f"project: '{project}x' is not allowed: one of the projects " in missing.stderr
    assert f"{arena.name}-a" in missing.stderr
    for failed in (wrong, nobody, missing):
        assert "Traceback" not in failed.output


def test_who_and_where(arena: Arena, run: Run) -> None:
    namespace = arena.project("a", deserved=1.5)
    project = f"{arena.name}-a"
    who = run("whoami", kubeconfig=arena.lab.kubeconfig_for("default", namespace))
    assert who.stdout.splitlines()[0] == f"User: system:serviceaccount:{namespace}:default"
    run("config", "project", project)
    [line] = [line for line in run("list", "projects").stdout.splitlines() if line.startswith(f"{project} ")]
    assert line.split()[:4] == [project, "(default)", "default", "1.50"]
    [cluster] = run("list", "clusters").stdout.splitlines()[1:]
    name = cluster.split()[0]
    assert run("config", "cluster", name).stdout == f"Set current cluster to {name}\n"
    assert run("config", "cluster", "elsewhere").exit_code == 2
    assert rows(run("list")) == {}


def test_templates_are_listed_apart_from_jobs(arena: Arena, run: Run) -> None:
    namespace = arena.project("a", deserved=1)
    project = f"{arena.name}-a"
    arena.submit(namespace, "base", usage="Template", job_name=None)
    assert rows(run("list", "-p", project)) == {}
    [line] = [each for each in run("list", "workloads", "-p", project).stdout.splitlines() if each.startswith("base ")]
    assert line.split() == ["base", "TrainingWorkload", "Template", project]
    assert "base" not in run("list", "workloads", "--interactive", "-p", project).stdout


def test_a_researcher_needs_no_right_outside_of_the_project(arena: Arena, run: Run) -> None:
    """With the role that access rules give out, and nothing else: not even projects may be read."""
    arena.nodes(1)
    namespace, other = arena.project("a", deserved=2), arena.project("b", deserved=2)
    project = f"{arena.name}-a"
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "researcher"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "aliquot-project-researcher",
        },
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": namespace}],
    }
    arena.make(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings", binding)
    researcher = arena.lab.kubeconfig_for("default", namespace)

    def submitted() -> bool:
        done = run("submit", "mine", "-i", "x", "-g", "1", "-p", project, kubeconfig=researcher)
        return done.exit_code == 0

    arena.until(submitted, "the rights to be in force")
    arena.until(
        lambda: rows(run("list", "-p", project, kubeconfig=researcher))["mine"][1] == "Running", "mine to be Running"
    )
    assert "STATUS:" in run("describe", "mine", "-p", project, kubeconfig=researcher).stdout
    assert run("delete", "mine", "-p", project, kubeconfig=researcher).exit_code == 0
    elsewhere = run("submit", "mine", "-i", "x", "-p", f"{arena.name}-b", kubeconfig=researcher)
    assert elsewhere.exit_code == 1
    assert f'in the namespace "{other}"' in elsewhere.stderr
