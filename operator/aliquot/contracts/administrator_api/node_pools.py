"""Node pools (control-plane-api.md 1.4.4, in the form of 2.19)."""

from typing import Annotated, Final, Literal

from pydantic import Field, Strict

from aliquot.contracts.administrator_api.listing import Page
from aliquot.contracts.administrator_api.shapes import Answer, Body, Id, Name, Time

MOST_SHARING: Final = 5
LABEL_KEY: Final = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?/?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$"
LABEL_VALUE: Final = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"

LabelKey = Annotated[str, Field(max_length=317, pattern=LABEL_KEY)]
LabelValue = Annotated[str, Field(max_length=63, pattern=LABEL_VALUE)]
Ratio = Annotated[int, Strict(), Field(ge=1, le=MOST_SHARING)]
Placement = Literal["spread", "binpack"]


class PlacementStrategy(Body):
    """Where pods go first: binpack fills one node after the other, spread uses all evenly."""

    cpu: Placement = "binpack"
    """For pods without GPUs."""
    gpu: Placement = "binpack"
    """For pods with GPUs."""


class NodePoolUpdate(Body):
    """Everything of a node pool that can be changed."""

    label_key: LabelKey
    """Key of the label that its nodes have."""
    label_value: LabelValue
    """Value of that label."""
    over_provisioning_ratio: Ratio = 1
    """How many workloads may be on one GPU at a time."""
    placement_strategy: PlacementStrategy = PlacementStrategy()
    """Where pods go first."""


class NodePoolCreation(NodePoolUpdate):
    """A node pool to be."""

    name: Name
    """How it is called; unique in the cluster."""
    cluster_id: Id
    """Cluster that it belongs to."""


class NodePoolChange(Body):
    """Some of what can be changed; what is left out stays."""

    label_key: LabelKey | None = None
    """Key of the label that its nodes have."""
    label_value: LabelValue | None = None
    """Value of that label."""
    over_provisioning_ratio: Ratio | None = None
    """How many workloads may be on one GPU at a time."""
    placement_strategy: PlacementStrategy | None = None
    """Where pods go first."""


class NodePoolQuery(Page):
    """Which node pools, in which order."""

    sort_by: Literal["name", "clusterId", "createdAt"] | None = None
    """What they are sorted by; left out: by age."""


class PlacementStrategyShown(Answer):
    """Where pods go first."""

    cpu: Placement
    """For pods without GPUs."""
    gpu: Placement
    """For pods with GPUs."""


class NodePool(Answer):
    """A node pool."""

    id: str
    """Its id."""
    cluster_id: str
    """Cluster that it belongs to."""
    name: str
    """How it is called."""
    is_default: bool
    """Whether it is the pool of the nodes that belong to no other."""
    label_key: str | None
    """Key of the label that its nodes have; null for the default pool."""
    label_value: str | None
    """Value of that label."""
    over_provisioning_ratio: int
    """How many workloads may be on one GPU at a time."""
    placement_strategy: PlacementStrategyShown
    """Where pods go first."""
    phase: Literal["Creating", "Updating", "Deleting", "Empty", "Unschedulable", "Ready"]
    """How it is doing, in one word."""
    phase_message: str
    """How it is doing, as a sentence."""
    nodes: list[str]
    """Names of its nodes."""
    created_at: Time
    """When it was created."""
    updated_at: Time
    """When it was changed last."""
    created_by: str
    """Who created it."""
    updated_by: str
    """Who changed it last."""


class NodePools(Answer):
    """A page of node pools."""

    nodepools: list[NodePool]
    """They."""
    next: int | None = None
    """Offset of the next page; left out on the last one."""
