"""Entries of the table."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from aliquot.contracts.workload_kinds.numbers import Number
from aliquot.contracts.workload_kinds.shapes import ObjectPath, Shape, Text


def _one_of(shape: BaseModel, *names: str) -> None:
    """Refuse a shape that does not have exactly one of these members."""
    if sum(getattr(shape, name) is not None for name in names) != 1:
        allowed = f"it has exactly one of {' and '.join(to_camel(name) for name in names)}"
        raise PydanticCustomError("refused", "{allowed}", {"allowed": allowed})


class PodMatch(Shape):
    """Which pods are meant: those with a label."""

    label: Text
    """Key of the label."""
    value: str | None = None
    """Its value; left out: the name of the pod set. `*` stands for any."""


class Check(Shape):
    """Something that holds for an object, or does not. It has a path or a condition."""

    path: ObjectPath | None = None
    """A member of the object."""
    condition: Text | None = None
    """Type of an entry of `status.conditions`."""
    is_: list[str | bool | int | None] | None = None
    """The values that the member may have, null: it may be absent; left out: true. Or the statuses of the condition;
    left out: "True"."""

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        _one_of(self, "path", "condition")
        return self


class TopologyHints(Shape):
    """Where it stands how close pods are to be to one another."""

    annotations: ObjectPath | None = None
    """Annotations among which are those of scheduling.md 1.3, such as `kai.scheduler/topology-required-placement`."""
    required: ObjectPath | None = None
    """The node label within one value of which all must be."""
    preferred: ObjectPath | None = None
    """The node label within one value of which all should be."""


class Segments(Shape):
    """A pod set that is cut into parts, each as close together as `kai.scheduler/segment-…` annotations say."""

    index_label: Text
    """Label of the pods that numbers them."""
    first_index: Annotated[int, Field(ge=0, le=1)] = 0
    """The number of the first."""
    annotations: ObjectPath
    """Where the annotations are."""


class PodSets(Shape):
    """Equal members of a gang: one set, or one for each entry of a list or mapping."""

    name: Text | None = None
    """Name of the one set."""
    each: ObjectPath | None = None
    """A list or mapping; the other paths begin at its entries."""
    name_from: ObjectPath | None = None
    """Where an entry says the name of its set; left out: its key, in small letters."""
    pods: PodMatch
    """Which pods belong to it."""
    minimum: Number = 1
    """The gang starts with at least so many of them. Where it is not there, neither is the set."""
    topology: TopologyHints | None = None
    """How close they are to be."""
    segments: Segments | None = None
    """Parts of it that are closer still."""

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        _one_of(self, "name", "each")
        return self


class PodGroups(Shape):
    """Pod sets that are closer to one another than to the rest: a group for each entry of a list."""

    each: ObjectPath
    """The list."""
    name_from: ObjectPath
    """Where an entry says the name of its group."""
    pod_sets: ObjectPath
    """Where an entry lists the names of its pod sets."""
    topology: TopologyHints
    """How close they are to be."""


class Startup(Shape):
    """A smaller minimum as long as certain pods are not there yet: they are made once others run."""

    when: Check
    """Whether the object starts so."""
    until: PodMatch
    """The pods that come later."""
    minimum: Number
    """The minimum until then."""


class Requested(Shape):
    """How many pods the object asks for, for its report."""

    completions: Number | None = None
    """Pods that must succeed."""
    parallelism: Number | None = None
    """Pods that may run at a time."""
    replicas: Number | None = None
    """Pods that should run."""
    min_replicas: Number | None = None
    """Pods that must run."""
    max_replicas: Number | None = None
    """Pods that it can make use of."""


# The table


class WorkloadKind(Shape):
    """How the pods of one kind of object are scheduled. Every version of the kind that is served is meant."""

    group: Annotated[str, Field(max_length=253)]
    """API group, such as `kubeflow.org`; empty for the core group."""
    kind: Text
    """Kind, such as `PyTorchJob`."""
    jobs: Literal["owner", "pod", "below"] = "owner"
    """What is scheduled together: all pods of the object (`owner`); nothing, each pod is alone (`pod`); what the next
    owner on the way down to the pod says (`below`)."""
    per: Text | None = None
    """Label of the pods: those with equal values are scheduled together, others not with them."""
    named_by: Text | None = None
    """Label of the pods that names the object, where they are not owned by it."""
    minimum: Number | None = None
    """Pods with which the gang starts, or not at all; left out: 1, or what its pod sets need together. With pod sets it
    is filled set by set, in their order."""
    pod_sets: list[PodSets] = Field(default_factory=list[PodSets])
    """Members of the gang."""
    pod_groups: PodGroups | None = None
    """Pod sets that are closer to one another."""
    separate: Check | None = None
    """Whether each pod set is scheduled by itself."""
    first: PodMatch | None = None
    """Pods that go before the others of their set."""
    startup: Startup | None = None
    """A smaller minimum in the beginning."""
    priority_class: Text = "train"
    """Priority class of objects that name none."""
    priority_class_from: list[ObjectPath] = Field(default_factory=list[ObjectPath])
    """Where else the object may name one; the first that is there counts."""
    preemptibility: Literal["preemptible", "semi-preemptible", "non-preemptible"] | None = None
    """Whether it may be stopped for others; left out: below priority 100."""
    topology: TopologyHints = TopologyHints(annotations=("metadata", "annotations"))
    """How close all pods are to be to one another."""
    requested: Requested = Requested()
    """How many pods it asks for."""
    completed: list[Check] = Field(default_factory=list[Check])
    """It has ended well if one of these holds."""
    failed: list[Check] = Field(default_factory=list[Check])
    """It has ended badly if one of these holds."""
    stopped: list[Check] = Field(default_factory=list[Check])
    """It is suspended if one of these holds."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.jobs != "owner":
            for name in ("minimum", "pod_groups", "separate", "startup", "named_by"):
                if getattr(self, name) is not None:
                    self._refuse(name, "only with jobs: owner")
        if not self.pod_sets:
            for name in ("separate", "pod_groups"):
                if getattr(self, name) is not None:
                    self._refuse(name, "only with podSets")
        return self

    def _refuse(self, name: str, allowed: str) -> None:
        raise PydanticCustomError("refused", "{allowed}", {"allowed": f"{to_camel(name)} is allowed {allowed}"})


class NamedTopology(Shape):
    """A topology that annotations can name."""

    name: Text
    """Its name."""
    levels: Annotated[list[Text], Field(min_length=1, max_length=16)]
    """Keys of node labels, from coarse to fine."""


class WorkloadKinds(Shape):
    """A table, or an addition to one."""

    kinds: list[WorkloadKind] = Field(default_factory=list[WorkloadKind])
    """Kinds; one that is there already keeps the members that are left out here."""
    topologies: list[NamedTopology] = Field(default_factory=list[NamedTopology])
    """Topologies, by name."""
