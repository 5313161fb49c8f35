"""The custom resources as an API server sees them: what it takes, what it refuses and what it says then.

Everything is sent as a dry run, so nothing is left behind and no operator acts. The definitions of `crds/` are those of
the chart (see tests/chart).
"""

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, cast

import pytest

from aliquot.contracts.kinds.catalogue import PARAMETERS, of_kind
from aliquot.contracts.kinds.crd import write_all
from aliquot.contracts.kinds.registry import KINDS, Kind
from aliquot_lab import Cluster, LabError
from aliquot_lab.api import ApiError
from aliquot_lab.processes import eventually
from demo import platform
from tests.contracts import contract
from tests.contracts.documents import IMAGE, QUEUES, Spec, values
from tests.contracts.refused import REFUSED_BY_RULES, REFUSED_BY_SCHEMA
from tests.contracts.taken import TAKEN
from tests.core.rendering.golden_pods import golden_workloads, load
from tests.support.arena import MERGE, PATIENCE_SECONDS

CRDS: Final = Path(__file__).parents[2] / "crds"
NAMESPACE: Final = "default"
BY_NAME: Final = {kind.name: kind for kind in KINDS}


def test_the_definitions_are_those_of_the_models(tmp_path: Path) -> None:
    write_all(tmp_path)
    made, committed = ({file.name: file.read_text() for file in path.glob("*")} for path in (tmp_path, CRDS))
    assert made.keys() == committed.keys()
    assert [name for name in made if made[name] != committed[name]] == [], "run: make crds"


# Taking and refusing


def path_of(kind: Kind, version: str | None = None) -> str:
    where = f"/namespaces/{NAMESPACE}" if kind.namespaced else ""
    return f"/apis/{kind.group}/{version or kind.stored}{where}/{kind.plural}"


def sent(
    lab: Cluster, kind: str, spec: Spec, *, name: str = "x", version: str | None = None, **further: Spec
) -> dict[str, Any]:
    """Send an object as a dry run; returns what would be stored. Fields that do not exist are refused."""
    of = BY_NAME[kind]
    manifest = {
        "apiVersion": f"{of.group}/{version or of.stored}",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
        **further,
    }
    return lab.api.call("POST", f"{path_of(of, version)}?dryRun=All&fieldValidation=Strict", manifest)


@pytest.fixture(scope="module")
def served(lab: Cluster, operator: platform.OperatorProcess) -> Cluster:
    """The lab with the chart's definitions."""
    assert operator.pid is not None
    return lab


@pytest.mark.cluster
@pytest.mark.parametrize(("kind", "spec"), TAKEN.values(), ids=TAKEN)
def test_what_makes_sense_is_taken(served: Cluster, kind: str, spec: Spec) -> None:
    stored = sent(served, kind, spec)["spec"]
    assert {name: stored[name] for name in spec} == spec


@pytest.mark.cluster
@pytest.mark.parametrize("kind", BY_NAME)
def test_every_published_field_is_taken(served: Cluster, kind: str) -> None:
    for sample in contract.samples(kind):
        further = {name: value for name, value in sample.items() if name == "masterSpec"}
        stored = sent(served, kind, sample["spec"], **further)
        assert {name: stored[name] for name in ("spec", *further)} == {"spec": sample["spec"], **further}


REFUSED: Final = {**REFUSED_BY_SCHEMA, **REFUSED_BY_RULES}


@pytest.mark.cluster
@pytest.mark.parametrize(("kind", "spec", "field", "said"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_with_its_path(
    served: Cluster, kind: str, spec: Spec, field: str, said: str
) -> None:
    with pytest.raises(ApiError, match=f"{re.escape(field)}: .*{said}") as caught:
        sent(served, kind, spec)
    assert caught.value.status == 422


@pytest.mark.cluster
def test_a_master_is_checked_as_its_workers_are(served: Cluster) -> None:
    with pytest.raises(ApiError, match=r"masterSpec\.gpuMemory: .*gpu and gpuMemory exclude one another"):
        sent(served, "DistributedWorkload", values(), masterSpec=values(gpu="1", gpuMemory="4G"))


@pytest.mark.cluster
def test_an_unknown_field_is_left_out_with_a_warning(served: Cluster, name_for_test: str) -> None:
    manifest = {
        "apiVersion": "run.ai/v2alpha1",
        "kind": "TrainingPolicy",
        "metadata": {"name": name_for_test, "namespace": NAMESPACE},
        "spec": {**IMAGE, "imagee": {"value": "x"}, "pvcs": {"items": {"a": {"value": {"path": "/a", "sise": "1"}}}}},
    }
    asked = ("create", "--dry-run=server", "-f", "-", "-o", "json")
    made = json.loads(served.kubectl(*asked, "--validate=warn", input=json.dumps(manifest)))
    assert made["spec"] == {**IMAGE, "pvcs": {"items": {"a": {"value": {"path": "/a"}}}}}
    with pytest.raises(LabError, match=r'unknown field "spec\.imagee"(.|\n)*unknown field "spec\.pvcs.*\.sise"'):
        served.kubectl(*asked, "--validate=warn", "--warnings-as-errors", input=json.dumps(manifest))
    with pytest.raises(LabError, match=r'strict decoding error: unknown field "spec\.imagee"'):
        served.kubectl(*asked, input=json.dumps(manifest))


EXPLAINED: Final = {
    "TrainingWorkload.spec.nodeType": ("nodes, or group of nodes", "value\t<string>"),
    "interactiveworkload.spec.pvcs.items.value": ("PersistentVolumeClaim", "claimName\t<string>"),
    "distributedworkload.masterSpec.gpu": ("GPUs of each pod", "value\t<string>"),
    "inferencepolicy.spec.ports": ("Ports of the container", "itemRules\t<Object>"),
    "project.spec.queues.resources.gpu": ("GPUs, in devices", "overQuotaWeight\t<number>"),
}


@pytest.mark.cluster
@pytest.mark.parametrize(("field", "said"), EXPLAINED.items(), ids=EXPLAINED)
def test_kubectl_explains_it(served: Cluster, field: str, said: tuple[str, str]) -> None:
    page = ""

    def explained() -> bool:
        nonlocal page
        try:
            page = " ".join(served.kubectl("explain", field).split(" "))
        except LabError as problem:
            page = str(problem)
        return all(words in page for words in said)

    # Kubernetes publishes what it explains a moment after it serves a kind.
    assert eventually(explained, seconds=PATIENCE_SECONDS), page


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
    """The path of a workload that says much, and none of it as samples do. Its namespace is no project's: nothing comes
    of it."""
    everything = next(file for file in golden_workloads() if file.parent.name == "everything")
    said = cast("Spec", load(everything)["spec"])
    spec = {name: value for name, value in said.items() if name in OTHER or name in TEXTS}
    workload = {**load(everything), "metadata": {"generateName": "kinds-"}, "spec": spec}
    made = served.api.call("POST", path_of(BY_NAME["TrainingWorkload"]), workload)
    path = f"{path_of(BY_NAME['TrainingWorkload'])}/{made['metadata']['name']}"
    yield path
    served.api.call("DELETE", path)


TEXTS: Final = ("annotations", "environment", "labels")
OTHER: Final[dict[str, object]] = {
    "active": False, "arguments": "other", "autoDeletionTimeAfterCompletionSeconds": 77, "backoffLimit": 77,
    "command": "other", "completions": 77, "cpu": "0.77", "cpuLimit": "77", "gpu": "7", "image": "other",
    "imagePullPolicy": "Never", "memory": "7Mi", "memoryLimit": "77Gi", "name": "other", "namePrefix": "other",
    "nodePool": "other", "nodePools": "other", "nodeType": "other", "parallelism": 1, "username": "other",
    "workingDir": "/other",
}  # fmt: skip


@pytest.mark.cluster
@pytest.mark.parametrize("parameter", of_kind("TrainingWorkload"))
def test_after_submission_only_what_no_pod_depends_on_may_change(
    served: Cluster, submitted: str, parameter: str
) -> None:
    sample = contract.samples("TrainingWorkload")[0]["spec"].get(parameter, {"value": "2h"})
    other = {"value": OTHER[parameter]} if parameter in OTHER else sample
    path, patch = f"{submitted}?dryRun=All", {"spec": {parameter: other}}
    if PARAMETERS[parameter].mutable:
        assert served.api.call("PATCH", path, patch, content_type=MERGE)["spec"][parameter] == other
    else:
        with pytest.raises(ApiError, match=rf"spec: Forbidden: spec\.{parameter} cannot change"):
            served.api.call("PATCH", path, patch, content_type=MERGE)


@pytest.mark.cluster
def test_a_spec_does_not_change_together_with_a_status(served: Cluster, submitted: str) -> None:
    """What holds parameters still lets writes of statuses pass; these change nothing else, and nothing else is one."""
    before = served.api.call("GET", submitted)["spec"]
    both = {"spec": {"gpu": {"value": "7"}}, "status": {"lastStatusChangeTime": "2026-11-01T00:00:00Z"}}
    with pytest.raises(ApiError, match=r"spec: Forbidden: spec\.gpu cannot change"):
        served.api.call("PATCH", f"{submitted}?dryRun=All", both, content_type=MERGE)
    written = served.api.call("PATCH", f"{submitted}/status?dryRun=All", both, content_type=MERGE)
    assert (written["spec"], written["status"]["lastStatusChangeTime"]) == (before, "2026-11-01T00:00:00Z")


DISTRIBUTED_CHANGES: Final[dict[str, tuple[Spec, str]]] = {
    "the framework": ({"spec": {"jobType": "TFJob"}}, r"spec: Forbidden: spec\.jobType cannot change"),
    "the workers' image": ({"spec": {"image": {"value": "other"}}}, r"spec: Forbidden: spec\.image cannot change"),
    "the master's image": ({"masterSpec": {"image": {"value": "other"}}}, "masterSpec: Forbidden: cannot change"),
    "the master": ({"masterSpec": None}, "masterSpec: Forbidden: cannot change"),
}


@pytest.mark.cluster
@pytest.mark.parametrize("usage", ["Submit", "Template"])
def test_a_distributed_workload_changes_only_while_it_is_a_template(served: Cluster, usage: str) -> None:
    path = path_of(BY_NAME["DistributedWorkload"])
    made = served.api.call(
        "POST",
        path,
        {
            "apiVersion": "run.ai/v2alpha1",
            "kind": "DistributedWorkload",
            "metadata": {"generateName": "kinds-"},
            "spec": {**IMAGE, "jobType": "PyTorchJob", "usage": usage},
            "masterSpec": IMAGE,
        },
    )
    mine = f"{path}/{made['metadata']['name']}"
    try:
        for patch, said in DISTRIBUTED_CHANGES.values():
            if usage == "Template":
                served.api.call("PATCH", f"{mine}?dryRun=All", patch, content_type=MERGE)
            else:
                with pytest.raises(ApiError, match=said):
                    served.api.call("PATCH", f"{mine}?dryRun=All", patch, content_type=MERGE)
    finally:
        served.api.call("DELETE", mine)
