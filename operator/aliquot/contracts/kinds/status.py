"""How a workload is doing: the status that all four workload kinds share.

Shape: crd-contract.md, Status; meaning of the phases: cluster-api.md 6.2. Nine members are Aliquot's own: `project`,
`reason`, `requestedGPU`, `jobName`, `completedIndexes`, `inherited`, `timeLimits`, `preemptions` and `countedPods`. The
API server refuses a status that breaks a bound, so whoever writes one keeps to the constants below.
"""

from datetime import datetime
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from aliquot.contracts.kinds.conditions import Conditions
from aliquot.contracts.kinds.shapes import FreeForm, Shape, list_of, map_of, one_of, text, whole
from aliquot.contracts.kinds.texts import Address, Message, Name

MAX_EVENTS: Final = 100
MAX_CREATED_RESOURCES: Final = 1000
MAX_OWNED_RESOURCES: Final = 1000
MAX_EXTERNAL_URLS: Final = 256
MAX_ORIGINS: Final = 1000
MAX_COUNTED_PODS: Final = 10_000
COMPLETED_INDEXES_LENGTH: Final = 300_000
"""Longest list of completed indexes, in characters: enough for every second one of 100,000."""

Phase = Literal[
    "Creating", "Initializing", "Running", "Degraded", "Pending", "Stopped", "Completed", "Failed", "Terminating"
]
CreationStatus = Literal["Created", "Submitted", "Failed"]
Severity = Literal["Info", "Warning", "Error"]

Count = Annotated[int, whole(0)]
LargeCount = Annotated[int, whole(0, 2**53)]


class CreatedResource(Shape):
    """An object that was made for the workload."""

    api_version: Name | None = None
    """API group and version of the object, such as v1."""
    kind: Name | None = None
    """Kind of the object."""
    name: Name | None = None
    """Name of the object."""
    namespace: Name | None = None
    """Namespace of the object."""


class WorkloadEvent(Shape):
    """Something that happened to the workload."""

    severity: Annotated[str, one_of(*get_args(Severity))] | None = None
    """How serious it is: Info, Warning or Error."""
    details: Message | None = None
    """What happened, as a sentence."""
    time: datetime | None = None
    """When it happened."""


class GroupVersionKind(Shape):
    """Which kind of object."""

    group: Name
    """API group of the object; empty for the oldest kinds, such as Pod."""
    version: Name
    """API version of the object, without the group."""
    kind: Name
    """Kind of the object, such as Pod."""


class OwnedResource(Shape):
    """An object that belongs to the workload and was seen."""

    kind: GroupVersionKind | None = None
    """Which kind of object it is."""
    name: Name | None = None
    """Name of the object."""
    namespace: Name | None = None
    """Namespace of the object."""
    uid: Name | None = None
    """Identity of the object."""
    observed_generation: LargeCount | None = None
    """Generation of the object that was seen."""


class SyncStatus(Shape):
    """What the control plane was told of the object."""

    last_attempted_sync_generation: LargeCount | None = None
    """Generation that was last sent."""
    last_attempted_sync_status_change_time: datetime | None = None
    """Time of the change of status that was last sent."""
    last_sync_generation: LargeCount | None = None
    """Generation that the control plane last accepted."""
    last_sync_status_change_time: datetime | None = None
    """Time of the change of status that the control plane last accepted."""
    last_sync_status_checksum: Annotated[int, whole(-(2**31 - 1))] | None = None
    """Checksum of the status that the control plane last accepted."""
    last_sync_timestamp: datetime | None = None
    """When the control plane last accepted something."""
    sync_error_msg: Message | None = None
    """Why the last attempt failed; empty after a success."""


class Inherited(Shape):
    """What a workload takes from a template and a policy, as they were when it was submitted."""

    template: Annotated[str, text(320)] | None = None
    """The template: its namespace and name, joined by a slash."""
    policy: Annotated[str, text(320)] | None = None
    """The policy: its namespace and name, joined by a slash."""
    values: FreeForm = Field(default_factory=dict)
    """Parameters that hold wherever the workload gives none, as they would stand in its spec; under masterSpec those
    that would stand there."""
    origins: Annotated[dict[str, Annotated[str, one_of("template", "policy")]], map_of(MAX_ORIGINS)] = Field(
        default_factory=dict
    )
    """Which of the two gives each of the values: `gpu`, `ports[ui]` or `masterSpec.gpu` to template
    or policy."""


class TimeLimits(Shape):
    """The time limits that hold for a workload, as they were when it started, and how much of the time has passed."""

    limit_seconds: LargeCount | None = None
    """Seconds that it may run in all; left out, any number."""
    idle_limit_seconds: LargeCount | None = None
    """Seconds that its GPUs may be without work; left out, any number."""
    ran_seconds: LargeCount | None = None
    """Seconds that it has run, without the present stretch."""
    running_since: datetime | None = None
    """Since when it runs; left out, it does not."""


class WorkloadStatus(Shape):
    """How the workload is doing."""

    phase: (
        Annotated[
            str,
            one_of(*get_args(Phase)),
        ]
        | None
    ) = None
    """Where the workload is in its life: Creating, Pending (waits for its turn or for room), Initializing (images and
    containers start), Running, Degraded, Stopped (suspended), Terminating, or for good Completed or Failed."""
    phase_message: Message | None = None
    """Why the workload is in this phase, as a sentence with numbers."""
    reason: Annotated[str, text(1024)] | None = None
    """Why the workload is in this phase, as one word."""
    project: Name | None = None
    """Project whose quota the workload uses."""
    job_name: Name | None = None
    """Name under which the workload is known: the one it gives, or the one chosen for it."""
    requested_gpu: Name | None = None
    """GPUs that all pods together ask for, as a decimal number."""
    total_allocated_gpu: Name | None = None
    """GPUs that the pods hold now, as a decimal number."""
    total_allocated_gpu_memory: LargeCount | None = None
    """GPU memory that the pods hold now, in MiB."""
    creation_status: Annotated[str, one_of(*get_args(CreationStatus))] | None = None
    """Whether everything was made that the workload needs: Submitted if so, Failed if not."""
    conditions: Conditions = ()
    """Aspects of how the workload is doing, one entry for each type."""
    events: Annotated[tuple[WorkloadEvent, ...], list_of(MAX_EVENTS)] = ()
    """What happened to the workload, latest last."""
    created_resources: Annotated[tuple[CreatedResource, ...], list_of(MAX_CREATED_RESOURCES)] = ()
    """Objects that were made for the workload."""
    owned_resources: Annotated[tuple[OwnedResource, ...], list_of(MAX_OWNED_RESOURCES)] = ()
    """Objects that belong to the workload and were seen."""
    external_urls: Annotated[tuple[Address, ...], list_of(MAX_EXTERNAL_URLS)] = ()
    """Addresses outside the cluster that lead to the workload."""
    pending_pods: Count | None = None
    """Number of pods that do not run yet."""
    running_pods: Count | None = None
    """Number of pods that run."""
    succeeded_pods: Count | None = None
    """Number of pods that ended well."""
    failed_pods: Count | None = None
    """Number of pods that ended badly."""
    completed_indexes: Annotated[str, text(COMPLETED_INDEXES_LENGTH)] | None = None
    """Which of the completions have succeeded, counted from 0, such as 0-3,5."""
    inherited: Inherited | None = None
    """What the workload takes from its template and from the policy in force at its submission; left out, nothing."""
    time_limits: TimeLimits | None = None
    """How long the workload may run, by its project; left out, as long as it likes."""
    preemptions: Count | None = None
    """How many times the workload has lost GPUs to others; left out, never. Being moved to another node is none."""
    counted_pods: Annotated[tuple[Name, ...], list_of(MAX_COUNTED_PODS)] = ()
    """Pods that are being stopped and are counted in preemptions already, by uid."""
    first_acknowledged_time: datetime | None = None
    """When Aliquot first saw the workload."""
    start_time: datetime | None = None
    """When the first pod began to run."""
    completion_time: datetime | None = None
    """When the workload ended, well or badly."""
    last_status_change_time: datetime | None = None
    """When this status last changed."""
    observed_generation: LargeCount | None = None
    """Generation of the workload that this status is about."""
    sync_status: SyncStatus | None = None
    """What the control plane was told of the workload."""
