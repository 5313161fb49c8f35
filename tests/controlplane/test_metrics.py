"""The Metrics API over REST: its whole door, with samples that a store in memory computes, and without any store."""

import csv
import io
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from aliquot.contracts.administrator_api.metrics import ALIASES, METRICS, Level, metrics_of
from aliquot.contracts.cluster_sync import ReportedDepartment, ReportedProject, ReportedUse
from aliquot.controlplane.metrics.store import Subject
from aliquot.controlplane.older.measures import SHOWN
from tests.controlplane.cluster import Cluster, cluster_of, node, pod, workload
from tests.controlplane.plane import Caller, Plane, Tenant, running
from tests.controlplane.samples import MemoryStore

START: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR: Final = {"start": "2026-01-31T12:00:00Z", "end": "2026-01-31T13:00:00Z"}
NAMESPACE: Final = "runai-team-a"


def at(minutes: float) -> int:
    return int((START + timedelta(minutes=minutes)).timestamp() * 1000)


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(scope="module")
def measured_plane(store: MemoryStore, tmp_path_factory: pytest.TempPathFactory) -> Generator[Plane]:
    with running(f"sqlite:///{tmp_path_factory.mktemp('metrics')}/aliquot.db", store) as made:
        yield made


@pytest.fixture
def measured(measured_plane: Plane) -> Tenant:
    """A tenant of a control plane that keeps time series."""
    return measured_plane.tenant()


@pytest.fixture
def cluster(measured: Tenant) -> Cluster:
    made = cluster_of(measured)
    measured.project(made.uuid, "team-a", deserved=3)
    made.report(workload("w1", name="train"), pod("p1", "w1", name="train-0-0"), pod("p2", "w1", name="train-1-0"))
    made.report(workload("i1", name="serve", type="InferenceWorkload"), pod("p3", "i1", name="serve-0"))
    return made


def whole(subject: Subject, store: MemoryStore, metric: str, *values: float, **labels: str) -> None:
    """Measure a value each quarter of an hour."""
    store.measure(subject, metric, {at(15 * (number + 1)): value for number, value in enumerate(values)}, **labels)


def samples(found: dict[str, Any]) -> list[tuple[str, Any, list[str] | None]]:
    return [
        (each["type"], each["labels"], each["values"] and [value["value"] for value in each["values"]])
        for each in found["measurements"]
    ]


def test_a24_series_of_a_workload_are_shown_at_equal_distances_as_text(
    measured: Tenant, cluster: Cluster, store: MemoryStore
) -> None:
    subject = Subject("workload", cluster.uuid, "train", "w1", NAMESPACE, pods=("p1", "p2"))
    whole(subject, store, "GPU_UTILIZATION", 10, 20.5, 85, 0)
    whole(subject, store, "CPU_USAGE_CORES", 1, 2, 3, 4)
    path = "/api/v1/workloads/w1/metrics"
    asked = ["GPU_UTILIZATION", "CPU_USAGE_CORES"]
    answer = measured.admin.call("GET", path, **HOUR, numberOfSamples=4, metricType=asked)
    assert answer.status_code == 200
    found = answer.json()
    assert samples(found) == [
        ("GPU_UTILIZATION", None, ["10", "20.5", "85", "0"]),
        ("CPU_USAGE_CORES", None, ["1", "2", "3", "4"]),
    ]
    assert [each["timestamp"] for each in found["measurements"][0]["values"]] == [
        "2026-01-31T12:15:00.000Z",
        "2026-01-31T12:30:00.000Z",
        "2026-01-31T12:45:00.000Z",
        "2026-01-31T13:00:00.000Z",
    ]
    assert measured.admin.done("GET", path, **HOUR, numberOfSamples=4, metricType=",".join(asked)) == found
    [(_, _, two)] = samples(measured.admin.done("GET", path, **HOUR, numberOfSamples=2, metricType="GPU_UTILIZATION"))
    assert two == ["20.5", "0"], "the last of each step"
    assert len(measured.admin.done("GET", path, **HOUR, metricType="GPU_UTILIZATION")["measurements"][0]["values"]) == 4
    again = measured.admin.done("GET", path, **HOUR, numberOfSamples=4, metricType=["CPU_USAGE", "CPU_USAGE"])
    assert samples(again) == [("CPU_USAGE", None, ["1", "2", "3", "4"])], "the name of 2.17, as it was asked for, once"


def test_what_has_no_values_makes_the_answer_a_partial_one(
    measured: Tenant, cluster: Cluster, store: MemoryStore
) -> None:
    subject = Subject("pod", cluster.uuid, "train-0-0", "p1", NAMESPACE)
    whole(subject, store, "GPU_UTILIZATION_PER_GPU", 85, 86, gpu="3")
    whole(subject, store, "GPU_UTILIZATION_PER_GPU", 0, 1, gpu="0")
    path = "/api/v1/workloads/w1/pods/p1/metrics"
    asked = {**HOUR, "numberOfSamples": 4}
    whole_one = measured.admin.call("GET", path, **asked, metricType="GPU_UTILIZATION_PER_GPU")
    assert (whole_one.status_code, samples(whole_one.json())) == (
        200,
        [
            ("GPU_UTILIZATION_PER_GPU", {"gpu": "0"}, ["0", "1"]),
            ("GPU_UTILIZATION_PER_GPU", {"gpu": "3"}, ["85", "86"]),
        ],
    )
    partial = measured.admin.call("GET", path, **asked, metricType="GPU_UTILIZATION_PER_GPU,CPU_USAGE_CORES")
    assert partial.status_code == 207
    assert samples(partial.json())[-1] == ("CPU_USAGE_CORES", None, None)
    nothing = measured.admin.call("GET", path, **asked, metricType="CPU_USAGE_CORES")
    assert (nothing.status_code, samples(nothing.json())) == (207, [("CPU_USAGE_CORES", None, None)])


def test_a_store_that_does_not_answer_spoils_only_what_it_does_not_say(
    measured: Tenant, cluster: Cluster, store: MemoryStore
) -> None:
    whole(Subject("cluster", cluster.uuid), store, "TOTAL_GPU", 8)
    path = f"/api/v1/clusters/{cluster.uuid}/metrics"
    store.broken = {"GPU_UTILIZATION"}
    try:
        answer = measured.admin.call("GET", path, **HOUR, metricType="TOTAL_GPU,GPU_UTILIZATION")
        assert (answer.status_code, samples(answer.json())[1]) == (207, ("GPU_UTILIZATION", None, None))
        refused = measured.admin.call("GET", path, **HOUR, metricType="GPU_UTILIZATION")
        assert (refused.status_code, refused.json()["message"]) == (503, "Please try again in few minutes.")
        assert int(refused.headers["Retry-After"]) > 0
    finally:
        store.broken = set()


def test_a25_each_level_is_asked_for_by_what_its_cluster_calls_it(
    measured: Tenant, cluster: Cluster, store: MemoryStore
) -> None:
    levels: dict[str, tuple[Subject, str]] = {
        f"/api/v1/clusters/{cluster.uuid}/metrics": (Subject("cluster", cluster.uuid), "ALLOCATED_GPU"),
        f"/api/v1/clusters/{cluster.uuid}/nodepools/default/metrics": (
            Subject("nodepool", cluster.uuid, "default", node_pool="default"),
            "GPU_UTILIZATION",
        ),
        "/api/v1/workloads/inferences/i1/metrics": (
            Subject("inference", cluster.uuid, "serve", "i1", NAMESPACE, pods=("p3",)),
            "THROUGHPUT",
        ),
        "/api/v1/workloads/inferences/i1/pods/p3/metrics": (
            Subject("inferencePod", cluster.uuid, "serve-0", "p3", NAMESPACE),
            "LATENCY",
        ),
    }
    for number, (path, (subject, metric)) in enumerate(levels.items()):
        whole(subject, store, metric, number + 0.25)
        answer = measured.admin.call("GET", path, **HOUR, numberOfSamples=4, metricType=metric)
        assert (answer.status_code, samples(answer.json())) == (200, [(metric, None, [str(number + 0.25)])]), path


def test_what_was_submitted_here_is_asked_for_by_its_uid_in_the_cluster(
    measured: Tenant, cluster: Cluster, store: MemoryStore
) -> None:
    project = measured.admin.done("GET", "/api/v1/org-unit/projects")["projects"][0]
    body = {"name": "sub", "projectId": project["id"], "clusterId": cluster.uuid, "spec": {"image": "ubuntu"}}
    made = measured.admin.done("POST", "/api/v1/workloads/trainings", body)["workloadId"]
    path = f"/api/v1/workloads/{made}/metrics"
    early = measured.admin.call("GET", path, **HOUR, metricType="POD_COUNT")
    assert (early.status_code, samples(early.json())) == (207, [("POD_COUNT", None, None)])
    cluster.report(workload("u9", name="sub", submission=made), pod("p9", "u9"))
    whole(Subject("workload", cluster.uuid, "sub", "u9", NAMESPACE, pods=("p9",)), store, "POD_COUNT", 1)
    assert samples(measured.admin.done("GET", path, **HOUR, numberOfSamples=4, metricType="POD_COUNT")) == [
        ("POD_COUNT", None, ["1"])
    ]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no start": ({"start": None}, "start: missing"),
    "no end": ({"end": None}, "end: missing"),
    "no type": ({"metricType": None}, "metricType: missing"),
    "an unknown type": ({"metricType": "MOOD"}, "'MOOD' is none of GPU_UTILIZATION"),
    "a type of another level": ({"metricType": "THROUGHPUT"}, "metricType"),
    "a type of the older surface only": ({"metricType": "PENDING_WORKLOADS"}, "metricType"),
    "too many samples": ({"numberOfSamples": 1001}, "numberOfSamples"),
    "no samples": ({"numberOfSamples": 0}, "numberOfSamples"),
    "the end before the start": ({"end": HOUR["start"], "start": HOUR["end"]}, "end"),
    "no time between them": ({"end": HOUR["start"]}, "later than start"),
    "a number as a time": ({"start": "1769860800"}, "ISO 8601"),
    "no time at all": ({"start": "yesterday"}, "start"),
    "a time before there were computers": ({"start": "0001-01-01T00:00:00+14:00"}, "start"),
    "what nobody knows": ({"step": "5m"}, "step"),
}


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_by_name(
    measured: Tenant, cluster: Cluster, changes: dict[str, Any], says: str
) -> None:
    asked = {**HOUR, "metricType": "GPU_UTILIZATION", **changes}
    given = {name: each for name, each in asked.items() if each is not None}
    assert says in measured.admin.refused(400, "GET", "/api/v1/workloads/w1/metrics", **given)


def test_times_may_be_of_other_zones_or_of_none(measured: Tenant, cluster: Cluster, store: MemoryStore) -> None:
    whole(Subject("cluster", cluster.uuid), store, "GPU_QUOTA", 1, 2, 3, 4)
    path, further = f"/api/v1/clusters/{cluster.uuid}/metrics", {"numberOfSamples": 4, "metricType": "GPU_QUOTA"}
    for start, end in (("2026-01-31T14:00:00+02:00", "2026-01-31T13:00:00"), (*HOUR.values(),)):
        assert samples(measured.admin.done("GET", path, start=start, end=end, **further)) == [
            ("GPU_QUOTA", None, ["1", "2", "3", "4"])
        ]


def test_nobody_gets_series_of_what_is_not_theirs(measured: Tenant, cluster: Cluster, measured_plane: Plane) -> None:
    project = measured.project(cluster.uuid, "team-b")
    researcher, stranger = measured.with_role(5, "project", project["id"]), measured_plane.tenant().admin
    utilization, throughput = {**HOUR, "metricType": "GPU_UTILIZATION"}, {**HOUR, "metricType": "THROUGHPUT"}
    of_clusters = f"/api/v1/clusters/{cluster.uuid}"
    paths = {
        f"{of_clusters}/metrics": utilization,
        f"{of_clusters}/nodepools/default/metrics": utilization,
        "/api/v1/workloads/w1/metrics": utilization,
        "/api/v1/workloads/w1/pods/p1/metrics": utilization,
        "/api/v1/workloads/inferences/i1/metrics": throughput,
        "/api/v1/workloads/inferences/i1/pods/p3/metrics": throughput,
    }
    for path, asked in paths.items():
        stranger.refused(404, "GET", path, **asked)
        if "/workloads/" in path:
            researcher.refused(403, "GET", path, **asked)
    for path in (
        f"{of_clusters}/nodepools/none-such/metrics",
        "/api/v1/workloads/none-such/metrics",
        "/api/v1/workloads/w1/pods/p3/metrics",
    ):
        measured.admin.refused(404, "GET", path, **utilization)
    for path in ("/api/v1/workloads/inferences/w1/metrics", "/api/v1/workloads/inferences/w1/pods/p1/metrics"):
        assert "no InferenceWorkload" in measured.admin.refused(404, "GET", path, **throughput)


def test_the_form_may_be_csv(measured: Tenant, cluster: Cluster, store: MemoryStore) -> None:
    subject = Subject("pod", cluster.uuid, "train-1-0", "p2", NAMESPACE)
    whole(subject, store, "GPU_MEMORY_USAGE_BYTES_PER_GPU", 2**30, gpu="1")
    asked = {**HOUR, "numberOfSamples": 4, "metricType": "GPU_MEMORY_USAGE_BYTES_PER_GPU,GPU_UTILIZATION"}
    answer = measured.admin.call("GET", "/api/v1/workloads/w1/pods/p2/metrics", headers={"Accept": "text/csv"}, **asked)
    assert (answer.status_code, answer.headers["content-type"]) == (207, "text/csv; charset=utf-8")
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["type", "labels", "timestamp", "value"],
        ["GPU_MEMORY_USAGE_BYTES_PER_GPU", "gpu=1", "2026-01-31T12:15:00.000Z", "1073741824"],
        ["GPU_UTILIZATION", "", "", ""],
    ]


LEVELS: dict[str, Level] = {
    "/api/v1/clusters/{clusterUuid}/metrics": "cluster",
    "/api/v1/clusters/{clusterUuid}/nodepools/{nodepoolName}/metrics": "nodepool",
    "/api/v1/workloads/{workloadId}/metrics": "workload",
    "/api/v1/workloads/{workloadId}/pods/{podId}/metrics": "pod",
    "/api/v1/workloads/inferences/{workloadId}/metrics": "inference",
    "/api/v1/workloads/inferences/{workloadId}/pods/{podId}/metrics": "inferencePod",
}


def test_the_document_has_the_types_of_each_level(measured_plane: Plane) -> None:
    document = measured_plane.http.get("/api/openapi.json").json()
    for path, level in LEVELS.items():
        operation = document["paths"][path]["get"]
        [types] = [each["schema"]["items"] for each in operation["parameters"] if each["name"] == "metricType"]
        own = metrics_of(level)
        assert types["enum"] == [*own, *(alias for alias, name in ALIASES.items() if name in own)], path
        assert all(f"{name}: {METRICS[name].unit}" in types["description"] for name in own)
        assert set(operation["responses"]) >= {"200", "207", "400", "401", "403", "404", "503"}
        assert {"application/json", "text/csv"} == set(operation["responses"]["207"]["content"])
    assert set(metrics_of("cluster")) == {
        "GPU_UTILIZATION", "GPU_MEMORY_UTILIZATION", "CPU_UTILIZATION", "CPU_MEMORY_UTILIZATION", "TOTAL_GPU",
        "GPU_QUOTA", "ALLOCATED_GPU", "AVG_WORKLOAD_WAIT_TIME",
    }  # fmt: skip
    assert {len(metrics_of(level)) for level in ("cluster", "nodepool")} == {8}
    assert [len(metrics_of(level)) for level in ("workload", "pod", "inference", "inferencePod")] == [12, 18, 2, 2]
    older: tuple[Level, ...] = ("cluster", "nodepool", "department", "project")
    for name, metric in METRICS.items():
        assert metric.levels or metric.older_levels, name
        is_shown = name in SHOWN
        assert all((level in metric.levels | metric.older_levels) == is_shown for level in older[2:]), name
        assert not is_shown or metric.levels | metric.older_levels >= set(older), name


def test_a_control_plane_without_a_store_says_so_once_it_knows_that_the_question_is_a_good_one(tenant: Tenant) -> None:
    cluster = cluster_of(tenant)
    path, asked = f"/api/v1/clusters/{cluster.uuid}/metrics", {**HOUR, "metricType": "TOTAL_GPU"}
    answer = tenant.admin.call("GET", path, **asked)
    assert answer.status_code == 503
    assert "Retry-After" not in answer.headers, "trying again does not help"
    said = answer.json()
    assert (said["code"], said["message"]) == (503, "This control plane keeps no time series yet.")
    assert "Prometheus" in said["details"]
    assert "docs/metrics.md" in said["details"]
    tenant.admin.refused(400, "GET", path, **{**asked, "metricType": "MOOD"})
    tenant.admin.refused(400, "GET", path, **{**asked, "end": HOUR["start"]})
    tenant.admin.refused(404, "GET", "/api/v1/clusters/none-such/metrics", **asked)
    tenant.nobody.refused(401, "GET", path, **asked)


# The older surface


def amounts(quota: float, allocated: float) -> dict[str, float]:
    return {"quota": quota, "allocated": allocated}


def report_use(cluster: Cluster, **in_pools: dict[str, float]) -> None:
    """Say what the project team-a and its department hold."""
    uses = {pool: ReportedUse(allocated=held) for pool, held in in_pools.items()}
    cluster.report(
        ReportedProject(name="team-a", phase="Ready", node_pools=uses),
        ReportedDepartment(name="default", phase="Ready", node_pools=uses),
        node("n1"),
        workload("waits", phase="Pending", requestedNodePools=["a100", "default"]),
        workload("waits-too", phase="Pending"),
    )


def older(caller: Caller, cluster: Cluster, path: str, **asked: Any) -> dict[str, Any]:
    return caller.done("GET", f"/v1/k8s/clusters/{cluster.uuid}{path}/metrics", **asked)


def test_the_older_surface_shows_what_there_is_now_without_any_store(tenant: Tenant) -> None:
    cluster = cluster_of(tenant)
    pool = {"name": "a100", "clusterId": cluster.uuid, "labelKey": "gpu", "labelValue": "a100"}
    tenant.admin.done("POST", "/api/v1/node-pools", pool)
    project = tenant.project(cluster.uuid, "team-a", deserved=3)
    report_use(cluster, default={"gpu": 2.5, "cpu": 1500, "memory": 1048.576})
    department = project["parentId"]
    in_default: dict[str, Any] = {
        "nodepoolName": "default",
        "numberOfPendingWorkloads": 1,
        "gpu": amounts(3, 2.5),
        "cpu": amounts(-1, 1500),
        "memory": amounts(-1, 1000),
    }
    in_a100: dict[str, Any] = {
        "nodepoolName": "a100",
        "numberOfPendingWorkloads": 1,
        "gpu": amounts(0, 0),
        "cpu": amounts(-1, 0),
        "memory": amounts(-1, 0),
    }
    named = {"projectName": "team-a", "departmentName": "default"}
    name = next(each["name"] for each in tenant.admin.done("GET", "/api/v1/clusters") if each["uuid"] == cluster.uuid)
    of_cluster = {"clusterId": cluster.uuid, "clusterName": name}
    of_department = {"departmentId": int(department), "departmentName": "default", **of_cluster}
    theirs = [{**in_default, "gpu": amounts(0, 2.5)}, in_a100]
    of_projects = [{**named, **in_default}, {**named, **in_a100}]
    assert older(tenant.admin, cluster, "") == {
        "metadata": of_cluster,
        "current": {"resources": theirs, "projectResources": of_projects},
    }
    shown = {"metadata": of_department, "current": {"resources": theirs, "projectResources": of_projects}}
    assert older(tenant.admin, cluster, f"/departments/{department}") == shown
    assert older(tenant.admin, cluster, "/departments") == {"data": [shown]}
    shown = {
        "metadata": {"projectId": int(project["id"]), "projectName": "team-a", **of_department},
        "current": {"resources": [in_default, in_a100]},
    }
    assert older(tenant.admin, cluster, f"/projects/{project['id']}") == shown
    assert older(tenant.admin, cluster, "/projects") == {"data": [shown]}
    [only] = older(tenant.admin, cluster, "", nodepoolName="a100")["current"]["resources"]
    assert only == in_a100
    path = f"/v1/k8s/clusters/{cluster.uuid}/metrics"
    tenant.admin.refused(404, "GET", path, nodepoolName="none-such")
    assert "end" in tenant.admin.refused(400, "GET", path, start=HOUR["start"])
    assert "start" in tenant.admin.refused(400, "GET", path, end=HOUR["end"])
    assert "no time series" in tenant.admin.refused(503, "GET", path, **HOUR)
    links = tenant.admin.call("GET", path).headers["Link"]
    assert f"/api/v1/clusters/{cluster.uuid}/metrics" in links


def test_the_older_surface_shows_only_what_is_within_reach(tenant: Tenant) -> None:
    cluster = cluster_of(tenant)
    tenant.project(cluster.uuid, "team-a", deserved=3)
    other = tenant.project(cluster.uuid, "team-b", deserved=1)
    report_use(cluster, default={"gpu": 2.5})
    researcher = tenant.with_role(5, "project", other["id"])
    found = older(researcher, cluster, "")["current"]
    assert [each["projectName"] for each in found["projectResources"]] == ["team-b"]
    assert [each["metadata"]["projectName"] for each in older(researcher, cluster, "/projects")["data"]] == ["team-b"]
    researcher.refused(403, "GET", f"/v1/k8s/clusters/{cluster.uuid}/departments/metrics")


def test_the_older_surface_shows_what_was_with_parts_where_the_newer_one_has_percents(
    measured: Tenant, cluster: Cluster, store: MemoryStore
) -> None:
    subject = Subject("cluster", cluster.uuid)
    whole(subject, store, "GPU_QUOTA", 3, 3)
    whole(subject, store, "ALLOCATED_GPU", 2, 2.5)
    whole(subject, store, "GPU_UTILIZATION", 76.5)
    whole(subject, store, "PENDING_WORKLOADS", 4, 5)
    found = older(measured.admin, cluster, "", **HOUR, numberOfSamples=4)["timeRange"]["resources"]
    assert found == [
        {
            "timestamp": "2026-01-31T12:15:00.000Z",
            "numberOfPendingWorkloads": 4,
            "gpu": {"quota": 3, "allocated": 2, "utilization": 0.765},
            "cpu": {},
            "memory": {},
        },
        {
            "timestamp": "2026-01-31T12:30:00.000Z",
            "numberOfPendingWorkloads": 5,
            "gpu": {"quota": 3, "allocated": 2.5},
            "cpu": {},
            "memory": {},
        },
    ]
    project = measured.admin.done("GET", "/api/v1/org-unit/projects")["projects"][0]
    own = Subject("project", cluster.uuid, "team-a", node_pool="default", department="default", project="team-a")
    whole(own, store, "ALLOCATED_CPU", 1500)
    path = f"/projects/{project['id']}"
    [only] = older(measured.admin, cluster, path, **HOUR, numberOfSamples=4, nodepoolName="default")["timeRange"][
        "resources"
    ]
    assert only["cpu"] == {"allocated": 1500}
    assert older(measured.admin, cluster, "/projects", **HOUR, numberOfSamples=4)["timeRange"]["resources"] == found
    assert older(measured.admin, cluster, "/departments", **HOUR)["timeRange"]["resources"]
