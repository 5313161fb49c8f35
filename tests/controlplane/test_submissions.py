"""Workloads that are submitted over REST: what is shown of them, and what their clusters are told to do."""

from collections.abc import Generator
from typing import Any

import pytest

from aliquot.contracts.cluster_orders import Order, ReportedOrder
from aliquot.contracts.cluster_sync import KINDS, Gone
from tests.controlplane.cluster import WELL, cluster_of, event, pod, workload
from tests.controlplane.databases import empty_database
from tests.controlplane.plane import Plane, Tenant, running

WORKLOADS = "/api/v1/workloads"
TRAININGS = f"{WORKLOADS}/trainings"
WORKSPACES = f"{WORKLOADS}/workspaces"
PROJECTS = "/api/v1/org-unit/projects"


@pytest.fixture
def tenant(planes: tuple[Plane, Plane]) -> Tenant:
    return planes[0].tenant()


class Team:
    """A project of a cluster, and what is submitted to it."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.cluster = cluster_of(tenant)
        self.project = tenant.project(self.cluster.uuid, "team-a")

    def body(self, name: str = "t1", **members: Any) -> dict[str, Any]:
        spec = {"image": "ubuntu", "compute": {"gpuDevicesRequest": 1}, **members.pop("spec", {})}
        return {"name": name, "projectId": self.project["id"], "clusterId": self.cluster.uuid, "spec": spec, **members}

    def submit(self, name: str = "t1", path: str = TRAININGS, **members: Any) -> str:
        return self.tenant.admin.done("POST", path, self.body(name, **members))["workloadId"]

    def shown(self, workload_id: str) -> dict[str, Any]:
        return self.tenant.admin.done("GET", f"{WORKLOADS}/{workload_id}")

    def orders(self) -> dict[str, Order]:
        return {order.name: order for order in self.cluster.desired().orders}

    def tell(self, order: Order, outcome: str = "Done", message: str = "") -> None:
        said = {"name": order.id, "number": order.number, "outcome": outcome, "message": message}
        self.cluster.report(ReportedOrder.model_validate(said))

    def made(self, name: str = "t1", uid: str = "u1", path: str = TRAININGS, **changes: Any) -> str:
        """Submit something that the cluster makes at once."""
        workload_id = self.submit(name, path)
        kind = {TRAININGS: "TrainingWorkload", WORKSPACES: "InteractiveWorkload"}[path]
        said = {"name": name, "type": kind, "kubernetesPhase": "Running", **changes}
        self.cluster.report(workload(uid, submission=workload_id, **said))
        self.tell(self.orders()[name])
        return workload_id


@pytest.fixture
def team(tenant: Tenant) -> Team:
    return Team(tenant)


def test_a23_what_is_submitted_is_one_workload_with_one_id_from_the_beginning(tenant: Tenant, team: Team) -> None:
    made = tenant.admin.done("POST", TRAININGS, team.body(spec={"command": "sleep"}))
    workload_id = made["workloadId"]
    assert made.pop("createdAt")
    assert made == {
        "name": "t1",
        "requestedName": "t1",
        "workloadId": workload_id,
        "projectId": team.project["id"],
        "departmentId": team.project["parentId"],
        "clusterId": team.cluster.uuid,
        "createdBy": "admin@example.com",
        "desiredPhase": "Running",
        "actualPhase": "Creating",
        "spec": {"image": "ubuntu", "compute": {"gpuDevicesRequest": 1}, "command": "sleep"},
    }
    waiting = team.shown(workload_id)
    assert (waiting["phase"], waiting["source"], waiting["submittedBy"]) == (
        "Creating",
        "Control-plane",
        "admin@example.com",
    )
    (order,) = team.cluster.desired().orders
    assert (order.id, order.verb, order.kind, order.project, order.name) == (
        workload_id,
        "create",
        "TrainingWorkload",
        "team-a",
        "t1",
    )
    assert order.workload is not None
    assert order.workload.spec == {
        "name": {"value": "t1"},
        "image": {"value": "ubuntu"},
        "command": {"value": "sleep"},
        "gpu": {"value": "1"},
    }
    said = workload("u1", name="t1", submission=workload_id, phase="Running")
    team.cluster.report(said, pod("p1", "u1"), event("e1", "u1"))
    team.tell(order)
    running = team.shown(workload_id)
    assert (running["phase"], running["createdAt"]) == ("Running", waiting["createdAt"])
    tenant.admin.refused(404, "GET", f"{WORKLOADS}/u1")
    (its_pod,) = tenant.admin.done("GET", f"{WORKLOADS}/{workload_id}/pods")["pods"]
    assert its_pod["workloadId"] == workload_id
    assert len(tenant.admin.done("GET", f"{WORKLOADS}/{workload_id}/events")["events"]) == 1
    assert [each["id"] for each in tenant.admin.done("GET", WORKLOADS)["workloads"]] == [workload_id]
    assert tenant.admin.done("GET", f"{TRAININGS}/{workload_id}")["actualPhase"] == "Running"
    assert team.orders() == {}
    team.cluster.report(gone=(Gone(kind="workload", name="u1"),))
    assert team.shown(workload_id)["deletedAt"] is not None


def test_a_new_session_does_not_end_what_the_cluster_has_not_made_yet(tenant: Tenant, team: Team) -> None:
    made, waiting = team.made(), team.submit("t2")
    team.cluster.begin_anew()
    team.cluster.report(cluster=WELL, complete=KINDS)
    assert team.shown(made)["deletedAt"] is not None
    assert team.shown(waiting)["deletedAt"] is None
    assert list(team.orders()) == ["t2"]


def test_what_is_suspended_resumed_and_deleted_is_told_until_it_is_done(tenant: Tenant, team: Team) -> None:
    workload_id = team.made(path=WORKSPACES)
    path = f"{WORKSPACES}/{workload_id}"
    accepted = tenant.admin.done("POST", f"{path}/suspend")
    assert accepted == {"code": 202, "message": "Request has been accepted."}
    order = team.orders()["t1"]
    assert (order.verb, order.namespace, order.workload) == ("suspend", "runai-team-a", None)
    tenant.admin.done("POST", f"{path}/suspend")
    assert team.orders()["t1"] == order, "the same once more is the same order"
    tenant.admin.done("POST", f"{path}/resume")
    after = team.orders()["t1"]
    assert (after.verb, after.number) == ("resume", order.number + 1)
    team.tell(order)
    assert team.orders()["t1"] == after, "what is said of an earlier order says nothing of the last"
    team.tell(after)
    assert tenant.admin.done("GET", path)["desiredPhase"] == "Running"
    tenant.admin.done("DELETE", path)
    assert (team.shown(workload_id)["phase"], team.orders()["t1"].verb) == ("Deleting", "delete")
    same = workload("u1", name="t1", type="InteractiveWorkload", submission=workload_id, phase="Terminating")
    team.cluster.report(same)
    assert team.shown(workload_id)["phase"] == "Deleting"
    assert "deleted" in tenant.admin.refused(409, "POST", f"{path}/resume")
    tenant.admin.done("DELETE", path)
    team.tell(team.orders()["t1"])
    team.cluster.report(gone=(Gone(kind="workload", name="u1"),))
    assert team.orders() == {}
    tenant.admin.refused(404, "DELETE", path)
    assert tenant.admin.done("GET", path)["desiredPhase"] == "Deleted"


def test_what_is_asked_for_before_the_workload_is_made_changes_what_is_made(tenant: Tenant, team: Team) -> None:
    workload_id = team.submit()
    first = team.orders()["t1"]
    tenant.admin.done("POST", f"{TRAININGS}/{workload_id}/suspend")
    order = team.orders()["t1"]
    assert (order.verb, order.number) == ("create", first.number + 1)
    assert order.workload is not None
    assert order.workload.spec["active"] == {"value": False}
    tenant.admin.done("DELETE", f"{TRAININGS}/{workload_id}")
    order = team.orders()["t1"]
    assert (order.verb, order.workload) == ("delete", None)
    team.tell(order)
    assert team.shown(workload_id)["deletedAt"] is not None, "it was never made: nobody will say that it is gone"


def test_what_the_cluster_refuses_fails_with_its_words_and_can_be_deleted(tenant: Tenant, team: Team) -> None:
    workload_id = team.submit()
    team.tell(team.orders()["t1"], "Refused", "gpu: at most 0\0")
    shown = team.shown(workload_id)
    assert (shown["phase"], shown["phaseMessage"]) == ("Failed", "gpu: at most 0 ")
    assert team.orders() == {}
    assert "never made" in tenant.admin.refused(409, "POST", f"{TRAININGS}/{workload_id}/resume")
    tenant.admin.done("DELETE", f"{TRAININGS}/{workload_id}")
    assert team.shown(workload_id)["deletedAt"] is not None
    team.submit()


def test_what_cannot_be_done_with_a_workload_is_in_its_history_and_it_is_as_it_was(tenant: Tenant, team: Team) -> None:
    workload_id = team.made()
    for verb, method, path in (("suspend", "POST", "/suspend"), ("delete", "DELETE", "")):
        tenant.admin.done(method, f"{TRAININGS}/{workload_id}{path}")
        team.tell(team.orders()["t1"], "Refused", "not allowed")
        assert tenant.admin.done("GET", f"{TRAININGS}/{workload_id}")["desiredPhase"] == "Running"
        shown = team.shown(workload_id)
        assert (shown["phase"], shown["phaseMessage"]) == ("Running", f"cannot {verb} it: not allowed")
        latest = tenant.admin.done("GET", f"{WORKLOADS}/{workload_id}/history")["records"][0]
        assert latest["spec"]["phaseUpdate"]["phaseMessage"] == f"cannot {verb} it: not allowed"


def test_a_project_that_is_deleted_ends_what_was_not_made_and_leaves_what_was(tenant: Tenant, team: Team) -> None:
    made, waiting, going = team.made(), team.submit("t2"), team.submit("t3")
    tenant.admin.done("DELETE", f"{TRAININGS}/{going}")
    tenant.admin.done("DELETE", f"{TRAININGS}/{made}")
    tenant.admin.done("DELETE", f"{PROJECTS}/{team.project['id']}")
    assert list(team.orders()) == ["t1"]
    shown = team.shown(waiting)
    assert (shown["phase"], shown["phaseMessage"]) == (
        "Failed",
        "its project was deleted before the cluster had made it",
    )
    assert team.shown(going)["deletedAt"] is not None
    tenant.admin.done("DELETE", f"{TRAININGS}/{waiting}")


def test_a_department_that_is_deleted_ends_what_was_not_made_in_its_projects(tenant: Tenant, team: Team) -> None:
    department = tenant.new_department(team.cluster.uuid, "research")
    team.project = tenant.project(team.cluster.uuid, "team-b", department["id"])
    waiting = team.submit()
    tenant.admin.done("DELETE", f"/api/v1/org-unit/departments/{department['id']}")
    assert (team.shown(waiting)["phase"], team.orders()) == ("Failed", {})


def test_names_are_taken_once_in_a_project_and_a_prefix_makes_them_unique(tenant: Tenant, team: Team) -> None:
    team.submit()
    team.cluster.report(workload("u1", name="by-hand"))
    for name, path in (("t1", TRAININGS), ("t1", WORKSPACES), ("by-hand", TRAININGS)):
        assert "already exists" in tenant.admin.refused(409, "POST", path, team.body(name))
    made = [tenant.admin.done("POST", TRAININGS, team.body(useGivenNameAsPrefix=True)) for _ in range(2)]
    assert {each["requestedName"] for each in made} == {"t1"}
    assert len({each["name"] for each in made}) == 2
    assert all(each["name"].startswith("t1-") for each in made)
    team.project = tenant.project(team.cluster.uuid, "team-b")
    team.submit()


def test_who_says_to_have_been_submitted_counts_only_as_what_and_where_that_was(tenant: Tenant, team: Team) -> None:
    workload_id = team.submit()
    other = workload("u1", name="x", submission=workload_id, project="team-b")
    wrong = workload("u2", name="y", submission=workload_id, type="InteractiveWorkload")
    never = workload("u3", name="z", submission="0" * 8 + "-0000-0000-0000-" + "0" * 12)
    team.cluster.report(other, wrong, never)
    team.cluster.report(workload("u4", name="t1", submission=workload_id))
    team.cluster.report(workload("u5", name="later", submission=workload_id))
    found = {each["name"]: each["id"] for each in tenant.admin.done("GET", WORKLOADS)["workloads"]}
    assert found == {"x": "u1", "y": "u2", "z": "u3", "t1": workload_id, "later": "u5"}
    foreign = cluster_of(tenant)
    foreign.report(workload("u6", name="t1", submission=workload_id))
    assert team.shown("u6")["clusterId"] == foreign.uuid


def test_every_submission_and_request_is_in_the_audit_log_without_its_spec(tenant: Tenant, team: Team) -> None:
    workload_id = team.made()
    tenant.admin.done("POST", f"{TRAININGS}/{workload_id}/suspend")
    tenant.admin.done("DELETE", f"{TRAININGS}/{workload_id}")
    records = tenant.admin.done("GET", "/api/v1/audit/log", start="2020-01-01T00:00:00Z", end="2999-01-01T00:00:00Z")
    text = str(records)
    assert text.count("training") >= 3
    assert "ubuntu" not in text


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such project": ({"projectId": "999999"}, "projectId"),
    "no such cluster": ({"clusterId": "nowhere"}, "clusterId"),
    "a name with capital letters": ({"name": "T1"}, "name"),
    "a name that is too long": ({"name": "t" * 53}, "name"),
    "a prefix that is too long": ({"name": "t" * 47, "useGivenNameAsPrefix": True}, "prefix"),
    "no image": ({"spec": {}}, "spec.image"),
    "a member that there is not": ({"spec": {"image": "x", "imagee": "x"}}, "spec.imagee"),
    "a spec that is too long": (
        {"spec": {"image": "x", "environmentVariables": [{"name": f"n{n}", "value": "x" * 30_000} for n in range(3)]}},
        "bytes",
    ),
    "a NUL": ({"spec": {"image": "x", "command": "a\0"}}, "spec.command"),
}


@pytest.mark.parametrize(("members", "names"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_submitted_is_refused_by_name_and_nothing_is_kept(
    plane: Plane, members: dict[str, Any], names: str
) -> None:
    tenant = plane.tenant()
    team = Team(tenant)
    assert names in tenant.admin.refused(400, "POST", TRAININGS, {**team.body(), **members})
    assert tenant.admin.done("GET", WORKLOADS)["workloads"] == []
    assert team.orders() == {}


def test_a_workload_of_another_kind_is_not_found(plane: Plane) -> None:
    tenant = plane.tenant()
    workload_id = Team(tenant).submit()
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/suspend"), ("POST", "/resume")):
        tenant.admin.refused(404, method, f"{WORKSPACES}/{workload_id}{path}")


# Bounds


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Generator[Plane]:
    limits = {"orders_most": 2, "live_most": 4, "deleted_days": 1}
    with empty_database("sqlite", tmp_path_factory) as url, running(url, workloads=limits) as made:
        yield made


def test_a_cluster_that_does_nothing_is_told_only_so_much(small: Plane) -> None:
    tenant = small.tenant()
    team = Team(tenant)
    made = team.made()
    waiting = [team.submit(f"w{number}") for number in range(2)]
    assert "try again later" in tenant.admin.refused(409, "POST", TRAININGS, team.body("w3"))
    assert "try again later" in tenant.admin.refused(409, "DELETE", f"{TRAININGS}/{made}")
    tenant.admin.done("DELETE", f"{TRAININGS}/{waiting[0]}")
    for order in team.orders().values():
        team.tell(order, "Refused")
    team.submit("w4")
    team.tell(team.orders()["w4"], "Refused")
    team.cluster.report(workload("by-hand"))
    assert "too many" in tenant.admin.refused(409, "POST", TRAININGS, team.body("w5"))


def test_what_never_was_made_is_forgotten_after_a_while(small: Plane) -> None:
    tenant = small.tenant()
    team = Team(tenant)
    failed = team.submit()
    team.tell(team.orders()["t1"], "Refused", "no")
    small.clock.later_seconds += 2 * 86_400
    try:
        team.cluster.begin_anew()
        team.cluster.report(cluster=WELL)
        admin = tenant.signed_in(tenant.made.username, tenant.made.password)
        admin.refused(404, "GET", f"{WORKLOADS}/{failed}")
        admin.refused(404, "GET", f"{TRAININGS}/{failed}")
    finally:
        small.clock.later_seconds = 0
