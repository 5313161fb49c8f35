"""What the mirror answers about workloads of several kinds, and their pods."""

import msgspec
import pytest

from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of, workload_key_of
from aliquot.contracts.kinds import DistributedWorkload, InteractiveWorkload, TrainingWorkload
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Pod

NAMESPACE = "runai-a"


def workload(
    kind: type[Workload], name: str, *, age: int = 0, base: str | None = None, job: str | None = None
) -> Workload:
    metadata = {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"{kind.__name__}-{name}",
        "resourceVersion": "1",
        "creationTimestamp": f"2026-01-01T00:00:{59 - age:02}Z",
    }
    spec = {"baseWorkload": base, "name": {"value": job}}
    return kind.model_validate({"metadata": metadata, "spec": spec})


def pod(name: str, kind: str, owner: str, uid: str | None = None, *, version: str = "run.ai/v2alpha1") -> Pod:
    reference = {
        "apiVersion": version,
        "kind": kind,
        "name": owner,
        "uid": uid or f"{kind}-{owner}",
        "controller": True,
    }
    metadata = {"name": name, "namespace": NAMESPACE, "uid": name, "resourceVersion": "1"}
    return msgspec.convert({"metadata": {**metadata, "ownerReferences": [reference]}}, Pod)


@pytest.fixture
def mirror() -> Mirror:
    """Two workloads of one name, and a pod of each."""
    mirror = Mirror()
    for kind in (TrainingWorkload, InteractiveWorkload):
        mirror.workloads.put(workload(kind, "same", job=f"job-of-{kind.__name__.lower()}"))
        mirror.pods.put(pod(f"of-{kind.__name__.lower()}", kind.__name__, "same"))
    return mirror


@pytest.mark.parametrize("kind", ["TrainingWorkload", "InteractiveWorkload"])
def test_workloads_of_one_name_and_different_kinds_are_told_apart(mirror: Mirror, kind: str) -> None:
    held = mirror.workloads.get(Key(NAMESPACE, "same", kind))
    assert held is not None
    assert (type(held).__name__, key_of(held)) == (kind, Key(NAMESPACE, "same", kind))
    [owned] = mirror.pods_of(held)
    assert owned.metadata.name == f"of-{kind.lower()}"
    assert workload_key_of(owned) == key_of(held)
    assert mirror.workload_of(owned) is held
    mirror.workloads.drop(key_of(held), held.metadata.uid)
    assert not mirror.has_its_workload(owned)
    assert [type(each).__name__ for each in mirror.workloads_in(NAMESPACE)] == [
        other for other in ("TrainingWorkload", "InteractiveWorkload") if other != kind
    ]


def test_a_job_name_is_one_of_its_namespace_whatever_the_kind() -> None:
    mirror = Mirror()
    mirror.workloads.put(workload(TrainingWorkload, "younger", job="job", age=1))
    mirror.workloads.put(workload(InteractiveWorkload, "older", job="job", age=2))
    assert [each.metadata.name for each in mirror.workloads_called(NAMESPACE, "job")] == ["older", "younger"]
    assert mirror.job_names(NAMESPACE) == {"job"}


def test_only_workloads_of_its_kind_are_based_on_a_template() -> None:
    mirror, kinds = Mirror(), (TrainingWorkload, InteractiveWorkload)
    template, *_ = [workload(kind, "template") for kind in kinds]
    for kind in kinds:
        mirror.workloads.put(workload(kind, "based", base="template"))
    assert [key_of(each) for each in mirror.workloads_based_on(template)] == [
        Key(NAMESPACE, "based", "TrainingWorkload")
    ]


@pytest.mark.parametrize(
    "stranger",
    [
        pod("a", "ReplicaSet", "same"),
        pod("b", "TrainingWorkload", "same", version="elsewhere.example.com/v1"),
        pod("c", "TrainingWorkload", "same", uid="another incarnation"),
        pod("d", "InteractiveWorkload", "another"),
    ],
    ids=lambda stranger: stranger.metadata.name,
)
def test_a_pod_of_somebody_else_has_no_workload_of_ours(mirror: Mirror, stranger: Pod) -> None:
    assert mirror.workload_of(stranger) is None


def test_a_key_says_the_kind_of_a_workload() -> None:
    held = workload(DistributedWorkload, "gang")
    assert str(key_of(held)) == "DistributedWorkload runai-a/gang"
    assert str(Key("", "team-a")) == "team-a"
