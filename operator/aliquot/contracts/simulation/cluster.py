"""Nodes, queues, topologies and settings of the cluster document."""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.simulation.fields import (
    Amount,
    Count,
    Gpus,
    Labels,
    Mebibytes,
    MigProfile,
    Name,
    Part,
    Part01,
    Priority,
    Quantity,
    Seconds,
    Text,
    Time,
    Weight,
    WholeGpus,
)

PlacementWay = Literal["binpack", "spread"]
ActionName = Literal["allocate", "consolidate", "reclaim", "preempt", "stale-gangs"]


class PlacementEntry(Part):
    """How nodes are chosen, per resource."""

    gpu: PlacementWay = Field(default="binpack", description="for tasks that ask for GPUs: fill nodes, or use many")
    cpu: PlacementWay = Field(default="binpack", description="for tasks that ask for none")


class TimeBasedFairShareEntry(Part):
    """How much what was used before counts."""

    k: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] = Field(
        default=0, description="how strongly `usage` bends over-quota weights; 0: not at all"
    )


class SettingsEntry(Part):
    """How the scheduler is set."""

    placement: PlacementEntry = Field(default=PlacementEntry(), description="bin-pack or spread, per resource")
    actions: list[ActionName] = Field(
        default=["allocate", "consolidate", "reclaim", "preempt", "stale-gangs"],
        description="the steps of a round; their order is fixed, leave some out to study one",
    )
    stale_gang_grace_seconds: Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)] = Field(
        default=60, description="a gang below its minimum is stopped after so long; negative: never"
    )
    max_consolidation_victims: Count | None = Field(
        default=None, description="jobs moved for one at most; null: no bound"
    )
    consolidating_reclaim: bool = Field(
        default=True, description="whether reclaim may move a victim instead of stopping it"
    )
    time_based_fair_share: TimeBasedFairShareEntry = Field(
        default=TimeBasedFairShareEntry(), description="how much what was used before counts"
    )


class TaintEntry(Part):
    """A taint, as in a Node."""

    key: Name = Field(description="the taint's key")
    value: Text = Field(default="", description="the taint's value")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(description="what it does")
    time_added: Text | None = Field(default=None, description="when it came; makes no difference here")


class MigEntry(Part):
    """MIG devices of a node."""

    strategy: Literal["none", "single", "mixed"] = Field(
        default="none", description="how the device plugin offers them"
    )
    devices: dict[MigProfile, Count] = Field(
        default_factory=dict, description="MIG devices offered, per profile such as 1g.10gb"
    )


class NodeEntry(Part):
    """A machine."""

    name: Name = Field(description="its name, unique")
    gpus: WholeGpus = Field(default=0, description="whole devices that the device plugin offers")
    gpu_memory_mib: Mebibytes | None = Field(default=None, description="memory of one device; null: not known")
    cpu: Quantity = Field(default="1000", description="allocatable cores, as a Kubernetes quantity")
    memory: Quantity = Field(default="10Ti", description="allocatable bytes, as a Kubernetes quantity")
    pods: Count = Field(default=110, description="pods that it takes")
    labels: Labels = Field(default_factory=dict, description="its labels")
    taints: list[TaintEntry] = Field(default_factory=list[TaintEntry], description="its taints, as in a Node")
    mig: MigEntry = Field(default=MigEntry(), description="its MIG devices")
    extended: dict[Name, Amount] = Field(default_factory=dict, description="other resources that it offers, by name")
    broken_gpus: Count = Field(
        default=0, description="devices that cannot be used; `gpus` counts only those of them that somebody still holds"
    )
    closed_devices: list[Name] = Field(
        default_factory=list[Name], description="ids of shared devices that cannot be used: nobody else gets a part"
    )
    ready: bool = Field(default=True, description="ready, and not cordoned")


class ShareEntry(Part):
    """What a queue may use of CPU or memory."""

    deserved: Quantity | None = Field(default=None, description="guaranteed; null: no bound")
    limit: Quantity | None = Field(default=None, description="never more than this; null: no bound")
    over_quota_weight: Weight = Field(default=1, description="its part of what nobody deserves; 0: none")
    usage: Part01 = Field(default=0, description="what it used lately, as a part of the cluster, decayed with time")


class GpuShareEntry(Part):
    """What a queue may use of GPUs."""

    deserved: Gpus | None = Field(default=0, description="guaranteed devices; null: no bound")
    limit: Gpus | None = Field(default=None, description="never more devices than this; null: no bound")
    over_quota_weight: Weight = Field(default=1, description="its part of what nobody deserves; 0: none")
    usage: Part01 = Field(default=0, description="what it used lately, as a part of the cluster, decayed with time")


class QueueEntry(Part):
    """A project's or department's share."""

    name: Name = Field(description="its name, unique")
    parent: Name | None = Field(default=None, description="the queue that it is a part of; null: it is at the top")
    priority: Priority = Field(default=100, description="higher ones get over-quota resources first")
    created: Time = Field(default=0.0, description="older queues win ties: a number, or an RFC 3339 time")
    gpu: GpuShareEntry = Field(default=GpuShareEntry(), description="devices")
    cpu: ShareEntry = Field(default=ShareEntry(), description="cores, as quantities or numbers")
    memory: ShareEntry = Field(default=ShareEntry(), description="bytes, as quantities or numbers")
    preempt_min_runtime_seconds: Seconds | None = Field(
        default=None, description="its jobs are not preempted before they ran so long; null: as its parent says"
    )
    reclaim_min_runtime_seconds: Seconds | None = Field(default=None, description="the same for being reclaimed")


class TopologyEntry(Part):
    """Levels of closeness."""

    name: Name = Field(description="its name, unique")
    levels: Annotated[list[Name], Field(min_length=1)] = Field(description="keys of node labels, coarse to fine")
