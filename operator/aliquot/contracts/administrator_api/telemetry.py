"""Telemetry: how many of something there are now (control-plane-api.md 3.2)."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from aliquot.contracts.administrator_api.listing import split
from aliquot.contracts.administrator_api.shapes import Answer, Body, Id, Text, Time

MOST_GROUPS = 2

NodeTelemetryType = Literal[
    "READY_GPU_NODES", "READY_GPUS", "TOTAL_GPU_NODES", "TOTAL_GPUS", "FREE_GPUS", "ALLOCATED_GPUS",
]  # fmt: skip
"""The last one came with 2.19; what else did is not told by clusters."""
WorkloadTelemetryType = Literal["WORKLOADS_COUNT", "GPU_ALLOCATION", "ALLOCATED_GPUS"]
"""The last two are the same: the documentation names both."""
NodeGroup = Literal["ClusterId", "Nodepool", "Node"]
WorkloadGroup = Literal["ClusterId", "DepartmentId", "ProjectId", "Type", "CurrentNodepools", "Phase"]

_Groups = Field(default_factory=list[Any], max_length=MOST_GROUPS)


class NodeTelemetryQuery(Body):
    """What of which nodes."""

    telemetry_type: NodeTelemetryType
    """What is counted: nodes with GPUs, or GPU devices. `FREE_GPUS` are those of nodes that are ready of which no part
    was given away."""
    cluster_id: Id | None = None
    """Only those of this cluster."""
    nodepool_name: Text | None = None
    """Only those of node pools of this name."""
    group_by: Annotated[list[NodeGroup], BeforeValidator(split), _Groups]
    """Each on its own; two at most."""


class WorkloadTelemetryQuery(Body):
    """What of which workloads."""

    telemetry_type: WorkloadTelemetryType
    """What is counted: workloads, or the GPU devices that they have, whole and in parts."""
    cluster_id: Id | None = None
    """Only those of this cluster."""
    nodepool_name: Text | None = None
    """Only those that have pods in node pools of this name."""
    department_id: Id | None = None
    """Only those of this department."""
    group_by: Annotated[list[WorkloadGroup], BeforeValidator(split), _Groups]
    """Each on its own; two at most. Of a workload in several node pools `CurrentNodepools` has all of them."""


class TelemetryGroup(Answer):
    """Of what a value is."""

    key: str
    """What it was grouped by."""
    value: str
    """Which one: its id where it has one, else its name; empty: of those that have none."""
    name: str | None = None
    """Its name."""


class TelemetryValue(Answer):
    """How many."""

    value: str
    """A number."""
    groups: list[TelemetryGroup]
    """Of what; empty: of all together."""


class TelemetryResponse(Answer):
    """How many of something there are."""

    type: str
    """What was counted."""
    timestamp: Time
    """When."""
    values: list[TelemetryValue]
    """By group, in the order of their names; without groups it is one."""
