"""Install, upgrade, rollback, uninstall, install again: definitions follow the chart, and no object is ever lost."""

import json
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import yaml

from aliquot_lab import Cluster, LabError, dedicated
from aliquot_lab.processes import eventually
from tests.chart.chart_support import CHART, CRDS, definitions_are_established
from tests.support.arena import PATIENCE_SECONDS

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("life of a release")]

OBJECTS = """
apiVersion: scheduling.run.ai/v2alpha2
kind: Department
metadata: {name: research}
spec:
  queues: [{name: research, nodepool: default, resources: {gpu: {deserved: 4, limit: -1, overQuotaWeight: 1}}}]
---
apiVersion: run.ai/v2
kind: Project
metadata: {name: team-a}
spec:
  department: research
  queues: [{name: team-a, nodepool: default, resources: {gpu: {deserved: 4, limit: -1, overQuotaWeight: 1}}}]
---
apiVersion: run.ai/v2alpha1
kind: TrainingWorkload
metadata: {name: first, namespace: runai-team-a}
spec: {image: {value: "example/train:1"}, gpu: {value: "1"}}
"""
DESCRIPTION = "Description of the next version."


@pytest.fixture(scope="module")
def cluster() -> Generator[Cluster]:
    with dedicated() as lab:
        lab.add_namespace("runai-team-a")
        yield lab


@pytest.fixture
def release(cluster: Cluster) -> Generator[Cluster]:
    """The cluster with the chart installed and objects of our kinds; the release is gone afterwards."""
    try:
        # Taking ownership: the definitions may be left by the release of another test.
        cluster.helm(*install("aliquot", "runai"), "--take-ownership")
        definitions_are_established(cluster)
        cluster.kubectl("apply", "-f", "-", input=OBJECTS)
        yield cluster
    finally:
        cluster.helm("uninstall", "aliquot", "-n", "runai", "--ignore-not-found")


def install(name: str, namespace: str) -> list[str]:
    return ["install", name, str(CHART), "--namespace", namespace, "--create-namespace", "--set", "replicas=0"]


def next_chart(folder: Path, definition: str, change: dict[str, Any] | None) -> Path:
    """A copy of the chart in which a version of a definition is changed: a description, or the version is gone."""
    chart = folder / "aliquot"
    shutil.copytree(CHART, chart)
    path = chart / "files" / "crds" / f"{definition}.yaml"
    document = yaml.safe_load(path.read_text())
    versions = document["spec"]["versions"]
    if change is None:
        [stored] = [version for version in versions if version["storage"]]
        versions.remove(stored)
        versions[0]["storage"] = True
    else:
        versions[0]["schema"]["openAPIV3Schema"].update(change)
    path.write_text(yaml.safe_dump(document))
    return chart


def description(cluster: Cluster) -> str:
    definition = json.loads(cluster.kubectl("get", "crd", "trainingworkloads.run.ai", "-o", "json"))
    return str(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"])


def identities(cluster: Cluster) -> list[str]:
    """The uids of the objects."""
    wanted = ("departments.scheduling.run.ai/research", "projects.run.ai/team-a", "trainingworkloads.run.ai/first")
    return cluster.kubectl("get", *wanted, "-n", "runai-team-a", "-o", "jsonpath={.items[*].metadata.uid}").split()


def test_definitions_follow_upgrades_and_rollbacks_and_objects_stay(release: Cluster, tmp_path: Path) -> None:
    before, objects = description(release), identities(release)
    assert len(objects) == 3
    assert before != DESCRIPTION

    newer = next_chart(tmp_path / "newer", "run.ai_trainingworkloads", {"description": DESCRIPTION})
    release.helm("upgrade", "aliquot", str(newer), "-n", "runai", "--reset-then-reuse-values")
    assert description(release) == DESCRIPTION
    assert identities(release) == objects

    stranding = next_chart(tmp_path / "stranding", "run.ai_projects", None)
    with pytest.raises(LabError, match="storedVersions"):
        release.helm("upgrade", "aliquot", str(stranding), "-n", "runai", "--reset-then-reuse-values")
    assert identities(release) == objects

    release.helm("rollback", "aliquot", "1", "-n", "runai")
    assert description(release) == before
    assert identities(release) == objects

    release.helm("upgrade", "aliquot", str(CHART), "-n", "runai", "--set", "replicas=0,crds.enabled=false")
    assert identities(release) == objects, "switching the definitions off removed them"


def test_uninstalling_keeps_definitions_and_objects_for_the_next_release(release: Cluster) -> None:
    objects = identities(release)
    release.helm("uninstall", "aliquot", "-n", "runai")
    ours = ["-l", "app.kubernetes.io/name=aliquot", "-o", "name"]

    assert len(release.kubectl("get", "crds", *ours).split()) == len(list(CRDS.glob("*.yaml")))
    assert identities(release) == objects
    gone = (
        "clusterroles,clusterrolebindings,priorityclasses,roles,rolebindings,serviceaccounts,deployments,services,"
        "secrets,validatingwebhookconfigurations"
    )
    assert eventually(lambda: release.kubectl("get", gone, "-n", "runai", *ours) == "", seconds=PATIENCE_SECONDS)

    release.helm(*install("aliquot", "runai"))
    assert identities(release) == objects
    release.helm("uninstall", "aliquot", "-n", "runai")

    with pytest.raises(LabError, match="invalid ownership metadata"):
        release.helm(*install("another", "elsewhere"))
    release.helm(*install("another", "elsewhere"), "--take-ownership")
    assert identities(release) == objects
    release.helm("uninstall", "another", "-n", "elsewhere")
