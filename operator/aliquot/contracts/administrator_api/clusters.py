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


class ClusterStatus(Answer):
    """How the cluster is doing."""

    state: Literal["WaitingToConnect", "Connected", "Disconnected", "MissingPrerequisites", "ServiceIssues", "Unknown"]
    """In one word."""


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
