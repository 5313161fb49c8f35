"""Pods as tasks of jobs: each pod is a job of its own, unless it names the gang that it belongs to.

A pod is ours to schedule when it names our scheduler (cluster-api.md 2.4). Whose quota it uses is decided by its
namespace alone: a label on a pod is written by whoever writes the pod, and would let one project use another's GPUs.
All other pods are nobody's: they only use room on their node.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.core.grants import wants_mps
from aliquot.core.intake.affinity import affinity_of, affinity_problems, on_types
from aliquot.core.intake.closeness import DEFAULT_POD_SET, NO_TOPOLOGIES, Topologies, group_in
from aliquot.core.intake.gangs import Membership, PodFacts, membership_of
from aliquot.core.intake.numbers import UnreadableError, whole_number
from aliquot.core.intake.parts import check_container, devices_of, gpu_part
from aliquot.core.intake.ports import host_ports
from aliquot.core.intake.requests import TOO_MUCH, beside_axes, on_axes, pod_needs
from aliquot.core.intake.scope import EVERY_NODE, NodeScope, with_role
from aliquot.core.intake.times import unix_seconds
from aliquot.core.quantities import PERCENT_PER_DEVICE, GpuPart, Request, Vector, is_mig
from aliquot.core.scheduling.facts import Affinity, Job, PodSet, Task, TaskState, Toleration
from aliquot.core.tenancy import ALL_TYPES, NodeTypes

_MOST_ATTEMPTS: Final = 999_999_999
_ALONE: Final = (PodSet(DEFAULT_POD_SET),)
NO_PROJECT_PREFIX: Final = "namespace/"
"""Begins the name of the queue of our pods in a namespace of no project. There is no such queue, so they wait with that
as their reason."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose namespace it is.

    Attributes:
        project: name of the project.
        default_pools: node pools of pods that name none, most wanted first; empty: the pool `default`.
        train_types: types of nodes (label `run.ai/type`) that training may use.
        interactive_types: the same for interactive work.
    """

    project: str
    default_pools: tuple[str, ...]
    train_types: NodeTypes = ALL_TYPES
    interactive_types: NodeTypes = ALL_TYPES


def is_ours(pod: kubernetes.Pod) -> bool:
    """Whether we schedule the pod."""
    return pod.spec.scheduler_name == names.SCHEDULER_NAME


def pod_facts(
    pod: kubernetes.Pod,
    tenant: Tenant | None,
    topologies: Topologies = NO_TOPOLOGIES,
    scope: NodeScope = EVERY_NODE,
) -> PodFacts:
    """What the scheduler knows of a pod.

    Args:
        pod: the pod.
        tenant: the project of its namespace; None: the namespace belongs to none.
        topologies: those that there are.
        scope: which nodes are ours to use.
    """
    metadata, spec, ours = pod.metadata, pod.spec, is_ours(pod)
    created, state = unix_seconds(metadata.creation_timestamp), state_of(pod)
    priority, (gang, gang_problem) = _priority(spec), _gang(pod)
    pod_sets = _ALONE if gang is None else gang.pod_sets
    job = Job(
        id=metadata.uid if gang is None else f"{metadata.namespace}/{gang.name}",
        namespace=metadata.namespace,
        name=metadata.name if gang is None else gang.name,
        queue=_queue(metadata.namespace, tenant) if ours else None,
        pools=_pools(metadata, tenant),
        priority=priority,
        preemptible=ours and priority < names.NON_PREEMPTIBLE_FROM_PRIORITY,
        min_member=1 if gang is None else gang.minimum,
        created=created,
        group=group_in(metadata.annotations, pod_sets, topologies) if ours else None,
    )
    request, _ = _request(pod, gang_problem)
    task = Task(
        id=metadata.uid,
        job=job.id,
        namespace=metadata.namespace,
        name=metadata.name,
        request=request,
        state=state,
        node=spec.node_name or None,
        node_selector=_selector(pod, request),
        tolerations=tuple(
            Toleration(each.key, each.operator or "Equal", each.value, each.effect) for each in spec.tolerations
        ),
        created=created,
        devices=devices_of(metadata) if request.part is not None and spec.node_name else (),
        affinity=_affinity(pod, tenant, job.pools, scope, wants_gpu=request.wants_gpu),
        labels=metadata.labels,
        pod_set=DEFAULT_POD_SET if gang is None else gang.pod_set,
    )
    return PodFacts(
        job=job,
        task=task,
        started=_started(pod) if state.active else None,
        succeeded=pod.status.phase == "Succeeded",
        attempt=_attempt(metadata.labels),
        short_since=_since(pod, names.GANG_COMPLETE_CONDITION, "False"),
    )


def pod_problems(pod: kubernetes.Pod) -> tuple[str, ...]:
    """What the pod asks for and nobody can follow, a sentence each that names the field, its value and what is allowed.

    Such a pod waits for ever, or is kept off more nodes than it need be.
    """
    _, of_gang = _gang(pod)
    _, problem = _request(pod, of_gang)
    return (*(each for each in (problem, of_gang) if each), *affinity_problems(pod.spec))


def never_placed(pod: kubernetes.Pod) -> tuple[str, ...]:
    """Of `pod_problems` those for which no node can ever be found: the pod would wait for ever."""
    _, problem = _request(pod, "")
    return (problem,) if problem else ()


def _request(pod: kubernetes.Pod, gang_problem: str) -> tuple[Request, str]:
    """What the pod asks for, and what is wrong with that; one that is in no gang by mistake asks for what is nowhere.

    Annotations make no difference to pods of other schedulers: nobody gives them a part of a device.
    """
    needs = pod_needs(pod.spec)
    base, others = on_axes(needs), (*beside_axes(needs), *host_ports(pod.spec))
    if not is_ours(pod):
        return Request(base, None, tuple(sorted(others))), ""
    part, problem = None, ""
    try:
        whole = bool(base.gpu_percent) or any(is_mig(name) for name, _ in others)
        asked = gpu_part(pod.metadata.annotations, whole=whole)
        if asked is not None:
            check_container(pod.metadata.annotations, pod.spec)
        part = asked
    except UnreadableError as error:
        problem = f"metadata.annotations: {error}"
    rest = base.gpu_percent % PERCENT_PER_DEVICE
    if rest and base.gpu_percent < TOO_MUCH and not problem:
        if base.gpu_percent < PERCENT_PER_DEVICE:  # documented for plain pods (cluster-api.md 5.7)
            part, base = GpuPart(percent=rest), base - Vector(gpu_percent=rest)
        else:
            asked = base.gpu_percent / PERCENT_PER_DEVICE
            problem = f"{names.GPU_RESOURCE} is {asked}: allowed are whole numbers, and parts of one device"
    if problem or gang_problem:
        others = (*others, (names.UNREADABLE_RESOURCE, 1))
    return Request(base, part, tuple(sorted(others))), problem


def _selector(pod: kubernetes.Pod, request: Request) -> Mapping[str, str]:
    """Which labels its node must have: a pod that shares its GPUs through a service is of use where that runs."""
    if request.part is None or not wants_mps(pod.metadata.annotations):
        return pod.spec.node_selector
    return {**pod.spec.node_selector, names.MPS_NODE_LABEL: "true"}


def _gang(pod: kubernetes.Pod) -> tuple[Membership | None, str]:
    """The gang of the pod, and what is wrong with how it says so. Others' pods are in none."""
    if not is_ours(pod):
        return None, ""
    try:
        return membership_of(pod.metadata.annotations, pod.metadata.labels), ""
    except UnreadableError as error:
        return None, f"metadata.annotations: {error}"


def _queue(namespace: str, tenant: Tenant | None) -> str:
    return tenant.project if tenant is not None else NO_PROJECT_PREFIX + namespace


def _pools(metadata: kubernetes.Metadata, tenant: Tenant | None) -> tuple[str, ...]:
    named = metadata.annotations.get(names.NODE_POOLS_ANNOTATION) or metadata.labels.get(names.NODE_POOL_LABEL) or ""
    pools = [pool for part in named.split(",") if (pool := part.strip())] or (tenant.default_pools if tenant else ())
    return tuple(dict.fromkeys(pools)) or (names.DEFAULT_NODE_POOL,)


def _affinity(
    pod: kubernetes.Pod, tenant: Tenant | None, pools: tuple[str, ...], scope: NodeScope, *, wants_gpu: bool
) -> Affinity:
    """What the pod demands itself; of ours also what its project and the cluster demand for it."""
    own = affinity_of(pod.spec, pod.metadata.namespace)
    if not is_ours(pod):
        return own
    return with_role(scope, on_types(own, _types(pod.spec, tenant, pools)), wants_gpu=wants_gpu)


def _types(spec: kubernetes.PodSpec, tenant: Tenant | None, pools: tuple[str, ...]) -> tuple[str, ...]:
    """Which types of nodes are left to such a pod (cluster-api.md 3.2): by its class, as in 5.1."""
    if tenant is None or spec.priority_class_name == names.INFERENCE_PRIORITY_CLASS:
        return ()
    interactive = spec.priority_class_name in names.INTERACTIVE_PRIORITY_CLASSES
    return (tenant.interactive_types if interactive else tenant.train_types).left(pools)


def _priority(spec: kubernetes.PodSpec) -> int:
    """The API server gives pods without a class the priority 0; with us they are training (cluster-api.md 5.1)."""
    if spec.priority is None or (spec.priority == 0 and not spec.priority_class_name):
        return names.DEFAULT_TRAIN_PRIORITY
    return spec.priority


def state_of(pod: kubernetes.Pod) -> TaskState:
    """Where the pod is in its life. One that is deleted holds its GPU until its phase is final, or it is gone.

    Its kubelet says before that that all containers have ended, but counts their devices until it has cleared up, and
    refuses whoever comes for them sooner; a final phase it tells only then.
    """
    if pod.status.phase in ("Succeeded", "Failed"):
        return TaskState.ENDED
    deleted = pod.metadata.deletion_timestamp is not None
    if not pod.spec.node_name:
        if deleted:
            return TaskState.ENDED
        return TaskState.GATED if pod.spec.scheduling_gates else TaskState.PENDING
    if deleted:
        return TaskState.TERMINATING
    return TaskState.RUNNING if pod.status.phase == "Running" else TaskState.BOUND


def _started(pod: kubernetes.Pod) -> float:
    """When it got its node, in Unix seconds; one that was made with a node has had it all the time."""
    bound = _since(pod, names.POD_SCHEDULED_CONDITION, "True")
    return bound or unix_seconds(pod.status.start_time) or unix_seconds(pod.metadata.creation_timestamp)


def _since(pod: kubernetes.Pod, kind: str, status: str) -> float | None:
    """Since when a condition of the pod is as it is; None where it is not, or does not say."""
    written = next((each for each in pod.status.conditions if (each.type, each.status) == (kind, status)), None)
    return None if written is None else unix_seconds(written.last_transition_time) or None


def _attempt(labels: Mapping[str, str]) -> int:
    try:
        return whole_number(names.ATTEMPT_LABEL, labels.get(names.ATTEMPT_LABEL, ""), _MOST_ATTEMPTS, least=0)
    except UnreadableError:
        return 0
