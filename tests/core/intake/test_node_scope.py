"""Which nodes are ours where the cluster's RunaiConfig leaves only some (cluster-api.md 3.5)."""

from typing import Any

import msgspec
import pytest

from aliquot.contracts import kubernetes
from aliquot.core.intake import EVERY_NODE, NodeScope, Tenant, node_fact, pod_facts
from aliquot.core.scheduling import ClusterState, JobChanged, NodeChanged, QueueChanged, TaskChanged, decide, explain
from aliquot.core.scheduling.facts import NodeTerm, Queue, Requirement, Share

GPU_ROLE = "node-role.kubernetes.io/runai-gpu-worker"
CPU_ROLE = "node-role.kubernetes.io/runai-cpu-worker"
ROLES = NodeScope(by_role=True)
OF_AI = NodeScope(
    managed=(
        NodeTerm((Requirement("team", "In", ("ai",)),)),
        NodeTerm((), (Requirement("metadata.name", "In", ("n9",)),)),
    )
)


def node(name: str, **labels: str) -> kubernetes.Node:
    amounts = {"cpu": "8", "memory": "16Gi", "pods": "110", "nvidia.com/gpu": "4", "nvidia.com/mig-1g.10gb": "7"}
    written = {
        "metadata": {"name": name, "labels": {key.replace("__", "/"): value for key, value in labels.items()}},
        "status": {"allocatable": amounts, "conditions": [{"type": "Ready", "status": "True"}]},
    }
    return msgspec.convert(written, kubernetes.Node)


def with_roles(name: str, *roles: str) -> kubernetes.Node:
    return node(name, **{role.replace("/", "__"): "" for role in roles})


def pod(name: str, *, gpus: int = 0, ours: bool = True, annotations: dict[str, str] | None = None) -> kubernetes.Pod:
    resources = {"requests": {"cpu": "1"}, "limits": {"nvidia.com/gpu": str(gpus)} if gpus else {}}
    spec: dict[str, Any] = {
        "schedulerName": "runai-scheduler" if ours else "default-scheduler",
        "containers": [{"name": "main", "resources": resources}],
    }
    written = {"metadata": {"name": name, "uid": name, "annotations": annotations or {}}, "spec": spec}
    return msgspec.convert(written, kubernetes.Pod)


CASES: dict[str, tuple[NodeScope, kubernetes.Node, tuple[bool, int, int]]] = {
    # what is said, the node, whether it is open, its GPUs, and its MIG devices
    "nothing is said": (EVERY_NODE, node("n1"), (True, 4, 7)),
    "roles, and it has none": (ROLES, node("n1"), (False, 0, 0)),
    "roles, and it is for work with GPUs": (ROLES, with_roles("n1", GPU_ROLE), (True, 4, 7)),
    "roles, and it is for work without": (ROLES, with_roles("n1", CPU_ROLE), (True, 0, 0)),
    "roles, and it has both": (ROLES, with_roles("n1", GPU_ROLE, CPU_ROLE), (True, 4, 7)),
    "terms, and it meets one": (OF_AI, node("n1", team="ai"), (True, 4, 7)),
    "terms, and its name meets one": (OF_AI, node("n9"), (True, 4, 7)),
    "terms, and it meets none": (OF_AI, node("n1", team="web"), (False, 4, 7)),
    "terms and roles, and it has only the role": (
        NodeScope(by_role=True, managed=OF_AI.managed),
        with_roles("n1", GPU_ROLE),
        (False, 4, 7),
    ),
}


@pytest.mark.parametrize(("scope", "given", "wanted"), CASES.values(), ids=CASES)
def test_what_is_not_ours_is_closed(scope: NodeScope, given: kubernetes.Node, wanted: tuple[bool, int, int]) -> None:
    fact = node_fact(given, (), scope=scope)
    devices = fact.allocatable.gpu_percent // 100, fact.extended.get("nvidia.com/mig-1g.10gb", 0)
    assert (fact.schedulable, *devices) == wanted
    assert fact.allocatable.cpu_milli == 8000


def placed(scope: NodeScope, nodes: list[kubernetes.Node], given: kubernetes.Pod) -> str:
    """Where the pod goes, or why it waits."""
    state = ClusterState.rebuild(NodeChanged(node_fact(each, (), scope=scope)) for each in nodes)
    state.apply(QueueChanged(Queue("vision", "default", gpu=Share(2000))))
    facts = pod_facts(given, Tenant("vision", ()), scope=scope)
    state.apply(JobChanged(facts.job))
    state.apply(TaskChanged(facts.task))
    plan = decide(state, 0.0)
    return plan.binds[0].node if plan.binds else explain(next(iter(plan.waiting)).reason)


BOTH = [node("a"), with_roles("c", CPU_ROLE), with_roles("g", GPU_ROLE)]
PLACES: dict[str, tuple[NodeScope, list[kubernetes.Node], kubernetes.Pod, str]] = {
    "work with GPUs": (ROLES, BOTH, pod("p", gpus=1), "g"),
    "work with a part of one": (ROLES, BOTH, pod("p", annotations={"gpu-fraction": "0.5"}), "g"),
    "work without": (ROLES, BOTH, pod("p"), "c"),
    "work with GPUs that no node is for": (
        ROLES,
        BOTH[:2],
        pod("p", gpus=1),
        f"none of 2 nodes of pool default has the label {GPU_ROLE} and only taints that it tolerates",
    ),
    "work without, where all nodes are for GPUs": (
        ROLES,
        BOTH[2:],
        pod("p"),
        f"none of 1 node of pool default has the label {CPU_ROLE} and only taints that it tolerates",
    ),
    "on one of the nodes that are ours": (OF_AI, [node("a"), node("b", team="ai")], pod("p", gpus=1), "b"),
}


@pytest.mark.parametrize(("scope", "nodes", "given", "wanted"), PLACES.values(), ids=PLACES)
def test_work_goes_where_its_role_is(
    scope: NodeScope, nodes: list[kubernetes.Node], given: kubernetes.Pod, wanted: str
) -> None:
    assert placed(scope, nodes, given) == wanted


def test_pods_of_other_schedulers_are_told_nothing() -> None:
    facts = pod_facts(pod("p", gpus=1, ours=False), None, scope=ROLES)
    assert facts.task.affinity.node_required == ()


def test_what_a_pod_demands_itself_holds_beside_its_role() -> None:
    written = msgspec.to_builtins(pod("p", gpus=1))
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["z1"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    written["spec"]["affinity"] = {"nodeAffinity": required}
    given = msgspec.convert(written, kubernetes.Pod)
    nodes = [with_roles("g", GPU_ROLE), node("z", zone="z1")]
    assert placed(ROLES, nodes, given) == (
        f"none of 2 nodes of pool default meets its node affinity and has the label {GPU_ROLE} and only taints that it "
        "tolerates"
    )
    there = msgspec.convert(
        {**msgspec.to_builtins(nodes[0]), "metadata": {"name": "both", "labels": {GPU_ROLE: "true", "zone": "z1"}}},
        kubernetes.Node,
    )
    assert placed(ROLES, [*nodes, there], given) == "both"
