"""Nodes of clusters (control-plane-api.md 1.4.1)."""

from typing import Literal

from aliquot.contracts.administrator_api.shapes import Answer, Body, Text, Time


class NodeQuery(Body):
    """Which nodes."""

    node_name: Text | None = None
    """Only the one of this name."""


class NodeCondition(Answer):
    """A condition of a node."""

    type: str
    """What it is about."""
    reason: str
    """Why it holds or does not, in one word."""
    message: str
    """The same as a sentence."""


class NodeTaint(Answer):
    """A taint of a node."""

    key: str
    """Its key."""
    value: str | None = None
    """Its value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
    """What becomes of pods that do not tolerate it."""


class GpuInfo(Answer):
    """GPUs of a node."""

    gpu_type: str
    """Their model."""
    gpu_count: int
    """How many."""


class Node(Answer):
    """A node."""

    name: str
    """Its name."""
    cluster_uuid: str
    """Cluster that it belongs to."""
    status: Literal["Ready", "NotReady", "Unknown"]
    """How it is doing, in one word."""
    node_pool: str
    """Name of the node pool that it is in."""
    created_at: str
    """When it came to the cluster, as Kubernetes says."""
    updated_at: Time
    """When the cluster said something new about it last."""
    conditions: list[NodeCondition]
    """As Kubernetes has them."""
    taints: list[NodeTaint]
    """As Kubernetes has them."""
    gpu_info: GpuInfo | None = None
    """Null: it has no GPUs."""


class Nodes(Answer):
    """The nodes of a cluster."""

    nodes: list[Node]
    """They, by name."""
