"""Pods as jobs and tasks."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.contracts.kubernetes import (
    Container,
    ContainerState,
    ContainerStatus,
    Metadata,
    Pod,
    PodSpec,
    PodStatus,
    Resources,
    Running,
    SchedulingGate,
    Terminated,
    Waiting,
)
from aliquot.contracts.kubernetes import Toleration as WrittenToleration
from aliquot.core.intake import Tenant, pod_facts, unix_seconds
from aliquot.core.scheduling.facts import NodeTerm, Requirement, TaskState, Toleration
from aliquot.core.tenancy import NodeTypes

VISION = Tenant("vision", ("a100", "default"))
PLAIN = Tenant("vision", ())
DELETED = "2024-05-01T12:30:00Z"

ENDED = ContainerState(terminated=Terminated(exit_code=0))
RUNS = ContainerState(running=Running())
WAITS = ContainerState(waiting=Waiting(reason="PodInitializing"))


def pod(
    *,
    scheduler: str = names.SCHEDULER_NAME,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    node: str = "",
    phase: str = "Pending",
    deleted: bool = False,
    gated: bool = False,
    priority: int | None = None,
    priority_class: str = "",
    states: tuple[ContainerState, ...] = (),
    init_states: tuple[ContainerState, ...] = (),
    node_terms: tuple[kubernetes.NodeTerm, ...] | None = None,
) -> Pod:
    return Pod(
        metadata=Metadata(
            name="train-0-0",
            namespace="runai-vision",
            uid="uid-1",
            creation_timestamp="2024-05-01T12:00:00Z",
            deletion_timestamp=DELETED if deleted else None,
            labels=labels or {},
            annotations=annotations or {},
        ),
        spec=PodSpec(
            node_name=node,
            scheduler_name=scheduler,
            priority=priority,
            priority_class_name=priority_class,
            containers=tuple(Container(name=f"c{number}") for number in range(max(1, len(states)))),
            init_containers=tuple(Container(name=f"i{number}") for number in range(len(init_states))),
            scheduling_gates=(SchedulingGate(name="example.com/wait"),) if gated else (),
            affinity=None if node_terms is None else demanding(node_terms),
        ),
        status=PodStatus(
            phase=phase,
            container_statuses=tuple(ContainerStatus(name=f"c{n}", state=state) for n, state in enumerate(states)),
            init_container_statuses=tuple(
                ContainerStatus(name=f"i{n}", state=state) for n, state in enumerate(init_states)
            ),
        ),
    )


def demanding(terms: tuple[kubernetes.NodeTerm, ...]) -> kubernetes.Affinity:
    """One of the terms must hold."""
    required = kubernetes.NodeSelector(node_selector_terms=terms)
    return kubernetes.Affinity(
        node_affinity=kubernetes.NodeAffinity(required_during_scheduling_ignored_during_execution=required)
    )


def test_a_pod_is_a_job_of_its_own() -> None:
    facts = pod_facts(pod(), VISION)
    job, task = facts.job, facts.task
    assert job.id == task.id == task.job == "uid-1"
    assert (job.namespace, job.name) == (task.namespace, task.name) == ("runai-vision", "train-0-0")
    assert (job.queue, job.min_member, task.request.base.pods) == ("vision", 1, 1)
    assert job.created == task.created == 1714564800.0


QUEUES: dict[str, tuple[Pod, Tenant | None, str | None]] = {
    "the namespace's project pays": (pod(), VISION, "vision"),
    "a label cannot make another project pay": (pod(labels={names.QUEUE_LABEL: "language"}), VISION, "vision"),
    "nor can it where no project is": (pod(labels={names.QUEUE_LABEL: "language"}), None, "namespace/runai-vision"),
    "a pod of another scheduler is nobody's": (pod(scheduler="default-scheduler"), VISION, None),
    "also outside of projects": (pod(scheduler="default-scheduler"), None, None),
}


@pytest.mark.parametrize(("given_pod", "tenant", "wanted"), QUEUES.values(), ids=QUEUES)
def test_who_pays(given_pod: Pod, tenant: Tenant | None, wanted: str | None) -> None:
    assert pod_facts(given_pod, tenant).job.queue == wanted


POOLS: dict[str, tuple[Pod, Tenant | None, tuple[str, ...]]] = {
    "its own, in the order written": (
        pod(annotations={names.NODE_POOLS_ANNOTATION: "h100, a100"}),
        VISION,
        ("h100", "a100"),
    ),
    "none is counted twice": (pod(annotations={names.NODE_POOLS_ANNOTATION: "b,a,b,,"}), VISION, ("b", "a")),
    "by label": (pod(labels={names.NODE_POOL_LABEL: "h100"}), VISION, ("h100",)),
    "the annotation wins over the label": (
        pod(labels={names.NODE_POOL_LABEL: "x"}, annotations={names.NODE_POOLS_ANNOTATION: "h100"}),
        VISION,
        ("h100",),
    ),
    "else the project's": (pod(), VISION, ("a100", "default")),
    "else default": (pod(), PLAIN, ("default",)),
    "a list of commas names none": (pod(annotations={names.NODE_POOLS_ANNOTATION: " , "}), PLAIN, ("default",)),
    "without a project, default": (pod(), None, ("default",)),
}


@pytest.mark.parametrize(("given_pod", "tenant", "wanted"), POOLS.values(), ids=POOLS)
def test_which_pools(given_pod: Pod, tenant: Tenant | None, wanted: tuple[str, ...]) -> None:
    assert pod_facts(given_pod, tenant).job.pools == wanted


PRIORITIES: dict[str, tuple[Pod, int, bool]] = {
    "nothing said is training": (pod(), 50, True),
    "the API server's 0 for no class is nothing said": (pod(priority=0), 50, True),
    "0 by a class is 0": (pod(priority=0, priority_class="lowest"), 0, True),
    "below 100 it may be stopped": (pod(priority=99, priority_class="mine"), 99, True),
    "from 100 on it may not": (pod(priority=100, priority_class="build"), 100, False),
    "others' pods are never ours to stop": (pod(scheduler="default-scheduler", priority=1), 1, False),
}


@pytest.mark.parametrize(("given_pod", "priority", "preemptible"), PRIORITIES.values(), ids=PRIORITIES)
def test_priority(given_pod: Pod, priority: int, preemptible: bool) -> None:
    job = pod_facts(given_pod, VISION).job
    assert (job.priority, job.preemptible) == (priority, preemptible)


STATES: dict[str, tuple[Pod, TaskState]] = {
    "new": (pod(), TaskState.PENDING),
    "new, with a gate": (pod(gated=True), TaskState.GATED),
    "bound": (pod(node="n1"), TaskState.BOUND),
    "running": (pod(node="n1", phase="Running", states=(RUNS,)), TaskState.RUNNING),
    "its node is silent": (pod(node="n1", phase="Unknown", states=(RUNS,)), TaskState.BOUND),
    "succeeded": (pod(node="n1", phase="Succeeded", states=(ENDED,)), TaskState.ENDED),
    "refused by its kubelet": (pod(node="n1", phase="Failed"), TaskState.ENDED),
    "failed, and deleted": (pod(node="n1", phase="Failed", deleted=True), TaskState.ENDED),
    "deleted before it had a node": (pod(deleted=True), TaskState.ENDED),
    "deleted with a gate": (pod(deleted=True, gated=True), TaskState.ENDED),
    "deleted, nothing heard of its containers": (pod(node="n1", deleted=True), TaskState.TERMINATING),
    "deleted, and running": (pod(node="n1", phase="Running", deleted=True, states=(RUNS,)), TaskState.TERMINATING),
    "deleted, one container still runs": (
        pod(node="n1", phase="Running", deleted=True, states=(ENDED, RUNS)),
        TaskState.TERMINATING,
    ),
    "deleted, all containers ended, but its kubelet clears up": (
        pod(node="n1", phase="Running", deleted=True, states=(ENDED, ENDED)),
        TaskState.TERMINATING,
    ),
    "deleted, and its kubelet has cleared up": (
        pod(node="n1", phase="Succeeded", deleted=True, states=(ENDED, ENDED)),
        TaskState.ENDED,
    ),
    "deleted, a sidecar still runs": (
        pod(node="n1", phase="Running", deleted=True, states=(ENDED,), init_states=(RUNS,)),
        TaskState.TERMINATING,
    ),
    "deleted while it was being prepared": (
        pod(node="n1", deleted=True, states=(WAITS,), init_states=(ENDED,)),
        TaskState.TERMINATING,
    ),
    "a container that ended may start again": (pod(node="n1", phase="Running", states=(ENDED,)), TaskState.RUNNING),
}


@pytest.mark.parametrize(("given_pod", "wanted"), STATES.values(), ids=STATES)
def test_state(given_pod: Pod, wanted: TaskState) -> None:
    task = pod_facts(given_pod, VISION).task
    assert task.state is wanted
    assert task.node == (given_pod.spec.node_name or None)


def test_selector_and_tolerations_are_taken_over() -> None:
    plain = pod()
    spec = msgspec.structs.replace(
        plain.spec,
        node_selector={"run.ai/type": "a100"},
        tolerations=(WrittenToleration(key="gpu", operator=""), WrittenToleration(operator="Exists")),
    )
    task = pod_facts(msgspec.structs.replace(plain, spec=spec), VISION).task
    assert task.node_selector == {"run.ai/type": "a100"}
    assert task.tolerations == (Toleration("gpu", "Equal", "", ""), Toleration("", "Exists", "", ""))


DGX = Requirement("run.ai/type", "In", ("dgx-2", "dgx-1"))
PICKY = Tenant("vision", (), train_types=NodeTypes(("dgx-2", "dgx-1")), interactive_types=NodeTypes(("small",)))
BOUND = Tenant("vision", (), train_types=NodeTypes(bounds={"default": ("dgx-2", "dgx-1"), "other": ("small",)}))
SMALL = Requirement("run.ai/type", "In", ("small",))
BIG = kubernetes.NodeTerm(match_expressions=(kubernetes.Requirement(key="size", operator="In", values=("big",)),))
BIG_READ = Requirement("size", "In", ("big",))

TYPES: dict[str, tuple[Pod, Tenant | None, tuple[NodeTerm, ...]]] = {
    "training": (pod(), PICKY, (NodeTerm((DGX,)),)),
    "also by its class": (pod(priority_class="train"), PICKY, (NodeTerm((DGX,)),)),
    "interactive work": (pod(priority_class="build"), PICKY, (NodeTerm((SMALL,)),)),
    "also where it may be preempted": (pod(priority_class="interactive-preemptible"), PICKY, (NodeTerm((SMALL,)),)),
    "as its department says of the node pool": (pod(), BOUND, (NodeTerm((DGX,)),)),
    "inference goes anywhere": (pod(priority_class="inference"), PICKY, ()),
    "as does all in a project that says nothing": (pod(), PLAIN, ()),
    "and in none": (pod(), None, ()),
    "and what others schedule": (pod(scheduler="default-scheduler"), PICKY, ()),
    "beside what the pod demands itself": (
        pod(node_terms=(BIG, BIG)),
        PICKY,
        (NodeTerm((BIG_READ, DGX)), NodeTerm((BIG_READ, DGX))),
    ),
    "a demand that nobody meets stays one": (pod(node_terms=()), PICKY, (NodeTerm(),)),
}


@pytest.mark.parametrize(("given_pod", "tenant", "wanted"), TYPES.values(), ids=TYPES)
def test_a_project_may_leave_only_some_types_of_nodes_to_its_pods(
    given_pod: Pod, tenant: Tenant | None, wanted: tuple[NodeTerm, ...]
) -> None:
    assert pod_facts(given_pod, tenant).task.affinity.node_required == wanted


TIMES: dict[str, tuple[str | None, float]] = {
    "as Kubernetes writes it": ("2024-05-01T12:00:00Z", 1714564800.0),
    "with parts of a second": ("2024-05-01T12:00:00.500000Z", 1714564800.5),
    "in another zone": ("2024-05-01T14:00:00+02:00", 1714564800.0),
    "without a zone": ("2024-05-01T12:00:00", 1714564800.0),
    "nothing": (None, 0.0),
    "empty": ("", 0.0),
    "no time": ("yesterday", 0.0),
    "no such day": ("2024-02-31T00:00:00Z", 0.0),
}


@pytest.mark.parametrize(("written", "wanted"), TIMES.values(), ids=TIMES)
def test_times(written: str | None, wanted: float) -> None:
    assert unix_seconds(written) == wanted


TEXT = st.text(max_size=40)


@given(text=TEXT, key=TEXT, amount=TEXT | st.integers() | st.floats(), deleted=st.none() | TEXT, tenant=st.booleans())
def test_whatever_the_texts_say_a_pod_can_be_read(
    text: str, key: str, amount: str | int | float, deleted: str | None, tenant: bool
) -> None:
    odd = Pod(
        metadata=Metadata(
            name=text,
            namespace=text,
            uid=text,
            creation_timestamp=text,
            deletion_timestamp=deleted,
            labels={key: text, names.NODE_POOL_LABEL: text},
            annotations={key: text, names.NODE_POOLS_ANNOTATION: text},
        ),
        spec=PodSpec(
            node_name=text,
            scheduler_name=names.SCHEDULER_NAME,
            containers=(Container(name=text, resources=Resources(requests={key: amount, "cpu": amount})),),
            overhead={"memory": amount, key: amount},
            node_selector={key: text},
            tolerations=(WrittenToleration(key=key, operator=text, value=text, effect=text),),
        ),
        status=PodStatus(phase=text),
    )
    facts = pod_facts(odd, VISION if tenant else None)
    assert facts.job.pools
    assert facts.job.queue
    assert min(facts.task.request.base.as_tuple()) >= 0
