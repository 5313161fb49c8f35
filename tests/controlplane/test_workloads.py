"""Workloads and pods over REST: what is shown of what clusters say, who sees it, and what is left of it."""

import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from aliquot.contracts.cluster_sync import KINDS, MOST_BYTES, MOST_OBJECTS, Gone
from tests.controlplane.cluster import BORN, WELL, Cluster, cluster_of, event, pod, workload
from tests.controlplane.databases import empty_database
from tests.controlplane.plane import Caller, Plane, Tenant, running

WORKLOADS = "/api/v1/workloads"
PODS = f"{WORKLOADS}/pods"
LIMITS = {"deleted_days": 2, "deleted_most": 3, "records_most": 4, "live_most": 5}


@pytest.fixture
def tenant(planes: tuple[Plane, Plane]) -> Tenant:
    return planes[0].tenant()


@pytest.fixture
def cluster(tenant: Tenant) -> Cluster:
    made = cluster_of(tenant)
    tenant.project(made.uuid, "team-a")
    return made


def _gone(kind: str, *uids: str) -> tuple[Gone, ...]:
    return tuple(Gone.model_validate({"kind": kind, "name": uid}) for uid in uids)


def _names(caller: Caller, path: str = WORKLOADS, **parameters: Any) -> list[str]:
    found = caller.done("GET", path, **parameters)
    return [each["name"] for each in found["pods" if path.endswith("pods") else "workloads"]]


def test_what_a_cluster_says_of_a_workload_is_shown(tenant: Tenant, cluster: Cluster) -> None:
    amounts = {"gpu": 0.5, "gpuRequestType": "memory", "gpuMemoryMib": 4096, "cpuMilli": 1500, "memoryBytes": 2**30}
    said = workload(
        "w1",
        name="train",
        submittedBy="ann",
        source="CLI",
        priorityClass="train",
        preemptible=True,
        phaseMessage="1 pod running",
        kubernetesPhase="Running",
        conditions=[{"type": "Scheduled", "status": "True"}],
        completedAt=BORN + timedelta(hours=1),
        runningPods=1,
        requestedPods={"parallelism": 1, "completions": 2},
        podsRequested={**amounts, "extended": {"rdma/hca": 1}},
        allocated=amounts,
        requestedNodePools=["a100", "default"],
        currentNodePools=["a100"],
        images=["ubuntu"],
        urls=["https://x.example.com"],
        distributedFramework="PyTorch",
    )
    cluster.report(said)
    project = tenant.admin.done("GET", "/api/v1/org-unit/projects")["projects"][0]
    shown = tenant.admin.done("GET", f"{WORKLOADS}/w1")
    moments = {name: shown.pop(name) for name in ("updatedAt", "phaseUpdatedAt", "k8sPhaseUpdatedAt")}
    assert all(datetime.fromisoformat(each) for each in moments.values())
    no_limit = {"limit": None}
    asked: dict[str, Any] = {
        "gpuRequestType": "memory",
        "gpu": {"request": 0.5, **no_limit},
        "gpuMemory": {"request": "4096Mi", **no_limit},
        "migProfile": None,
        "cpu": {"request": 1.5, **no_limit},
        "cpuMemory": {"request": "1024Mi", **no_limit},
        "extendedResources": [{"resource": "rdma/hca", "quantity": "1"}],
    }
    condition = {"type": "Scheduled", "status": "True", "reason": "", "message": "", "lastTransitionTime": None}
    assert shown == {
        "id": "w1",
        "tenantId": tenant.id,
        "name": "train",
        "namespace": "runai-team-a",
        "type": "TrainingWorkload",
        "clusterId": cluster.uuid,
        "projectId": project["id"],
        "projectName": "team-a",
        "departmentId": project["parentId"],
        "departmentName": "default",
        "priorityClassName": "train",
        "preemptible": True,
        "submittedBy": "ann",
        "source": "CLI",
        "phase": "Running",
        "phaseMessage": "1 pod running",
        "k8sPhase": "Running",
        "conditions": [condition],
        "createdAt": "2026-01-31T12:00:00.000Z",
        "completedAt": "2026-01-31T13:00:00.000Z",
        "deletedAt": None,
        "runningPods": 1,
        "requestedPods": {"number": None, "min": None, "max": None, "parallelism": 1, "completions": 2},
        "workloadRequestedResources": None,
        "podsRequestedResources": asked,
        "allocatedResources": {
            "gpu": 0.5,
            "gpuMemory": "4096Mi",
            "migProfile": None,
            "cpu": 1.5,
            "cpuMemory": "1024Mi",
            "extendedResources": [],
        },
        "requestedNodePools": ["a100", "default"],
        "currentNodePools": ["a100"],
        "images": ["ubuntu"],
        "urls": [{"url": "https://x.example.com"}],
        "distributedFramework": "PyTorch",
    }
    assert tenant.admin.done("GET", WORKLOADS) == {"workloads": [{**shown, **moments}], "next": None}


def test_what_a_cluster_says_of_a_pod_is_shown_and_names_only_on_demand(tenant: Tenant, cluster: Cluster) -> None:
    containers = [{"name": "main", "image": "ubuntu", "startedAt": BORN.isoformat()}]
    said = pod("p1", "w1", node="n1", currentNodePool="default", containers=containers, allocated={"gpu": 1})
    cluster.report(workload("w1"), said)
    (of_workload,) = tenant.admin.done("GET", f"{WORKLOADS}/w1/pods")["pods"]
    (shown,) = tenant.admin.done("GET", PODS)["pods"]
    assert shown == of_workload
    assert shown["containers"] == [{"name": "main", "image": "ubuntu", "startedAt": "2026-01-31T12:00:00Z"}]
    assert (shown["workloadId"], shown["nodeName"], shown["allocatedResources"]["gpu"]) == ("w1", "n1", 1)
    (full,) = tenant.admin.done("GET", PODS, verbosity="full")["pods"]
    assert full == {**shown, "projectName": "team-a", "workloadName": "w1"}
    assert "verbosity" in tenant.admin.refused(400, "GET", PODS, verbosity="some")


def test_what_is_gone_is_shown_on_demand_only_and_comes_back_when_it_was_not(tenant: Tenant, cluster: Cluster) -> None:
    cluster.report(workload("w1"), workload("w2"), pod("p1", "w1"), pod("p2", "w2"))
    cluster.report(gone=(*_gone("workload", "w1", "never there"), *_gone("pod", "p1")))
    for path, left, gone in ((WORKLOADS, "w2", "w1"), (PODS, "p2", "p1")):
        assert _names(tenant.admin, path) == [left]
        assert _names(tenant.admin, path, deleted="true") == [gone]
        assert tenant.admin.done("GET", f"{path}/count") == {"count": 1}
        assert tenant.admin.done("GET", f"{path}/count", deleted="true") == {"count": 1}
    assert tenant.admin.done("GET", f"{WORKLOADS}/w1")["deletedAt"] is not None
    assert tenant.admin.done("GET", f"{WORKLOADS}/w1/pods") == {"pods": [], "next": None}
    assert len(tenant.admin.done("GET", f"{WORKLOADS}/w1/pods", deleted="true")["pods"]) == 1
    cluster.report(workload("w1"))
    assert _names(tenant.admin) == ["w1", "w2"]
    assert tenant.admin.done("GET", f"{WORKLOADS}/w1")["deletedAt"] is None


def test_a30_a_session_that_has_told_all_ends_what_it_did_not_name_of_that_kind_and_that_cluster_only(
    tenant: Tenant, cluster: Cluster
) -> None:
    other = cluster_of(tenant)
    for each in (cluster, other):
        prefix = "" if each is cluster else "other-"
        said = workload(f"{prefix}w1"), workload(f"{prefix}w2"), pod(f"{prefix}p1", f"{prefix}w1"), event("e1", "w1")
        each.report(*said, cluster=WELL, complete=KINDS)
    cluster.begin_anew()
    cluster.report(workload("w2"))
    assert len(_names(tenant.admin)) == 4, "until the session has told all"
    cluster.report(complete=("workload", "event"))
    assert sorted(_names(tenant.admin)) == ["other-w1", "other-w2", "w2"]
    assert sorted(_names(tenant.admin, PODS)) == ["other-p1", "p1"]
    assert _names(tenant.admin, deleted="true") == ["w1"]
    assert len(tenant.admin.done("GET", f"{WORKLOADS}/w1/events")["events"]) == 1, "Events outlive what they tell of"
    tenant.admin.done("DELETE", f"/api/v1/clusters/{cluster.uuid}")
    assert sorted(_names(tenant.admin)) == ["other-w1", "other-w2"]
    tenant.admin.refused(404, "GET", f"{WORKLOADS}/w1")


def test_events_and_phases_are_remembered_once_the_latest_first(tenant: Tenant, cluster: Cluster) -> None:
    cluster.report(workload("w1", phase="Pending", phaseMessage="waits"))
    about_pod = {"involvedKind": "Pod", "involvedUid": "p1", "involvedName": "w1-0-0", "involvedNamespace": "ns"}
    cluster.report(event("e1", "w1"), event("e2", "w1", createdAt=BORN + timedelta(1), type="Warning", **about_pod))
    cluster.report(workload("w1"), event("e1", "w1"), event("e3", "never-there"))
    events = tenant.admin.done("GET", f"{WORKLOADS}/w1/events")
    assert [each["id"] for each in events["events"]] == ["e2", "e1"]
    assert events["events"][0] == {
        "id": "e2",
        "createdAt": "2026-02-01T12:00:00.000Z",
        "clusterId": cluster.uuid,
        "type": "Warning",
        "reason": "Scheduled",
        "message": "it has a node",
        "source": "aliquot.dev/operator",
        "count": 1,
        "involvedObject": {"uid": "p1", "kind": "Pod", "name": "w1-0-0", "namespace": "ns"},
    }
    records = tenant.admin.done("GET", f"{WORKLOADS}/w1/history")["records"]
    assert [each["meta"]["type"] for each in records] == ["PhaseUpdate", "PhaseUpdate", "Event", "Event"]
    assert records[1]["spec"] == {"phaseUpdate": {"phase": "Pending", "phaseMessage": "waits"}}
    assert records[2]["spec"] == {"event": events["events"][0]}
    page = tenant.admin.done("GET", f"{WORKLOADS}/w1/history", offset=1, limit=2)
    assert (page["records"], page["next"]) == (records[1:3], 3)
    assert tenant.admin.done("GET", f"{WORKLOADS}/w1/events", offset=1)["next"] is None
    assert "limit" in tenant.admin.refused(400, "GET", f"{WORKLOADS}/w1/events", limit=501)


def test_what_is_repeated_is_one_event_whose_time_and_count_move_on_and_not_back(
    tenant: Tenant, cluster: Cluster
) -> None:
    cluster.report(
        workload("w1"), event("e1", "w1", source="kubelet"), event("e2", "w1", createdAt=BORN + timedelta(1))
    )
    again = event("e1", "w1", source="kubelet", count=7, createdAt=BORN + timedelta(2))
    cluster.report(again)
    cluster.report(event("e1", "w1", source="kubelet", count=6, createdAt=BORN + timedelta(1)))
    events = tenant.admin.done("GET", f"{WORKLOADS}/w1/events")["events"]
    assert [(each["id"], each["count"], each["createdAt"][:10]) for each in events] == [
        ("e1", 7, "2026-02-02"),
        ("e2", 1, "2026-02-01"),
    ]
    records = tenant.admin.done("GET", f"{WORKLOADS}/w1/history")["records"]
    (shown,) = [each for each in records if each["spec"].get("event", {}).get("id") == "e1"]
    assert shown["meta"]["creationTimestamp"] == events[0]["createdAt"]


def test_what_is_said_of_something_that_the_cluster_does_not_know_any_more_belongs_where_it_belonged(
    tenant: Tenant, cluster: Cluster
) -> None:
    cluster.report(workload("w1"), pod("p1", "w1"))
    cluster.report(gone=(*_gone("pod", "p1"), *_gone("workload", "w1")))
    cluster.report(
        event("of-the-pod", "", workload=None, involvedKind="Pod", involvedUid="p1", involvedName="w1-0-0"),
        event("of-the-workload", "", workload=None, involvedUid="w1", involvedName="w1"),
        event("of-nobody", "", workload=None, involvedUid="p2", involvedName="p2"),
    )
    events = tenant.admin.done("GET", f"{WORKLOADS}/w1/events")["events"]
    assert sorted(each["id"] for each in events) == ["of-the-pod", "of-the-workload"]


MANY = (
    workload("w1", name="a", type="Deployment", phase="Pending", submittedBy="ann", currentNodePools=["a100"]),
    workload("w2", name="b", allocated={"gpu": 0.5}, createdAt=BORN + timedelta(1)),
    workload("w3", name="c", allocated={"gpu": 8}, completedAt=BORN + timedelta(2), phase="Completed"),
    workload("w4", name="d", project="by-hand", department="theirs", distributedFramework="MPI"),
    workload("w5", name="e", project=None),
)
FILTERS = {
    "type==Deployment": "a",
    "name=^a,type=@loy": "a",
    "phase!=Running": "ac",
    "submittedBy==ann": "a",
    "submittedBy!=ann": "bcde",
    "projectName==team-a": "abc",
    "projectName==by-hand": "d",
    "departmentName==default": "abc",
    "departmentName==theirs": "d",
    "createdAt>=2026-02-01T00:00:00Z": "b",
    "completedAt<=2026-02-02T12:00:00Z": "c",
    "deletedAt>=2026-01-01T00:00:00Z": "",
    "nodepool==a100": "a",
    "allocatedGPU>=0.5": "bc",
    "allocatedGPU==0.5": "b",
    "allocatedGPU!=0": "bc",
    "distributedFramework==MPI": "d",
}


def test_lists_are_filtered_sorted_and_paged(tenant: Tenant, cluster: Cluster) -> None:
    cluster.report(*MANY)
    found = {text: "".join(_names(tenant.admin, filterBy=text, sortBy="name")) for text in FILTERS}
    assert found == FILTERS
    counted = {text: tenant.admin.done("GET", f"{WORKLOADS}/count", filterBy=text)["count"] for text in FILTERS}
    assert counted == {text: len(names) for text, names in FILTERS.items()}
    project = tenant.admin.done("GET", "/api/v1/org-unit/projects")["projects"][0]
    assert _names(tenant.admin, filterBy=[f"projectId=={project['id']}", f"clusterId=={cluster.uuid}"]) == [*"acb"]
    assert _names(tenant.admin) == [*"acdeb"], "by age, then by uid"
    for up, down in (("completedAt", "abdec"), ("allocatedGPU", "cbeda"), ("submittedBy", "bedca")):
        order = _names(tenant.admin, sortBy=up, sortOrder="desc")
        assert _names(tenant.admin, sortBy=up) == order[::-1]
        assert sorted(order) == sorted(down)
    assert _names(tenant.admin, sortBy="completedAt")[0] == "c", "what has not ended comes last"
    first = tenant.admin.done("GET", WORKLOADS, sortBy="name", limit=2, offset=1)
    assert ([each["name"] for each in first["workloads"]], first["next"]) == (["b", "c"], 3)
    for wrong in ("mood==good", "allocatedGPU==lots", "allocatedGPU=@1", "createdAt==now"):
        assert "filterBy" in tenant.admin.refused(400, "GET", WORKLOADS, filterBy=wrong)
    assert "sortBy" in tenant.admin.refused(400, "GET", WORKLOADS, sortBy="mood")
    assert "limit" in tenant.admin.refused(400, "GET", WORKLOADS, limit=0)


def test_pods_are_filtered_by_where_they_are_and_whether_they_have_ended(tenant: Tenant, cluster: Cluster) -> None:
    cluster.report(
        workload("w1"),
        pod("a", "w1", node="n1", currentNodePool="default"),
        pod("b", "w1", node="n2", currentNodePool="a100", completedAt=BORN),
        pod("c", "w1", createdAt=BORN + timedelta(1)),
    )
    rows: tuple[tuple[dict[str, str], str], ...] = (
        ({"completed": "true"}, "b"),
        ({"completed": "false"}, "ac"),
        ({"completed": "all"}, "abc"),
        ({"completed": ""}, "abc"),
        ({"filterBy": "nodeName==n1"}, "a"),
        ({"filterBy": "currentNodepool==a100"}, "b"),
        ({"filterBy": "createdAt>=2026-02-01T00:00:00Z"}, "c"),
        ({"filterBy": f"clusterId!={cluster.uuid}"}, ""),
        ({"sortBy": "createdAt", "sortOrder": "desc"}, "cba"),
    )
    assert ["".join(_names(tenant.admin, PODS, **asked)) for asked, _ in rows] == [names for _, names in rows]
    assert tenant.admin.done("GET", f"{PODS}/count", filterBy="nodeName==n1") == {"count": 1}
    assert "completed" in tenant.admin.refused(400, "GET", PODS, completed="perhaps")


def test_everybody_sees_the_workloads_of_their_own_projects_and_those_of_none_who_sees_the_cluster(
    tenant: Tenant, cluster: Cluster
) -> None:
    department = tenant.new_department(cluster.uuid, "research")
    project = tenant.project(cluster.uuid, "team-b", department["id"])
    other = cluster_of(tenant)
    said = (
        workload("a"),
        workload("b", project="team-b"),
        workload("hand", project="by-hand"),
        workload("no", project=None),
    )
    pods = pod("pa", "a"), pod("pb", "b", project="team-b"), pod("ph", "hand", project="by-hand")
    cluster.report(*said, *pods)
    rows: tuple[tuple[str, Any, list[str], list[str]], ...] = (
        ("project", project["id"], ["b"], ["pb"]),
        ("department", department["id"], ["b"], ["pb"]),
        ("cluster", cluster.uuid, ["a", "b", "hand", "no"], ["pa", "pb", "ph"]),
        ("tenant", tenant.id, ["a", "b", "hand", "no"], ["pa", "pb", "ph"]),
        ("cluster", other.uuid, [], []),
    )
    for scope, scope_id, workloads, their_pods in rows:
        caller = tenant.with_role(5, scope, scope_id)
        assert (_names(caller), _names(caller, PODS)) == (workloads, their_pods), scope
        for uid in ("a", "b", "hand", "no"):
            for path in ("", "/pods", "/events", "/history"):
                answer = caller.call("GET", f"{WORKLOADS}/{uid}{path}")
                assert answer.status_code == (200 if uid in workloads else 403), (scope, uid, path)


def test_a_project_that_is_made_has_what_runs_under_its_name_and_nothing_that_ran_before(
    tenant: Tenant, cluster: Cluster
) -> None:
    cluster.report(workload("w1", project="new"), workload("w2", project="new"), pod("p1", "w1", project="new"))
    cluster.report(gone=_gone("workload", "w2"))
    assert tenant.admin.done("GET", f"{WORKLOADS}/w1")["projectId"] is None
    department = tenant.new_department(cluster.uuid, "research")
    project = tenant.project(cluster.uuid, "new", department["id"])
    member = tenant.with_role(5, "project", project["id"])
    assert (_names(member), _names(member, PODS), _names(member, deleted="true")) == (["w1"], ["p1"], [])
    shown = member.done("GET", f"{WORKLOADS}/w1")
    assert (shown["projectId"], shown["departmentId"], shown["departmentName"]) == (
        project["id"],
        department["id"],
        "research",
    )


def test_two_clusters_may_have_the_same_uid_and_the_one_that_is_there_is_shown(
    tenant: Tenant, cluster: Cluster
) -> None:
    copy = cluster_of(tenant)
    for each in (cluster, copy):
        each.report(workload("w1"), pod("p1", "w1"), event("e1", "w1"))
    assert len(_names(tenant.admin)) == 2
    for gone, left in ((cluster, copy), (copy, cluster)):
        gone.report(gone=_gone("workload", "w1"))
        assert tenant.admin.done("GET", f"{WORKLOADS}/w1")["clusterId"] == left.uuid
        assert len(tenant.admin.done("GET", f"{WORKLOADS}/w1/pods")["pods"]) == 1
        gone.report(workload("w1"))
    only_one = tenant.with_role(5, "cluster", copy.uuid)
    assert only_one.done("GET", f"{WORKLOADS}/w1")["clusterId"] == copy.uuid


def test_reports_of_workloads_and_changes_of_projects_at_once_hinder_nobody(
    planes: tuple[Plane, Plane], tenant: Tenant, cluster: Cluster
) -> None:
    def reports(_: int) -> set[int]:
        return {
            cluster.send(cluster.next_report(*(workload(f"w{number}-{each}", project=f"p{each}") for each in range(8))))
            .status_code
            for number in range(12)
        }  # fmt: skip

    def makes(number: int) -> set[int]:
        admin = Caller(planes[number].http, tenant.host, tenant.admin.token)
        body: dict[str, Any] = {"clusterId": cluster.uuid, "resources": []}
        made = [
            admin.call("POST", "/api/v1/org-unit/projects", {**body, "name": f"p{each}"})
            for each in range(number, 8, 2)
        ]
        return {each.status_code for each in made}

    with ThreadPoolExecutor(3) as threads:
        told, made = threads.submit(reports, 0), list(threads.map(makes, range(2)))
        assert (told.result(), made) == ({200}, [{201}, {201}])
    found = tenant.admin.done("GET", WORKLOADS, limit=500)["workloads"]
    assert len(found) == 96
    assert all(each["projectId"] is not None for each in found), "whoever was first, the project or the workload"


# Bounds


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Generator[Plane]:
    with empty_database("sqlite", tmp_path_factory) as url, running(url, workloads=LIMITS) as made:
        yield made


def test_what_is_gone_is_kept_for_some_days_and_only_so_much_of_it(small: Plane) -> None:
    tenant = small.tenant()
    cluster = cluster_of(tenant)
    for number in range(5):
        cluster.report(workload(f"w{number}"), pod(f"p{number}", f"w{number}"), event(f"e{number}", f"w{number}"))
        small.clock.later_seconds += 1
        cluster.report(gone=(*_gone("workload", f"w{number}"), *_gone("pod", f"p{number}")))
    assert _names(tenant.admin, deleted="true") == ["w2", "w3", "w4"]
    assert _names(tenant.admin, PODS, deleted="true") == ["p2", "p3", "p4"]
    tenant.admin.refused(404, "GET", f"{WORKLOADS}/w0")
    small.clock.later_seconds += 3 * 86_400
    try:
        cluster.begin_anew()
        cluster.report(workload("w0"))
        assert (
            _names(small_admin := tenant.signed_in(tenant.made.username, tenant.made.password)),
            _names(small_admin, deleted="true"),
        ) == (["w0"], [])
        assert small_admin.done("GET", f"{WORKLOADS}/w0/events") == {"events": [], "next": None}, "and no records of it"
    finally:
        small.clock.later_seconds = 0


def test_of_each_workload_the_latest_records_are_kept(small: Plane) -> None:
    tenant = small.tenant()
    cluster = cluster_of(tenant)
    later = small.clock.now()
    cluster.report(workload("w1"), workload("w2"), event("of-another", "w2"))
    for number in range(6):
        at = datetime.fromtimestamp(later + 60 + number, BORN.tzinfo)
        cluster.report(event(f"e{number}", "w1", createdAt=at))
    records = tenant.admin.done("GET", f"{WORKLOADS}/w1/history")["records"]
    assert [each["spec"]["event"]["id"] for each in records] == ["e5", "e4", "e3", "e2"]
    assert len(tenant.admin.done("GET", f"{WORKLOADS}/w2/history")["records"]) == 2


def test_what_others_say_of_a_workload_takes_no_room_from_what_aliquot_says(small: Plane) -> None:
    tenant = small.tenant()
    cluster = cluster_of(tenant)
    cluster.report(workload("w1"), event("ours", "w1"))
    for number in range(9):
        cluster.report(event(f"e{number}", "w1", source="kubelet", createdAt=BORN + timedelta(1, number)))
    records = tenant.admin.done("GET", f"{WORKLOADS}/w1/events")["events"]
    assert [each["id"] for each in records] == ["e8", "e7", "e6", "e5", "ours"]
    history = tenant.admin.done("GET", f"{WORKLOADS}/w1/history")["records"]
    assert [each["meta"]["type"] for each in history].count("PhaseUpdate") == 1


def test_a_cluster_that_tells_of_too_much_fills_nobodys_disk(small: Plane) -> None:
    tenant = small.tenant()
    cluster = cluster_of(tenant)
    cluster.report(*(workload(f"w{number}") for number in range(9)))
    cluster.report(*(workload(f"x{number}") for number in range(9)), workload("w0", phase="Failed"))
    assert _names(tenant.admin) == ["w0", "w1", "w2", "w3", "w4"]
    assert tenant.admin.done("GET", f"{WORKLOADS}/w0")["phase"] == "Failed"
    cluster.report(gone=_gone("workload", "w0", "w1", "w2", "w3", "w4"))
    cluster.report(workload("y"))
    assert _names(tenant.admin) == ["y"]


def test_the_largest_report_of_workloads_fits(tenant: Tenant, cluster: Cluster) -> None:
    said = [workload(f"w{number}", phaseMessage="x" * 1000) for number in range(MOST_OBJECTS)]
    report = cluster.next_report(*said)
    assert 0.5 * MOST_BYTES < len(report.model_dump_json()) < 2 * MOST_BYTES
    assert cluster.send(report).status_code == 200
    assert tenant.admin.done("GET", f"{WORKLOADS}/count") == {"count": MOST_OBJECTS}
    assert len(_names(tenant.admin, limit=500)) == 500


def _with(said: Any, **changes: Any) -> bytes:
    odd = {**json.loads(said.model_dump_json()), **changes}
    return json.dumps({"term": 1, "session": "0" * 36, "sequence": 1, "objects": [odd]}).encode()


HOSTILE = {
    "a uid with a slash": (_with(workload("w"), id="a/b"), "objects.0.workload.id"),
    "a uid with a NUL": (_with(workload("w"), id="a\0"), "objects.0.workload.id"),
    "a long uid": (_with(workload("w"), id="x" * 64), "objects.0.workload.id"),
    "no uid": (_with(workload("w"), id=""), "objects.0.workload.id"),
    "a name with a NUL": (_with(workload("w"), name="a\0"), "objects.0.name"),
    "a long name": (_with(workload("w"), name="x" * 254), "name"),
    "a phase that is none": (_with(workload("w"), phase="Bored"), "phase"),
    "a source that is none": (_with(workload("w"), source="Somewhere"), "source"),
    "a time without a zone": (_with(workload("w"), createdAt="2026-01-01T00:00:00"), "createdAt"),
    "a time before there were computers": (_with(workload("w"), createdAt="0001-01-01T00:00:00+23:59"), "createdAt"),
    "a time after the last day": (_with(workload("w"), completedAt="9999-12-31T23:59:59-23:59"), "completedAt"),
    "no time": (_with(workload("w"), createdAt="x"), "createdAt"),
    "less than nothing": (_with(workload("w"), allocated={"gpu": -1}), "gpu"),
    "infinity": (_with(workload("w"), allocated={"gpu": float("inf")}), "gpu"),
    "a huge number": (_with(workload("w"), allocated={"memoryBytes": 2**60}), "memoryBytes"),
    "too many images": (_with(workload("w"), images=["x"] * 65), "images"),
    "too many resources": (_with(workload("w"), allocated={"extended": {str(n): 1 for n in range(33)}}), "extended"),
    "a long message": (_with(workload("w"), phaseMessage="x" * 4097), "phaseMessage"),
    "too many containers": (_with(pod("p", "w"), containers=[{"name": "x", "image": "x"}] * 65), "containers"),
    "a pod of nothing": (_with(pod("p", "w"), workload=""), "objects.0.pod.workload"),
    "an event of nothing": (_with(event("e", "w"), involvedUid=""), "involvedUid"),
    "half a surrogate": (_with(event("e", "w"), message="\ud800"), "not JSON"),
}


@pytest.mark.parametrize(("body", "names"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_report_of_a_workload_is_refused_in_words_and_changes_nothing(
    plane: Plane, body: bytes, names: str
) -> None:
    tenant = plane.tenant()
    cluster = cluster_of(tenant)
    answer = cluster.post(body)
    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert names in answer.json()["message"]
    assert (_names(tenant.admin), _names(tenant.admin, PODS)) == ([], [])


def test_what_nobody_can_show_is_cleaned(tenant: Tenant, cluster: Cluster) -> None:
    odd = {"type": "a\0b", "images": ["x\u202ey"], "phaseMessage": "\x1b[31m", "requestedNodePools": ["\n"]}
    cluster.report(workload("w1", **odd), event("e1", "w1", message="a\0b"))
    shown = tenant.admin.done("GET", f"{WORKLOADS}/w1")
    assert (shown["type"], shown["images"], shown["phaseMessage"]) == ("a b", ["x y"], " [31m")
    assert tenant.admin.done("GET", f"{WORKLOADS}/w1/events")["events"][0]["message"] == "a b"


def test_odd_uids_are_asked_for_in_vain(plane: Plane) -> None:
    tenant = plane.tenant()
    for uid in ("never-there", "a%00b", "x" * 300, "-1"):
        tenant.admin.refused(404, "GET", f"{WORKLOADS}/{uid}")
