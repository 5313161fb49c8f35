"""The golden files as an API server sees them: workloads, their pods, what they have beside them; and random ones.

Everything is sent as a dry run, so nothing is left behind and no operator acts. Namespaces take only what their Pod
Security level allows.
"""

import secrets
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import pytest
from hypothesis import given as whatever

from aliquot.core.rendering import pod_of
from aliquot.naming import LONGEST
from aliquot_lab import Cluster
from aliquot_lab.api import ApiError
from demo import platform
from tests.core.rendering import golden_manifests
from tests.core.rendering.golden_pods import (
    BEYOND_BASELINE,
    BEYOND_RESTRICTED,
    first_pod,
    golden_objects,
    golden_workloads,
    load,
    load_all,
    workload_of,
)
from tests.core.submission.any_workload import CASES, Case, cases, laws, manifests

pytestmark = pytest.mark.cluster

ENFORCE: Final = "pod-security.kubernetes.io/enforce"
PATHS: Final = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "TrainingWorkload": "/apis/run.ai/v2alpha1/namespaces/{}/trainingworkloads",
    "DistributedWorkload": "/apis/run.ai/v2alpha1/namespaces/{}/distributedworkloads",
    "InteractiveWorkload": "/apis/run.ai/v2alpha1/namespaces/{}/interactiveworkloads",
    "InferenceWorkload": "/apis/run.ai/v2alpha1/namespaces/{}/inferenceworkloads",
}


@pytest.fixture(scope="module")
def served(lab: Cluster, operator: platform.OperatorProcess) -> Cluster:
    """The lab with the chart's definitions."""
    assert operator.pid is not None
    return lab


@pytest.fixture(scope="module")
def namespaces(served: Cluster) -> Generator[dict[str, str]]:
    """A namespace for each Pod Security level, by level."""
    ending = secrets.token_hex(4)
    made = {level: f"t-golden-{level}-{ending}" for level in ("privileged", "baseline", "restricted")}
    for level, namespace in made.items():
        served.add_namespace(namespace, {ENFORCE: level})
    yield made
    for namespace in made.values():
        served.remove_namespace(namespace)


def tried(served: Cluster, manifest: dict[str, Any], namespace: str) -> dict[str, Any]:
    """Send an object to a namespace as a dry run; returns the answer."""
    there = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
    path = PATHS[manifest["kind"]].format(namespace)
    return served.api.call("POST", f"{path}?dryRun=All&fieldValidation=Strict", there)


each_workload = pytest.mark.parametrize("file", golden_workloads(), ids=lambda file: file.parent.name)


@each_workload
def test_a_workload_is_taken_as_it_is(served: Cluster, namespaces: dict[str, str], file: Path) -> None:
    stored = tried(served, load(file), namespaces["baseline"])["spec"]
    assert stored == {"usage": "Submit", **cast("dict[str, Any]", load(file)["spec"])}


@each_workload
def test_a_pod_is_taken(served: Cluster, namespaces: dict[str, str], file: Path) -> None:
    """Its level is `baseline`, unless it asks for more."""
    level = "privileged" if file.parent.name in BEYOND_BASELINE else "baseline"
    manifest = load(file.with_name("pod.yaml"))
    assert tried(served, manifest, namespaces[level])["spec"]["schedulerName"] == "runai-scheduler"


@each_workload
def test_a_pod_passes_the_level_restricted_unless_it_asks_for_more(
    served: Cluster, namespaces: dict[str, str], file: Path
) -> None:
    manifest = first_pod(workload_of(file), restricted=True)
    if file.parent.name in BEYOND_RESTRICTED:
        with pytest.raises(ApiError, match="violates PodSecurity"):
            tried(served, manifest, namespaces["restricted"])
    else:
        assert tried(served, manifest, namespaces["restricted"])["spec"]["securityContext"]["runAsNonRoot"] is True


def test_tensorboard_is_taken_where_no_pod_may_run_as_root(served: Cluster, namespaces: dict[str, str]) -> None:
    spec, where = golden_manifests.interactive(golden_manifests.GOLDEN / "tensorboard" / "workload.yaml")
    pod = pod_of(spec, replace(where, restricted=True), 0, 0, 0)
    _, board = tried(served, pod, namespaces["restricted"])["spec"]["containers"]
    assert board["securityContext"]["runAsUser"] > 0


@pytest.mark.parametrize("case", sorted(BEYOND_BASELINE))
def test_who_asks_for_more_than_baseline_is_refused_there(
    served: Cluster, namespaces: dict[str, str], case: str
) -> None:
    file = next(file for file in golden_workloads() if file.parent.name == case)
    with pytest.raises(ApiError, match="violates PodSecurity"):
        tried(served, load(file.with_name("pod.yaml")), namespaces["baseline"])


@pytest.mark.parametrize("file", golden_objects(), ids=lambda file: file.parent.name)
def test_what_a_workload_has_beside_its_pods_is_taken(served: Cluster, namespaces: dict[str, str], file: Path) -> None:
    for manifest in load_all(file):
        answer = tried(served, manifest, namespaces["restricted"])
        assert len(answer["metadata"]["name"]) <= LONGEST


def manifests_of_other_kinds() -> dict[str, dict[str, Any]]:
    """Workloads of other kinds and what becomes of them, but for what needs definitions of others."""
    found: dict[str, dict[str, Any]] = {}
    for file in golden_manifests.golden_workloads():
        found[file.parent.name] = load(file)
        for name, made in golden_manifests.manifests(file).items():
            core = [each for each in made if "." not in each["apiVersion"]]
            found |= {f"{file.parent.name}/{name}/{n}-{each['kind']}": each for n, each in enumerate(core)}
    return found


OTHERS: Final = manifests_of_other_kinds()


@pytest.mark.parametrize("manifest", OTHERS.values(), ids=OTHERS)
def test_other_kinds_and_what_becomes_of_them_are_taken(
    served: Cluster, namespaces: dict[str, str], manifest: dict[str, Any]
) -> None:
    assert tried(served, manifest, namespaces["baseline"])["kind"] == manifest["kind"]


@pytest.mark.timeout(300 if CASES <= 200 else 0)
@whatever(case=cases())
@laws
def test_whatever_is_read_makes_objects_that_are_taken(served: Cluster, namespaces: dict[str, str], case: Case) -> None:
    """Workloads of all kinds with templates and policies, as tests/core/submission makes them."""
    for pod, *beside in manifests(case):
        pod["metadata"].pop("ownerReferences")
        assert tried(served, pod, namespaces["privileged"])["spec"]["schedulerName"] == "runai-scheduler"
        for manifest in beside:
            tried(served, manifest, namespaces["privileged"])
