"""Where pods may run and where they should (cluster-api.md 1.4, 5.6)."""

from typing import Annotated, Literal

from aliquot.contracts.kinds.rules import IntRules, StringRules
from aliquot.contracts.kinds.shapes import NAME_LENGTH, Check, Shape, text, whole
from aliquot.contracts.kinds.wrappers import BoolValue, Items, LongText, ShortText


class Toleration(Shape):
    """A taint that the pods bear."""

    checks = (
        Check(
            rule="!has(self.seconds) || !has(self.effect) || self.effect == 'NoExecute'",
            message="seconds says how long a NoExecute taint is borne: leave it out for other effects",
            field=".seconds",
        ),
        Check(
            rule="self.operator != 'Exists' || !has(self.tolerationValue) || self.tolerationValue == ''",
            message="with operator Exists the taint's value does not matter: leave tolerationValue out",
            field=".tolerationValue",
        ),
    )

    toleration_key: Annotated[str, text(317)]
    """Key of the taint."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """Equal: the taint's value must be `tolerationValue`. Exists: any value will do."""
    toleration_value: Annotated[str, text(NAME_LENGTH)] | None = None
    """Value of the taint."""
    effect: Literal["NoSchedule", "NoExecute", "PreferNoSchedule"] | None = None
    """Effect of the taint; left out, all of them."""
    seconds: Annotated[int, whole(0)] | None = None
    """How long in seconds a NoExecute taint is borne; left out, for ever."""


class TolerationRules(Shape):
    """Rules about tolerations."""

    toleration_key: StringRules | None = None
    """Which keys may be tolerated."""
    operator: StringRules | None = None
    """Which operators may be used."""
    toleration_value: StringRules | None = None
    """Which values may be tolerated."""
    effect: StringRules | None = None
    """Which effects may be tolerated."""
    seconds: IntRules | None = None
    """How long, in seconds, taints may be borne."""


Tolerations = Items[Toleration, TolerationRules]


class PlacementParameters(Shape):
    """Where pods may run and where they should."""

    node_pool: ShortText = ShortText()
    """Node pool to run in. Superseded by nodePools."""
    node_pools: LongText = LongText()
    """Node pools to run in, most wanted first, with spaces between them. Left out, those of the project."""
    node_type: ShortText = ShortText()
    """Type of nodes, or group of nodes, to run on: only nodes whose label run.ai/type has this value are used."""
    pod_affinity: BoolValue = BoolValue()
    """Whether the pods of the workload are kept together, as podAffinityTopology and podAffinitySchedulingRule say."""
    pod_affinity_scheduling_rule: ShortText = ShortText()
    """hard: the pods must be together; soft: they should be."""
    pod_affinity_topology: ShortText = ShortText()
    """Label of nodes that says what together means: nodes with the same value are one place."""
    tolerations: Tolerations = Tolerations()
    """Taints of nodes that the pods bear."""
