"""Projects of the older surface (control-plane-api.md 1.4.3)."""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.amounts import AmountsShown
from aliquot.contracts.administrator_api.older.amounts import Number, OlderQuotas, OlderQuotasShown
from aliquot.contracts.administrator_api.projects import PoolNames, ProjectPhase, Seconds
from aliquot.contracts.administrator_api.shapes import Amount, AmountShown, Answer, Body, Name, Text, Time, TolerantBody

Affinity = Literal["no_limit", "only_selected"]


class OlderNodeType(TolerantBody):
    """A node type, by its id or its name."""

    id: Number | None = None
    """Its id."""
    name: Text | None = None
    """Its name."""


class OlderAffinity(TolerantBody):
    """Nodes that workloads keep to."""

    affinity_type: Affinity = "no_limit"
    """`only_selected`: nodes of the types below; `no_limit`: all."""
    selected_types: Annotated[list[OlderNodeType], Field(max_length=200)] | None = None
    """The types."""


class OlderNodeAffinity(TolerantBody):
    """Nodes that workloads of the project keep to."""

    train: OlderAffinity | None = None
    """Training; left out: all."""
    interactive: OlderAffinity | None = None
    """Interactive work; left out: all."""


class OlderPermissions(TolerantBody):
    """Who may submit workloads in a project."""

    users: Annotated[list[Text], Field(max_length=500)] | None = None
    """By id or e-mail address."""
    groups: Annotated[list[Text], Field(max_length=500)] | None = None
    """By name."""
    applications: Annotated[list[Text], Field(max_length=500)] | None = None
    """By id or name."""


class OlderProjectParts(OlderQuotas):
    """What a project has beside its name."""

    department_id: Number | None = None
    """Its department, which cannot be changed; left out: the cluster's default department."""
    gpu_over_quota_weight: Amount | None = None
    """Part of the GPUs that are idle, against the weights of the others."""
    default_node_pools: PoolNames | None = None
    """Names of the node pools for workloads that name none, best first."""
    interactive_job_time_limit_secs: Seconds | None = None
    """Interactive workloads end after so long."""
    interactive_job_max_idle_duration_secs: Seconds | None = None
    """Interactive workloads that cannot be preempted end after having been idle for so long."""
    interactive_preemptible_job_max_idle_duration_secs: Seconds | None = None
    """Interactive workloads that can be preempted end after having been idle for so long."""
    training_job_max_idle_duration_secs: Seconds | None = None
    """Training ends after having been idle for so long."""
    training_job_time_limit_secs: Seconds | None = None
    """Training ends after so long."""
    node_affinity: OlderNodeAffinity | None = None
    """Nodes that its workloads keep to."""
    permissions: OlderPermissions | None = None
    """Who may submit workloads in it; left out: that stays."""


class OlderProjectUpdate(OlderProjectParts):
    """What of a project can be changed; all but amounts and permissions is nothing when it is left out."""

    name: Text | None = None
    """How it is called; it cannot be changed."""


class OlderProjectCreation(OlderProjectParts):
    """A project to be."""

    name: Name
    """How it is called; unique in the cluster."""
    namespace: Name | None = None
    """An existing namespace for it; left out: one is made."""


class OlderProjectQuery(Body):
    """How much is told of a project, or done for it."""

    exclude_permissions: bool = False
    """Whether who may submit workloads in it is left out, or not looked at."""


class OlderProjectsQuery(OlderProjectQuery):
    """How projects are listed."""

    memory_unit_mb: bool = False
    """Whether memory is in MB, not MiB."""


class OlderNodeTypeShown(Answer):
    """A node type."""

    id: int | None
    """Its id; null: nobody made one of this name."""
    name: str
    """Its name: the value of the label `run.ai/type`."""


class OlderAffinityShown(Answer):
    """Nodes that workloads keep to."""

    affinity_type: Affinity
    """`only_selected`: nodes of the types below; `no_limit`: all."""
    selected_types: list[OlderNodeTypeShown]
    """The types."""


class OlderNodeAffinityShown(Answer):
    """Nodes that workloads of the project keep to."""

    train: OlderAffinityShown
    """Training."""
    interactive: OlderAffinityShown
    """Interactive work."""


class OlderPermissionsShown(Answer):
    """Who may submit workloads in a project, as far as the caller may see access rules."""

    users: list[str]
    """By id; by e-mail address if they are not known here."""
    groups: list[str]
    """By name."""
    applications: list[str]
    """By id."""


class OlderQuotaStatus(Answer):
    """What a project has and wants in a node pool."""

    node_pool_name: str
    """The pool."""
    allocated: AmountsShown
    """What it has."""
    allocated_non_preemptible: AmountsShown
    """What of that cannot be taken back."""
    requested: AmountsShown
    """What it has, and what it waits for."""


class OlderProjectStatus(Answer):
    """How the project is doing."""

    namespace: str | None
    """Its namespace, as the cluster says; null: the cluster has not said anything."""
    message: str
    """As a sentence."""
    quota_statuses: list[OlderQuotaStatus]
    """What it has and wants, one entry for each node pool that the cluster tells of."""


class OlderProject(OlderQuotasShown):
    """A project."""

    id: int
    """Its id."""
    name: str
    """How it is called."""
    tenant_id: int
    """Whose it is."""
    cluster_uuid: str
    """Cluster that it belongs to."""
    department_id: int
    """Its department."""
    department_name: str
    """How that is called."""
    namespace: str | None
    """The namespace that was asked for."""
    gpu_over_quota_weight: AmountShown
    """Part of the GPUs that are idle, against the weights of the others, in the default pool."""
    default_node_pools: list[str]
    """Names of the node pools for workloads that name none, best first."""
    interactive_job_time_limit_secs: int | None
    """Interactive workloads end after so long."""
    interactive_job_max_idle_duration_secs: int | None
    """Interactive workloads that cannot be preempted end after having been idle for so long."""
    interactive_preemptible_job_max_idle_duration_secs: int | None
    """Interactive workloads that can be preempted end after having been idle for so long."""
    training_job_max_idle_duration_secs: int | None
    """Training ends after having been idle for so long."""
    training_job_time_limit_secs: int | None
    """Training ends after so long."""
    node_affinity: OlderNodeAffinityShown
    """Nodes that its workloads keep to."""
    interactive_node_affinity: str
    """Node types of interactive work, with commas between; empty: all."""
    train_node_affinity: str
    """Node types of training, with commas between; empty: all."""
    permissions: OlderPermissionsShown | None = None
    """Who may submit workloads in it; null where that was not wanted."""
    created_at: Time
    """When it was created."""
    phase: ProjectPhase
    """How it is doing, in one word."""
    status: OlderProjectStatus
    """How it is doing."""
