"""Workloads, their pods and Events as a cluster reports them to its control plane (control-plane-api.md 1.4.10). Pure.

What is longer than a report may be is cut; what cannot be read is left out: a report is always one that the control
plane takes. Commands, arguments and variables are in no report.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol, TypedDict, cast, get_args

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.contracts.cluster_orders import SUBMISSION_ID
from aliquot.contracts.cluster_shapes import EARLIEST, LATEST, ReportedCondition
from aliquot.contracts.cluster_workloads import (
    MOST_CONDITIONS,
    MOST_CONTAINERS,
    MOST_EXTENDED,
    MOST_IMAGES,
    MOST_POOLS,
    MOST_TOLERATIONS,
    MOST_URLS,
    PHASES,
    Framework,
    GpuRequestType,
    Phase,
    ReportedContainer,
    ReportedEvent,
    ReportedPod,
    ReportedPods,
    ReportedResources,
    ReportedToleration,
    ReportedWorkload,
    Source,
)
from aliquot.contracts.kinds.external import ExternalWorkload
from aliquot.contracts.kinds.external import RequestedPods as ExternalPods
from aliquot.contracts.kinds.runaijob import RunaiJob
from aliquot.contracts.kinds.shapes import Metadata
from aliquot.contracts.kinds.workloads import Workload
from aliquot.core.lifecycle import moment, observe_foreign
from aliquot.core.lifecycle.times import seconds
from aliquot.core.quantities import (
    MIG_PREFIX,
    PORT_PREFIX,
    InvalidQuantityError,
    Request,
    is_mig,
    parse_bytes,
    parse_cpu_milli,
    parse_gpu_percent,
    quantify,
)
from aliquot.core.submission import Valid, ValidDistributed, ValidInference, ValidSpec
from aliquot.core.submission.pod_values import ValidPod

_TEXT: Final = 1024
_MESSAGE: Final = 4096
_NAME: Final = 253
_LARGEST: Final = 2**53
_PERCENT: Final = 100
_FRAMEWORKS: Final[Mapping[str, Framework]] = {
    "MPIJob": "MPI", "PyTorchJob": "PyTorch", "TFJob": "TF", "XGBoostJob": "XGBoost",
}  # fmt: skip
_ENDED: Final = ("Succeeded", "Failed")
_MADE_BY_CLI: Final = "runai-cli-version"
_SUBMITTED_BY_CLI: Final = "PreviousJob"
ConditionStatus = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True)
class Running:
    """A pod, and what the scheduler knows of it.

    Attributes:
        pod: it.
        request: what it asks for.
        pools: node pools that it may use, most wanted first.
        preemptible: whether its GPUs may be taken back.
        node_pool: pool of its node; None: it has none.
        device_memory_mib: memory of a GPU of its node; 0: not known.
    """

    pod: kubernetes.Pod
    request: Request
    pools: tuple[str, ...] = ()
    preemptible: bool = False
    node_pool: str | None = None
    device_memory_mib: int = 0

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.pod.status.phase in _ENDED

    @property
    def holds(self) -> bool:
        """Whether it has what it asks for."""
        return bool(self.pod.spec.node_name) and not self.ended


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Whose a workload is.

    Attributes:
        project: name of the project; None: nobody's.
        department: name of its department.
    """

    project: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Whose:
    """The workload that a pod belongs to.

    Attributes:
        uid: which one.
        name: its name, as people know it.
        project: name of the project whose quota it uses; None: nobody's.
    """

    uid: str
    name: str
    project: str | None = None


class _Told(Protocol):
    """A condition of whichever shape."""

    @property
    def type(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def message(self) -> str | None: ...
    @property
    def last_transition_time(self) -> datetime | None: ...


def reported_own(
    workload: Workload, name: str, spec: Valid | None, whose: Tenancy, pods: Sequence[Running]
) -> ReportedWorkload:
    """A workload of our own kinds.

    Args:
        workload: it.
        name: its name, as people know it.
        spec: what it asks for; None: that is wrong.
        whose: whose it is.
        pods: its pods.
    """
    metadata, status = workload.metadata, workload.status
    common = None if spec is None else _common(spec)
    user = common.identity.user if common is not None else None
    return ReportedWorkload(
        id=metadata.uid,
        name=name[:_NAME],
        namespace=metadata.namespace,
        type=type(workload).__name__,
        project=whose.project,
        department=whose.department,
        priority_class=common.priority_class if common is not None else _class_of(pods),
        preemptible=_preemptible(pods),
        submitted_by=(user or submitted_by(metadata, pods) or "")[:_TEXT] or None,
        submission=_submission(metadata.labels),
        source=source(metadata.labels, metadata.annotations),
        phase=_phase(status.phase or "Creating"),
        phase_message=(status.phase_message or "")[:_MESSAGE],
        kubernetes_phase=status.phase or "Creating",
        conditions=_conditions(status.conditions),
        created_at=_made(metadata.creation_timestamp),
        completed_at=None if status.completion_time is None else _made(status.completion_time),
        running_pods=_running(pods),
        requested_pods=None if spec is None else _requested_pods(spec),
        requested=None if spec is None else _requested(spec),
        requested_node_pools=_pools(common.placement.node_pools if common is not None else (), pods),
        urls=tuple(url[:_TEXT] for url in status.external_urls[:MOST_URLS]),
        distributed_framework=_FRAMEWORKS[spec.job_type] if isinstance(spec, ValidDistributed) else None,
        images=_images([] if common is None else [common.process.image], pods),
        **_of_pods(pods),
    )


def reported_job(job: RunaiJob, whose: Tenancy, pods: Sequence[Running]) -> ReportedWorkload:
    """A RunaiJob; arguments as of `reported_own`."""
    metadata, status = job.metadata, job.status
    phase, message = _phase_of_job(job, pods)
    spec = job.spec
    return ReportedWorkload(
        id=metadata.uid,
        name=metadata.name,
        namespace=metadata.namespace,
        type=type(job).__name__,
        project=whose.project,
        department=whose.department,
        priority_class=metadata.labels.get(names.PRIORITY_CLASS_LABEL) or _class_of(pods),
        preemptible=_preemptible(pods),
        submitted_by=submitted_by(metadata, pods),
        source=source(metadata.labels, metadata.annotations),
        phase=phase,
        phase_message=message[:_MESSAGE],
        kubernetes_phase=phase,
        conditions=_conditions(status.conditions),
        created_at=_made(metadata.creation_timestamp),
        completed_at=_ended_at(job),
        running_pods=_running(pods),
        requested_pods=ReportedPods(parallelism=spec.parallelism, completions=spec.completions),
        requested_node_pools=_pools((), pods),
        images=_images((), pods),
        **_of_pods(pods),
    )


def reported_external(external: ExternalWorkload, pods: Sequence[Running]) -> ReportedWorkload:
    """A workload of another kind, by its report; arguments as of `reported_own`."""
    spec, observed = external.spec, external.status.observed_status
    metadata = external.metadata
    phase = _phase((observed.phase if observed is not None else None) or "Creating")
    requested = spec.requested_resources
    return ReportedWorkload(
        id=spec.original_workload_uid or metadata.uid,
        name=(spec.original_workload_name or metadata.name)[:_NAME],
        namespace=metadata.namespace,
        type=(spec.type or type(external).__name__)[:_TEXT],
        project=spec.project_name,
        department=spec.department_name,
        priority_class=spec.priority_class_name or "",
        preemptible=_preemptible(pods),
        submitted_by=submitted_by(None, pods),
        source="Other",
        phase=phase,
        phase_message=((observed.message if observed is not None else None) or "")[:_MESSAGE],
        kubernetes_phase=((observed.k8s_status if observed is not None else None) or phase)[:_TEXT],
        conditions=_conditions(() if observed is None else observed.conditions),
        created_at=_made(spec.creation_timestamp or metadata.creation_timestamp),
        completed_at=_external_end(external),
        running_pods=_running(pods),
        requested_pods=None if spec.requested_pods is None else _external_pods(spec.requested_pods),
        requested=None if requested is None else _amounts(requested.requests),
        requested_node_pools=_pools(spec.requested_node_pools, pods),
        urls=tuple(url[:_TEXT] for url in spec.urls[:MOST_URLS]),
        images=_images([spec.image_name] if spec.image_name else (), pods),
        **_of_pods(pods),
    )


def reported_pod(running: Running, whose: Whose) -> ReportedPod:
    """A pod.

    Args:
        running: it.
        whose: the workload that it belongs to.
    """
    pod = running.pod
    started = {each.name: each.state.running for each in pod.status.container_statuses}
    return ReportedPod(
        id=pod.metadata.uid,
        name=pod.metadata.name,
        workload=whose.uid,
        workload_name=whose.name[:_NAME],
        project=whose.project,
        priority_class=pod.spec.priority_class_name,
        kubernetes_phase=pod.status.phase,
        node=pod.spec.node_name or None,
        current_node_pool=running.node_pool,
        requested_node_pools=running.pools[:MOST_POOLS],
        created_at=_at(pod.metadata.creation_timestamp) or EARLIEST,
        completed_at=_pod_end(pod) if running.ended else None,
        containers=tuple(
            ReportedContainer(
                name=each.name,
                image=each.image[:_TEXT],
                started_at=None if (now := started.get(each.name)) is None else _at(now.started_at),
            )
            for each in pod.spec.containers[:MOST_CONTAINERS]
        ),
        requested=resources([running]),
        allocated=resources([running] if running.holds else []),
        tolerations=tuple(
            ReportedToleration(key=each.key, operator=each.operator, value=each.value, effect=each.effect)
            for each in pod.spec.tolerations[:MOST_TOLERATIONS]
        ),
    )


def reported_event(event: kubernetes.Event, workload: str | None) -> ReportedEvent:
    """An Event.

    Args:
        event: it.
        workload: uid of the workload that it is about, or to which belongs what it is about; None: not known any more.
    """
    about = event.regarding
    return ReportedEvent(
        id=event.metadata.uid,
        workload=workload,
        created_at=_clamped(moment(happened_at(event))),
        count=count_of(event),
        type=event.type[:_TEXT],
        reason=event.reason[:_TEXT],
        message=event.note[:_MESSAGE],
        source=_speaker(event)[:_TEXT],
        involved_uid=about.uid,
        involved_kind=about.kind[:_TEXT],
        involved_name=about.name[:_TEXT],
        involved_namespace=about.namespace[:_TEXT],
    )


def happened_at(event: kubernetes.Event) -> float:
    """When an Event happened last, in Unix seconds; 0: it does not say."""
    last = None if event.series is None else event.series.last_observed_time
    metadata = event.metadata
    said = (last, event.deprecated_last_timestamp, event.event_time, metadata.creation_timestamp)
    return next((found for each in said if (found := seconds(each)) is not None), 0.0)


def count_of(event: kubernetes.Event) -> int:
    """How often it happened."""
    series = 0 if event.series is None else event.series.count
    return min(max(series, event.deprecated_count, 1), _LARGEST)


def is_ours(event: kubernetes.Event) -> bool:
    """Whether it speaks of itself as Aliquot's own; whoever may make Events can write that."""
    return _speaker(event).startswith(names.OWN_EVENTS)


def _speaker(event: kubernetes.Event) -> str:
    return event.reporting_controller or event.deprecated_source.component


def resources(pods: Iterable[Running]) -> ReportedResources:
    """What pods ask for together, counted as the scheduler does."""
    gpu, cpu, memory, gpu_memory, extended = 0, 0, 0, 0, dict[str, int]()
    kind: GpuRequestType | None = None
    profile: str | None = None
    for (request, device_memory), times in Counter((each.request, each.device_memory_mib) for each in pods).items():
        one, part = quantify(request, device_memory), request.part
        gpu, cpu, memory = gpu + one.gpu_percent * times, cpu + one.cpu_milli * times, memory + one.memory_bytes * times
        if part is not None:
            kind = kind or ("portion" if part.percent else "memory")
            gpu_memory += part.memory_mib * part.devices * times
        for name, amount in request.extended:
            if is_mig(name):
                kind, profile = kind or "migProfile", profile or name.removeprefix(MIG_PREFIX)
            elif not name.startswith(PORT_PREFIX) and name != names.UNREADABLE_RESOURCE:
                extended[name] = min(extended.get(name, 0) + amount * times, _LARGEST)
    return ReportedResources(
        gpu=min(gpu, _LARGEST) / _PERCENT,
        gpu_request_type=kind,
        gpu_memory_mib=min(gpu_memory, _LARGEST),
        mig_profile=profile,
        cpu_milli=min(cpu, _LARGEST),
        memory_bytes=min(memory, _LARGEST),
        extended=dict(sorted(extended.items())[:MOST_EXTENDED]),
    )


def source(labels: Mapping[str, str], annotations: Mapping[str, str]) -> Source:
    """With what a workload was made, by what it says of itself; anybody can write that."""
    if names.CONTROL_PLANE_LABEL in labels:
        return "Control-plane"
    return "CLI" if _MADE_BY_CLI in annotations or labels.get(_SUBMITTED_BY_CLI) == "true" else "Other"


def _submission(labels: Mapping[str, str]) -> str | None:
    """As what a workload was submitted over REST, by what it says of itself; the control plane knows whether it was."""
    said = labels.get(names.SUBMISSION_LABEL)
    return said if said is not None and re.fullmatch(SUBMISSION_ID, said, re.ASCII) else None


def submitted_by(metadata: Metadata | None, pods: Sequence[Running]) -> str | None:
    """Who made a workload: by its own annotation or label, or by those of its pods (cluster-api.md 2.2)."""
    said = [(metadata.annotations, metadata.labels)] if metadata is not None else []
    said += [(each.pod.metadata.annotations, each.pod.metadata.labels) for each in pods[:1]]
    found = (part.get(names.USER_ANNOTATION) for parts in said for part in parts)
    return next((name[:_TEXT] for name in found if name), None)


# What workloads ask for


def _common(spec: Valid) -> ValidPod:
    return spec.worker if isinstance(spec, ValidDistributed) else spec.pod


def _requested_pods(spec: Valid) -> ReportedPods:
    if isinstance(spec, ValidSpec):
        return ReportedPods(parallelism=spec.parallelism, completions=spec.completions)
    if isinstance(spec, ValidDistributed):
        lowest, most = spec.elastic or (None, None)
        return ReportedPods(number=spec.workers + (spec.master is not None), min=lowest, max=most)
    if isinstance(spec, ValidInference):
        return ReportedPods(min=spec.min_scale, max=spec.max_scale)
    return ReportedPods(number=1)


def _requested(spec: Valid) -> ReportedResources:
    """What all pods together ask for that may run at a time; of what scales, those that always run."""
    if isinstance(spec, ValidDistributed):
        return _together([(spec.worker, spec.workers), *([(spec.master, 1)] if spec.master is not None else [])])
    if isinstance(spec, ValidInference):
        return _together([(spec.pod, spec.min_scale)])
    return _together([(spec.pod, spec.parallelism if isinstance(spec, ValidSpec) else 1)])


def _together(pods: Sequence[tuple[ValidPod, int]]) -> ReportedResources:
    gpus = [pod.compute.gpus for pod, _ in pods]
    extended: dict[str, int] = {}
    for pod, times in pods:
        for name, amount in pod.compute.extended.items():
            extended[name] = min(extended.get(name, 0) + amount * times, _LARGEST)
    kinds: list[GpuRequestType] = [
        "portion" if each.fraction is not None else "memory" if each.memory_mib is not None else "migProfile"
        for each in gpus
        if each.part or each.mig_profile is not None
    ]
    memory = sum((pod.compute.gpus.memory_mib or 0) * pod.compute.gpus.devices * times for pod, times in pods)
    return ReportedResources(
        gpu=float(sum(pod.compute.gpus.together * times for pod, times in pods)),
        gpu_request_type=next(iter(kinds), None),
        gpu_memory_mib=min(memory, _LARGEST),
        mig_profile=next((each.mig_profile for each in gpus if each.mig_profile is not None), None),
        cpu_milli=min(sum(pod.compute.cpu_milli * times for pod, times in pods), _LARGEST),
        memory_bytes=min(sum(pod.compute.memory_bytes * times for pod, times in pods), _LARGEST),
        extended=dict(sorted(extended.items())[:MOST_EXTENDED]),
    )


def _external_pods(asked: ExternalPods) -> ReportedPods:
    return ReportedPods(
        number=asked.replicas,
        min=asked.min_replicas,
        max=asked.max_replicas,
        parallelism=asked.parallelism,
        completions=asked.completions,
    )


def _amounts(written: Mapping[str, int | str]) -> ReportedResources:
    """Amounts as a report has them; those that cannot be read are none."""
    found = {"gpu": 0, "cpu": 0, "memory": 0}
    for name, key, read in (
        ("gpu", names.GPU_RESOURCE, parse_gpu_percent),
        ("cpu", "cpu", parse_cpu_milli),
        ("memory", "memory", parse_bytes),
    ):
        try:
            found[name] = min(max(read(written.get(key, 0)), 0), _LARGEST)
        except InvalidQuantityError:
            continue
    return ReportedResources(gpu=found["gpu"] / _PERCENT, cpu_milli=found["cpu"], memory_bytes=found["memory"])


# What pods say together


class _OfPods(TypedDict):
    pods_requested: ReportedResources
    allocated: ReportedResources
    current_node_pools: tuple[str, ...]


def _of_pods(pods: Sequence[Running]) -> _OfPods:
    holding = [each for each in pods if each.holds]
    current = dict.fromkeys(each.node_pool for each in holding if each.node_pool is not None)
    return {
        "pods_requested": resources(each for each in pods if not each.ended),
        "allocated": resources(holding),
        "current_node_pools": tuple(sorted(current))[:MOST_POOLS],
    }


def _pools(asked: Sequence[str], pods: Sequence[Running]) -> tuple[str, ...]:
    return tuple(asked or next((each.pools for each in pods), ()))[:MOST_POOLS]


def _images(named: Sequence[str], pods: Sequence[Running]) -> tuple[str, ...]:
    of_pods = (container.image for each in pods for container in each.pod.spec.containers)
    return tuple(image[:_TEXT] for image in dict.fromkeys((*named, *of_pods)) if image)[:MOST_IMAGES]


def _running(pods: Sequence[Running]) -> int:
    return sum(each.pod.status.phase == "Running" for each in pods)


def _preemptible(pods: Sequence[Running]) -> bool | None:
    return next((each.preemptible for each in pods), None)


def _class_of(pods: Sequence[Running]) -> str:
    return next((each.pod.spec.priority_class_name for each in pods), "")


# How they are doing, and since when


def _phase(written: str) -> Phase:
    return written if written in PHASES else "Unknown"


def _phase_of_job(job: RunaiJob, pods: Sequence[Running]) -> tuple[Phase, str]:
    """Where a RunaiJob is in its life, in the words of workloads (cluster-api.md 6.2)."""
    if job.metadata.deletion_timestamp is not None:
        return "Terminating", ""
    holding = {each.type: each.message or "" for each in job.status.conditions if each.status == "True"}
    words: tuple[tuple[str, Phase], ...] = (("Complete", "Completed"), ("Failed", "Failed"), ("Suspended", "Stopped"))
    for word, phase in words:
        if word in holding:
            return phase, holding[word]
    alive = [each for each in pods if not each.ended]
    if any(each.pod.status.phase == "Running" for each in alive):
        return "Running", ""
    if not alive:
        return ("Pending", "") if pods else ("Creating", "")
    return ("Initializing", "") if all(each.holds for each in alive) else ("Pending", "")


def _ended_at(job: RunaiJob) -> datetime | None:
    if job.status.completion_time is not None:
        return _made(job.status.completion_time)
    failed = (each for each in job.status.conditions if (each.type, each.status) == ("Failed", "True"))
    return next((_made(each.last_transition_time) for each in failed if each.last_transition_time is not None), None)


def _external_end(external: ExternalWorkload) -> datetime | None:
    observed = external.status.observed_status
    if observed is None or observed.phase not in ("Completed", "Failed"):
        return None
    times = [each.last_transition_time for each in observed.conditions if each.type == observed.phase]
    return _made(next((each for each in times if each is not None), observed.last_status_change_time))


def _pod_end(pod: kubernetes.Pod) -> datetime:
    """When a pod ended; where nothing says so, the last time at which it is known to have been there."""
    ended = observe_foreign(pod).finished_at
    known = moment(ended) if ended is not None else None
    return _clamped(known) if known else _at(pod.status.start_time) or _at(pod.metadata.creation_timestamp) or EARLIEST


def _conditions(conditions: Sequence[_Told]) -> tuple[ReportedCondition, ...]:
    return tuple(
        ReportedCondition(
            type=each.type[:_TEXT],
            status=cast("ConditionStatus", each.status) if each.status in get_args(ConditionStatus) else "Unknown",
            reason=(each.reason or "")[:_TEXT],
            message=(each.message or "")[:_MESSAGE],
            last_transition_time=None if each.last_transition_time is None else each.last_transition_time.isoformat(),
        )
        for each in conditions[:MOST_CONDITIONS]
    )


def _at(written: str | None) -> datetime | None:
    found = seconds(written)
    return None if found is None else _clamped(moment(found))


def _made(time: datetime | None) -> datetime:
    return EARLIEST if time is None else _clamped(time if time.tzinfo else time.replace(tzinfo=EARLIEST.tzinfo))


def _clamped(time: datetime) -> datetime:
    return min(max(time, EARLIEST), LATEST)
