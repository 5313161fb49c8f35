"""NodePool: nodes that are shared out on their own (crd-contract.md, NodePool; cluster-api.md 3.4)."""

from typing import Annotated

from aliquot.contracts.kinds.shapes import NAME_LENGTH, Check, Resource, Shape, list_of, text, whole
from aliquot.contracts.kinds.tenancy.naming import named
from aliquot.contracts.kinds.texts import Message, Name

PLACEMENT = Check(
    rule="self in ['binpack', 'spread', 'Bin Packing', 'Spreading']",
    message="must be binpack or spread",
)


class PlacementStrategy(Shape):
    """Where pods go first."""

    cpu: Annotated[str, text(32, PLACEMENT)] | None = None
    """For pods without GPUs: binpack fills nodes one after the other, spread uses all evenly."""
    gpu: Annotated[str, text(32, PLACEMENT)] | None = None
    """For pods with GPUs: binpack fills GPUs and nodes one after the other, spread uses all evenly."""


class NodePoolSpec(Shape):
    """Which nodes belong to the pool, and how they are used."""

    checks = (
        Check(
            rule="(has(self.labelKey) && self.labelKey != '') == (has(self.labelValue) && self.labelValue != '')",
            message="labelKey and labelValue belong together: give both or neither",
            field=".labelValue",
        ),
    )

    label_key: (
        Annotated[
            str,
            text(
                317,
                Check(
                    rule="self.matches('^(([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')",
                    message="must be the key of a label of nodes, such as run.ai/type",
                ),
            ),
        ]
        | None
    ) = None
    """Key of the label that the pool's nodes have."""
    label_value: (
        Annotated[
            str,
            text(
                NAME_LENGTH,
                Check(
                    rule="self.matches('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')",
                    message="must be the value of a label: letters, digits, '-', '_' and '.', with a letter or digit "
                    "first and last",
                ),
            ),
        ]
        | None
    ) = None
    """Value of that label."""
    over_provisioning_ratio: Annotated[int, whole(1, 100)] | None = None
    """How many workloads may be on one GPU at a time; left out: 1."""
    placement_strategy: PlacementStrategy | None = None
    """Where pods go first; left out, as the whole cluster does."""


class PoolNode(Shape):
    """A node of the pool."""

    name: Name | None = None
    """Name of the node."""
    status: Annotated[str, text(253)] | None = None
    """How the node is doing."""


class NodePoolStatus(Shape):
    """How the pool is doing."""

    phase: Annotated[str, text(64)] | None = None
    """Ready, or what stands in the way."""
    message: Message | None = None
    """What stands in the way, as a sentence."""
    nodes: Annotated[tuple[PoolNode, ...], list_of(10_000)] = ()
    """The nodes that belong to the pool."""


class NodePool(Resource):
    """Nodes that are shared out on their own.

    Every project has a quota in each pool. Nodes of no pool belong to the pool default.
    """

    checks = (named(NAME_LENGTH),)

    spec: NodePoolSpec
    """Which nodes belong to the pool, and how they are used."""
    status: NodePoolStatus = NodePoolStatus()
    """How the pool is doing."""
