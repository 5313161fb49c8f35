"""Affinity of a task, as in a PodSpec.

Namespaces have no labels here, so of namespace selectors only the empty one is taken.
"""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.simulation.fields import Labels, Name, Part, Text

Hundred = Annotated[int, Field(ge=1, le=100)]


class RequirementEntry(Part):
    """A condition on a label or field."""

    key: Name = Field(description="the label, or field")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = Field(description="Gt and Lt: nodes only")
    values: list[Text] = Field(default_factory=list[Text], description="what it is compared with")


class NodeSelectorTerm(Part):
    """Conditions on a node that hold together."""

    match_expressions: list[RequirementEntry] = Field(
        default_factory=list[RequirementEntry], description="conditions on its labels"
    )
    match_fields: list[RequirementEntry] = Field(
        default_factory=list[RequirementEntry], description="conditions on metadata.name"
    )


class NodeRequired(Part):
    """Demands on the node."""

    node_selector_terms: Annotated[list[NodeSelectorTerm], Field(min_length=1)] = Field(
        description="one of these must hold"
    )


class WeightedNodeTerm(Part):
    """A wish about the node."""

    weight: Hundred = Field(description="1 to 100")
    preference: NodeSelectorTerm = Field(description="what the node should be")


class NodeAffinity(Part):
    """Demands and wishes about the node."""

    required_during_scheduling_ignored_during_execution: NodeRequired | None = Field(
        default=None, description="demands"
    )
    preferred_during_scheduling_ignored_during_execution: list[WeightedNodeTerm] = Field(
        default_factory=list[WeightedNodeTerm], description="wishes"
    )


class LabelSelector(Part):
    """Conditions on labels that hold together; none: every task."""

    match_labels: Labels = Field(default_factory=dict, description="labels and their values")
    match_expressions: list[RequirementEntry] = Field(
        default_factory=list[RequirementEntry], description="further conditions"
    )


class PodAffinityTerm(Part):
    """Tasks to be near to, or far from."""

    label_selector: LabelSelector = Field(description="which tasks")
    topology_key: Name = Field(description="nodes with the same value of this label are near")
    namespaces: list[Name] = Field(default_factory=list[Name], description="where they are; none: the task's own")
    namespace_selector: LabelSelector | None = Field(default=None, description="{} stands for every namespace")


class WeightedPodTerm(Part):
    """A wish about tasks nearby."""

    weight: Hundred = Field(description="1 to 100")
    pod_affinity_term: PodAffinityTerm = Field(description="which tasks, and how near")


class PodAffinity(Part):
    """Demands and wishes about tasks nearby."""

    required_during_scheduling_ignored_during_execution: list[PodAffinityTerm] = Field(
        default_factory=list[PodAffinityTerm], description="demands"
    )
    preferred_during_scheduling_ignored_during_execution: list[WeightedPodTerm] = Field(
        default_factory=list[WeightedPodTerm], description="wishes"
    )


class AffinityEntry(Part):
    """What a task demands beyond selector and taints, as in a PodSpec."""

    node_affinity: NodeAffinity | None = Field(default=None, description="about its node")
    pod_affinity: PodAffinity | None = Field(default=None, description="tasks to be near to")
    pod_anti_affinity: PodAffinity | None = Field(default=None, description="tasks to be far from")
