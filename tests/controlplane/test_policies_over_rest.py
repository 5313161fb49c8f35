"""Policies over REST: who may set them, how scopes go together, what clusters are to have, what workloads must keep."""

from typing import Any

import pytest

from aliquot.contracts.cluster_sync import ReportedPolicy
from tests.controlplane.cluster import WELL, cluster_of
from tests.controlplane.plane import Caller, Plane, Tenant

POLICY = "/api/v2/policy"
TRAININGS = f"{POLICY}/trainings"
KINDS = {
    "workspaces": ("workspace", "InteractivePolicy"),
    "trainings": ("training", "TrainingPolicy"),
    "distributed": ("distributed", "DistributedPolicy"),
    "inferences": ("inference", "InferencePolicy"),
}
COMPLIANCE = "The workload request does not comply with the policy set by the administrator"
GPUS = {"compute": {"gpuDevicesRequest": {"max": 4}}}


class Org:
    """A cluster with a department and two projects, one of them in it."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.admin = tenant.admin
        self.cluster = cluster_of(tenant)
        self.department = tenant.new_department(self.cluster.uuid, "research")["id"]
        self.project = tenant.project(self.cluster.uuid, "team-a", self.department)["id"]
        self.other = tenant.project(self.cluster.uuid, "team-b")["id"]

    def place(self, scope: str, **others: Any) -> dict[str, Any]:
        ids = {
            "tenant": {},
            "cluster": {"clusterId": self.cluster.uuid},
            "department": {"departmentId": self.department},
            "project": {"projectId": self.project},
        }
        return {"scope": scope, **ids[scope], **others}

    def body(self, scope: str, policy: dict[str, Any], **members: Any) -> dict[str, Any]:
        return {"meta": {"name": f"of the {scope}", **self.place(scope)}, "policy": policy, **members}

    def put(self, scope: str, path: str = TRAININGS, by: Caller | None = None, **policy: Any) -> dict[str, Any]:
        return (by or self.admin).done("PUT", path, self.body(scope, policy))

    def refused(self, scope: str, path: str = TRAININGS, **policy: Any) -> str:
        return self.admin.refused(400, "PUT", path, self.body(scope, policy))

    def get(self, scope: str, path: str = TRAININGS) -> dict[str, Any]:
        return self.admin.done("GET", path, **self.place(scope))

    def desired(self) -> dict[tuple[str, str | None], dict[str, Any]]:
        return {(each.kind, each.namespace): each.spec for each in self.cluster.desired().policies}

    def submission(self, path: str = "trainings", **spec: Any) -> dict[str, Any]:
        return {
            "name": f"{path}-w",
            "projectId": self.project,
            "clusterId": self.cluster.uuid,
            "spec": {"image": "ubuntu", **spec},
        }

    def issues(self, path: str = "trainings", **spec: Any) -> dict[str, str]:
        """What a workload breaks."""
        answer = self.admin.call("POST", f"/api/v1/workloads/{path}", self.submission(path, **spec))
        assert (answer.status_code, answer.json()["message"]) == (400, COMPLIANCE), answer.text
        return {each["field"]: each["details"] for each in answer.json()["complianceIssues"]}

    def statuses(self, **query: Any) -> dict[str, tuple[str, str | None]]:
        """How the policies are doing in the cluster, by name."""
        found = self.admin.done("GET", POLICY, **query)["policies"]
        return {
            each["meta"]["name"]: (status["status"], status["errorMessage"])
            for each in found
            for status in each["status"]["clusters"]
            if status["clusterId"] == self.cluster.uuid
        }


@pytest.fixture
def org(tenant: Tenant) -> Org:
    return Org(tenant)


def test_on_either_database(planes: tuple[Plane, Plane]) -> None:
    org = Org(planes[0].tenant())
    for scope in ("tenant", "cluster", "department", "project"):
        org.put(scope, defaults={"image": scope})
    org.put("project", defaults={"image": "other"})
    assert org.get("project")["effective"] == {"defaults": {"image": "other"}}
    inside = org.tenant.with_role(5, "project", org.project)
    assert len(inside.done("GET", POLICY)["policies"]) == 4
    assert org.desired()["TrainingPolicy", "runai-team-a"] == {"image": {"value": "other"}}
    org.admin.done("DELETE", f"/api/v1/org-unit/departments/{org.department}")
    assert [each["meta"]["scope"] for each in org.admin.done("GET", POLICY)["policies"]] == ["tenant", "cluster"]


def test_a_policy_is_set_shown_listed_and_deleted(org: Org) -> None:
    made = org.put("project", defaults={"image": "ubuntu"}, rules=GPUS)
    meta = made["meta"]
    assert {name: meta[name] for name in ("name", "scope", "clusterId", "departmentId", "projectId", "createdBy")} == {
        "name": "of the project",
        "scope": "project",
        "clusterId": org.cluster.uuid,
        "departmentId": org.department,
        "projectId": int(org.project),
        "createdBy": "admin@example.com",
    }
    assert made["policy"] == {"defaults": {"image": "ubuntu"}, "rules": GPUS}
    source = {"scope": "project", "projectId": int(org.project)}
    with_source = {"compute": {"gpuDevicesRequest": {"max": 4, "sourceOfRule": source}}}
    assert made["effective"] == {"defaults": {"image": "ubuntu"}, "rules": with_source}
    assert org.get("project") == made
    again = org.put("project", rules=GPUS)
    assert (again["meta"]["id"], again["policy"]) == (meta["id"], {"rules": GPUS})
    (entry,) = org.admin.done("GET", POLICY)["policies"]
    assert (entry["type"], entry["meta"]["id"]) == ("training", meta["id"])
    org.admin.done("DELETE", TRAININGS, **org.place("project"))
    assert org.admin.done("GET", POLICY)["policies"] == []
    assert "no training policy counts" in org.admin.refused(404, "GET", TRAININGS, **org.place("project"))
    assert "no training policy of its own" in org.admin.refused(404, "DELETE", TRAININGS, **org.place("project"))


def test_the_audit_log_says_what_it_was_and_what_it_became(org: Org) -> None:
    org.put("project", defaults={"image": "a"})
    org.put("project", defaults={"image": "b"})
    org.admin.done("DELETE", TRAININGS, **org.place("project"))
    records = org.admin.done("GET", "/api/v1/audit/log", filterBy=["entityType==policy"])["records"]
    told = [
        (each["action"], *(each[half] and each[half]["policy"] for half in ("before", "after"))) for each in records
    ]
    first, second = {"defaults": {"image": "a"}}, {"defaults": {"image": "b"}}
    assert sorted(told, key=str) == [("create", None, first), ("delete", second, None), ("update", first, second)]


@pytest.mark.parametrize("path", KINDS)
def test_each_type_becomes_its_kind_in_the_namespace_of_the_project(org: Org, path: str) -> None:
    rules: dict[str, Any] = {"compute": {"cpuCoreRequest": {"max": 4}}}
    said = {"worker": rules} if path == "distributed" else rules
    made = org.put("project", f"{POLICY}/{path}", rules=said)
    _, kind = KINDS[path]
    assert org.desired() == {(kind, "runai-team-a"): {"cpu": {"rules": {"max": "4"}}}}
    assert made["policy"] == {"rules": said}


@pytest.mark.parametrize("scope", ["tenant", "cluster"])
def test_what_counts_everywhere_is_in_the_namespace_of_the_operator_once(org: Org, scope: str) -> None:
    org.put(scope, rules=GPUS)
    whole = {"gpu": {"rules": {"max": "4"}}, "gpuDevices": {"rules": {"max": 4}}}
    assert org.desired() == {("TrainingPolicy", None): whole}
    org.put("project", defaults={"image": "mine"})
    assert org.desired() == {
        ("TrainingPolicy", None): whole,
        ("TrainingPolicy", "runai-team-a"): {**whole, "image": {"value": "mine"}},
    }
    org.admin.done("DELETE", TRAININGS, **org.place(scope))
    assert org.desired() == {("TrainingPolicy", "runai-team-a"): {"image": {"value": "mine"}}}


def test_a_department_is_all_its_projects_those_that_come_later_too(org: Org) -> None:
    org.put("department", defaults={"image": "theirs"})
    later = org.tenant.project(org.cluster.uuid, "team-c", org.department)
    image = {"image": {"value": "theirs"}}
    assert org.desired() == {("TrainingPolicy", "runai-team-a"): image, ("TrainingPolicy", "runai-team-c"): image}
    org.admin.done("DELETE", f"/api/v1/org-unit/projects/{later['id']}")
    assert set(org.desired()) == {("TrainingPolicy", "runai-team-a")}


def test_the_lowest_default_wins_and_all_rules_count(org: Org) -> None:
    org.put("tenant", defaults={"image": "t", "command": "t"}, rules={"image": {"required": True}})
    org.put("cluster", defaults={"command": "c", "args": "c"}, rules=GPUS)
    org.put("department", defaults={"args": "d"}, rules={"compute": {"cpuCoreRequest": {"max": 2}}})
    made = org.put("project", defaults={"workingDir": "/p"})
    assert made["effective"]["defaults"] == {"image": "t", "command": "c", "args": "d", "workingDir": "/p"}
    rules = made["effective"]["rules"]
    assert rules["image"]["sourceOfRule"] == {"scope": "tenant"}
    assert rules["compute"]["gpuDevicesRequest"]["sourceOfRule"] == {"scope": "cluster", "clusterId": org.cluster.uuid}
    department = {"scope": "department", "departmentId": org.department}
    assert rules["compute"]["cpuCoreRequest"]["sourceOfRule"] == department
    spec = org.desired()["TrainingPolicy", "runai-team-a"]
    assert (spec["command"]["value"], spec["arguments"]["value"]) == ("c", "d")
    assert spec["image"] == {"value": "t", "rules": {"required": True}}


def test_a_scope_without_a_policy_of_its_own_shows_what_counts_there(org: Org) -> None:
    made = org.put("department", rules=GPUS)
    found = org.get("project")
    assert (found["meta"], found["policy"], found["status"]) == (None, None, None)
    assert found["effective"] == made["effective"]
    assert found["effectiveUpdatedAt"] == made["meta"]["updatedAt"]


@pytest.mark.parametrize(("first", "second"), [("department", "project"), ("project", "tenant"), ("cluster", "tenant")])
def test_a_field_has_rules_in_one_scope_of_a_way_only(org: Org, first: str, second: str) -> None:
    org.put(first, rules=GPUS)
    assert 'Field "compute.gpuDevicesRequest" already has rules in ' + first in org.refused(second, rules=GPUS)
    org.put(second, defaults={"compute": {"gpuDevicesRequest": 1}})
    org.put(first, rules=GPUS)


def test_projects_beside_one_another_do_not_mind(org: Org) -> None:
    org.put("project", rules=GPUS)
    beside = {"meta": {"name": "b", "scope": "project", "projectId": org.other}, "policy": {"rules": GPUS}}
    org.admin.done("PUT", TRAININGS, beside)
    assert set(org.desired()) == {("TrainingPolicy", "runai-team-a"), ("TrainingPolicy", "runai-team-b")}


def test_what_breaks_a_policy_below_is_refused_with_its_place(org: Org) -> None:
    org.put("project", defaults={"compute": {"gpuDevicesRequest": 8}})
    said = org.refused("cluster", rules=GPUS)
    assert "policy.defaults.compute.gpuDevicesRequest: '8' is not allowed: must be no greater than 4" in said
    assert f"in project {org.project}" in said
    assert org.desired().keys() == {("TrainingPolicy", "runai-team-a")}


def test_a_policy_that_another_leans_on_stays(org: Org) -> None:
    org.put("cluster", defaults={"environmentVariables": {"instances": [{"name": "A", "value": "1"}]}})
    org.put("project", rules={"environmentVariables": {"instances": {"locked": ["A"]}}})
    said = org.admin.refused(400, "DELETE", TRAININGS, **org.place("cluster"))
    assert "locked.0: 'A' is not allowed" in said
    org.admin.done("DELETE", TRAININGS, **org.place("project"))
    org.admin.done("DELETE", TRAININGS, **org.place("cluster"))


def test_a_patch_changes_what_it_names_and_resets_first(org: Org) -> None:
    org.put("project", defaults={"image": "a", "command": "x"}, rules=GPUS)
    body = org.body("project", {"defaults": {"command": None, "args": "y"}}, reset=["compute.gpuDevicesRequest"])
    changed = org.admin.done("PATCH", TRAININGS, body)
    assert changed["policy"] == {"defaults": {"image": "a", "args": "y"}}
    new = org.body("department", {"defaults": {"workingDir": "/d"}})
    assert org.admin.done("PATCH", TRAININGS, new)["policy"] == {"defaults": {"workingDir": "/d"}}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_validate_only_keeps_nothing(org: Org, method: str) -> None:
    body = org.body("project", {"rules": GPUS})
    would = org.admin.done(method, TRAININGS, body, validateOnly="true")
    assert would["effective"]["rules"]["compute"]["gpuDevicesRequest"]["max"] == 4
    assert (org.admin.done("GET", POLICY)["policies"], org.desired()) == ([], {})
    bad = org.body("project", {"rules": {"compute": {"gpuDevicesRequest": {"min": 5, "max": 4}}}})
    assert "min must be no greater than max" in org.admin.refused(400, method, TRAININGS, bad, validateOnly="true")


@pytest.mark.parametrize(
    ("meta", "says"),
    [
        ({"scope": "project"}, "projectId: missing"),
        ({"scope": "department", "departmentId": None}, "departmentId: missing"),
        ({"scope": "system"}, "meta.scope"),
        ({"scope": "tenant", "name": ""}, "meta.name"),
    ],
)
def test_a_place_that_is_none_is_refused(org: Org, meta: dict[str, Any], says: str) -> None:
    body = {"meta": {"name": "x", **meta}, "policy": {}}
    assert says in org.admin.refused(400, "PUT", TRAININGS, body)


def test_ids_that_contradict_the_scope_are_refused_and_those_of_nobody_are_not_found(org: Org) -> None:
    elsewhere = org.tenant.cluster()
    wrong = {"meta": {"name": "x", **org.place("project", clusterId=elsewhere)}, "policy": {}}
    assert "clusterId" in org.admin.refused(400, "PUT", TRAININGS, wrong)
    right = {"meta": {"name": "x", **org.place("project", clusterId=org.cluster.uuid)}, "policy": {}}
    org.admin.done("PUT", TRAININGS, right)
    nobody = {"meta": {"name": "x", "scope": "project", "projectId": 999999}, "policy": {}}
    assert "no such project" in org.admin.refused(404, "PUT", TRAININGS, nobody)


def test_lists_are_narrowed(org: Org) -> None:
    for scope in ("tenant", "cluster", "department", "project"):
        org.put(scope)
    org.put("project", f"{POLICY}/workspaces")

    def names(**query: Any) -> list[str]:
        return [each["meta"]["scope"] for each in org.admin.done("GET", POLICY, **query)["policies"]]

    assert sorted(names()) == ["cluster", "department", "project", "project", "tenant"]
    assert names(workloadType="workspace") == ["project"]
    assert names(scope="department") == ["department"]
    assert sorted(names(clusterId=org.cluster.uuid)) == ["cluster", "department", "project", "project"]
    assert sorted(names(departmentId=org.department)) == ["department", "project", "project"]
    assert names(projectId=org.project, workloadType="training") == ["project"]
    assert names(projectId="none") == []


def test_who_is_in_a_project_sees_what_counts_there_and_nothing_beside(org: Org) -> None:
    for scope in ("tenant", "cluster", "department", "project"):
        org.put(scope)
    inside = org.tenant.with_role(5, "project", org.project)
    assert len(inside.done("GET", POLICY)["policies"]) == 4
    assert inside.done("GET", TRAININGS, **org.place("cluster"))
    beside = org.tenant.with_role(5, "project", org.other)
    assert [each["meta"]["scope"] for each in beside.done("GET", POLICY)["policies"]] == ["tenant", "cluster"]
    beside.refused(403, "GET", TRAININGS, **org.place("project"))
    inside.refused(403, "PUT", TRAININGS, org.body("project", {}))
    head = org.tenant.with_role(1710, "department", org.department)
    org.put("project", by=head, rules=GPUS)
    head.refused(403, "PUT", TRAININGS, org.body("cluster", {}))


def test_policies_go_with_their_scope(org: Org) -> None:
    org.put("department")
    org.put("project", rules=GPUS)
    org.admin.done("DELETE", f"/api/v1/org-unit/projects/{org.project}")
    assert [each["meta"]["scope"] for each in org.admin.done("GET", POLICY)["policies"]] == ["department"]
    assert org.desired() == {}
    org.admin.done("DELETE", f"/api/v1/org-unit/departments/{org.department}")
    assert org.admin.done("GET", POLICY)["policies"] == []


# How they are doing


def test_a_policy_is_applied_when_its_cluster_says_so(org: Org) -> None:
    org.put("cluster", rules=GPUS)
    org.put("project", defaults={"image": "a"})
    assert org.statuses() == {
        name: ("Not ready", org.statuses()[name][1]) for name in ("of the cluster", "of the project")
    }
    org.cluster.report(cluster=WELL)
    assert {phase for phase, _ in org.statuses().values()} == {"Applying"}
    revision = org.cluster.desired().revision
    org.cluster.report(
        ReportedPolicy(name="TrainingPolicy", phase="Ready"),
        ReportedPolicy(name="TrainingPolicy.runai-team-a", phase="Ready"),
        cluster=WELL.model_copy(update={"applied_revision": revision}),
    )
    assert org.statuses() == {"of the cluster": ("Ready", None), "of the project": ("Ready", None)}
    older = "the policy mine of this namespace is older and counts"
    org.cluster.report(ReportedPolicy(name="TrainingPolicy.runai-team-a", phase="NotReady", message=older))
    assert org.statuses() == {"of the cluster": ("Failed", older), "of the project": ("Failed", older)}
    org.cluster.report(ReportedPolicy(name="TrainingPolicy.runai-team-a", phase="Refused", message="no room"))
    assert org.statuses(scope="project") == {"of the project": ("Failed", "no room")}
    org.put("project", defaults={"image": "b"})
    org.cluster.report(ReportedPolicy(name="TrainingPolicy.runai-team-a", phase="Ready"))
    assert org.statuses(scope="project")["of the project"][0] == "Applying"
    assert org.get("project")["status"]["clusters"][0]["status"] == "Applying"


def test_a_cluster_that_came_later_has_the_policies_of_the_tenant(org: Org) -> None:
    org.put("tenant", rules=GPUS)
    later = cluster_of(org.tenant)
    assert [each.kind for each in later.desired().policies] == ["TrainingPolicy"]
    later.report(
        ReportedPolicy(name="TrainingPolicy", phase="Ready"),
        cluster=WELL.model_copy(update={"applied_revision": later.desired().revision}),
    )
    (entry,) = org.admin.done("GET", POLICY)["policies"]
    found = {each["clusterId"]: each["status"] for each in entry["status"]["clusters"]}
    assert found == {later.uuid: "Ready", org.cluster.uuid: "Not ready"}


# What workloads must keep


def test_a_workload_that_breaks_a_policy_is_refused_with_everything_that_it_breaks(org: Org) -> None:
    org.put(
        "project",
        defaults={
            "createHomeDir": True,
            "environmentVariables": {"instances": [{"name": "PROXY", "value": "x"}]},
        },
        rules={
            "image": {"options": [{"value": "ubuntu"}, {"value": "debian"}]},
            "createHomeDir": {"canEdit": False},
            "workingDir": {"required": True},
            "environmentVariables": {"instances": {"locked": ["PROXY"], "canAdd": False}},
            "compute": {"gpuDevicesRequest": {"min": 1, "max": 4}, "cpuMemoryRequest": {"max": "1G"}},
            "storage": {
                "pvc": {
                    "attributes": {
                        "claimName": {"required": True},
                        "claimInfo": {"size": {"options": [{"value": "1Gi"}]}},
                    }
                },
                "hostPath": {"instances": {"canAdd": False}},
            },
        },
    )
    assert org.issues(
        image="fedora",
        createHomeDir=False,
        environmentVariables=[{"name": "A", "value": "b"}, {"name": "PROXY", "value": "y"}],
        compute={"gpuDevicesRequest": 5, "cpuMemoryRequest": "2G"},
        storage={
            "pvc": [{"path": "/a", "claimName": "c"}, {"name": "b", "path": "/b", "claimInfo": {"size": "2Gi"}}],
            "hostPath": [{"path": "/h", "mountPath": "/m"}],
        },
    ) == {
        "image": "value must be one of ubuntu, debian",
        "createHomeDir": "value must be left as the policy has it: true",
        "workingDir": "value must be given",
        "environmentVariables.0": "value must be left out: the policy allows no items beside its own",
        "environmentVariables.1": "value must be left as the policy has it: x",
        "compute.gpuDevicesRequest": "value must be no greater than 4",
        "compute.cpuMemoryRequest": "value must be no greater than 1G",
        "storage.pvc.1.claimName": "value must be given",
        "storage.pvc.1.claimInfo.size": "value must be one of 1Gi",
        "storage.hostPath.0": "value must be left out: the policy allows no items beside its own",
    }
    assert org.cluster.desired().orders == ()
    good = org.submission(workingDir="/w", compute={"gpuDevicesRequest": 1})
    org.admin.done("POST", "/api/v1/workloads/trainings", good)
    assert [order.name for order in org.cluster.desired().orders] == ["trainings-w"]


def test_the_documented_sample(org: Org) -> None:
    org.put("cluster", rules={"compute": {"gpuDevicesRequest": {"min": 3}}})
    answer = org.admin.call("POST", "/api/v1/workloads/trainings", org.submission(compute={"gpuDevicesRequest": 2}))
    assert answer.status_code == 400
    assert answer.json() == {
        "code": 400,
        "message": COMPLIANCE,
        "details": "compute.gpuDevicesRequest: value must be no less than 3",
        "complianceIssues": [{"field": "compute.gpuDevicesRequest", "details": "value must be no less than 3"}],
    }


def test_parts_of_gpus_are_named_as_they_were_asked_for(org: Org) -> None:
    org.put("project", rules={"compute": {"gpuPortionRequest": {"max": 0.5}}})
    part = {"gpuRequestType": "portion", "gpuPortionRequest": 0.75}
    assert org.issues(compute=part) == {"compute.gpuPortionRequest": "value must be no greater than 0.5"}
    org.put("project", rules={"compute": {"gpuDevicesRequest": {"max": 1}}})
    parts = {"gpuRequestType": "portion", "gpuPortionRequest": 0.5, "gpuDevicesRequest": 2}
    assert org.issues(compute=parts) == {"compute.gpuDevicesRequest": "value must be no greater than 1"}


def test_what_is_excluded_of_a_policy_is_taken_away_where_it_may_be(org: Org) -> None:
    resources = [{"resource": "x/a", "quantity": "1"}, {"resource": "x/b", "quantity": "1"}]
    org.put(
        "project",
        defaults={"compute": {"extendedResources": {"instances": resources}}},
        rules={"compute": {"extendedResources": {"instances": {"locked": ["x/a"]}}}},
    )
    gone = [{"resource": "x/b", "exclude": True}, {"resource": "x/a", "exclude": True}]
    assert org.issues(compute={"extendedResources": gone}) == {
        "compute.extendedResources.1": "value must be kept: the policy allows no removal"
    }
    org.admin.done("POST", "/api/v1/workloads/trainings", org.submission(compute={"extendedResources": gone[:1]}))
    (order,) = org.cluster.desired().orders
    assert order.workload is not None
    assert order.workload.spec["extendedResources"] == {"items": {"x/b": {"deleted": True}}}


def test_the_master_keeps_the_policy_of_its_workers(org: Org) -> None:
    org.put("project", f"{POLICY}/distributed", rules={"worker": GPUS})
    body = {
        **org.submission(compute={"gpuDevicesRequest": 4}, numWorkers=1, distributedFramework="PyTorch"),
        "masterSpec": {"compute": {"gpuDevicesRequest": 5}},
    }
    answer = org.admin.call("POST", "/api/v1/workloads/distributed", body)
    assert answer.json()["complianceIssues"] == [
        {"field": "masterSpec.compute.gpuDevicesRequest", "details": "value must be no greater than 4"}
    ]


def test_policies_of_other_types_and_scopes_bind_nobody(org: Org) -> None:
    org.put("project", f"{POLICY}/workspaces", rules=GPUS)
    beside = {"meta": {"name": "b", "scope": "project", "projectId": org.other}, "policy": {"rules": GPUS}}
    org.admin.done("PUT", TRAININGS, beside)
    org.admin.done("POST", "/api/v1/workloads/trainings", org.submission(compute={"gpuDevicesRequest": 8}))
    assert org.issues("workspaces", compute={"gpuDevicesRequest": 8})
