"""Jobs and tasks of the cluster document."""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.simulation.affinity import AffinityEntry
from aliquot.contracts.simulation.fields import (
    MOST_GPUS,
    Amount,
    Count,
    Labels,
    Mebibytes,
    MigProfile,
    Name,
    Part,
    Priority,
    Quantity,
    Seconds,
    Text,
    Time,
    WholeGpus,
)

StateName = Literal["Pending", "Gated", "Bound", "Running", "Terminating", "Succeeded", "Failed"]


class RequestEntry(Part):
    """What a task asks for: of GPUs whole devices, or a part of some, or MIG devices, or none."""

    cpu: Quantity = Field(default=0, description="cores, as a Kubernetes quantity")
    memory: Quantity = Field(default=0, description="bytes, as a Kubernetes quantity")
    gpu: WholeGpus | None = Field(default=0, description="whole devices")
    gpu_fraction: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] | None = Field(
        default=None,
        description="part of each of `gpuDevices` devices, more than 0 and less than 1; counts in hundredths",
    )
    gpu_memory_mib: Mebibytes | None = Field(default=None, description="memory on each of `gpuDevices` devices")
    mig: dict[MigProfile, Count] = Field(default_factory=dict, description="MIG devices, per profile such as 1g.10gb")
    gpu_devices: Annotated[int, Field(ge=1, le=MOST_GPUS)] = Field(
        default=1, description="of how many devices it asks a part; with gpuFraction or gpuMemoryMiB only"
    )
    extended: dict[Name, Amount] = Field(default_factory=dict, description="other resources, by name")


class TolerationEntry(Part):
    """A taint that the task bears, as in a PodSpec."""

    key: Text = Field(default="", description="of the taint; empty with Exists: every one")
    operator: Literal["Equal", "Exists"] = Field(default="Equal", description="whether the value counts")
    value: Text = Field(default="", description="of the taint")
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(
        default="", description="empty: every one"
    )
    toleration_seconds: int | None = Field(default=None, description="makes no difference here")


class TaskEntry(Part):
    """A pod."""

    name: Name = Field(description="its name, unique among all tasks")
    pod_set: Name = Field(default="default", description="which part of the gang it belongs to")
    state: StateName = Field(default="Pending", description="where it is in its life")
    node: Name | None = Field(default=None, description="where it is; null while it is Pending or Gated")
    devices: list[Name] = Field(
        default_factory=list[Name], description="ids of the shared devices of which it holds a part"
    )
    priority: Priority | None = Field(default=None, description="order inside the gang: higher first, null last")
    lingers: bool = Field(default=False, description="when evicted, it stays Terminating for the whole simulation")
    created: Time | None = Field(default=None, description="older goes first in its job; null: with the job")
    makes_room_for: Name | None = Field(default=None, description="Terminating: the job for whose sake it was stopped")
    request: RequestEntry = Field(default=RequestEntry(), description="what it asks for")
    node_selector: Labels = Field(default_factory=dict, description="labels that its node must have")
    affinity: AffinityEntry = Field(default=AffinityEntry(), description="further demands, as in a PodSpec")
    tolerations: list[TolerationEntry] = Field(
        default_factory=list[TolerationEntry], description="taints that it bears, as in a PodSpec"
    )
    labels: Labels = Field(default_factory=dict, description="its own, which the affinity of others may name")


class GroupTopology(Part):
    """How close to one another tasks are to be."""

    name: Name = Field(description="one of `topologies`")
    known: bool = Field(
        default=True, description="false: there is no such topology, or it has no such level; the job waits for it"
    )
    required: Name | None = Field(default=None, description="the level within one domain of which all must be")
    preferred: Name | None = Field(default=None, description="the level within one domain of which all should be")


class PodSetEntry(Part):
    """Equal members of a gang."""

    name: Name = Field(default="default", description="what its tasks say as podSet; unique in the job")
    min_member: Count | None = Field(
        default=None, description="the gang needs so many of them; null: all that there are"
    )
    topology: GroupTopology | None = Field(default=None, description="how close they are to be")


class GroupEntry(Part):
    """A part of a gang, or all of it."""

    name: Text = Field(default="", description="of a part: unique in the job")
    topology: GroupTopology | None = Field(default=None, description="how close all of it is to be")
    pod_sets: list[PodSetEntry] = Field(default_factory=list[PodSetEntry], description="its members")
    groups: list["GroupEntry"] = Field(default_factory=list["GroupEntry"], description="its parts, of the same shape")


class JobEntry(Part):
    """Pods that are scheduled together."""

    name: Name = Field(description="its name, unique among all jobs")
    namespace: Name = Field(default="default", description="where it lives")
    queue: Name | None = Field(description="the queue that pays for it; null: pods of other schedulers, nobody pays")
    priority: Priority = Field(default=50, description="higher goes first within its queue")
    preemptible: bool | None = Field(default=None, description="may be stopped for others; null: when priority < 100")
    surplus_preemptible: bool = Field(
        default=False, description="what it runs beyond its minimum may be stopped, though the rest may not"
    )
    created: Time = Field(default=0.0, description="older goes first: a number, or an RFC 3339 time")
    last_started_seconds_ago: Seconds | None = Field(
        default=None, description="since it last began to run; null: it has not"
    )
    stale_seconds: Seconds | None = Field(
        default=None, description="how long it has been below its minimum; null: it is not"
    )
    promised_nodes: list[Name] = Field(
        default_factory=list[Name],
        description="nodes where others were stopped for its sake, and that it still waits for",
    )
    group: GroupEntry | None = Field(
        default=None, description="structure of the gang; null: one pod set that needs all its tasks"
    )
    tasks: list[TaskEntry] = Field(default_factory=list[TaskEntry], description="its pods")
