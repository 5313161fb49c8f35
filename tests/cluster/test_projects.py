"""Projects, departments and node pools in a live cluster: namespaces, who holds what, and what `kubectl` shows."""

from typing import Any

import pytest

from aliquot_lab import LabError
from tests.support.arena import DEPARTMENTS, POOLS, PROJECTS, TEST_LABEL, Arena

pytestmark = pytest.mark.cluster

GPU = "nvidia.com/gpu"


def status_of(arena: Arena, path: str) -> dict[str, Any]:
    return arena.get(path).get("status", {})


def project_status(arena: Arena, name: str) -> dict[str, Any]:
    return status_of(arena, f"{PROJECTS}/{arena.name}-{name}")


def warnings(arena: Arena, name: str) -> dict[str, str]:
    """The messages of a project's conditions, without the one that says that all is well."""
    conditions = project_status(arena, name).get("conditions", [])
    return {each["type"]: each["message"] for each in conditions if each["type"] != "NamespaceReady"}


def labels_of(arena: Arena, namespace: str) -> dict[str, str]:
    return arena.get(f"/api/v1/namespaces/{namespace}")["metadata"].get("labels", {})


def nodes_of(arena: Arena, pool: str) -> dict[str, str]:
    """The nodes that a node pool lists, and how they are."""
    nodes = status_of(arena, f"{POOLS}/{pool}").get("nodes", [])
    return {each["name"]: each["status"] for each in nodes}


def a_pool(arena: Arena, name: str, value: str) -> str:
    """Make a node pool of the nodes with the label `kind` and this value; returns its full name."""
    full = f"{arena.name}-{name}"
    spec = {"labelKey": "kind", "labelValue": f"{arena.name}-{value}"}
    arena.make(POOLS, {"apiVersion": "run.ai/v1alpha1", "kind": "NodePool", "metadata": {"name": full}, "spec": spec})
    return full


# Namespaces


def test_a_project_gets_a_namespace_that_carries_its_name(arena: Arena) -> None:
    namespace = arena.project("a", deserved=1)
    assert namespace == f"runai-{arena.name}-a"
    assert project_status(arena, "a")["namespace"] == namespace
    labels = labels_of(arena, namespace)
    assert labels["runai/queue"] == f"{arena.name}-a"
    assert labels["runai/namespace-version"] == "v2"
    assert labels["app.kubernetes.io/managed-by"] == "aliquot"


def test_a_namespace_that_exists_can_be_named(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.namespace("lab", {"team": "vision"})
    assert arena.project("a", deserved=1, namespace=namespace) == namespace
    labels = labels_of(arena, namespace)
    assert (labels["runai/queue"], labels["team"]) == (f"{arena.name}-a", "vision")
    assert "app.kubernetes.io/managed-by" not in labels
    assert arena.get(f"/api/v1/namespaces/runai-{arena.name}-a") == {}
    arena.submit(namespace, "job-1")
    assert arena.until_phase(namespace, "job-1", "Running")["project"] == f"{arena.name}-a"


def test_a_namespace_that_is_named_and_missing_is_awaited(arena: Arena) -> None:
    full = f"{arena.name}-late"
    queue = {"name": "q", "nodepool": arena.name, "resources": {"gpu": {"deserved": 1}}}
    spec = {"queues": [queue], "namespace": full}
    arena.make(PROJECTS, {"apiVersion": "run.ai/v2", "kind": "Project", "metadata": {"name": full}, "spec": spec})
    arena.until(lambda: project_status(arena, "late").get("phase") == "NamespaceMissing", "it to be missed")
    assert f"kubectl create namespace {full}" in project_status(arena, "late")["message"]
    arena.namespace("late")
    arena.until(lambda: project_status(arena, "late")["phase"] == "Ready", "the project to be Ready")
    assert project_status(arena, "late").get("message") is None


def test_a_namespace_that_is_labelled_for_a_project_is_taken(arena: Arena) -> None:
    namespace = arena.namespace("lab", {"runai/queue": f"{arena.name}-a"})
    arena.until_linked(namespace, "a")
    assert arena.project("a", deserved=1) == namespace
    assert arena.get(f"/api/v1/namespaces/runai-{arena.name}-a") == {}


def test_several_namespaces_of_a_project_are_told(arena: Arena) -> None:
    arena.nodes(1)
    first = arena.project("a", deserved=1)
    second = arena.namespace("more", {"runai/queue": f"{arena.name}-a"})
    arena.until(lambda: "SeveralNamespaces" in warnings(arena, "a"), "the second namespace to be told")
    assert second in warnings(arena, "a")["SeveralNamespaces"]
    assert project_status(arena, "a")["namespace"] == first
    arena.submit(second, "job-1")
    assert arena.until_phase(second, "job-1", "Running")["project"] == f"{arena.name}-a"


def test_a_namespace_of_the_system_is_nobodys(arena: Arena) -> None:
    before = labels_of(arena, "kube-public")
    full = f"{arena.name}-a"
    queue = {"name": "q", "nodepool": arena.name, "resources": {"gpu": {"deserved": 1}}}
    spec = {"queues": [queue], "namespace": "kube-public"}
    arena.make(PROJECTS, {"apiVersion": "run.ai/v2", "kind": "Project", "metadata": {"name": full}, "spec": spec})
    arena.until(lambda: project_status(arena, "a").get("phase") == "NamespaceReserved", "it to be refused")
    assert labels_of(arena, "kube-public") == before


# Who holds what


def use(status: dict[str, Any], resource: str = GPU) -> tuple[str, str]:
    """What is held and what is wanted of a resource."""
    quota = status.get("quotaStatus", status.get("queueStatus", {}))
    held, wanted = (quota.get(what, {}).get(resource, "0") for what in ("allocated", "requested"))
    return held, wanted


def use_in(arena: Arena, path: str, pool: str) -> tuple[str, str]:
    pools = status_of(arena, path).get("nodePoolsQuotaStatuses", [])
    return next((use(each) for each in pools if each["nodePoolName"] == pool), ("none", "none"))


def test_what_a_project_and_its_department_hold_is_told_for_each_node_pool(arena: Arena) -> None:
    special = a_pool(arena, "special", "special")
    arena.nodes(1, gpus=4)
    arena.lab.add_nodes([f"{arena.name}-s"], gpus=4, labels={"kind": f"{arena.name}-special"})
    department = arena.department("d", deserved=8)
    a = arena.project("a", deserved=8, department=department)
    b = arena.project("b", deserved=8, department=department)
    arena.submit(a, "here", gpu="2", cpu="3")
    arena.submit(a, "there", gpu="1", nodePools=special)
    arena.submit(b, "also-here", gpu="1")
    for namespace, name in ((a, "here"), (a, "there"), (b, "also-here")):
        arena.until_phase(namespace, name, "Running")
    arena.submit(b, "waits", gpu="4")
    project, above = f"{PROJECTS}/{arena.name}-a", f"{DEPARTMENTS}/{department}"
    arena.until(lambda: use(status_of(arena, project)) == ("3", "3"), "the project to hold three GPUs")
    arena.until(lambda: use_in(arena, project, arena.name) == ("2", "2"), "two of them here")
    arena.until(lambda: use_in(arena, project, special) == ("1", "1"), "one of them there")
    arena.until(lambda: use(status_of(arena, project), "cpu") == ("4", "4"), "the project to hold four cores")
    arena.until(lambda: use(status_of(arena, above)) == ("4", "8"), "the department to hold four and want eight")
    arena.until(lambda: use_in(arena, above, arena.name) == ("3", "7"), "three here, of seven")
    arena.until(lambda: use_in(arena, above, special) == ("1", "1"), "one there")
    for name in ("here", "there"):
        arena.delete(f"/apis/run.ai/v2alpha1/namespaces/{a}/trainingworkloads/{name}")
    arena.until(lambda: use(status_of(arena, project)) == ("0", "0"), "the project to hold nothing")
    # What waits needs all of the four GPUs here, so it goes on waiting.
    arena.until(lambda: use(status_of(arena, above)) == ("1", "5"), "the department to hold what the other one does")
    arena.lab.remove_node(f"{arena.name}-s")


def test_over_quota_is_told(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "job-1", gpu="2")
    arena.until_phase(namespace, "job-1", "Running")

    def told() -> str:
        pools = project_status(arena, "a")["nodePoolsQuotaStatuses"]
        [pool] = [each for each in pools if each["nodePoolName"] == arena.name]
        return next((each["message"] for each in pool["queueStatus"].get("conditions", [])), "")

    arena.until(lambda: "2 GPUs of 1 GPU deserved" in told(), "the node pool to say that the project is over quota")


def test_a_department_or_node_pool_that_is_missing_is_told_until_it_is_there(arena: Arena) -> None:
    department, pool = f"{arena.name}-d", f"{arena.name}-special"
    arena.project("a", deserved=1, department=department)
    spec = {"defaultNodePools": [arena.name, pool]}
    arena.patch(f"{PROJECTS}/{arena.name}-a", {"spec": spec})
    arena.until(lambda: {"NoDepartment", "NoNodePool"} == warnings(arena, "a").keys(), "both to be missed")
    assert f"Department {department} does not exist" in warnings(arena, "a")["NoDepartment"]
    assert f"No such node pool: {pool}" in warnings(arena, "a")["NoNodePool"]
    assert project_status(arena, "a")["phase"] == "Ready"
    arena.department("d", deserved=1)
    a_pool(arena, "special", "special")
    arena.until(lambda: not warnings(arena, "a"), "neither to be missed any more")


# Node pools


def test_a_node_pool_lists_its_nodes_and_how_they_are(arena: Arena) -> None:
    arena.until(lambda: status_of(arena, f"{POOLS}/{arena.name}").get("phase") == "NoNodes", "it to have none")
    assert f"{TEST_LABEL}={arena.name}" in status_of(arena, f"{POOLS}/{arena.name}")["message"]
    first, second = arena.nodes(2)
    both = {first: "Ready", second: "Ready"}
    arena.until(lambda: nodes_of(arena, arena.name) == both, "both nodes to be listed")
    assert status_of(arena, f"{POOLS}/{arena.name}")["phase"] == "Ready"
    arena.patch(f"/api/v1/nodes/{first}", {"spec": {"unschedulable": True}})
    arena.until(
        lambda: nodes_of(arena, arena.name) == {**both, first: "Ready,SchedulingDisabled"}, "the cordon to be told"
    )
    arena.lab.remove_node(second)
    arena.until(lambda: [*nodes_of(arena, arena.name)] == [first], "the other node to be gone")


def test_a_node_that_is_labelled_anew_changes_its_pool(arena: Arena) -> None:
    special = a_pool(arena, "special", "special")
    [node] = arena.nodes(1)
    arena.until(lambda: [*nodes_of(arena, arena.name)] == [node], "the node to be in one pool")
    arena.lab.kubectl("label", "node", node, f"{TEST_LABEL}-", f"kind={arena.name}-special")
    arena.until(lambda: [*nodes_of(arena, special)] == [node], "the node to be in the other pool")
    arena.until(lambda: [*nodes_of(arena, arena.name)] == [], "the node to have left the first one")
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "job-1", nodePools=special)
    arena.until_phase(namespace, "job-1", "Running")


def test_default_has_the_nodes_of_no_other_pool_also_of_one_that_was_deleted(arena: Arena) -> None:
    """The one test with nodes in `default`: no other test's work may use that pool."""
    default = {"apiVersion": "run.ai/v1alpha1", "kind": "NodePool", "metadata": {"name": "default"}, "spec": {}}
    arena.make(POOLS, default)
    [node] = arena.nodes(1, gpus=2)
    arena.until(lambda: [*nodes_of(arena, arena.name)] == [node], "the node to be in its pool")
    assert node not in nodes_of(arena, "default")
    namespace = arena.project("a", deserved=2)
    arena.submit(namespace, "before")
    arena.until_phase(namespace, "before", "Running")
    arena.delete(f"{POOLS}/{arena.name}")
    arena.until(lambda: nodes_of(arena, "default").get(node) == "Ready", "the node to be in default")
    arena.submit(namespace, "lost")
    arena.until_reason(namespace, "lost", "NoQueue")
    arena.submit(namespace, "found", nodePools="default")
    arena.until_phase(namespace, "found", "Running")
    assert arena.status(namespace, "before")["phase"] == "Running"
    path = f"{PROJECTS}/{arena.name}-a"
    arena.until(lambda: use_in(arena, path, "default") == ("2", "2"), "both GPUs to be counted in default")


# What kubectl shows


def table(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_kubectl_get_shows_project_phase_gpus_and_reason(arena: Arena) -> None:
    arena.nodes(1)
    department = arena.department("d", deserved=2)
    namespace = arena.project("a", deserved=2, limit=2, department=department)
    arena.submit(namespace, "job-1", gpu="2")
    arena.until_phase(namespace, "job-1", "Running")
    arena.submit(namespace, "job-2")
    arena.until_reason(namespace, "job-2", "OverLimit")
    full = f"{arena.name}-a"
    for resource in ("trainingworkloads", "trw", "tw"):
        head, *rows = table(arena.lab.kubectl("get", resource, "-A"))
        assert head == ["NAMESPACE", "NAME", "PROJECT", "PHASE", "GPUS", "REASON", "AGE"]
        assert [row[:-1] for row in rows if row[0] == namespace] == [
            [namespace, "job-1", full, "Running", "2"],
            [namespace, "job-2", full, "Pending", "0", "OverLimit"],
        ]
    assert "2 GPUs" in arena.lab.kubectl("get", "trw", "job-2", "-n", namespace, "-o", "wide")
    arena.until(lambda: use(project_status(arena, "a")) == ("2", "3"), "the project to say what it holds")
    head, row = table(arena.lab.kubectl("get", "rp", full))
    assert head == ["NAME", "DEPARTMENT", "NAMESPACE", "PHASE", "GPUS", "AGE"]
    assert row[:-1] == [full, department, namespace, "Ready", "2"]
    arena.until(lambda: use(status_of(arena, f"{DEPARTMENTS}/{department}")) == ("2", "3"), "its department, too")
    head, row = table(arena.lab.kubectl("get", "rdep", department))
    assert head == ["NAME", "PHASE", "GPUS", "AGE"]
    assert row[:-1] == [department, "Ready", "2"]
    head, row = table(arena.lab.kubectl("get", "rnp", arena.name))
    assert head == ["NAME", "LABEL", "VALUE", "PHASE", "AGE"]
    assert row[:-1] == [arena.name, TEST_LABEL, arena.name, "Ready"]
    names = arena.lab.kubectl("get", "runai", "-n", namespace, "-o", "name")
    assert "trainingworkload.run.ai/job-1" in names.split()


def test_workloads_can_be_selected_by_their_status(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "runs")
    arena.submit(namespace, "wrong", processes=4)
    arena.until_phase(namespace, "runs", "Running")
    arena.until_phase(namespace, "wrong", "Failed")
    for selector, name in (
        ("status.phase=Running", "runs"),
        (f"status.project={arena.name}-a,status.reason=InvalidSpec", "wrong"),
        ("status.jobName=runs", "runs"),
    ):
        found = arena.lab.kubectl("get", "trw", "-n", namespace, f"--field-selector={selector}", "-o", "name")
        assert found.split() == [f"trainingworkload.run.ai/{name}"]


def test_kubectl_describe_shows_conditions_and_events(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "job-1")
    arena.until_phase(namespace, "job-1", "Running")
    arena.event(namespace, "job-1", "Scheduled")
    shown = arena.lab.kubectl("describe", "trainingworkload", "-n", namespace, "job-1")
    assert "Pod job-1-0-0 runs on node" in shown.partition("Events:")[2]
    assert "PodsScheduled" in shown.partition("Conditions:")[2]


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("trainingworkload.spec.gpu", "GPUs of each pod, in quotes"),
        ("trainingworkload.status.reason", "Why the workload is in"),
        ("trainingworkload.spec.completions.value", "The value."),
        ("project.spec.queues.resources.gpu.deserved", "What the queue can count on at any time"),
        ("nodepool.spec.labelKey", "Key of the label that the pool's nodes have."),
    ],
)
def test_kubectl_explain_explains(arena: Arena, member: str, said: str) -> None:
    """cluster-api.md S11."""
    # Kubernetes publishes what it explains a moment after it serves a kind.
    arena.until(lambda: said in " ".join(explained(arena, member).split()), f"kubectl to explain {member}")


def explained(arena: Arena, member: str) -> str:
    try:
        return arena.lab.kubectl("explain", member)
    except LabError:
        return ""
