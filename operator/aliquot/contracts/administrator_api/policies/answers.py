"""Policies as they are shown (control-plane-api.md 1.3, 5.5)."""

from typing import Any

from aliquot.contracts.administrator_api.policies import PolicyScope, PolicyType, SyncPhase
from aliquot.contracts.administrator_api.shapes import Answer, Time


class PolicyMeta(Answer):
    """What a policy is called, where it counts, and whose it is."""

    id: str
    """Its id."""
    name: str
    """What it is called."""
    scope: PolicyScope
    """What it counts in."""
    tenant_id: int
    """Whose it is."""
    cluster_id: str | None
    """Cluster that it counts in; null: in all."""
    department_id: str | None
    """Department that it counts in; null: in all."""
    project_id: int | None
    """Project that it counts in; null: in all."""
    created_by: str
    """Who made it."""
    created_at: Time
    """When."""
    updated_by: str
    """Who changed it last."""
    updated_at: Time
    """When."""


class ClusterSync(Answer):
    """How a policy is doing in a cluster."""

    cluster_id: str
    """The cluster."""
    status: SyncPhase
    """How it is doing there."""
    error_message: str | None
    """Why it is not in force."""


class PolicySync(Answer):
    """How a policy is doing in its clusters."""

    clusters: list[ClusterSync]
    """In each of them."""


class PolicyShown(Answer):
    """What counts in a scope for workloads of a type."""

    meta: PolicyMeta | None
    """Of the policy of the scope itself; null: it has none."""
    policy: dict[str, Any] | None
    """What that says."""
    effective: dict[str, Any]
    """What counts in the scope: that, and what the scopes above say."""
    effective_updated_at: Time | None
    """When one of those was changed last."""
    status: PolicySync | None
    """How the policy of the scope itself is doing."""


class PolicyEntry(Answer):
    """A policy in a list."""

    type: PolicyType
    """Workloads that it counts for."""
    meta: PolicyMeta
    """Where it counts."""
    status: PolicySync
    """How it is doing."""


class Policies(Answer):
    """Policies."""

    policies: list[PolicyEntry]
    """They."""
