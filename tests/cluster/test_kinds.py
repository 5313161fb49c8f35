"""The custom resources as an API server sees them: what it takes, what it refuses and what it says then.

Everything is sent as a dry run, so nothing is left behind and no operator acts. The definitions of `crds/` are those of
the chart (see tests/chart).
"""

import secrets
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, cast

import pytest

from aliquot.contracts.kinds.crd import write_all
from aliquot.contracts.kinds.registry import KINDS, Kind
from aliquot.contracts.kinds.shapes import outside_name
from aliquot.contracts.kinds.workloads import MUTABLE
from aliquot.core.submission.extent import CARRIED_OUT
from aliquot_lab import Cluster
from aliquot_lab.api import ApiError
from demo import platform
from tests.core.rendering.golden_pods import golden_pods, golden_workloads, load
from tests.support.arena import MERGE

CRDS: Final = Path(__file__).parents[2] / "crds"
NAMESPACE: Final = "default"
BY_NAME: Final = {kind.name: kind for kind in KINDS}

Spec = dict[str, Any]


def test_the_definitions_are_those_of_the_models(tmp_path: Path) -> None:
    write_all(tmp_path)
    made, committed = ({file.name: file.read_text() for file in path.glob("*")} for path in (tmp_path, CRDS))
    assert made.keys() == committed.keys()
    assert [name for name in made if made[name] != committed[name]] == [], "run: make crds"


# Taking and refusing


def path_of(kind: Kind, version: str | None = None) -> str:
    where = f"/namespaces/{NAMESPACE}" if kind.namespaced else ""
    return f"/apis/{kind.group}/{version or kind.stored}{where}/{kind.plural}"


def sent(lab: Cluster, kind: str, spec: Spec, *, name: str = "x", version: str | None = None) -> dict[str, Any]:
    """Send an object as a dry run; returns what would be stored. Fields that do not exist are refused."""
    of = BY_NAME[kind]
    manifest = {
        "apiVersion": f"{of.group}/{version or of.stored}",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }
    return lab.api.call("POST", f"{path_of(of, version)}?dryRun=All&fieldValidation=Strict", manifest)


@pytest.fixture(scope="module")
def served(lab: Cluster, operator: platform.OperatorProcess) -> Cluster:
    """The lab with the chart's definitions."""
    assert operator.pid is not None
    return lab


IMAGE: Final = {"image": {"value": "ubuntu:24.04"}}
PORTS: Final = {"ports": {"items": {"http": {"value": {"container": 8000}}}}}
QUEUES: Final = {"queues": [{"name": "q", "nodepool": "default"}]}


def values(**parameters: object) -> Spec:
    """Parameters with one value each, beside an image; those in dicts are as they are, None is left out."""
    spec: Spec = {name: value if isinstance(value, dict) else {"value": value} for name, value in parameters.items()}
    return {**IMAGE, **{name: value for name, value in spec.items() if value != {"value": None}}}


def quota(**resources: Spec) -> Spec:
    return {"queues": [{"name": "q", "nodepool": "default", "resources": resources}]}


TAKEN: Final[dict[str, tuple[str, Spec]]] = {
    "an image is enough": ("TrainingWorkload", values()),
    "whole GPUs": ("TrainingWorkload", values(gpu="8")),
    "a fraction": ("TrainingWorkload", values(gpu="0.25", gpuLimit="0.5", gpuDevices=2)),
    "GPU memory": ("TrainingWorkload", values(gpuMemory="4G", gpuMemoryLimit="8G")),
    "a MIG profile": ("TrainingWorkload", values(migProfile="1g.10gb")),
    "equal limits": ("TrainingWorkload", values(cpu="2", cpuLimit="2", memory="1Gi", memoryLimit="1024Mi")),
    "a Template without an image": ("TrainingWorkload", {"usage": "Template"}),
    "an image from elsewhere": ("TrainingWorkload", {"baseWorkload": "base"}),
    "the longest name": ("TrainingWorkload", values(name="a" * 52)),
    "the longest prefix": ("TrainingWorkload", values(namePrefix="a" * 45)),
    "rules in a workload": ("TrainingWorkload", {"image": {**IMAGE["image"], "rules": {"canEdit": False}}}),
    "an item removed": ("TrainingWorkload", values(labels={"items": {"team": {"deleted": True}}})),
    "a notebook": ("InteractiveWorkload", {"jupyter": {"value": True}}),
    "a service": ("InferenceWorkload", {**IMAGE, **PORTS, "minScale": {"value": 0}, "maxScale": {"value": 3}}),
    "workers": ("DistributedWorkload", {**IMAGE, "jobType": "PyTorchJob", "workers": {"value": 4}}),
    "a policy": ("TrainingPolicy", {"gpu": {"value": "1", "rules": {"min": "1", "max": "8", "canEdit": True}}}),
    "an interactive policy": ("InteractivePolicy", {"preemptible": {"rules": {"required": True, "canEdit": True}}}),
    "an inference policy": ("InferencePolicy", {"minScale": {"rules": {"min": 1, "canEdit": False}}}),
    "a distributed policy": ("DistributedPolicy", {"workers": {"rules": {"max": 8, "canEdit": True}}}),
    "a quota": ("Project", quota(gpu={"deserved": 0.5, "limit": -1, "overQuotaWeight": 2})),
    "a quota of CPU and memory": ("Project", quota(cpu={"deserved": 4000}, memory={"deserved": -1})),
    "an older project": ("Project", {"deservedGpus": 8}),
    "a department": ("Department", quota(gpu={"deserved": 112})),
    "an older department": ("Department", {"deservedGpus": 8, "maxAllowedGpus": 16}),
    "a node pool": ("NodePool", {"labelKey": "run.ai/type", "labelValue": "h100"}),
    "a node pool without a label": ("NodePool", {}),
    "a node pool with empty labels": ("NodePool", {"labelKey": "", "labelValue": ""}),
    "a spreading node pool": ("NodePool", {"placementStrategy": {"gpu": "spread", "cpu": "binpack"}}),
    "an access rule": ("AccessRule", {"subjectId": "ann", "roleName": "Researcher", "scopeName": "a"}),
    "an external workload": ("ExternalWorkload", {"type": "Job", "projectName": "a"}),
    "a job": ("RunaiJob", {"template": {"spec": {"containers": []}}, "completions": 2}),
    "a configuration": ("RunaiConfig", {}),
}


@pytest.mark.cluster
@pytest.mark.parametrize(("kind", "spec"), TAKEN.values(), ids=TAKEN)
def test_what_makes_sense_is_taken(served: Cluster, kind: str, spec: Spec) -> None:
    stored = sent(served, kind, spec)["spec"]
    assert {name: stored[name] for name in spec} == spec


def test_each_kind_is_among_what_is_taken() -> None:
    assert {kind for kind, _ in TAKEN.values()} == BY_NAME.keys()


REFUSED: Final[dict[str, tuple[str, Spec, str]]] = {
    "GPUs and GPU memory": (
        "TrainingWorkload",
        values(gpu="1", gpuMemory="4G"),
        "spec.gpuMemory: Invalid value: .*gpu and gpuMemory exclude one another",
    ),
    "GPUs and a MIG profile": (
        "TrainingWorkload",
        values(gpu="1", migProfile="1g.10gb"),
        "spec.migProfile: Invalid value: .*migProfile excludes gpu and gpuMemory",
    ),
    "GPU memory and a MIG profile": (
        "InteractiveWorkload",
        values(gpuMemory="4G", migProfile="1g.10gb"),
        "spec.migProfile: Invalid value: .*give one of the three",
    ),
    "a name and a prefix": (
        "TrainingWorkload",
        values(name="a", namePrefix="b"),
        "spec.namePrefix: Invalid value: .*name and namePrefix exclude one another",
    ),
    "a prefix of 46 characters": (
        "TrainingWorkload",
        values(namePrefix="a" * 46),
        "spec.namePrefix.value: .*at most 45 characters, so that a number can follow",
    ),
    "a name with a dash last": ("TrainingWorkload", values(name="a-"), "spec.name.value: .*no '-' last"),
    "no image": ("TrainingWorkload", {}, "spec.image: Required value: a container image must be given"),
    "no image for a service": ("InferenceWorkload", PORTS, "spec.image: Required value"),
    "no image for workers": ("DistributedWorkload", {}, "spec.image: Required value"),
    "no image and no notebook": (
        "InteractiveWorkload",
        {"jupyter": {"value": False}},
        "spec.image: Required value",
    ),
    "a service without a port": ("InferenceWorkload", values(), "spec.ports: Required value: a service needs a port"),
    "a fraction above one GPU": ("TrainingWorkload", values(gpu="2.5"), "spec.gpu.value: .*whole number of GPUs"),
    "a fraction's limit above one": ("TrainingWorkload", values(gpuLimit="1.5"), "spec.gpuLimit.value: .*at most 1"),
    "a limit below the fraction": (
        "TrainingWorkload",
        values(gpu="0.5", gpuLimit="0.25"),
        "spec.gpuLimit: .*must be no less than gpu",
    ),
    "a limit below the CPU": (
        "TrainingWorkload",
        values(cpu="2", cpuLimit="1.5"),
        "spec.cpuLimit: .*must be no less than cpu",
    ),
    "a limit below the memory": (
        "TrainingWorkload",
        values(memory="1Gi", memoryLimit="1000M"),
        "spec.memoryLimit: .*must be no less than memory",
    ),
    "negative CPU": ("TrainingWorkload", values(cpu="-1"), "spec.cpu.value: .*CPU cores that is not negative"),
    "memory in words": ("TrainingWorkload", values(memory="lots"), "spec.memory.value: .*an amount"),
    "negative memory": ("TrainingWorkload", values(memory="-1Gi"), "spec.memory.value: .*not negative"),
    "a MIG profile that cannot be": ("TrainingWorkload", values(migProfile="big"), "spec.migProfile.value: .*1g.10gb"),
    "a policy of pulling": (
        "TrainingWorkload",
        values(imagePullPolicy="Sometimes"),
        "spec.imagePullPolicy.value: .*Always, IfNotPresent or Never",
    ),
    "no completions": (
        "TrainingWorkload",
        values(completions=0),
        "spec.completions.value: .*greater than or equal to 1",
    ),
    "too many completions": ("TrainingWorkload", values(completions=100_001), "spec.completions.value: .*100000"),
    "more pods than work": (
        "TrainingWorkload",
        values(completions=2, parallelism=3),
        "spec.parallelism: .*must be no more than completions",
    ),
    "a negative number of retries": ("TrainingWorkload", values(backoffLimit=-1), "spec.backoffLimit.value: .*to 0"),
    "a port beyond all ports": (
        "TrainingWorkload",
        values(ports={"items": {"http": {"value": {"container": 70_000}}}}),
        "spec.ports.items.http.value.container: .*65535",
    ),
    "a toleration that contradicts itself": (
        "TrainingWorkload",
        values(
            tolerations={
                "items": {"spot": {"value": {"tolerationKey": "a", "operator": "Exists", "tolerationValue": "b"}}}
            }
        ),
        r"spec.tolerations.items\[spot\].value.tolerationValue: .*leave tolerationValue out",
    ),
    "a usage of its own": ("TrainingWorkload", {**IMAGE, "usage": "Test"}, 'spec.usage: Unsupported value: "Test"'),
    "a template of a template": (
        "TrainingWorkload",
        {"usage": "Template", "baseWorkload": "b"},
        "spec.baseWorkload: Forbidden: a Template cannot have a baseWorkload",
    ),
    "a value without its wrapper": ("TrainingWorkload", {"image": "ubuntu"}, "spec.image: .*must be of type object"),
    "a typing error": ("TrainingWorkload", {**IMAGE, "imagee": {"value": "x"}}, 'unknown field "spec.imagee"'),
    "a scale upside down": (
        "InferenceWorkload",
        {**IMAGE, **PORTS, "minScale": {"value": 2}, "maxScale": {"value": 1}},
        "spec.maxScale: .*must be no less than minScale",
    ),
    "a framework that nobody knows": (
        "DistributedWorkload",
        {**IMAGE, "jobType": "OtherJob"},
        'spec.jobType: Unsupported value: "OtherJob": supported values: "MPIJob", "PyTorchJob", "TFJob", "XGBoostJob"',
    ),
    "no workers": ("DistributedWorkload", values(workers=0), "spec.workers.value: .*greater than or equal to 1"),
    "a rule that is no decimal": (
        "TrainingPolicy",
        {"gpu": {"rules": {"min": "one"}}},
        "spec.gpu.rules.min: ",
    ),
    "no quotas": ("Project", {}, "spec.queues: Required value: quotas must be given, one entry for each node pool"),
    "no quotas of a department": ("Department", {}, "spec.queues: Required value: quotas must be given"),
    "two quotas for one node pool": (
        "Project",
        {"queues": [{"name": name, "nodepool": "default"} for name in "ab"]},
        r"spec.queues\[1\]: Duplicate value: .*default",
    ),
    "a quota for no node pool": ("Project", {"queues": [{"name": "q"}]}, r"spec.queues\[0\].nodepool: Required value"),
    "a limit below nothing": (
        "Project",
        quota(gpu={"limit": -3}),
        r"spec.queues\[0\].resources.gpu.limit: .*greater than or equal to -1",
    ),
    "a department's quota between -1 and nothing": (
        "Department",
        quota(memory={"deserved": -0.25}),
        r"spec.queues\[0\].resources.memory.deserved: .*0 or more, or -1 for unlimited",
    ),
    "an amount beyond all amounts": ("Project", quota(gpu={"deserved": 1e16}), "gpu.deserved: .*less than or equal to"),
    "a namespace that cannot be": (
        "Project",
        {**QUEUES, "namespace": "Team_A"},
        "spec.namespace: .*lower-case letters, digits and '-'",
    ),
    "a key without a value": (
        "NodePool",
        {"labelKey": "run.ai/type"},
        "spec.labelValue: .*labelKey and labelValue belong together",
    ),
    "a value without a key": (
        "NodePool",
        {"labelValue": "h100"},
        "spec.labelValue: .*labelKey and labelValue belong together",
    ),
    "a key that is no key": (
        "NodePool",
        {"labelKey": "two words", "labelValue": "x"},
        "spec.labelKey: .*the key of a label of nodes",
    ),
    "a value that is no value": (
        "NodePool",
        {"labelKey": "a", "labelValue": "größe"},
        "spec.labelValue: .*the value of a label",
    ),
    "a placement of its own": (
        "NodePool",
        {"placementStrategy": {"gpu": "anywhere"}},
        "spec.placementStrategy.gpu: .*must be binpack or spread",
    ),
    "a negative deadline": (
        "RunaiJob",
        {"template": {}, "activeDeadlineSeconds": 0},
        "spec.activeDeadlineSeconds: .*greater than or equal to 1",
    ),
    "a job without pods": ("RunaiJob", {}, "spec.template: Required value"),
}


@pytest.mark.cluster
@pytest.mark.parametrize(("kind", "spec", "said"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_with_its_path(served: Cluster, kind: str, spec: Spec, said: str) -> None:
    with pytest.raises(ApiError, match=said) as caught:
        sent(served, kind, spec)
    assert caught.value.status in (400, 422)


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("kind", "name", "longest"),
    [("Project", "a" * 58, 57), ("Department", "a" * 64, 63), ("NodePool", "a" * 64, 63)],
)
def test_a_name_that_is_too_long_is_refused(served: Cluster, kind: str, name: str, longest: int) -> None:
    spec = {} if kind == "NodePool" else QUEUES
    with pytest.raises(ApiError, match=f"metadata.name must have at most {longest} characters"):
        sent(served, kind, spec, name=name)
    assert sent(served, kind, spec, name=name[:longest])["metadata"]["name"] == name[:longest]


@pytest.mark.cluster
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_version_of_a_kind_is_served_with_the_same_meaning(served: Cluster, kind: Kind) -> None:
    spec = next(spec for name, spec in TAKEN.values() if name == kind.name)
    stored = [sent(served, kind.name, spec, version=version)["spec"] for version in kind.versions]
    assert stored == [stored[0]] * len(stored)


# What may change


@pytest.fixture(scope="module")
def submitted(served: Cluster) -> Generator[str]:
    """The path of a workload that says all that is carried out. Its namespace is no project's: nothing comes of it."""
    everything = next(file for file in golden_workloads() if file.parent.name == "everything")
    workload = {**load(everything), "metadata": {"generateName": "kinds-"}}
    made = served.api.call("POST", path_of(BY_NAME["TrainingWorkload"]), workload)
    path = f"{path_of(BY_NAME['TrainingWorkload'])}/{made['metadata']['name']}"
    yield path
    served.api.call("DELETE", path)


OTHER: Final[dict[str, object]] = {
    "active": False, "arguments": "other", "autoDeletionTimeAfterCompletionSeconds": 77, "backoffLimit": 77,
    "command": "other", "completions": 77, "cpu": "0.77", "cpuLimit": "77", "gpu": "7", "image": "other",
    "imagePullPolicy": "Never", "memory": "7Mi", "memoryLimit": "77Gi", "name": "other", "namePrefix": "other",
    "nodePool": "other", "nodePools": "other", "nodeType": "other", "parallelism": 1, "username": "other",
    "workingDir": "/other",
}  # fmt: skip


@pytest.mark.cluster
@pytest.mark.parametrize("parameter", sorted(map(outside_name, CARRIED_OUT)))
def test_after_submission_only_what_no_pod_depends_on_may_change(
    served: Cluster, submitted: str, parameter: str
) -> None:
    other = {"value": OTHER[parameter]} if parameter in OTHER else {"items": {"other": {"value": "other"}}}
    path, patch = f"{submitted}?dryRun=All", {"spec": {parameter: other}}
    if parameter in map(outside_name, MUTABLE):
        assert served.api.call("PATCH", path, patch, content_type=MERGE)["spec"][parameter] == other
    else:
        with pytest.raises(ApiError, match=rf"spec: Forbidden: spec\.{parameter} cannot change"):
            served.api.call("PATCH", path, patch, content_type=MERGE)


# Workloads, and the pods that become of them


@pytest.fixture(scope="module")
def team(served: Cluster) -> Generator[str]:
    """A namespace that takes only pods of the Pod Security level that ours are promised to pass."""
    namespace = f"t-kinds-{secrets.token_hex(4)}"
    served.add_namespace(namespace, {"pod-security.kubernetes.io/enforce": "baseline"})
    yield namespace
    served.remove_namespace(namespace)


def tried(served: Cluster, path: str, file: Path, namespace: str) -> dict[str, Any]:
    """Send the object of a file to a namespace as a dry run; returns the answer's spec."""
    manifest: Any = load(file)
    there = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
    return served.api.call("POST", f"{path}?dryRun=All&fieldValidation=Strict", there)["spec"]


@pytest.mark.cluster
@pytest.mark.parametrize("file", golden_workloads(), ids=lambda file: file.parent.name)
def test_a_golden_workload_is_taken_as_it_is(served: Cluster, team: str, file: Path) -> None:
    stored = tried(served, f"/apis/run.ai/v2alpha1/namespaces/{team}/trainingworkloads", file, team)
    assert stored == {"usage": "Submit", **cast("Spec", load(file)["spec"])}


@pytest.mark.cluster
@pytest.mark.parametrize("file", golden_pods(), ids=lambda file: file.parent.name)
def test_a_golden_pod_is_taken(served: Cluster, team: str, file: Path) -> None:
    assert tried(served, f"/api/v1/namespaces/{team}/pods", file, team)["schedulerName"] == "runai-scheduler"
