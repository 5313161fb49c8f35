"""What administrators do over REST happens in the cluster, and what happens there is seen over REST (A10 to A30)."""

import re
import time
from typing import Any, Final

import pytest

from aliquot_lab import FaultProxy
from demo.platform import OperatorProcess
from tests.crashes.stage import LEASE
from tests.support.arena import DEPARTMENTS, PROJECTS
from tests.sync.meeting import OURS, REST_DEPARTMENTS, REST_POOLS, REST_PROJECTS, RULES, ControlPlane, Meeting

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("sync")]

OPERATOR: Final = "system:serviceaccount:runai:aliquot-operator"
SYNCED: Final = ("projects", "departments", "nodepools", "accessrules", "trainingpolicies")
POLICIES: Final = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS: Final = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
REFUSING: Final[dict[str, Any]] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "refusing"},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["run.ai"],
                    "apiVersions": ["*"],
                    "resources": ["projects"],
                    "operations": ["CREATE", "UPDATE"],
                }
            ]
        },
        "validations": [{"expression": "object.metadata.name != 'team-bad'", "message": "not this one"}],
    },
}
REFUSING_BINDING: Final[dict[str, Any]] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "refusing"},
    "spec": {"policyName": "refusing", "validationActions": ["Deny"]},
}


CONFIGS: Final = "/apis/run.ai/v1/namespaces/runai/runaiconfigs"


def connected(meeting: Meeting) -> str:
    """What the RunaiConfig says of the connection."""
    conditions = meeting.get(f"{CONFIGS}/runai")["status"]["conditions"]
    return next(each["status"] for each in conditions if each["type"] == "ControlPlaneConnected")


def metric(operator: OperatorProcess, name: str) -> float | None:
    """The value of a metric without labels; None: it is not there."""
    _, text = operator.probe("metrics")
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    return None if found is None else float(found[1])


def test_a10_a_new_project_becomes_ready(meeting: Meeting) -> None:
    meeting.connected()
    meeting.make_project("latest-project-3", deserved=1)
    shown = meeting.until_ready("latest-project-3")
    assert shown["status"]["namespace"] == "runai-latest-project-3"
    made = meeting.get(f"{PROJECTS}/latest-project-3")
    assert made["metadata"]["labels"] == {OURS: meeting.cluster}
    assert made["spec"]["department"] == "default"
    assert meeting.deserved("latest-project-3") == 1


def test_everything_that_is_said_over_rest_is_in_the_cluster_and_its_statuses_come_back(meeting: Meeting) -> None:
    meeting.some_nodes("gpu-1", gpu="h100")
    meeting.connected()
    meeting.make_pool("h100", key="gpu", value="h100")
    research = meeting.make_department("research")
    project = meeting.make_project("vision", deserved=2, parentId=research["id"], defaultNodePools=["h100", "default"])
    rule = meeting.give(project, "ci")
    meeting.until_ready("vision")
    wanted = {
        "accessRule rule-1",  # of the tenant's administrator
        "nodePool default",
        "nodePool h100",
        "department default",
        "department research",
        "project vision",
        f"accessRule rule-{rule['id']}",
    }
    meeting.until(lambda: set(meeting.all_held()) == wanted, "all that is wanted to be there, and nothing else")
    held = meeting.get(f"{PROJECTS}/vision")["spec"]
    assert (held["department"], held["defaultNodePools"]) == ("research", ["h100", "default"])
    assert [(queue["name"], queue["nodepool"]) for queue in held["queues"]] == [
        ("vision", "default"),
        ("vision-h100", "h100"),
    ]
    meeting.until(
        lambda: meeting.get(f"{RULES}/rule-{rule['id']}")["status"]["phase"] == "Ready", "the rule to be in force"
    )
    meeting.until(lambda: meeting.shown(REST_POOLS, "h100")["nodes"] == ["gpu-1"], "the pool to show its node")

    def node() -> dict[str, Any]:
        found = meeting.admin.done("GET", f"/api/v1/clusters/{meeting.cluster}/nodes")["nodes"]
        return next(each for each in found if each["name"] == "gpu-1")

    meeting.until(lambda: (node()["status"], node()["nodePool"]) == ("Ready", "h100"), "the node to be shown")
    assert node()["gpuInfo"]["gpuCount"] == 4

    namespace = "runai-vision"
    meeting.until(lambda: meeting.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default"), "the ServiceAccount")
    meeting.submit(namespace, "first", gpu="2")
    meeting.until_phase(namespace, "first", "Running")

    def shown(path: str, name: str, amounts: str) -> float:
        return meeting.shown(path, name)["status"]["quotaStatus"][amounts]["gpu"]

    meeting.until(lambda: shown(REST_PROJECTS, "vision", "allocated") == 2, "its GPUs to be shown")
    meeting.until(lambda: shown(REST_DEPARTMENTS, "research", "requested") == 2, "the department's to be shown")


def test_a_quota_that_is_changed_over_rest_reaches_the_cluster_and_by_hand_it_does_not_stay(meeting: Meeting) -> None:
    meeting.connected()
    project = meeting.make_project("team-a", deserved=1)
    meeting.until_ready("team-a")
    for deserved in (2.5, 3, 0):
        meeting.set_quota(project, deserved)
        meeting.until(lambda deserved=deserved: meeting.deserved("team-a") == deserved, f"the quota of {deserved}")
    patch = {"spec": {"queues": [{"name": "mine", "nodepool": "default", "resources": {"gpu": {"deserved": 99}}}]}}
    meeting.patch(f"{PROJECTS}/team-a", patch)
    meeting.until(lambda: meeting.deserved("team-a") == 0, "the quota to be put back")
    meeting.patch(f"{PROJECTS}/team-a", {"metadata": {"labels": {OURS: None}}})
    meeting.until(lambda: "team-a" in meeting.held(PROJECTS), "the label to be put back")


def test_a14_what_is_deleted_over_rest_goes_and_its_pods_stay(meeting: Meeting) -> None:
    meeting.some_nodes("gpu-1")
    meeting.connected()
    research = meeting.make_department("research")
    for name in ("vision", "speech"):
        meeting.make_project(name, deserved=1, parentId=research["id"])
        meeting.until_ready(name)
    vision = meeting.shown_project("vision")
    namespace = "runai-vision"
    meeting.until(lambda: meeting.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default"), "the ServiceAccount")
    meeting.submit(namespace, "first")
    meeting.until_phase(namespace, "first", "Running")
    meeting.admin.done("DELETE", f"{REST_PROJECTS}/{vision['id']}")
    meeting.admin.refused(404, "GET", f"{REST_PROJECTS}/{vision['id']}")
    meeting.until(lambda: set(meeting.held(PROJECTS)) == {"speech"}, "the project to go")
    assert meeting.get(f"/api/v1/namespaces/{namespace}")["status"]["phase"] == "Active"
    assert meeting.running(namespace) == 1
    meeting.admin.done("DELETE", f"{REST_DEPARTMENTS}/{research['id']}")
    meeting.until(lambda: not meeting.held(PROJECTS), "a department's projects to go with it")
    meeting.until(lambda: set(meeting.held(DEPARTMENTS)) == {"default"}, "the department to go")
    meeting.make_project("vision", deserved=1)
    meeting.until_ready("vision")
    assert meeting.running(namespace) == 1, "and what was there is the project's again"


def test_a28_what_was_said_while_the_operator_was_away_is_done_when_it_is_back(meeting: Meeting) -> None:
    first = meeting.connected()
    project = meeting.make_project("team-a", deserved=1)
    meeting.until_ready("team-a")
    first.kill()
    meeting.set_quota(project, 5)
    gone = meeting.make_project("team-b")
    meeting.make_project("team-c")
    meeting.admin.done("DELETE", f"{REST_PROJECTS}/{gone['id']}")
    assert meeting.shown_project("team-a")["status"]["phase"] == "Updating"
    assert meeting.deserved("team-a") == 1
    meeting.connected(name="second")
    meeting.until_ready("team-a")
    meeting.until_ready("team-c")
    assert meeting.deserved("team-a") == 5
    assert set(meeting.held(PROJECTS)) == {"team-a", "team-c"}


def test_a28_without_a_control_plane_the_cluster_goes_on_and_makes_up_for_it_later(
    meeting: Meeting, control_plane: ControlPlane
) -> None:
    meeting.some_nodes("gpu-1")
    operator = meeting.connected()
    project = meeting.make_project("team-a", deserved=1)
    meeting.until_ready("team-a")
    config = {"apiVersion": "run.ai/v1", "kind": "RunaiConfig", "metadata": {"name": "runai"}, "spec": {}}
    meeting.make(CONFIGS, config)
    meeting.until(lambda: connected(meeting) == "True", "the RunaiConfig to say that it is connected")
    control_plane.kill()
    namespace = "runai-team-a"
    meeting.until(lambda: meeting.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default"), "the ServiceAccount")
    meeting.submit(namespace, "first")
    meeting.until_phase(namespace, "first", "Running")
    meeting.patch(f"{PROJECTS}/team-a", {"spec": {"queues": []}})
    meeting.until(lambda: meeting.deserved("team-a") == 1, "what is known to be wanted to be put back")
    meeting.until(lambda: metric(operator, "aliquot_control_plane_connected") == 0, "the metric to say so")
    meeting.until(lambda: connected(meeting) == "False", "the RunaiConfig to say so")
    assert operator.probe("readyz") == (200, "ok")
    control_plane.start()
    meeting.set_quota(project, 2)
    meeting.until(lambda: meeting.deserved("team-a") == 2, "the quota")
    meeting.until(
        lambda: meeting.shown_project("team-a")["status"]["quotaStatus"]["allocated"]["gpu"] == 1, "what happened"
    )
    meeting.until(lambda: metric(operator, "aliquot_control_plane_connected") == 1, "the metric to say so")
    assert meeting.secret not in operator.log()


def test_a29_an_empty_cluster_gets_everything_back(meeting: Meeting) -> None:
    first = meeting.connected()
    meeting.make_pool("h100")
    project = meeting.make_project("team-a", deserved=3, defaultNodePools=["h100"])
    meeting.give(project, "ci")
    meeting.until_ready("team-a")
    meeting.until(lambda: len(meeting.all_held()) == 6, "everything to be made")
    before = meeting.all_held()
    meeting.delete_all_held()
    meeting.until(lambda: meeting.all_held() == before, "what was deleted behind its back to be made again")
    first.kill()
    meeting.delete_all_held()
    meeting.delete(LEASE)
    assert meeting.all_held() == {}
    meeting.connected(name="second")
    meeting.until(lambda: meeting.all_held() == before, "everything to come back")
    meeting.until_ready("team-a")


def test_a30_what_vanished_while_nobody_looked_is_told_by_the_next_session(meeting: Meeting) -> None:
    meeting.some_nodes("gpu-1", "gpu-2")
    first = meeting.connected()

    def nodes() -> set[str]:
        found = meeting.admin.done("GET", f"/api/v1/clusters/{meeting.cluster}/nodes")["nodes"]
        return {each["name"] for each in found}

    meeting.until(lambda: nodes() == {"gpu-1", "gpu-2"}, "both nodes to be shown")
    first.kill()
    meeting.lab.remove_node("gpu-2")
    meeting.connected(name="second")
    meeting.until(lambda: nodes() == {"gpu-1"}, "the node to vanish")


def test_what_people_made_stays_theirs_unless_the_control_plane_has_one_of_the_name(meeting: Meeting) -> None:
    def by_hand(name: str) -> dict[str, Any]:
        queue = {
            "name": name,
            "nodepool": "default",
            "resources": {"gpu": {"deserved": 7}},
            "reclaimMinRuntimeSecs": 60,
        }
        return {
            "apiVersion": "run.ai/v2",
            "kind": "Project",
            "metadata": {"name": name},
            "spec": {"queues": [{**queue, "reclaimMinRuntimeSecs": 60}], "trainingJobTimeLimitSecs": 5},
        }

    for name in ("theirs", "shared"):
        meeting.make(PROJECTS, by_hand(name))
    operator = meeting.connected()
    meeting.make_project("shared", deserved=1)
    meeting.until_ready("shared")
    spec = meeting.get(f"{PROJECTS}/shared")["spec"]
    assert "trainingJobTimeLimitSecs" not in spec
    assert spec["queues"][0]["reclaimMinRuntimeSecs"] == 60, "of which the control plane knows nothing"
    assert meeting.deserved("shared") == 1
    theirs = meeting.get(f"{PROJECTS}/theirs")
    assert OURS not in theirs["metadata"].get("labels", {})
    assert theirs["spec"]["trainingJobTimeLimitSecs"] == 5
    told = "left alone: the control plane does not have them"
    meeting.until(lambda: operator.log().count(told) == 1, "the log to say so once")


def test_what_is_refused_keeps_nothing_else_from_being_made_and_says_why(meeting: Meeting) -> None:
    meeting.make(POLICIES, REFUSING)
    meeting.make(BINDINGS, REFUSING_BINDING)
    operator = meeting.connected()
    bad = meeting.make_project("team-bad", deserved=1)

    def says() -> str:
        return meeting.shown_project("team-bad")["status"].get("phaseMessage") or ""

    meeting.until(lambda: "not this one" in says(), "the control plane to say why")
    meeting.make_project("team-good", deserved=1)
    meeting.until(lambda: meeting.deserved("team-good") == 1, "the other one to be made")
    meeting.until(
        lambda: operator.log().count("cannot be made as the control plane wants it") == 1, "the log to say so"
    )
    meeting.delete(f"{BINDINGS}/refusing")
    meeting.until(lambda: meeting.deserved("team-bad") == 1, "it to be tried again")
    meeting.until_ready("team-bad")
    meeting.until_ready("team-good")
    meeting.admin.done("DELETE", f"{REST_PROJECTS}/{bad['id']}")
    meeting.until(lambda: "team-bad" not in meeting.held(PROJECTS), "it to go")


def test_a_project_is_not_updating_for_ever_once_its_node_types_are_taken_back(meeting: Meeting) -> None:
    """A defect that Run:ai 2.18.1 mended (control-plane-api.md 5.6)."""
    meeting.some_nodes("gpu-1", **{"run.ai/type": "a100"})
    meeting.connected()
    project = meeting.make_project("team-a", nodeTypes={"training": ["a100"], "workspace": []})
    meeting.until(lambda: meeting.get(f"{PROJECTS}/team-a")["spec"].get("nodeAffinityTrain") == ["a100"], "its types")
    resources = [{"nodePool": None, "gpu": {"deserved": 1}}]
    body: dict[str, Any] = {"resources": resources, "nodeTypes": {"training": [], "workspace": []}}
    meeting.admin.done("PUT", f"{REST_PROJECTS}/{project['id']}", body)
    meeting.until(lambda: "nodeAffinityTrain" not in meeting.get(f"{PROJECTS}/team-a")["spec"], "its types to go")
    meeting.until_ready("team-a")


STORAGE: Final = "/apis/storage.k8s.io/v1/storageclasses"
ROLE: Final = "/apis/rbac.authorization.k8s.io/v1/clusterroles/aliquot-operator"
DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"


def storage_class(name: str, **annotations: str) -> dict[str, Any]:
    metadata = {"name": name, "annotations": annotations}
    provisioner = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.com/none"}
    return {**provisioner, "metadata": metadata}


def storage_classes(meeting: Meeting) -> dict[str, bool]:
    """Names of those that the control plane shows, and whether they are the default one."""
    found = meeting.admin.done("GET", f"/v1/k8s/clusters/{meeting.cluster}/storage-classes")
    return {each["storage_class_name"]: each["is_default"] for each in found}


def test_the_storage_classes_of_a_cluster_are_seen(meeting: Meeting) -> None:
    meeting.make(STORAGE, storage_class("fast", **{DEFAULT: "true"}))
    meeting.connected()
    meeting.until(lambda: storage_classes(meeting) == {"fast": True}, "the first to be shown")
    meeting.make(STORAGE, storage_class("slow"))
    meeting.until(lambda: storage_classes(meeting) == {"fast": True, "slow": False}, "the second to be shown")
    meeting.patch(f"{STORAGE}/fast", {"metadata": {"annotations": {DEFAULT: None}}})
    meeting.until(lambda: storage_classes(meeting)["fast"] is False, "it to be the default one no more")
    meeting.delete(f"{STORAGE}/slow")
    meeting.until(lambda: storage_classes(meeting) == {"fast": False}, "the second to be gone")


def test_an_operator_that_may_not_read_storage_classes_tells_everything_else(meeting: Meeting) -> None:
    meeting.make(STORAGE, storage_class("fast"))
    role = meeting.get(ROLE)
    fewer = [rule for rule in role["rules"] if rule["apiGroups"] != ["storage.k8s.io"]]
    assert len(fewer) == len(role["rules"]) - 1
    try:
        meeting.patch(ROLE, {"rules": fewer})
        meeting.connected()
        meeting.make_project("team-a")
        meeting.until_ready("team-a")
        assert storage_classes(meeting) == {}
    finally:
        meeting.patch(ROLE, {"rules": role["rules"]})
    meeting.until(lambda: storage_classes(meeting) == {"fast": False}, "it to be shown once it may be read")


def test_addresses_may_end_with_a_slash(meeting: Meeting, way: FaultProxy) -> None:
    """A defect that Run:ai 2.18.55 mended (control-plane-api.md 5.6)."""
    meeting.connected(way, URL=f"{way.url}/", CLUSTER_URL="https://gpu.example.com/")
    meeting.until(lambda: meeting.shown_cluster()["domain"] == "https://gpu.example.com", "the domain to be shown")


def test_a_cluster_in_which_nothing_happens_asks_once_in_a_while_and_tells_nothing(
    meeting: Meeting, way: FaultProxy
) -> None:
    """A defect that Run:ai 2.18.72 mended (control-plane-api.md 5.6)."""
    meeting.some_nodes("gpu-1")
    meeting.connected(way, WAIT_SECONDS="2", POLL_SECONDS="0.1")
    project = meeting.make_project("team-a")
    meeting.until_ready("team-a")
    meta = {"name": "limits", "scope": "project", "projectId": project["id"]}
    storage = {"pvc": {"attributes": {"readOnly": True}}, "git": {"instances": [{"repository": "https://x"}]}}
    rules = {
        "compute": {"gpuDevicesRequest": {"max": 2}},
        "storage": {"s3": {"attributes": {"bucket": {"required": True}}}},
    }
    tolerations = {"attributes": {"effect": "NoSchedule"}}
    policy = {"defaults": {"image": "ubuntu", "storage": storage, "tolerations": tolerations}, "rules": rules}
    meeting.admin.done("PUT", "/api/v2/policy/trainings", {"meta": meta, "policy": policy})

    def in_force() -> bool:
        found = meeting.admin.done("GET", "/api/v2/policy")["policies"]
        return found[0]["status"]["clusters"][0]["status"] == "Ready"

    meeting.until(in_force, "the policy to be in force")
    prefix = f"/cluster-sync/v1/{meeting.cluster}"

    def asked() -> int:
        return way.counts()["get", f"{prefix}/desired"]

    def told() -> int:
        return way.counts()["post", f"{prefix}/reports"]

    def written() -> int:
        return sum(record.user == OPERATOR and record.resource in SYNCED for record in meeting.lab.audit())

    def polls(count: int) -> None:
        until = asked() + count
        meeting.until(lambda: asked() >= until, f"{count} more polls")

    polls(3)
    before, began = (told(), written()), time.monotonic()
    first = asked()
    polls(5)
    assert (told(), written()) == before
    assert asked() - first <= (time.monotonic() - began) / 2 + 1, "each waits for its two seconds"
