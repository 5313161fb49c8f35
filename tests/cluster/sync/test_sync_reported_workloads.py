"""Workloads, pods and Events as a cluster reports them: each kind in the same words, and always so that they fit."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.cluster.sync.reported_workloads import (
    Running,
    Tenancy,
    Whose,
    reported_event,
    reported_external,
    reported_job,
    reported_own,
    reported_pod,
    resources,
    source,
)
from aliquot.contracts.cluster_sync import Report
from aliquot.contracts.kinds.external import ExternalWorkload
from aliquot.contracts.kinds.runaijob import RunaiJob
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
    Workload,
)
from aliquot.contracts.kubernetes import Event, Pod
from aliquot.core.intake import pod_facts
from aliquot.core.submission import NOTHING, Defaults, carried_out
from aliquot.core.submission.spec import Site

BORN = "2026-01-31T12:00:00Z"
LATER = "2026-01-31T13:00:00Z"
TEAM = Tenancy("team-a", "research")
METADATA = {"name": "w", "namespace": "runai-team-a", "uid": "u1", "creationTimestamp": BORN}
IMAGE = {"image": {"value": "ubuntu"}}


def running(name: str = "w-0-0", node: str = "", phase: str = "Pending", memory: int = 0, **parts: Any) -> Running:
    """A pod that asks for a GPU, as the scheduler reads it, but for what is changed."""
    limits = parts.pop("limits", {"nvidia.com/gpu": 1, "cpu": "500m", "memory": "1Gi"})
    metadata = {"name": name, "namespace": "runai-team-a", "uid": f"uid-{name}", "creationTimestamp": BORN}
    pod = msgspec.convert(
        {
            "metadata": {**metadata, **parts.pop("metadata", {})},
            "spec": {
                "schedulerName": "runai-scheduler",
                "nodeName": node,
                "priorityClassName": "train",
                "containers": [{"name": "main", "image": "ubuntu", "resources": {"limits": limits}}],
                **parts.pop("spec", {}),
            },
            "status": {"phase": phase, **parts.pop("status", {})},
        },
        Pod,
    )
    facts = pod_facts(pod, None)
    return Running(pod, facts.task.request, ("default",), True, "default" if node else None, memory)


def own(model: type[Workload], spec: dict[str, Any], **parts: Any) -> Workload:
    metadata = {**METADATA, **parts.pop("metadata", {})}
    return model.model_validate({"metadata": metadata, "spec": {**IMAGE, **spec}, **parts})  # pyright: ignore[reportReturnType]


def told(workload: Workload, *pods: Running) -> dict[str, Any]:
    spec = carried_out(workload, NOTHING, Defaults(1000, 2**30), Site("team-a"))
    return reported_own(workload, "train", spec, TEAM, pods).model_dump(mode="json", by_alias=True)


def test_a_workload_of_our_own_is_told_of_with_what_it_asks_for_and_has() -> None:
    status = {
        "phase": "Running",
        "phaseMessage": "1 of 2 pods running",
        "conditions": [{"type": "Running", "status": "True", "lastTransitionTime": LATER}],
        "externalUrls": ["https://x.example.com"],
        "completionTime": LATER,
    }
    workload = own(
        TrainingWorkload,
        {
            "gpu": {"value": "2"},
            "completions": {"value": 4},
            "parallelism": {"value": 2},
            "username": {"value": "ada"},
            "nodePools": {"value": "a100 default"},
        },
        status=status,
        metadata={"annotations": {"runai-cli-version": "1"}},
    )
    said = told(workload, running(node="n1", phase="Running"), running("w-1-0"))
    assert {name: said[name] for name in ("id", "name", "namespace", "type", "project", "department")} == {
        "id": "u1",
        "name": "train",
        "namespace": "runai-team-a",
        "type": "TrainingWorkload",
        "project": "team-a",
        "department": "research",
    }
    assert (said["phase"], said["phaseMessage"], said["kubernetesPhase"]) == (
        "Running",
        "1 of 2 pods running",
        "Running",
    )
    assert (said["createdAt"], said["completedAt"]) == (BORN, LATER)
    assert (said["submittedBy"], said["source"], said["preemptible"], said["priorityClass"]) == (
        "ada",
        "CLI",
        True,
        "train",
    )
    assert said["requestedPods"] == {"number": None, "min": None, "max": None, "parallelism": 2, "completions": 4}
    assert (said["requested"]["gpu"], said["requested"]["cpuMilli"], said["requested"]["memoryBytes"]) == (
        4,
        4000,
        4 * 2**30,
    )
    assert (said["podsRequested"]["gpu"], said["allocated"]["gpu"], said["allocated"]["cpuMilli"]) == (2, 1, 500)
    assert (said["requestedNodePools"], said["currentNodePools"]) == (["a100", "default"], ["default"])
    assert (said["images"], said["urls"], said["runningPods"]) == (["ubuntu"], ["https://x.example.com"], 1)
    assert [(each["type"], each["status"]) for each in said["conditions"]] == [("Running", "True")]


ASKED: dict[str, tuple[type[Workload], dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "one that does not say": (TrainingWorkload, {}, {"parallelism": 1, "completions": 1}, {"gpu": 0}),
    "a part of a GPU": (
        InteractiveWorkload,
        {"gpu": {"value": "0.5"}},
        {"number": 1},
        {"gpu": 0.5, "gpuRequestType": "portion"},
    ),
    "memory of GPUs": (
        InteractiveWorkload,
        {"gpuMemory": {"value": "4Gi"}, "gpuDevices": {"value": 2}},
        {"number": 1},
        {"gpuRequestType": "memory", "gpuMemoryMib": 8192},
    ),
    "a slice": (
        TrainingWorkload,
        {"migProfile": {"value": "1g.10gb"}, "parallelism": {"value": 2}, "completions": {"value": 2}},
        {"parallelism": 2, "completions": 2},
        {"gpu": 0.28, "gpuRequestType": "migProfile", "migProfile": "1g.10gb"},
    ),
    "workers and a master": (
        DistributedWorkload,
        {"jobType": "PyTorchJob", "workers": {"value": 3}, "gpu": {"value": "2"}},
        {"number": 4},
        {"gpu": 8},
    ),
    "a service": (
        InferenceWorkload,
        {"gpu": {"value": "1"}, "minScale": {"value": 2}, "maxScale": {"value": 5},
         "ports": {"items": {"a": {"value": {"container": 80}}}}},
        {"min": 2, "max": 5},
        {"gpu": 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("model", "spec", "pods", "amounts"), ASKED.values(), ids=ASKED)
def test_what_each_kind_asks_for_is_told_in_the_same_words(
    model: type[Workload], spec: dict[str, Any], pods: dict[str, int], amounts: dict[str, Any]
) -> None:
    said = told(own(model, spec))
    assert {name: each for name, each in said["requestedPods"].items() if each is not None} == pods
    assert {name: said["requested"][name] for name in amounts} == amounts
    assert said["phase"] == "Creating"


def test_a_workload_that_is_wrong_is_told_of_all_the_same() -> None:
    workload = own(TrainingWorkload, {}, status={"phase": "Failed", "phaseMessage": "spec.image: left out"})
    said = reported_own(workload, "w", None, Tenancy(), ())
    assert (said.phase, said.requested, said.requested_pods, said.project) == ("Failed", None, None, None)


SOURCES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "nobody says": ({}, {}, "Other"),
    "the command line": ({}, {"runai-cli-version": "2.17"}, "CLI"),
    "an earlier command line": ({"PreviousJob": "true"}, {}, "CLI"),
    "the control plane": ({"aliquot.dev/control-plane": "uuid", "PreviousJob": "true"}, {}, "Control-plane"),
}


@pytest.mark.parametrize(("labels", "annotations", "told_as"), SOURCES.values(), ids=SOURCES)
def test_the_source_is_what_an_object_says_of_itself(
    labels: dict[str, str], annotations: dict[str, str], told_as: str
) -> None:
    assert source(labels, annotations) == told_as


def condition(kind: str, status: str = "True") -> dict[str, Any]:
    return {"type": kind, "status": status, "message": f"is {kind}", "lastTransitionTime": LATER}


PHASES: dict[str, tuple[dict[str, Any], list[Running], str]] = {
    "without pods": ({}, [], "Creating"),
    "whose pod waits": ({}, [running()], "Pending"),
    "whose pods wait, one of them": ({}, [running(node="n1"), running("w-1-0")], "Pending"),
    "whose pod starts": ({}, [running(node="n1")], "Initializing"),
    "of which a pod runs": ({}, [running(node="n1", phase="Running"), running("w-1-0")], "Running"),
    "between two tries": ({}, [running(node="n1", phase="Failed")], "Pending"),
    "that is suspended": ({"conditions": [condition("Suspended")]}, [], "Stopped"),
    "that was resumed": ({"conditions": [condition("Suspended", "False")]}, [], "Creating"),
    "that succeeded": ({"conditions": [condition("Complete")], "completionTime": LATER}, [], "Completed"),
    "that failed": ({"conditions": [condition("Failed")]}, [running(node="n1", phase="Failed")], "Failed"),
}


@pytest.mark.parametrize(("status", "pods", "phase"), PHASES.values(), ids=PHASES)
def test_the_phase_of_a_job_is_told_in_the_words_of_workloads(
    status: dict[str, Any], pods: list[Running], phase: str
) -> None:
    job = RunaiJob.model_validate({"metadata": METADATA, "spec": {"template": {}, "completions": 2}, "status": status})
    said = reported_job(job, TEAM, pods)
    assert (said.phase, said.type, said.project) == (phase, "RunaiJob", "team-a")
    assert (said.completed_at is not None) == (phase in ("Completed", "Failed"))
    assert said.requested_pods is not None
    assert said.requested_pods.completions == 2


def test_a_workload_of_another_kind_is_told_of_as_what_people_made() -> None:
    spec = {
        "type": "Deployment",
        "originalWorkloadName": "web",
        "originalWorkloadUID": "u2",
        "creationTimestamp": BORN,
        "projectName": "team-a",
        "departmentName": "research",
        "priorityClassName": "inference",
        "imageName": "nginx",
        "requestedNodePools": ["default"],
        "requestedPods": {"replicas": 2},
        "requestedResources": {"requests": {"nvidia.com/gpu": "1.5", "cpu": "100m", "memory": "1Gi", "x": "y"}},
    }
    observed = {
        "phase": "Failed",
        "message": "it has failed",
        "k8sStatus": "Stuck",
        "conditions": [condition("Failed")],
    }
    given = {"metadata": {**METADATA, "name": "deployment-web-1"}, "spec": spec, "status": {"observedStatus": observed}}
    said = reported_external(ExternalWorkload.model_validate(given), [running(metadata={"labels": {"user": "bob"}})])
    assert (said.id, said.name, said.type, said.source) == ("u2", "web", "Deployment", "Other")
    assert (said.phase, said.phase_message, said.kubernetes_phase) == ("Failed", "it has failed", "Stuck")
    assert said.completed_at is not None
    assert said.requested is not None
    assert (said.requested.gpu, said.requested.cpu_milli, said.requested.memory_bytes) == (1.5, 100, 2**30)
    assert said.requested_pods is not None
    assert (said.requested_pods.number, said.submitted_by, said.images) == (2, "bob", ("nginx", "ubuntu"))
    new = reported_external(ExternalWorkload.model_validate({"metadata": METADATA, "spec": {}}), ())
    assert (new.phase, new.id, new.name, new.completed_at) == ("Creating", "u1", "w", None)


PODS: dict[str, tuple[Running, dict[str, Any]]] = {
    "that waits": (running(), {"node": None, "currentNodePool": None, "allocated": 0, "completedAt": None}),
    "that runs": (running(node="n1", phase="Running"), {"node": "n1", "currentNodePool": "default", "allocated": 1}),
    "that is being stopped": (
        running(node="n1", phase="Running", metadata={"deletionTimestamp": LATER}),
        {"node": "n1", "allocated": 1, "completedAt": None},
    ),
    "that has ended": (
        running(
            node="n1",
            phase="Succeeded",
            status={"containerStatuses": [{"name": "main", "state": {"terminated": {"finishedAt": LATER}}}]},
        ),
        {"node": "n1", "allocated": 0, "completedAt": LATER},
    ),
    "that has ended, and nobody knows when": (
        running(node="n1", phase="Failed"),
        {"allocated": 0, "completedAt": BORN},
    ),
}


@pytest.mark.parametrize(("pod", "expected"), PODS.values(), ids=PODS)
def test_a_pod_has_what_it_asks_for_from_its_node_to_its_end(pod: Running, expected: dict[str, Any]) -> None:
    said = reported_pod(pod, Whose("u1", "train", "team-a")).model_dump(mode="json", by_alias=True)
    assert {**said, "allocated": said["allocated"]["gpu"]} == {
        **said,
        "id": "uid-w-0-0",
        "workload": "u1",
        "workloadName": "train",
        "project": "team-a",
        "priorityClass": "train",
        "kubernetesPhase": pod.pod.status.phase,
        **expected,
    }
    assert said["requested"]["gpu"] == 1


def part(**annotations: str) -> dict[str, Any]:
    return {"metadata": {"annotations": {name.replace("_", "-"): each for name, each in annotations.items()}}}


AMOUNTS: dict[str, tuple[Running, dict[str, Any]]] = {
    "whole GPUs": (running(limits={"nvidia.com/gpu": 2}), {"gpu": 2}),
    "a part": (running(limits={}, **part(gpu_fraction="0.25")), {"gpu": 0.25, "gpu_request_type": "portion"}),
    "memory, before it has a node": (
        running(limits={}, **part(gpu_memory="4096")),
        {"gpu": 1, "gpu_request_type": "memory", "gpu_memory_mib": 4096},
    ),
    "memory of a GPU that is known": (running(limits={}, memory=16384, **part(gpu_memory="4096")), {"gpu": 0.25}),
    "slices": (
        running(limits={"nvidia.com/mig-1g.10gb": 2}),
        {"gpu": 0.28, "gpu_request_type": "migProfile", "mig_profile": "1g.10gb", "extended": {}},
    ),
    "other devices": (running(limits={"rdma/hca": 2}), {"gpu": 0, "extended": {"rdma/hca": 2}}),
    "what nobody can read": (running(limits={}, **part(gpu_fraction="most")), {"extended": {}}),
    "more than there is": (running(limits={"cpu": "9e18", "memory": "9e30"}), {"cpu_milli": 2**50}),
}


@pytest.mark.parametrize(("pod", "expected"), AMOUNTS.values(), ids=AMOUNTS)
def test_amounts_are_counted_as_the_scheduler_counts_them(pod: Running, expected: dict[str, Any]) -> None:
    assert {name: getattr(resources([pod]), name) for name in expected} == expected


def test_an_event_is_told_of_with_what_it_is_about() -> None:
    event = msgspec.convert(
        {
            "metadata": {"name": "w.1", "namespace": "runai-team-a", "uid": "e1", "creationTimestamp": BORN},
            "eventTime": "2026-01-31T12:00:00.123456Z",
            "reportingController": "aliquot.dev/operator",
            "reason": "Scheduled",
            "type": "Normal",
            "note": "it has a node",
            "regarding": {"kind": "Pod", "namespace": "runai-team-a", "name": "w-0-0", "uid": "p1"},
        },
        Event,
    )
    said = reported_event(event, "u1")
    assert (said.id, said.workload, said.involved_uid, said.involved_kind) == ("e1", "u1", "p1", "Pod")
    assert (said.type, said.reason, said.message) == ("Normal", "Scheduled", "it has a node")
    assert (said.source, said.created_at.isoformat()[:19]) == ("aliquot.dev/operator", "2026-01-31T12:00:00")


_TEXT = st.text(max_size=3) | st.just("x" * 5000)


@given(
    texts=st.lists(_TEXT, min_size=8, max_size=8),
    many=st.integers(0, 100),
    times=st.sampled_from([BORN, "", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "nonsense"]),
)
def test_whatever_is_written_on_a_pod_the_report_is_one_that_the_control_plane_takes(
    texts: list[str], many: int, times: str
) -> None:
    pod = running(
        node="n1",
        phase="Failed",
        metadata={"creationTimestamp": times, "labels": {"user": texts[0]}},
        spec={
            "containers": [{"name": f"c{each}", "image": texts[1]} for each in range(many)],
            "tolerations": [{"key": "a", "value": "b"} for _ in range(many)],
        },
        status={"startTime": times},
    )
    job = RunaiJob.model_validate(
        {
            "metadata": {**METADATA, "labels": {"user": texts[2]}},
            "spec": {"template": {}},
            "status": {"conditions": [{"type": texts[3][:300] or "x", "status": "Maybe", "message": texts[4]}]},
        }
    )
    objects = (reported_pod(pod, Whose("u1", "w" * 253)), reported_job(job, TEAM, [pod]))
    report = Report(term=1, session="0" * 36, sequence=1, objects=objects)
    assert Report.model_validate_json(report.model_dump_json()) == report
