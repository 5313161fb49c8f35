"""How a command finds its project's namespace, against an API server that answers from a script."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from aliquot.cli.main import app
from tests.cli.scripted_cluster import ScriptedCluster, serving

PROJECTS = "/apis/run.ai/v2/projects"


def listing(cluster: ScriptedCluster, directory: Path, *words: str, namespace: str = "") -> tuple[Result, set[str]]:
    """List jobs; what was answered, and in which namespaces jobs were looked for."""
    with serving(cluster, directory) as kubeconfig:
        document = yaml.safe_load(kubeconfig.read_text())
        document["contexts"][0]["context"]["namespace"] = namespace
        kubeconfig.write_text(yaml.safe_dump(document))
        env = {"KUBECONFIG": str(kubeconfig), "HOME": str(directory), "XDG_CONFIG_HOME": None}
        done = CliRunner(env=env).invoke(app, ["list", *words])
    return done, {path.split("/")[5] for _, path, _ in cluster.asked if path.endswith("/trainingworkloads")}


def has_a_namespace_of_its_own(cluster: ScriptedCluster) -> None:
    cluster.objects[f"{PROJECTS}/team-a"] = {"metadata": {"name": "team-a"}, "spec": {}, "status": {"namespace": "own"}}


def will_have_one(cluster: ScriptedCluster) -> None:
    cluster.objects[f"{PROJECTS}/team-a"] = {"metadata": {"name": "team-a"}, "spec": {"namespace": "own"}}


def is_like_most(cluster: ScriptedCluster) -> None:
    cluster.objects[f"{PROJECTS}/team-a"] = {"metadata": {"name": "team-a"}, "spec": {}}


def may_not_be_read(cluster: ScriptedCluster) -> None:
    cluster.refused.add(f"{PROJECTS}/team-a")


PLACES = {
    "a project with a namespace of its own": (has_a_namespace_of_its_own, "own"),
    "a project that will have one": (will_have_one, "own"),
    "a project like most": (is_like_most, "runai-team-a"),
    "a project that may not be read": (may_not_be_read, "runai-team-a"),
}


@pytest.mark.parametrize(("project", "namespace"), PLACES.values(), ids=PLACES)
def test_where_a_project_is(tmp_path: Path, project: Callable[[ScriptedCluster], None], namespace: str) -> None:
    cluster = ScriptedCluster()
    project(cluster)
    done, asked = listing(cluster, tmp_path, "-p", "team-a")
    assert (done.exit_code, asked) == (0, {namespace}), done.output
    assert done.stdout.startswith("Showing jobs for project team-a\n")


def test_the_namespace_of_the_kubeconfig_may_be_linked_to_a_project(tmp_path: Path) -> None:
    cluster = ScriptedCluster()
    has_a_namespace_of_its_own(cluster)
    labels = {"runai/queue": "team-a"}
    cluster.objects["/api/v1/namespaces/own"] = {"metadata": {"name": "own", "labels": labels}}
    assert listing(cluster, tmp_path, namespace="own")[1] == {"own"}


def test_a_namespace_of_nobody_is_no_project(tmp_path: Path) -> None:
    done, _ = listing(ScriptedCluster(), tmp_path, namespace="default")
    assert done.exit_code == 2
    assert "project: missing: the name of a project: give -p PROJECT" in done.stderr
    assert "the kubeconfig's namespace is 'default'" in done.stderr


def test_a_project_that_there_is_not(tmp_path: Path) -> None:
    cluster = ScriptedCluster()
    names = [{"metadata": {"name": name, "uid": name}} for name in ("team-b", "team-a")]
    cluster.objects[PROJECTS] = {"metadata": {}, "items": names}
    done, _ = listing(cluster, tmp_path, "-p", "team-x")
    said = "aliquot: project: 'team-x' is not allowed: one of the projects team-a, team-b\n"
    assert (done.exit_code, done.stderr) == (2, said)


def test_whoever_may_not_list_is_told_so(tmp_path: Path) -> None:
    cluster = ScriptedCluster()
    is_like_most(cluster)
    path = "/apis/run.ai/v2alpha1/namespaces/runai-team-a/trainingworkloads"
    cluster.refused.add(path)
    done, _ = listing(cluster, tmp_path, "-p", "team-a")
    assert done.exit_code == 1
    assert done.stderr == f"aliquot: not allowed (project team-a): you are 'ada', who cannot get {path}\n"


def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    with serving(ScriptedCluster(), tmp_path) as kubeconfig:
        pass
    env = {"KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path), "XDG_CONFIG_HOME": None}
    done = CliRunner(env=env).invoke(app, ["list", "-p", "team-a"])
    assert done.exit_code == 1
    assert done.stderr.startswith("aliquot: the cluster does not answer: ")


def test_no_kubeconfig_at_all(tmp_path: Path) -> None:
    env = {"KUBECONFIG": None, "HOME": str(tmp_path), "XDG_CONFIG_HOME": None, "KUBERNETES_SERVICE_HOST": None}
    done = CliRunner(env=env).invoke(app, ["list", "-p", "team-a"])
    assert done.exit_code == 1
    assert done.stderr.startswith("aliquot: no API server: KUBECONFIG is not set")
