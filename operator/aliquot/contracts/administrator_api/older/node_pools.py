"""Node pools of the older surface (control-plane-api.md 1.4.4)."""

from typing import Literal

from aliquot.contracts.administrator_api.node_pools import (
    LabelKey,
    LabelValue,
    Placement,
    PlacementStrategyShown,
    Ratio,
)
from aliquot.contracts.administrator_api.shapes import Answer, Name, Time, TolerantBody


class OlderPlacement(TolerantBody):
    """Where pods go first: binpack fills one node after the other, spread uses all evenly."""

    cpu: Placement = "binpack"
    """For pods without GPUs."""
    gpu: Placement = "binpack"
    """For pods with GPUs."""


class OlderNodePoolUpdate(TolerantBody):
    """What of a node pool can be changed; what is left out or null stays."""

    label_key: LabelKey | None = None
    """Key of the label that its nodes have."""
    label_value: LabelValue | None = None
    """Value of that label."""
    over_provisioning_ratio: Ratio | None = None
    """How many workloads may be on one GPU at a time."""
    placement_strategy: OlderPlacement | None = None
    """Where pods go first."""


class OlderNodePoolCreation(TolerantBody):
    """A node pool to be."""

    name: Name
    """How it is called; unique in the cluster."""
    label_key: LabelKey
    """Key of the label that its nodes have."""
    label_value: LabelValue
    """Value of that label."""
    over_provisioning_ratio: Ratio = 1
    """How many workloads may be on one GPU at a time."""
    placement_strategy: OlderPlacement = OlderPlacement()
    """Where pods go first."""


class OlderNodePoolLabels(TolerantBody):
    """Another label for the nodes of a pool."""

    label_key: LabelKey
    """Its key."""
    label_value: LabelValue
    """Its value."""


class OlderNodePool(Answer):
    """A node pool."""

    id: int
    """Its id."""
    cluster_id: str
    """Cluster that it belongs to."""
    name: str
    """How it is called."""
    is_default: bool
    """Whether it has the nodes that belong to no other."""
    label_key: str | None
    """Key of the label that its nodes have; null for the default pool."""
    label_value: str | None
    """Value of that label."""
    over_provisioning_ratio: int
    """How many workloads may be on one GPU at a time."""
    placement_strategy: PlacementStrategyShown
    """Where pods go first."""
    status: Literal["Creating", "Updating", "Deleting", "Empty", "Unschedulable", "Ready"]
    """How it is doing, in one word."""
    status_message: str
    """How it is doing, as a sentence."""
    nodes: str
    """Names of its nodes: a JSON array, in a string."""
    created_at: Time
    """When it was created."""
    updated_at: Time
    """When it was changed last."""
    deleted_at: Time | None = None
    """Null: pools that are deleted are not shown."""
    created_by: str
    """Who created it."""
    updated_by: str
    """Who changed it last."""


class OlderAccepted(Answer):
    """The cluster will carry it out."""

    code: Literal[202] = 202
    """The status."""
    message: str = "Request has been accepted."
    """In words."""
