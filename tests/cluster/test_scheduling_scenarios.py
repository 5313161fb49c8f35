"""Acceptance scenarios of cluster-api.md 8.5 that `test_quotas` has not: where pods go, gangs, pools, weights.

Those that are told elsewhere: S43, S44, S46, S49 to S51, S53 and S65 in `test_quotas`; S48 and the rules behind all of
them in `core/scheduling`; S52, and S58 and S59 as far as the scheduler is concerned, in `core/simulation`, what a limit
of S59 may be in `core/intake/test_pod_shapes`; S56 in `core/submission`. S60 is a matter of the nodes alone.
"""

from typing import Any

import pytest

from demo.platform import OperatorProcess
from tests.support.arena import DEPARTMENTS, POOLS, PROJECTS, Arena
from tests.support.scheduler_state import state_of

pytestmark = pytest.mark.cluster


def nodes_of(arena: Arena, namespace: str, *workloads: str) -> list[str]:
    """Where the only pod of each workload is that has not ended; empty: nowhere."""

    def node_of(workload: str) -> str:
        alive = [pod for pod in arena.pods(namespace, workload) if pod["status"]["phase"] in ("Pending", "Running")]
        return alive[0]["spec"].get("nodeName", "") if alive else ""

    return [node_of(workload) for workload in workloads]


def run(arena: Arena, namespace: str, name: str, **submitted: Any) -> None:
    arena.submit(namespace, name, **submitted)
    arena.until_phase(namespace, name, "Running")


def test_a_workload_moves_so_that_a_larger_one_fits(arena: Arena) -> None:
    """cluster-api.md S45."""
    arena.nodes(2, gpus=2)
    a, b = arena.project("a", deserved=2), arena.project("b", deserved=2)
    for name in ("b1", "b2"):
        run(arena, b, name)
    run(arena, a, "a1")
    [full, same, other] = [*nodes_of(arena, b, "b1", "b2"), *nodes_of(arena, a, "a1")]
    assert full == same != other, "one node is filled before the next"
    arena.patch(f"/apis/run.ai/v2alpha1/namespaces/{b}/trainingworkloads/b2", {"spec": {"active": {"value": False}}})
    arena.until_phase(b, "b2", "Stopped")
    arena.submit(a, "a2", gpu="2")
    arena.until_phase(a, "a2", "Running")

    def moved() -> bool:
        return nodes_of(arena, a, "a1") == nodes_of(arena, b, "b1") != nodes_of(arena, a, "a2")

    arena.until(moved, "the other two to be on one node")
    for namespace, name in ((a, "a1"), (b, "b1")):
        arena.until_phase(namespace, name, "Running")


def test_what_nobody_deserves_is_split_as_the_quotas_are(arena: Arena) -> None:
    """cluster-api.md S47: three quarters and one, unless weights say otherwise."""
    arena.nodes(1, gpus=8)
    a, b = arena.project("a", deserved=3), arena.project("b", deserved=1)
    for namespace in (a, b):
        arena.submit(namespace, "many", completions=8, parallelism=8)
    arena.until(lambda: (arena.running(a), arena.running(b)) == (6, 2), "six GPUs for a and two for b")


def test_weights_split_what_nobody_deserves(arena: Arena) -> None:
    """cluster-api.md S47: low against high, and none gets nothing of it."""
    arena.nodes(1, gpus=8)
    weights = {"a": 1, "b": 3, "c": 0}
    namespaces = {
        name: arena.project(name, deserved=1, resources={"gpu": {"deserved": 1, "overQuotaWeight": weight}})
        for name, weight in weights.items()
    }
    for namespace in namespaces.values():
        arena.submit(namespace, "many", completions=8, parallelism=8)
    arena.until(
        lambda: [arena.running(namespace) for namespace in namespaces.values()] == [2, 5, 1],
        "one and a quarter of five more, one and three quarters, and one",
    )


def gang(arena: Arena, namespace: str, *names: str) -> None:
    annotations = {"pod-group-name": "ring", "aliquot.dev/min-member": str(len(names))}
    for name in names:
        arena.pod(namespace, name, metadata={"annotations": annotations})


def test_a_gang_starts_with_all_its_pods_or_not_at_all(arena: Arena) -> None:
    """cluster-api.md S54; what becomes of one that loses a pod is in `crashes/test_continuity`."""
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=3)
    names = ("one", "two", "three")
    gang(arena, namespace, *names)
    for name in names:
        arena.event(namespace, name, "NotEnoughResources", "3 pods with 1 GPU each")
    assert arena.running(namespace) == 0
    arena.nodes(1, gpus=1)
    arena.until(lambda: arena.running(namespace) == 3, "all three to run")


def test_a_gang_that_is_not_there_yet_waits_for_its_pods(arena: Arena) -> None:
    """cluster-api.md S54."""
    arena.nodes(1, gpus=4)
    namespace = arena.project("a", deserved=3)
    annotations = {"pod-group-name": "ring", "aliquot.dev/min-member": "2"}
    arena.pod(namespace, "one", metadata={"annotations": annotations})
    arena.event(namespace, "one", "TooFewPods")
    arena.pod(namespace, "two", metadata={"annotations": annotations})
    arena.until(lambda: arena.running(namespace) == 2, "both to run")


def test_nodes_are_filled_or_used_evenly_as_their_pool_says(arena: Arena, operator: OperatorProcess) -> None:
    """cluster-api.md S55 and 5.6, per node pool; for parts of GPUs in `core/scheduling/test_placement_strategy`."""
    arena.nodes(2, gpus=2, cpu="8")
    namespace = arena.project("a", deserved=4)
    for name in ("packed-1", "packed-2"):
        run(arena, namespace, name)
    assert len({*nodes_of(arena, namespace, "packed-1", "packed-2")}) == 1
    arena.delete(f"/apis/run.ai/v2alpha1/namespaces/{namespace}/trainingworkloads/packed-1")
    arena.delete(f"/apis/run.ai/v2alpha1/namespaces/{namespace}/trainingworkloads/packed-2")
    arena.until(lambda: arena.pods(namespace) == [], "the pods to go")
    strategy = {"gpu": "Spreading", "cpu": "spread"}
    arena.patch(f"{POOLS}/{arena.name}", {"spec": {"placementStrategy": strategy}})

    def placement() -> object:
        return state_of(operator, arena.name).get("settings", {}).get("placement")

    arena.until(lambda: placement() == {"gpu": "spread", "cpu": "spread"}, "the scheduler to know of it")
    for name, gpu in (("spread-1", "1"), ("spread-2", "1"), ("cpu-1", None), ("cpu-2", None)):
        run(arena, namespace, name, gpu=gpu, **({"cpu": "1"} if gpu is None else {}))
    for kind in ("spread", "cpu"):
        assert len({*nodes_of(arena, namespace, f"{kind}-1", f"{kind}-2")}) == 2, kind


def test_cpu_beyond_requests_is_the_nodes_to_share_by_requests(arena: Arena) -> None:
    """cluster-api.md S57: the kernel shares a node's idle CPU by requests, if nothing limits it."""
    arena.nodes(1, gpus=0, cpu="40")
    namespace = arena.project("a", deserved=0)
    for name, cpu in (("one", "1"), ("three", "3")):
        run(arena, namespace, name, gpu=None, cpu=cpu)
    pods = [arena.only_pod(namespace, name) for name in ("one", "three")]
    resources = [pod["spec"]["containers"][0]["resources"] for pod in pods]
    assert [each["requests"]["cpu"] for each in resources] == ["1", "3"]
    assert [each.get("limits", {}).get("cpu") for each in resources] == [None, None]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 1


def test_a_full_pool_hands_on_to_the_next_one(arena: Arena) -> None:
    """cluster-api.md S61: tried in their order, and all again as long as there is room in none."""
    [first] = arena.nodes(1, gpus=1)
    second, label = f"{arena.name}-second", {"labelKey": "lab.aliquot.dev/second", "labelValue": arena.name}
    pool = {"apiVersion": "run.ai/v1alpha1", "kind": "NodePool", "metadata": {"name": second}, "spec": label}
    arena.make(POOLS, pool)
    [spare] = arena.lab.add_nodes([second], gpus=1, labels={"lab.aliquot.dev/second": arena.name})
    try:
        namespace = arena.project("a", deserved=1, pools=(arena.name, second))
        for name, where in (("one", first), ("two", spare)):
            run(arena, namespace, name)
            assert nodes_of(arena, namespace, name) == [where]
        arena.submit(namespace, "fixed", labels={"priorityClassName": "build"})
        arena.submit(namespace, "three")
        status = arena.until_phase(namespace, "fixed", "Running")
        assert status["totalAllocatedGPU"] == "1"
        assert nodes_of(arena, namespace, "fixed") == [first], "the other pool has no quota, and takes only who may go"
        arena.until_reason(namespace, "three", "NotEnoughResources")
        arena.delete(f"/apis/run.ai/v2alpha1/namespaces/{namespace}/trainingworkloads/fixed")
        arena.until(lambda: arena.running(namespace) == 2, "what waited to start again in the first pool")
    finally:
        arena.lab.remove_node(spare)


def test_training_stays_on_the_types_of_nodes_that_its_project_names(arena: Arena) -> None:
    """cluster-api.md S62."""
    [dgx] = arena.nodes(1, gpus=1, labels={"run.ai/type": "dgx-2"})
    [other] = arena.nodes(1, gpus=4, labels={"run.ai/type": "dgx-1"})
    namespace = arena.project("a", deserved=4, members={"nodeAffinityTrain": ["dgx-2"]})
    run(arena, namespace, "training")
    arena.submit(namespace, "more")
    arena.until_reason(namespace, "more", "NotEnoughResources")
    run(arena, namespace, "interactive", gpu="4", labels={"priorityClassName": "build"})
    assert nodes_of(arena, namespace, "training", "interactive") == [dgx, other]
    assert arena.status(namespace, "more")["phase"] == "Pending"
    arena.submit(namespace, "elsewhere", nodeType="dgx-1")
    refused = arena.until_reason(namespace, "elsewhere", "InvalidSpec")
    said = f"spec.nodeType.value: 'dgx-1' is not allowed: one of the node types of the project {arena.name}-a: dgx-2"
    assert (refused["phase"], refused["phaseMessage"]) == ("Failed", said)
    arena.delete(f"/apis/run.ai/v2alpha1/namespaces/{namespace}/trainingworkloads/interactive")
    arena.patch(f"{PROJECTS}/{arena.name}-a", {"spec": {"nodeAffinityTrain": ["dgx-2", "dgx-1"]}})
    for name in ("more", "elsewhere"):
        arena.until_phase(namespace, name, "Running")
    assert nodes_of(arena, namespace, "more", "elsewhere") == [other, other]


def test_training_stays_on_the_types_of_nodes_that_its_department_names(arena: Arena) -> None:
    """cluster-api.md S62: a project keeps what both name; one that names only others is told."""
    [dgx] = arena.nodes(1, gpus=1, labels={"run.ai/type": "dgx-2"})
    arena.nodes(1, gpus=4, labels={"run.ai/type": "dgx-1"})
    department = arena.department("d", deserved=4)
    path = f"{DEPARTMENTS}/{department}"
    queues = arena.get(path)["spec"]["queues"]
    queues[0]["nodeAffinityTrain"] = ["dgx-2"]
    arena.patch(path, {"spec": {"queues": queues}})
    members = {"nodeAffinityTrain": ["dgx-1"]}
    namespace = arena.project("a", deserved=4, department=department, members=members)

    def told() -> list[str]:
        conditions = arena.get(f"{PROJECTS}/{arena.name}-a").get("status", {}).get("conditions", ())
        return [each["message"] for each in conditions if each["type"] == "NodeTypeOutside"]

    arena.until(told, "the project to be told that it names another type")
    run(arena, namespace, "training")
    assert nodes_of(arena, namespace, "training") == [dgx]
    arena.submit(namespace, "more")
    arena.until_reason(namespace, "more", "NotEnoughResources")
    queues[0]["nodeAffinityTrain"] = []
    arena.patch(path, {"spec": {"queues": queues}})
    arena.until_phase(namespace, "more", "Running")
    assert nodes_of(arena, namespace, "more") != [dgx]


def test_a_project_that_is_over_in_one_resource_is_over_its_quota(arena: Arena) -> None:
    """cluster-api.md S64."""
    arena.nodes(1, gpus=8, cpu="8")
    namespace = arena.project("a", deserved=4, cpu=2000)
    run(arena, namespace, "many-cores", gpu="1", cpu="3")

    def over() -> list[str]:
        [pool] = [
            each
            for each in arena.get(f"{PROJECTS}/{arena.name}-a")["status"].get("nodePoolsQuotaStatuses", ())
            if each["nodePoolName"] == arena.name
        ]
        return [each["message"] for each in pool["queueStatus"].get("conditions", ()) if each["type"] == "OverQuota"]

    [message] = arena.until(over, "the project to say that it is over its quota")
    assert "3 CPU of 2 CPU deserved" in message
    assert "GPU" not in message
    other = arena.project("b", deserved=4, cpu=6000)
    run(arena, other, "owner", gpu=None, cpu="6")
    arena.until_phase(namespace, "many-cores", "Pending")
