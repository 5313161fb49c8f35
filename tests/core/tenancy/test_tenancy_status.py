"""Statuses of projects, departments and node pools."""

from datetime import UTC, datetime
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.kinds.shapes import Metadata, Shape
from aliquot.contracts.kinds.tenancy import (
    Department,
    DepartmentSpec,
    NodePool,
    NodePoolSpec,
    PoolNode,
    Project,
    ProjectSpec,
    ProjectStatus,
    TenantStatus,
)
from aliquot.core.quantities import ZERO, Vector, parse_bytes, parse_cpu_milli, parse_gpu_percent
from aliquot.core.scheduling.facts import Node
from aliquot.core.tenancy import (
    NamespacePlan,
    Problem,
    Usage,
    department_status,
    in_words,
    node_pool_status,
    project_status,
)
from aliquot.core.tenancy.amounts import resource_amounts

GIB = 2**30
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NOW = NOON.timestamp()
READY = NamespacePlan("runai-vision")
IDLE = {"default": Usage()}

ShapeT = TypeVar("ShapeT", bound=Shape)


def entries(**gpus: float) -> list[dict[str, object]]:
    return [{"name": "q", "nodepool": pool, "resources": {"gpu": {"deserved": n}}} for pool, n in gpus.items()]


def project(name: str = "vision", department: str | None = None, **gpus: float) -> Project:
    spec = ProjectSpec.model_validate({"queues": entries(**gpus), "department": department})
    return Project(metadata=Metadata(name=name), spec=spec)


def department(**gpus: float) -> Department:
    return Department(
        metadata=Metadata(name="research"), spec=DepartmentSpec.model_validate({"queues": entries(**gpus)})
    )


def stored(status: ShapeT) -> ShapeT:
    """As it comes back from the API server."""
    return type(status).model_validate(status.model_dump(mode="json", by_alias=True, exclude_none=True))


def types(status: TenantStatus) -> dict[str, str]:
    return {condition.type: condition.status for condition in status.conditions}


AMOUNTS: dict[str, tuple[Vector, tuple[str, str, str]]] = {
    "nothing is 0": (ZERO, ("0", "0", "0")),
    "whole": (Vector(300, 2000, 4 * GIB), ("3", "2", "4Gi")),
    "parts": (Vector(250, 1500, 512 * 2**20), ("2.5", "1500m", "512Mi")),
    "small parts": (Vector(5, 1, 1000), ("0.05", "1m", "1000")),
    "odd": (Vector(1233, 10_001, GIB + 1), ("12.33", "10001m", str(GIB + 1))),
}


@pytest.mark.parametrize(("amount", "wanted"), AMOUNTS.values(), ids=AMOUNTS)
def test_amounts(amount: Vector, wanted: tuple[str, str, str]) -> None:
    assert tuple(resource_amounts(amount).values()) == wanted


@given(amount=st.builds(Vector, *(st.integers(0, 2**50) for _ in range(3))))
def test_written_amounts_mean_what_they_were(amount: Vector) -> None:
    gpu, cpu, memory = resource_amounts(amount).values()
    assert Vector(parse_gpu_percent(gpu), parse_cpu_milli(cpu), parse_bytes(memory)) == amount


def test_amounts_in_words() -> None:
    assert in_words("gpu", 100) == "1 GPU"
    assert in_words("gpu", 250) == "2.5 GPUs"
    assert in_words("cpu", 1500) == "1500m CPU"
    assert in_words("memory", 2**62) == "unlimited memory"


def test_a_ready_project_shows_what_it_holds_and_wants() -> None:
    usage = {
        "default": Usage(Vector(200, 4000, GIB), Vector(100, 2000, 0), Vector(400, 8000, 2 * GIB)),
        "a100": Usage(Vector(50), ZERO, Vector(50)),
    }
    status = project_status(project(default=4, a100=1), READY, usage, None, ProjectStatus(), NOW)
    assert (status.phase, status.message, status.namespace) == ("Ready", None, "runai-vision")
    assert [(each.type, each.status, each.last_transition_time) for each in status.conditions] == [
        ("NamespaceReady", "True", NOON)
    ]
    assert status.quota_status is not None
    assert status.quota_status.allocated == {"nvidia.com/gpu": "2.5", "cpu": "4", "memory": "1Gi"}
    assert status.quota_status.allocated_non_preemptible == {"nvidia.com/gpu": "1", "cpu": "2", "memory": "0"}
    assert status.quota_status.requested == {"nvidia.com/gpu": "4.5", "cpu": "8", "memory": "2Gi"}
    pools = {
        use.node_pool_name: use.queue_status.allocated["nvidia.com/gpu"] for use in status.node_pools_quota_statuses
    }
    assert pools == {"a100": "0.5", "default": "2"}


PHASES: dict[str, tuple[NamespacePlan, str, str | None]] = {
    "about to be made": (
        NamespacePlan("runai-vision", create=True, labels={"a": "b"}),
        "Pending",
        "Namespace runai-vision is being created.",
    ),
    "about to be labelled": (
        NamespacePlan("runai-vision", labels={"a": "b"}),
        "Pending",
        "Namespace runai-vision is being labelled.",
    ),
    "not to be had": (
        NamespacePlan("lab", problem=Problem("NamespaceTaken", "Namespace lab is taken.")),
        "NamespaceTaken",
        "Namespace lab is taken.",
    ),
    "there": (READY, "Ready", None),
}


@pytest.mark.parametrize(("plan", "phase", "message"), PHASES.values(), ids=PHASES)
def test_phase(plan: NamespacePlan, phase: str, message: str | None) -> None:
    status = project_status(project(default=1), plan, IDLE, None, ProjectStatus(), NOW)
    assert (status.phase, status.message) == (phase, message)
    assert status.namespace == ("runai-vision" if phase == "Ready" else None)
    assert types(status) == {"NamespaceReady": "True" if phase == "Ready" else "False"}


def test_a_project_in_trouble_keeps_the_namespace_it_had() -> None:
    before = project_status(project(default=1), READY, IDLE, None, ProjectStatus(), NOW)
    going = NamespacePlan("runai-vision", problem=Problem("NamespaceTerminating", "It is going."))
    assert project_status(project(default=1), going, IDLE, None, before, NOW).namespace == "runai-vision"


def test_a_condition_tells_since_when_it_is_so() -> None:
    made, going = project(default=1), NamespacePlan("lab", problem=Problem("NamespaceTerminating", "It is going."))
    taken = NamespacePlan("lab", problem=Problem("NamespaceTaken", "It is taken."))
    status, times = ProjectStatus(), list[float]()
    for hour, plan in enumerate([READY, going, taken, READY]):
        status = project_status(made, plan, IDLE, None, status, NOW + hour * 3600 + 0.7)
        assert status.conditions[0].last_transition_time is not None
        times.append(status.conditions[0].last_transition_time.timestamp() - NOW)
    assert times == [0, 3600, 3600, 10_800], "another reason is not another status; whole seconds"


def on_types(made: Project, *types: str) -> Project:
    """The same, with types of nodes for its training."""
    return made.model_copy(update={"spec": made.spec.model_copy(update={"node_affinity_train": types})})


DGX = Department(
    metadata=Metadata(name="research"),
    spec=DepartmentSpec.model_validate(
        {"queues": [{"name": "q", "nodepool": "default", "nodeAffinityTrain": ["dgx"]}]}
    ),
)
WARNINGS: dict[str, tuple[Project, NamespacePlan, Department | None, str | None]] = {
    "its department exists": (project(department="research", default=1), READY, department(), None),
    "it names no department, and there is no default": (project(default=1), READY, None, None),
    "its department does not exist": (project(department="ghosts", default=1), READY, None, "NoDepartment"),
    "it has a quota in a pool that does not exist": (project(default=1, h100=4), READY, None, "NoNodePool"),
    "its types of nodes are its department's": (on_types(project(default=1), "dgx"), READY, DGX, None),
    "or any, where the department names none": (on_types(project(default=1), "x"), READY, department(), None),
    "it names a type of nodes that its department does not": (
        on_types(project(default=1), "dgx", "x"),
        READY,
        DGX,
        "NodeTypeOutside",
    ),
    "several namespaces are labelled for it": (
        project(default=1),
        NamespacePlan("runai-vision", others=("lab",)),
        None,
        "SeveralNamespaces",
    ),
}


@pytest.mark.parametrize(("given_project", "plan", "above", "warning"), WARNINGS.values(), ids=WARNINGS)
def test_warnings_are_said_and_stop_nothing(
    given_project: Project, plan: NamespacePlan, above: Department | None, warning: str | None
) -> None:
    status = project_status(given_project, plan, IDLE, above, ProjectStatus(), NOW)
    assert status.phase == "Ready"
    assert set(types(status)) == {"NamespaceReady", *([warning] if warning else [])}
    assert bool(status.message) == bool(warning)


def test_a_warning_goes_when_its_cause_goes() -> None:
    wanting = project(department="research", default=1)
    before = project_status(wanting, READY, IDLE, None, ProjectStatus(), NOW)
    after = project_status(wanting, READY, IDLE, department(), before, NOW + 60)
    assert types(after) == {"NamespaceReady": "True"}
    assert after.conditions[0].last_transition_time == NOON, "what did not change keeps its time"


OVER: dict[str, tuple[dict[str, object], Vector, str | None]] = {
    "within": ({"gpu": {"deserved": 2}}, Vector(200, 10**9, 10**15), None),
    "GPUs": ({"gpu": {"deserved": 2}}, Vector(250), "Holds 2.5 GPUs of 2 GPUs deserved"),
    "any resource is enough": (
        {"gpu": {"deserved": 2}, "cpu": {"deserved": 1000}},
        Vector(100, 1500),
        "Holds 1500m CPU of 1 CPU deserved",
    ),
    "never over no bound": ({"gpu": {"deserved": -1}}, Vector(10**6), None),
}


@pytest.mark.parametrize(("resources", "held", "says"), OVER.values(), ids=OVER)
def test_over_quota_is_said_for_each_pool(resources: dict[str, object], held: Vector, says: str | None) -> None:
    spec = {"queues": [{"name": "q", "nodepool": "default", "resources": resources}]}
    made = Project(metadata=Metadata(name="vision"), spec=ProjectSpec.model_validate(spec))
    status = project_status(made, READY, {"default": Usage(held, ZERO, held)}, None, ProjectStatus(), NOW)
    conditions = status.node_pools_quota_statuses[0].queue_status.conditions
    assert [condition.type for condition in conditions] == (["OverQuota"] if says else [])
    assert says is None or str(conditions[0].message).startswith(says)


COMMITMENTS: dict[str, tuple[Department, list[Project], str | None]] = {
    "just what it has": (department(default=8), [project("a", default=5), project("b", default=3)], None),
    "more than it has": (
        department(default=8),
        [project("a", default=5), project("b", default=5)],
        "10 GPUs of 8 GPUs in default",
    ),
    "in a pool where it has none": (department(default=8), [project("a", a100=1)], "1 GPU of 0 GPUs in a100"),
    "without bound": (department(default=8), [project("a", default=-1)], "unlimited GPUs of 8 GPUs in default"),
    "a department without bound has enough": (department(default=-1), [project("a", default=-1)], None),
    "no projects": (department(default=0), [], None),
}


@pytest.mark.parametrize(("given_department", "members", "says"), COMMITMENTS.values(), ids=COMMITMENTS)
def test_promising_more_than_the_department_has_is_allowed_and_said(
    given_department: Department, members: list[Project], says: str | None
) -> None:
    usage = {"default": Usage(), "a100": Usage()}
    status = department_status(given_department, members, usage, TenantStatus(), NOW)
    assert status.phase == "Ready"
    assert types(status) == ({"QuotaOvercommitted": "True"} if says else {})
    assert (says or "") in (status.message or "")


def test_a_department_lists_its_projects() -> None:
    members = [project("b", default=1), project("a", default=1)]
    status = department_status(department(default=2), members, IDLE, TenantStatus(), NOW)
    assert status.node_pools_quota_statuses[0].queue_status.child_queues == ("a", "b")


VECTORS = st.builds(Vector, st.integers(0, 10**5), st.integers(0, 10**6), st.integers(0, 2**45))
USAGE = st.dictionaries(st.sampled_from(["default", "a100", "h100"]), st.builds(Usage, VECTORS, VECTORS, VECTORS))
PLANS = st.sampled_from([plan for plan, _, _ in PHASES.values()])
QUOTA = st.floats(0, 1000) | st.just(-1.0)
DEPARTMENTS = st.none() | st.just(department()) | st.just(DGX)


@given(
    deserved=QUOTA,
    plans=st.tuples(PLANS, PLANS),
    usages=st.tuples(USAGE, USAGE),
    departments=st.tuples(DEPARTMENTS, DEPARTMENTS),
    later=st.floats(0, 10**7),
)
def test_the_same_again_changes_nothing_of_a_project(
    deserved: float,
    plans: tuple[NamespacePlan, NamespacePlan],
    usages: tuple[dict[str, Usage], dict[str, Usage]],
    departments: tuple[Department | None, Department | None],
    later: float,
) -> None:
    made = project(department="research", default=deserved)
    status = ProjectStatus()
    for plan, usage, known in zip(plans, usages, departments, strict=True):
        status = stored(project_status(made, plan, usage, known, status, NOW))
        assert project_status(made, plan, usage, known, status, NOW + later) == status


@given(deserved=QUOTA, quotas=st.lists(QUOTA, max_size=3), usage=USAGE, later=st.floats(0, 10**7))
def test_the_same_again_changes_nothing_of_a_department(
    deserved: float, quotas: list[float], usage: dict[str, Usage], later: float
) -> None:
    members = [project(f"p{number}", default=quota) for number, quota in enumerate(quotas)]
    status = stored(department_status(department(default=deserved), members, usage, TenantStatus(), NOW))
    assert department_status(department(default=deserved), members, usage, status, NOW + later) == status


def pool(name: str, key: str | None = None, value: str | None = None) -> NodePool:
    return NodePool(metadata=Metadata(name=name), spec=NodePoolSpec(label_key=key, label_value=value))


def test_a_pool_lists_its_nodes_by_name() -> None:
    nodes = [
        Node("n2", "a100", ZERO, ready=False),
        Node("n1", "a100", ZERO),
        Node("n3", "a100", ZERO, schedulable=False),
    ]
    status = node_pool_status(pool("a100", "run.ai/type", "a100"), nodes, [])
    assert (status.phase, status.message) == ("Ready", None)
    assert status.nodes == (
        PoolNode(name="n1", status="Ready"),
        PoolNode(name="n2", status="NotReady"),
        PoolNode(name="n3", status="Ready,SchedulingDisabled"),
    )
    assert stored(node_pool_status(pool("a100", "run.ai/type", "a100"), reversed(nodes), [])) == status


EMPTY_POOLS: dict[str, tuple[NodePool, str, str]] = {
    "no node has the label": (pool("a100", "run.ai/type", "a100"), "NoNodes", "run.ai/type=a100"),
    "it names no label": (pool("a100"), "NoLabel", "labelKey"),
    "half a label is none": (pool("a100", "run.ai/type"), "NoLabel", "labelValue"),
    "default needs no label, but nodes": (pool("default"), "NoNodes", "no node"),
}


@pytest.mark.parametrize(("given_pool", "phase", "says"), EMPTY_POOLS.values(), ids=EMPTY_POOLS)
def test_a_pool_without_nodes_says_why(given_pool: NodePool, phase: str, says: str) -> None:
    status = node_pool_status(given_pool, [], [given_pool])
    assert status.phase == phase
    assert says in (status.message or "")


def made_at(hour: int, name: str, value: str = "a100") -> NodePool:
    made = datetime(2024, 5, 1, hour, tzinfo=UTC)
    return NodePool(
        metadata=Metadata(name=name, creation_timestamp=made),
        spec=NodePoolSpec(label_key="run.ai/type", label_value=value),
    )


def test_of_two_pools_with_one_label_the_later_one_says_that_it_has_no_nodes() -> None:
    first, second, third = made_at(1, "z"), made_at(2, "a"), made_at(1, "other", "h100")
    pools = [second, first, third]
    assert {pool.metadata.name: node_pool_status(pool, [], pools).phase for pool in pools} == {
        "z": "NoNodes",
        "a": "SameLabel",
        "other": "NoNodes",
    }
    assert "Node pool z has the label run.ai/type=a100 already" in (node_pool_status(second, [], pools).message or "")


def test_a_node_pool_tells_what_of_its_nodes_makes_no_sense() -> None:
    nodes = [Node(name, "a100", Vector()) for name in ("n1", "n2", "n3")]
    problems = {"n2": ("label x is 'y'", "label z is '1'"), "n1": ("label x is 'y'",), "n3": ()}
    status = node_pool_status(pool("a100", "run.ai/type", "a100"), nodes, [], problems)
    assert status.phase == "Ready"
    assert status.message == "node n1: label x is 'y'; node n2: label x is 'y'; label z is '1'"
    many = {f"n{number:02}": ("odd",) for number in range(12)}
    message = node_pool_status(pool("a100", "run.ai/type", "a100"), nodes, [], many).message
    assert message is not None
    assert message.endswith("node n09: odd; and 2 more nodes")
