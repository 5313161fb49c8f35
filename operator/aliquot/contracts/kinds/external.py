"""ExternalWorkload: how a workload of another kind is reported to the control plane (crd-contract.md)."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from aliquot.contracts.kinds.shapes import OR_NULL, Amounts, Resource, Shape, list_of, text, whole
from aliquot.contracts.kinds.status import SyncStatus
from aliquot.contracts.kinds.texts import Address, ImageName, Message, Name

Count = Annotated[int, whole(0)]


class RequestedPods(Shape):
    """How many pods the workload asks for."""

    completions: Count | None = None
    """Pods that must succeed."""
    parallelism: Count | None = None
    """Pods that may run at a time."""
    replicas: Count | None = None
    """Pods that should run."""
    min_replicas: Count | None = None
    """Pods that must run."""
    max_replicas: Count | None = None
    """Pods that the workload can make use of."""


class RequestedResources(Shape):
    """What the pods of the workload ask for together."""

    requests: Amounts = Field(default_factory=dict)
    """What they are guaranteed, by resource."""
    limits: Amounts = Field(default_factory=dict)
    """What they may use at most, by resource."""


class ExternalWorkloadSpec(Shape):
    """What the reported workload is."""

    type: Name | None = None
    """Kind of the workload."""
    original_workload_name: Name | None = None
    """Name of the workload."""
    original_workload_uid: Name | None = None
    """Identity of the workload."""
    creation_timestamp: datetime | None = None
    """When the workload was made."""
    project_id: Name | None = None
    """Identity of its project."""
    project_name: Name | None = None
    """Name of its project."""
    department_id: Name | None = None
    """Identity of the project's department."""
    department_name: Name | None = None
    """Name of the project's department."""
    priority_class_name: Name | None = None
    """Priority class of its pods."""
    image_name: ImageName | None = None
    """Image of its first container."""
    requested_node_pools: Annotated[tuple[Name, ...], list_of(200)] = ()
    """Node pools that it may run in, most wanted first."""
    requested_pods: RequestedPods | None = None
    """How many pods it asks for."""
    requested_resources: RequestedResources | None = None
    """What its pods ask for."""
    urls: Annotated[tuple[Address, ...], list_of(256)] = ()
    """Addresses that lead to it."""
    additional_fields: Annotated[str, text(262144)] | None = None
    """Further facts, as JSON."""


class ChildId(Shape):
    """An object that belongs to the workload."""

    type: Name
    """Kind of the object."""
    uid: Name
    """Identity of the object."""


class ExternalCondition(Shape):
    """One aspect of how the workload is doing."""

    type: Annotated[str, text(316)]
    """What the condition is about; one entry for each."""
    status: Annotated[str, text(16)]
    """Whether it holds: True, False or Unknown."""
    reason: Annotated[str, text(1024)] | None = None
    """Why, as one word for programs."""
    message: Message | None = None
    """Why, as a sentence for people."""
    last_transition_time: Annotated[datetime, OR_NULL] | None = None
    """When `status` last changed."""


class ObservedStatus(Shape):
    """How the workload was last seen."""

    phase: Annotated[str, text(64)] | None = None
    """Where the workload is in its life."""
    message: Message | None = None
    """Why, as a sentence."""
    k8s_status: Annotated[str, text(1024)] | None = None
    """What Kubernetes says of it, in one word."""
    last_status_change_time: datetime | None = None
    """When it last changed."""
    child_ids: Annotated[tuple[ChildId, ...], list_of(10_000)] = ()
    """Objects that belong to it."""
    conditions: Annotated[tuple[ExternalCondition, ...], list_of(64, keys=["type"])] = ()
    """Aspects of how it is doing, one entry for each type."""


class ExternalWorkloadStatus(Shape):
    """How the reported workload is doing, and what the control plane was told of it."""

    observed_status: ObservedStatus | None = None
    """How the workload was last seen."""
    sync_status: SyncStatus | None = None
    """What the control plane was told of the workload."""


class ExternalWorkload(Resource):
    """A workload of another kind that runs under a project's quota, as it is shown beside the project's own."""

    spec: ExternalWorkloadSpec
    """What the workload is."""
    status: ExternalWorkloadStatus = ExternalWorkloadStatus()
    """How the workload is doing."""
