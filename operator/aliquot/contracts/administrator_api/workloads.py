"""Workloads, their pods, and what happened to them (control-plane-api.md 1.4.10)."""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.listing import Page
from aliquot.contracts.administrator_api.shapes import INT32_MAX, Answer, Body, Time
from aliquot.contracts.cluster_workloads import Framework, GpuRequestType, Phase, Source

_Filters = Annotated[list[str], Field(default_factory=list, max_length=100)]


class WorkloadQuery(Page):
    """Which workloads, in which order."""

    deleted: bool = False
    """True: only those that are gone; else only those that are there."""
    sort_by: (
        Literal[
            "type", "name", "clusterId", "projectId", "projectName", "departmentId", "departmentName", "createdAt",
            "deletedAt", "submittedBy", "phase", "completedAt", "nodepool", "allocatedGPU", "distributedFramework",
        ]
        | None
    ) = None  # fmt: skip
    """What they are sorted by; left out: by age."""


class PodQuery(Page):
    """Which pods, in which order."""

    deleted: bool = False
    """True: only those that are gone; else only those that are there."""
    completed: Literal["true", "false", "all", ""] = "all"
    """Only those that have ended, only those that have not, or all."""
    verbosity: Literal["full"] | None = None
    """`full`: with the names of project and workload."""
    sort_by: Literal["clusterId", "nodeName", "currentNodepool", "createdAt", "completedAt", "deletedAt"] | None = None
    """What they are sorted by; left out: by age."""


class DeletableCountQuery(Body):
    """What is counted."""

    deleted: bool = False
    """True: only those that are gone; else only those that are there."""
    filter_by: _Filters
    """Only those that fulfil all of these."""


class PartQuery(Body):
    """Which part of a list."""

    offset: Annotated[int, Field(ge=0, le=INT32_MAX)] = 0
    """So many are skipped."""
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    """At most so many are shown."""


class PodsOfWorkloadQuery(PartQuery):
    """Which pods of a workload."""

    deleted: bool = False
    """True: only those that are gone; else only those that are there."""


class NumberRange(Answer):
    """What is guaranteed, and what is the most."""

    request: float
    """What is guaranteed."""
    limit: float | None = None
    """The most; null: nobody says."""


class QuantityRange(Answer):
    """The same for amounts of memory, as Kubernetes writes them."""

    request: str
    """What is guaranteed."""
    limit: str | None = None
    """The most; null: nobody says."""


class ExtendedResource(Answer):
    """So much of another resource."""

    resource: str
    """Its name."""
    quantity: str
    """How much."""


class RequestedResources(Answer):
    """What is asked for."""

    gpu_request_type: GpuRequestType | None = None
    """How parts of GPUs are asked for; null: whole ones, or none."""
    gpu: NumberRange
    """GPU devices."""
    gpu_memory: QuantityRange | None = None
    """Memory of GPUs; null: it is not asked for by amount."""
    mig_profile: str | None = None
    """Slices of GPUs, such as `1g.10gb`."""
    cpu: NumberRange
    """Cores."""
    cpu_memory: QuantityRange
    """Main memory."""
    extended_resources: list[ExtendedResource]
    """Other resources."""


class AllocatedResources(Answer):
    """What is held."""

    gpu: float
    """GPU devices."""
    gpu_memory: str | None = None
    """Memory of GPUs; null: it was not asked for by amount."""
    mig_profile: str | None = None
    """Slices of GPUs, such as `1g.10gb`."""
    cpu: float
    """Cores."""
    cpu_memory: str
    """Main memory."""
    extended_resources: list[ExtendedResource]
    """Other resources."""


class RequestedPods(Answer):
    """How many pods a workload asks for."""

    number: int | None = None
    """So many."""
    min: int | None = None
    """At least so many."""
    max: int | None = None
    """At most so many."""
    parallelism: int | None = None
    """So many at a time."""
    completions: int | None = None
    """So many have to succeed."""


class Url(Answer):
    """An address that leads to a workload."""

    url: str
    """It."""


class WorkloadCondition(Answer):
    """A condition of a workload."""

    type: str
    """What it is about."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: str
    """Why, in one word."""
    message: str
    """The same as a sentence."""
    last_transition_time: str | None = None
    """Since when."""


class Workload(Answer):
    """A workload, as its cluster says."""

    id: str
    """Its uid in its cluster."""
    tenant_id: int
    """Whose it is."""
    name: str
    """Its name."""
    namespace: str
    """Where it is."""
    type: str
    """Its kind."""
    cluster_id: str
    """Cluster that it runs in."""
    project_id: str | None
    """Project whose quota it uses; null: none of the control plane's."""
    project_name: str | None
    """Its name; null: it uses nobody's."""
    department_id: str | None
    """Department of the project."""
    department_name: str | None
    """Its name."""
    priority_class_name: str
    """Priority class of its pods."""
    preemptible: bool | None = None
    """Whether its GPUs may be taken back; null: not known yet."""
    submitted_by: str | None = None
    """Who made it, if it says so."""
    source: Source
    """With what it was made, by what it says of itself."""
    phase: Phase
    """How it is doing."""
    phase_message: str
    """The same as a sentence."""
    phase_updated_at: Time
    """Since when, as far as the control plane has heard."""
    k8s_phase: str = Field(alias="k8sPhase")
    """What it says of itself in Kubernetes."""
    k8s_phase_updated_at: Time = Field(alias="k8sPhaseUpdatedAt")
    """Since when, as far as the control plane has heard."""
    conditions: list[WorkloadCondition]
    """As Kubernetes has them."""
    created_at: Time
    """When it was made."""
    completed_at: Time | None = None
    """When it ended; null: it has not."""
    deleted_at: Time | None = None
    """When the control plane heard that it is gone; null: it is there."""
    updated_at: Time
    """When the cluster said something new about it last."""
    running_pods: int
    """How many of its pods run."""
    requested_pods: RequestedPods | None = None
    """How many pods it asks for."""
    workload_requested_resources: RequestedResources | None = None
    """What it asks for as a whole."""
    pods_requested_resources: RequestedResources
    """What its pods ask for."""
    allocated_resources: AllocatedResources
    """What its pods have."""
    requested_node_pools: list[str]
    """Node pools that it may run in, most wanted first."""
    current_node_pools: list[str]
    """Node pools that it runs in."""
    images: list[str]
    """Images of its containers."""
    urls: list[Url]
    """Addresses that lead to it."""
    distributed_framework: Framework | None = None
    """What connects its pods."""


class Workloads(Answer):
    """A page of workloads."""

    workloads: list[Workload]
    """They."""
    next: int | None = None
    """Offset of the next page; left out on the last one."""


class PodContainer(Answer):
    """A container of a pod."""

    name: str
    """Its name."""
    image: str
    """Its image."""
    started_at: Time | None = None
    """When it began to run; null: it does not."""


class PodToleration(Answer):
    """A taint that a pod bears."""

    key: str
    """Its key."""
    operator: str
    """`Equal` or `Exists`."""
    value: str
    """Its value."""
    effect: str
    """Its effect; empty: all."""


class Pod(Answer):
    """A pod of a workload, as its cluster says."""

    id: str
    """Its uid in its cluster."""
    tenant_id: int
    """Whose it is."""
    name: str
    """Its name."""
    workload_id: str
    """The workload that it belongs to."""
    workload_name: str | None = None
    """Its name; only with `verbosity=full`."""
    cluster_id: str
    """Cluster that it runs in."""
    project_id: str | None
    """Project whose quota it uses; null: none of the control plane's."""
    project_name: str | None = None
    """Its name; only with `verbosity=full`."""
    priority_class_name: str
    """Its priority class."""
    k8s_phase: str = Field(alias="k8sPhase")
    """Its phase in Kubernetes."""
    k8s_phase_updated_at: Time = Field(alias="k8sPhaseUpdatedAt")
    """Since when, as far as the control plane has heard."""
    node_name: str | None = None
    """Its node; null: it has none yet."""
    current_node_pool: str | None = None
    """The node pool of that."""
    requested_node_pools: list[str]
    """Node pools that it may run in, most wanted first."""
    containers: list[PodContainer]
    """Its containers."""
    requested_resources: RequestedResources
    """What it asks for."""
    allocated_resources: AllocatedResources
    """What it has."""
    tolerations: list[PodToleration]
    """Taints that it bears."""
    created_at: Time
    """When it was made."""
    completed_at: Time | None = None
    """When it ended; null: it has not."""
    deleted_at: Time | None = None
    """When the control plane heard that it is gone; null: it is there."""
    updated_at: Time
    """When the cluster said something new about it last."""


class Pods(Answer):
    """A page of pods."""

    pods: list[Pod]
    """They."""
    next: int | None = None
    """Offset of the next page; left out on the last one."""


class InvolvedObject(Answer):
    """What an event is about."""

    uid: str
    """Its uid."""
    kind: str
    """Its kind."""
    name: str
    """Its name."""
    namespace: str | None = None
    """Where it is."""


class Event(Answer):
    """Something that Aliquot, Kubernetes or somebody else says happened in a cluster."""

    id: str
    """Uid of the Event in the cluster."""
    created_at: Time
    """When it happened; of what is repeated the last time."""
    count: int
    """How often it happened."""
    type: str
    """`Normal` or `Warning`."""
    cluster_id: str
    """Where it happened."""
    reason: str | None = None
    """What, in one word."""
    message: str
    """The same as a sentence."""
    source: str | None = None
    """Who says so."""
    involved_object: InvolvedObject
    """What it happened to."""


class Events(Answer):
    """A page of events."""

    events: list[Event]
    """They, the latest first."""
    next: int | None = None
    """Offset of the next page; left out on the last one."""


class PhaseUpdate(Answer):
    """A workload has got into another phase."""

    phase: Phase
    """The new one."""
    phase_message: str
    """The same as a sentence."""


class RecordMeta(Answer):
    """What a record is about."""

    creation_timestamp: Time
    """When it happened."""
    type: Literal["Event", "PhaseUpdate"]
    """What it is."""


class RecordSpec(Answer):
    """What a record says: one of the two."""

    event: Event | None = None
    """An event."""
    phase_update: PhaseUpdate | None = None
    """Another phase."""


class HistoryRecord(Answer):
    """Something that happened to a workload."""

    meta: RecordMeta
    """What, and when."""
    spec: RecordSpec
    """The rest."""


class History(Answer):
    """A page of what happened to a workload."""

    records: list[HistoryRecord]
    """They, the latest first."""
    next: int | None = None
    """Offset of the next page; left out on the last one."""
