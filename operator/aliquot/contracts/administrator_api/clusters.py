"""Clusters (control-plane-api.md 1.4.1)."""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import Answer, Body, DisplayName, Text, Time


class ClusterCreation(Body):
    """A cluster to be."""

    name: DisplayName
    """How it is called; unique in the tenant."""
    domain: Text | None = None
    """Address at which people reach it."""
    version: Text | None = None
    """Version that is going to be installed."""


class ClusterUpdate(Body):
    """Another name for a cluster."""

    name: DisplayName
    """How it is called from now on; unique in the tenant."""


class ClusterQuery(Body):
    """How much is told of clusters."""

    verbosity: Literal["metadata", "full"] = "full"
    """`metadata`: without the status."""


class InstallQuery(Body):
    """What is going to be installed."""

    version: Text
    """Version of the control plane that it is for."""
    remote_cluster_url: Text | None = None
    """Address at which people reach the cluster."""


class ClusterCondition(Answer):
    """A condition, as Kubernetes has them."""

    type: str
    """What it is about."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: str
    """Why, in one word."""
    message: str
    """Why, as a sentence."""
    last_transition_time: str | None
    """Since when."""


class Operand(Answer):
    """A part of the platform in the cluster."""

    ready: bool
    """Whether it works."""
    reasons: list[str]
    """Why it does not."""


class Platform(Answer):
    """What the cluster is."""

    type: str | None
    """`vanilla`, `openshift`, `rke`, `gke`, `aks` or `eks`; null: not known."""
    kube_version: str
    """Version of Kubernetes."""


class Dependency(Answer):
    """Something of others that the platform needs or can use."""

    available: bool
    """Whether it is there."""
    reason: str
    """Why it is not."""


class Dependencies(Answer):
    """Everything of others that the platform needs or can use."""

    required: dict[str, Dependency]
    """What it needs."""
    optional: dict[str, Dependency]
    """What it can use."""


ClusterPhase = Literal[
    "WaitingToConnect", "Connected", "Disconnected", "MissingPrerequisites", "ServiceIssues", "Unknown"
]


class ClusterStatus(Answer):
    """How the cluster is doing; all but the state is what it said itself last."""

    state: ClusterPhase
    """In one word."""
    conditions: list[ClusterCondition]
    """As the cluster says."""
    operands: dict[str, Operand]
    """Parts of the platform, by name."""
    platform: Platform | None = None
    """Null: the cluster has not said anything."""
    dependencies: Dependencies | None = None
    """Null: the cluster has not said anything."""


class Cluster(Answer):
    """A cluster."""

    uuid: str
    """Its id."""
    tenant_id: int
    """Whose it is."""
    name: str
    """How it is called."""
    domain: str | None = None
    """Address at which people reach it."""
    version: str | None = None
    """Version that is installed."""
    created_at: Time
    """When it was created here."""
    updated_at: Time | None = None
    """When it was changed last."""
    deleted_at: Time | None = None
    """Null: clusters that are deleted are not shown."""
    last_liveness: Time | None = None
    """When it was heard of last; null: never."""
    status: ClusterStatus | None = None
    """How it is doing; null where metadata was asked for."""


class InstallInfo(Answer):
    """How to install Aliquot on the cluster."""

    installation_str: str
    """Command to run."""
    repository_name: str
    """What the command calls the chart's repository; empty: it needs none."""
    chart_repo_url: Annotated[str, Field(alias="chartRepoURL")]
    """Where that is; empty: it needs none."""
    client_secret: str
    """What this cluster proves with who it is. Nobody else should have it."""
