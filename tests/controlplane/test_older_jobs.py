"""Jobs, their pods, and deployments of the older surface: the same workloads, in other words."""

from datetime import timedelta
from typing import Any

import pytest

from aliquot.contracts.cluster_sync import Gone
from tests.controlplane.cluster import BORN, Cluster, cluster_of, pod, workload
from tests.controlplane.plane import Plane, Tenant

BORN_MS = int(BORN.timestamp()) * 1000
L1_RESEARCHER = 5


@pytest.fixture
def tenant(planes: tuple[Plane, Plane]) -> Tenant:
    return planes[0].tenant()


@pytest.fixture
def cluster(tenant: Tenant) -> Cluster:
    made = cluster_of(tenant)
    tenant.project(made.uuid, "team-a")
    return made


def _path(cluster: Cluster, rest: str) -> str:
    return f"/v1/k8s/clusters/{cluster.uuid}/{rest}"


def _names(tenant: Tenant, cluster: Cluster, **query: Any) -> list[str]:
    return [each["jobName"] for each in tenant.admin.done("GET", _path(cluster, "jobs"), **query)]


def _gone(kind: str, name: str) -> tuple[Gone, ...]:
    return (Gone.model_validate({"kind": kind, "name": name}),)


AMOUNTS = {"gpu": 0.5, "gpuMemoryMib": 4096, "migProfile": "1g.10gb", "cpuMilli": 1500, "memoryBytes": 2**30}


def test_a_job_is_a_workload_with_its_youngest_pod_and_how_many_are_in_which_phase(
    tenant: Tenant, cluster: Cluster
) -> None:
    cluster.report(
        workload(
            "w1",
            name="train",
            submittedBy="ann",
            phase="Degraded",
            completedAt=BORN + timedelta(hours=1),
            requestedPods={"parallelism": 2, "completions": 3},
            podsRequested=AMOUNTS,
            allocated=AMOUNTS,
            currentNodePools=["a100", "default"],
            images=["ubuntu", "alpine"],
            urls=["https://x.example.com"],
        ),
        pod("p1", "w1", kubernetesPhase="Succeeded"),
        pod("p2", "w1", kubernetesPhase="Failed"),
        pod("p3", "w1", kubernetesPhase="Running", node="n3", createdAt=BORN + timedelta(hours=2)),
        pod("p4", "w1", kubernetesPhase="Pending", createdAt=BORN + timedelta(hours=1)),
        pod("p5", "w1", kubernetesPhase="Running", createdAt=BORN + timedelta(hours=3)),
    )
    cluster.report(gone=_gone("pod", "p5"))
    (job,) = tenant.admin.done("GET", _path(cluster, "jobs"))
    latest = job.pop("latestPod")
    assert job == {
        "JobId": "w1",
        "podGroupId": "w1",
        "jobName": "train",
        "jobType": "Train",
        "workloadKind": "trainingworkload",
        "clusterId": cluster.uuid,
        "status": "Running",
        "imageName": "ubuntu",
        "user": "ann",
        "project": "team-a",
        "nodeId": "n3",
        "nodePool": "a100,default",
        "creationTime": "2026-01-31T12:00:00.000Z",
        "completionTime": "2026-01-31T13:00:00.000Z",
        "pending": 1,
        "running": 1,
        "failed": 1,
        "succeeded": 1,
        "parallelism": 2,
        "completions": 3,
        "currentAllocatedGPUs": 0.5,
        "currentAllocatedGPUsMemory": 4096,
        "currentRequestedGPUs": 0.5,
        "totalRequestedGPUs": 0.5,
        "requestedGPUsPerPodGroup": 0.5,
        "requestedGPUsMemoryPerPodGroup": 4096,
        "totalRequestedMemory": 2**30,
        "totalRequestedCPU": 1.5,
        "requestedMigDevices": "1g.10gb",
        "existsInCluster": True,
        "jobUrl": "https://x.example.com",
    }
    assert (latest["podId"], latest["namespace"]) == ("p3", "runai-team-a")


def test_a_pod_has_its_times_in_milliseconds(tenant: Tenant, cluster: Cluster) -> None:
    containers = [
        {"name": "main", "image": "ubuntu", "startedAt": (BORN + timedelta(seconds=2)).isoformat()},
        {"name": "aside", "image": "alpine", "startedAt": (BORN + timedelta(seconds=1)).isoformat()},
    ]
    extended = {"rdma/hca": 1, "gpu": 99}
    said = pod("p1", "w1", node="n1", currentNodePool="a100", containers=containers, requested={"extended": extended})
    ended = pod("p2", "w1", kubernetesPhase="Succeeded", completedAt=BORN + timedelta(seconds=3), allocated=AMOUNTS)
    cluster.report(workload("w1"), said, ended)
    first, second = tenant.admin.done("GET", _path(cluster, "pods"))
    assert isinstance(first.pop("lastUpdated"), int)
    assert first == {
        "podId": "p1",
        "jobId": "w1",
        "podGroupId": "w1",
        "clusterUuid": cluster.uuid,
        "podName": "p1",
        "imageName": "ubuntu",
        "nodeId": "n1",
        "phase": "Running",
        "status": "Running",
        "created": BORN_MS,
        "completed": 0,
        "started": BORN_MS + 1000,
        "existsInCluster": True,
        "resourceRequest": {"rdma/hca": 1, "gpu": 0, "gpuMemory": 0, "cpu": 0, "memory": 0},
        "resourceAllocation": {"gpu": 0, "gpuMemory": 0, "cpu": 0, "memory": 0},
        "nodePool": "a100",
        "namespace": "runai-team-a",
    }
    assert (second["completed"], second["started"], second["imageName"]) == (BORN_MS + 3000, None, "")
    assert second["resourceAllocation"] == {"gpu": 0.5, "gpuMemory": 4096, "cpu": 1.5, "memory": 2**30}


@pytest.mark.parametrize(
    ("said", "type_"),
    [
        ({}, "Train"),
        ({"type": "DistributedWorkload", "priorityClass": "build"}, "Train"),
        ({"type": "InteractiveWorkload", "priorityClass": "train"}, "Interactive"),
        ({"type": "InferenceWorkload"}, "Inference"),
        ({"type": "RunaiJob", "priorityClass": "build"}, "Interactive"),
        ({"type": "Deployment", "priorityClass": "inference"}, "Inference"),
        ({"type": "PyTorchJob"}, "Train"),
    ],
)
def test_what_a_job_is_follows_from_its_kind_else_from_its_priority_class(
    tenant: Tenant, cluster: Cluster, said: dict[str, str], type_: str
) -> None:
    cluster.report(workload("w1", **said))
    (job,) = tenant.admin.done("GET", _path(cluster, "jobs"))
    assert job["jobType"] == type_


PHASES = {"a": "Creating", "b": "Running", "c": "Completed", "d": "Stopped"}


def test_jobs_are_filtered_sorted_and_counted_in_older_words(tenant: Tenant, cluster: Cluster) -> None:
    for number, (uid, phase) in enumerate(PHASES.items()):
        cluster.report(
            workload(uid, phase=phase, createdAt=BORN + timedelta(seconds=number), allocated={"gpu": number})
        )
    assert _names(tenant, cluster) == ["d", "c", "b", "a"]
    assert _names(tenant, cluster, sortDirection="ASC") == ["a", "b", "c", "d"]
    assert _names(tenant, cluster, sortBy="jobName") == ["a", "b", "c", "d"]
    assert _names(tenant, cluster, sortBy="status", sortDirection="desc") == ["c", "d", "b", "a"]
    assert _names(tenant, cluster, **{"from": 1, "limit": 2}) == ["c", "b"]
    for filter_, found in {
        "status==Pending": ["a"],
        "status!=Succeeded,currentAllocatedGPUs>=1": ["d", "b"],
        "workloadKind==trainingworkload": ["d", "c", "b", "a"],
        "creationTime>=2026-01-31T12:00:02Z": ["d", "c"],
        "project=^team-b": [],
    }.items():
        assert _names(tenant, cluster, filter=filter_) == found
        assert tenant.admin.done("GET", _path(cluster, "jobs/count"), filter=filter_) == len(found)
    assert tenant.admin.done("GET", _path(cluster, "jobs/count")) == 4
    for path in ("jobs", "jobs/count"):
        assert "filter: 'phase==x' is not allowed" in tenant.admin.refused(
            400, "GET", _path(cluster, path), filter="phase==x"
        )
    for query in ({"limit": 501}, {"from": -1}, {"sortBy": "phase"}, {"sortDirection": "up"}, {"offset": 1}):
        assert next(iter(query)) in tenant.admin.refused(400, "GET", _path(cluster, "jobs"), **query)


def test_jobs_that_are_gone_are_among_them_unless_somebody_says_otherwise(tenant: Tenant, cluster: Cluster) -> None:
    cluster.report(workload("w1"), workload("w2"), pod("p1", "w1"), pod("p2", "w2"))
    cluster.report(gone=(*_gone("workload", "w1"), *_gone("pod", "p1")))
    shown = {each["jobName"]: each for each in tenant.admin.done("GET", _path(cluster, "jobs"))}
    assert {name: each["existsInCluster"] for name, each in shown.items()} == {"w1": False, "w2": True}
    assert (shown["w1"]["running"], shown["w1"]["latestPod"]["existsInCluster"]) == (0, False)
    assert _names(tenant, cluster, includeDeleted="false") == ["w2"]
    assert _names(tenant, cluster, filter="existsInCluster==true") == ["w2"]
    assert tenant.admin.done("GET", _path(cluster, "jobs/count")) == 2
    assert [each["podId"] for each in tenant.admin.done("GET", _path(cluster, "pods"))] == ["p2"]
    (gone,) = tenant.admin.done("GET", _path(cluster, "jobs/w1/pods"))
    assert (gone["podId"], gone["existsInCluster"]) == ("p1", False)


def test_jobs_of_a_node_are_those_that_have_a_pod_there(tenant: Tenant, cluster: Cluster) -> None:
    cluster.report(workload("w1"), workload("w2"), pod("p1", "w1", node="n1"), pod("p2", "w2", node="n2"))
    cluster.report(workload("w3"), pod("p3", "w3", node="n1"))
    assert _names(tenant, cluster, nodeId="n1", sortBy="jobName") == ["w1", "w3"]
    assert tenant.admin.done("GET", _path(cluster, "jobs/count"), nodeId="n1") == 2
    cluster.report(gone=_gone("pod", "p3"))
    assert _names(tenant, cluster, nodeId="n1") == ["w1"]
    assert _names(tenant, cluster, nodeId="n9") == []


def test_pods_of_a_job_are_found_by_what_they_are(tenant: Tenant, cluster: Cluster) -> None:
    cluster.report(workload("w1"), pod("p1", "w1", node="n1", name="first"), pod("p2", "w1", kubernetesPhase="Pending"))
    cluster.report(workload("w2"), pod("p3", "w2"))
    for query, found in (
        ({}, ["p1", "p2"]),
        ({"id": "p1"}, ["p1"]),
        ({"podId": "p2"}, ["p2"]),
        ({"podId": "p3"}, []),
        ({"podGroupId": "w1"}, ["p1", "p2"]),
        ({"podGroupId": "w2"}, []),
        ({"nodeID": "n1"}, ["p1"]),
        ({"name": "first"}, ["p1"]),
        ({"status": "Pending"}, ["p2"]),
        ({"from": 1, "limit": 1}, ["p2"]),
    ):
        shown = tenant.admin.done("GET", _path(cluster, "jobs/w1/pods"), **query)
        assert [each["podId"] for each in shown] == found, query
    assert "nobody" in tenant.admin.refused(404, "GET", _path(cluster, "jobs/nobody/pods"))


def test_a_path_means_the_cluster_that_it_names(tenant: Tenant, cluster: Cluster) -> None:
    other = cluster_of(tenant)
    cluster.report(workload("w1", name="here"), pod("p1", "w1", name="one"), workload("w2"))
    other.report(workload("w1", name="there"), pod("p1", "w1", name="two"), workload("i1", type="InferenceWorkload"))
    assert _names(tenant, cluster, sortBy="jobName") == ["here", "w2"]
    assert _names(tenant, other, sortBy="jobName") == ["i1", "there"]
    for each, name in ((cluster, "one"), (other, "two")):
        assert [pod["podName"] for pod in tenant.admin.done("GET", _path(each, "jobs/w1/pods"))] == [name]
        assert [pod["podName"] for pod in tenant.admin.done("GET", _path(each, "pods"))] == [name]
    tenant.admin.refused(404, "GET", _path(other, "jobs/w2/pods"))
    tenant.admin.refused(404, "GET", _path(cluster, "deployments/i1"))


def test_lists_show_what_the_caller_may_see(tenant: Tenant, cluster: Cluster) -> None:
    other = tenant.project(cluster.uuid, "team-b")
    inference = {"type": "InferenceWorkload"}
    cluster.report(
        workload("w1"), pod("p1", "w1"), workload("w2", project="team-b"), pod("p2", "w2", project="team-b"),
        workload("i1", **inference), workload("i2", project="team-b", **inference), workload("nobodys", project=None),
    )  # fmt: skip
    researcher = tenant.with_role(L1_RESEARCHER, "project", other["id"])
    assert {each["JobId"] for each in researcher.done("GET", _path(cluster, "jobs"))} == {"w2", "i2"}
    assert researcher.done("GET", _path(cluster, "jobs/count")) == 2
    assert [each["podId"] for each in researcher.done("GET", _path(cluster, "pods"))] == ["p2"]
    assert [each["id"] for each in researcher.done("GET", _path(cluster, "deployments"))] == ["i2"]
    for path in ("jobs/w1/pods", "jobs/nobodys/pods", "deployments/i1"):
        researcher.refused(403, "GET", _path(cluster, path))


def test_deployments_are_the_inference_workloads_that_are_there(tenant: Tenant, cluster: Cluster) -> None:
    conditions = [
        {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
        {"type": "Progressing", "status": "Unknown", "message": "wait"},
        {"type": "Ready", "status": "True"},
    ]
    cluster.report(
        workload(
            "i1",
            name="serve",
            type="InferenceWorkload",
            submittedBy="ann",
            urls=["http://serve.example.com"],
            currentNodePools=["a100"],
            conditions=conditions,
        ),
        pod("p1", "i1", containers=[{"name": "main", "image": "triton"}], requested={"gpu": 1}),
        pod("p2", "i1", kubernetesPhase="Failed", createdAt=BORN - timedelta(hours=1)),
        workload("i2", type="InferenceWorkload", createdAt=BORN + timedelta(hours=1)),
        workload("w1"),
    )
    first, second = tenant.admin.done("GET", _path(cluster, "deployments"))
    assert first == {
        "clusterUuid": cluster.uuid,
        "id": "i1",
        "name": "serve",
        "namespace": "runai-team-a",
        "project": "team-a",
        "owners": [{"kind": "InferenceWorkload", "name": "serve", "id": "i1"}],
        "createdAt": "2026-01-31T12:00:00.000Z",
        "replicas": 1,
        "template": {
            "containers": [{"name": "main", "image": "triton"}],
            "resourceRequest": {"gpu": 1, "gpuMemory": 0, "cpu": 0, "memory": 0},
        },
        "schedulerName": "runai-scheduler",
        "username": "ann",
        "connections": ["http://serve.example.com"],
        "inferenceworkloadName": "serve",
        "conditions": [
            {"type": "Available", "status": "true", "reason": "MinimumReplicasAvailable", "message": ""},
            {"type": "Progressing", "status": "Unknown", "reason": "", "message": "wait"},
        ],
        "nodePool": "a100",
    }
    assert (second["replicas"], second["template"]) == (0, {"containers": [], "resourceRequest": {}})
    assert tenant.admin.done("GET", _path(cluster, "deployments"), **{"from": 1}) == [second]
    assert tenant.admin.done("GET", _path(cluster, "deployments/i1")) == first
    tenant.admin.refused(404, "GET", _path(cluster, "deployments/w1"))
    cluster.report(gone=_gone("workload", "i1"))
    tenant.admin.refused(404, "GET", _path(cluster, "deployments/i1"))
    assert tenant.admin.done("GET", _path(cluster, "deployments")) == [second]
