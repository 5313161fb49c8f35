"""Projects (control-plane-api.md 1.4.3)."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from aliquot.contracts.administrator_api.amounts import PoolQuotaStatus, QuotaStatus, ResourcesShown
from aliquot.contracts.administrator_api.departments import PoolResources
from aliquot.contracts.administrator_api.listing import Page
from aliquot.contracts.administrator_api.shapes import INT32_MAX, Answer, Id, Name, Time, TolerantBody

Seconds = Annotated[int, Strict(), Field(ge=1, le=INT32_MAX)]
PoolNames = Annotated[list[Name], Field(max_length=200)]
TypeIds = Annotated[list[Id], Field(max_length=200)]


class SchedulingRules(TolerantBody):
    """How long workloads of the project may run, or be idle. Null: as long as they want."""

    interactive_job_time_limit_seconds: Seconds | None = None
    """Interactive workloads end after so long."""
    interactive_job_max_idle_duration_seconds: Seconds | None = None
    """Interactive workloads that cannot be preempted end after having been idle for so long."""
    interactive_job_preempt_idle_duration_seconds: Seconds | None = None
    """Interactive workloads that can be preempted end after having been idle for so long."""
    training_job_max_idle_duration_seconds: Seconds | None = None
    """Training ends after having been idle for so long."""
    training_job_time_limit_seconds: Seconds | None = None
    """Training ends after so long."""


class NodeTypes(TolerantBody):
    """Node types that workloads of the project keep to; none: all."""

    training: TypeIds | None = None
    """For training, by id."""
    workspace: TypeIds | None = None
    """For interactive work, by id."""


class ProjectUpdate(TolerantBody):
    """What of a project can be changed."""

    resources: PoolResources
    """What it may have; pools that are left out stay as they are."""
    scheduling_rules: SchedulingRules | None = None
    """Time limits."""
    default_node_pools: PoolNames | None = None
    """Names of the node pools for workloads that name none, best first."""
    node_types: NodeTypes | None = None
    """Node types."""


class ProjectCreation(ProjectUpdate):
    """A project to be."""

    name: Name
    """How it is called; unique in the cluster."""
    cluster_id: Id
    """Cluster that it belongs to."""
    requested_namespace: Name | None = None
    """An existing namespace for it; left out: one is made."""
    parent_id: Id | None = None
    """Id of its department; left out: the cluster's default department."""


class ProjectQuery(Page):
    """Which projects, in which order."""

    sort_by: Literal["name", "clusterId", "departmentId", "createdAt"] | None = None
    """What they are sorted by; left out: by age."""


class Parent(Answer):
    """A department, as the parent of a project."""

    id: str
    """Its id."""
    name: str
    """How it is called."""
    parent: None = None
    """There is nothing above departments."""


class SchedulingRulesShown(Answer):
    """Time limits of the project, in seconds."""

    interactive_job_time_limit_seconds: int | None = None
    """Interactive workloads end after so long."""
    interactive_job_max_idle_duration_seconds: int | None = None
    """Interactive workloads that cannot be preempted end after having been idle for so long."""
    interactive_job_preempt_idle_duration_seconds: int | None = None
    """Interactive workloads that can be preempted end after having been idle for so long."""
    training_job_max_idle_duration_seconds: int | None = None
    """Training ends after having been idle for so long."""
    training_job_time_limit_seconds: int | None = None
    """Training ends after so long."""


class NodeTypesShown(Answer):
    """Node types of the project."""

    training: list[str]
    """For training, by id."""
    workspace: list[str]
    """For interactive work, by id."""


ProjectPhase = Literal["Creating", "Updating", "Ready", "NotReady", "Unknown"]


class ProjectStatus(Answer):
    """How the project is doing."""

    namespace: str | None = None
    """Its namespace, as the cluster says; null: the cluster has not said anything."""
    phase: ProjectPhase
    """In one word."""
    phase_message: str | None = None
    """As a sentence."""
    quota_status: QuotaStatus
    """What it has and wants, over all node pools."""
    node_pool_quota_statuses: list[PoolQuotaStatus]
    """What it has and wants, one entry for each node pool that the cluster tells of."""
    additional_status_data: None = None
    """Nothing."""


class Project(Answer):
    """A project."""

    id: str
    """Its id."""
    name: str
    """How it is called."""
    cluster_id: str
    """Cluster that it belongs to."""
    parent_id: str
    """Id of its department."""
    parent: Parent
    """Its department."""
    requested_namespace: str | None
    """The namespace that was asked for."""
    resources: list[ResourcesShown]
    """What it may have, one entry for each node pool."""
    scheduling_rules: SchedulingRulesShown | None
    """Time limits."""
    default_node_pools: list[str]
    """Names of the node pools for workloads that name none, best first."""
    node_types: NodeTypesShown
    """Node types that its workloads keep to; none: all."""
    status: ProjectStatus
    """How it is doing."""
    created_at: Time
    """When it was created."""
    updated_at: Time
    """When it was changed last."""
    created_by: str
    """Who created it."""
    updated_by: str
    """Who changed it last."""


class Projects(Answer):
    """A page of projects."""

    projects: list[Project]
    """They."""
    next: int | None = None
    """Offset of the next page; left out on the last one."""
