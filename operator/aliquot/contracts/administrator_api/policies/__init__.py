"""Policies (control-plane-api.md 1.3, 1.4.11, 5.5): what requests of `/api/v2/policy` say.

`defaults` and `several` are what policies give, `rules` and `rule_trees` what users may give, `answers` what is shown.
Members of the documented policies that no policy of a cluster can say are there as `NotCarriedOut`: refused by name,
unless they say nothing.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.policies.defaults import (
    DistributedDefaults,
    InferenceDefaults,
    TrainingDefaults,
    WorkspaceDefaults,
)
from aliquot.contracts.administrator_api.policies.rule_trees import (
    DistributedRules,
    InferenceRules,
    TrainingRules,
    WorkspaceRules,
)
from aliquot.contracts.administrator_api.shapes import INT32_MAX, Body, Id, Text, TolerantBody
from aliquot.contracts.administrator_api.submissions.parts import NotCarriedOut

PolicyType = Literal["workspace", "training", "distributed", "inference"]
PolicyScope = Literal["tenant", "cluster", "department", "project"]
SyncPhase = Literal["Not ready", "Applying", "Failed", "Ready"]
"""As documented, but for those of deletions: what is deleted is not shown any more."""

MOST_RESETS: Final = 500
_Number = Annotated[int, Field(ge=1, le=INT32_MAX)]


class WorkspacePolicy(Body):
    """What counts for workspaces."""

    defaults: WorkspaceDefaults | None = None
    """What workspaces get that say nothing themselves."""
    rules: WorkspaceRules | None = None
    """What they may say."""
    imposed_assets: NotCarriedOut = None


class TrainingPolicy(Body):
    """What counts for trainings."""

    defaults: TrainingDefaults | None = None
    """What trainings get that say nothing themselves."""
    rules: TrainingRules | None = None
    """What they may say."""
    imposed_assets: NotCarriedOut = None


class DistributedPolicy(Body):
    """What counts for distributed trainings."""

    defaults: DistributedDefaults | None = None
    """What distributed trainings get that say nothing themselves."""
    rules: DistributedRules | None = None
    """What they may say."""
    imposed_assets: NotCarriedOut = None


class InferencePolicy(Body):
    """What counts for inference workloads."""

    defaults: InferenceDefaults | None = None
    """What inference workloads get that say nothing themselves."""
    rules: InferenceRules | None = None
    """What they may say."""
    imposed_assets: NotCarriedOut = None


Policy = WorkspacePolicy | TrainingPolicy | DistributedPolicy | InferencePolicy


class PolicyPlace(TolerantBody):
    """What a policy is called, and where it counts; whose ids have to be given follows from the scope."""

    name: Annotated[Text, Field(min_length=1, max_length=255)]
    """What it is called."""
    scope: PolicyScope
    """What it counts in."""
    cluster_id: Id | None = None
    """Cluster that it counts in."""
    department_id: Id | None = None
    """Department that it counts in."""
    project_id: Id | _Number | None = None
    """Project that it counts in."""


class _Overwriting(Body):
    meta: PolicyPlace
    """Where it counts."""


class _Changing(_Overwriting):
    reset: Annotated[list[Text], Field(max_length=MOST_RESETS)] | None = None
    """Fields whose default and rules are taken away first, such as `compute.gpuDevicesRequest`."""


class WorkspacePolicyOverwriting(_Overwriting):
    """A policy for workspaces to be."""

    policy: WorkspacePolicy | None = None
    """What it says."""


class TrainingPolicyOverwriting(_Overwriting):
    """A policy for trainings to be."""

    policy: TrainingPolicy | None = None
    """What it says."""


class DistributedPolicyOverwriting(_Overwriting):
    """A policy for distributed trainings to be."""

    policy: DistributedPolicy | None = None
    """What it says."""


class InferencePolicyOverwriting(_Overwriting):
    """A policy for inference workloads to be."""

    policy: InferencePolicy | None = None
    """What it says."""


class WorkspacePolicyChanging(_Changing):
    """Changes of a policy for workspaces; null takes away."""

    policy: WorkspacePolicy | None = None
    """What it says otherwise."""


class TrainingPolicyChanging(_Changing):
    """Changes of a policy for trainings; null takes away."""

    policy: TrainingPolicy | None = None
    """What it says otherwise."""


class DistributedPolicyChanging(_Changing):
    """Changes of a policy for distributed trainings; null takes away."""

    policy: DistributedPolicy | None = None
    """What it says otherwise."""


class InferencePolicyChanging(_Changing):
    """Changes of a policy for inference workloads; null takes away."""

    policy: InferencePolicy | None = None
    """What it says otherwise."""


class PlaceQuery(Body):
    """Which policy."""

    scope: PolicyScope
    """What it counts in."""
    cluster_id: Id | None = None
    """The cluster, of that scope."""
    department_id: Id | None = None
    """The department, of that scope."""
    project_id: Id | None = None
    """The project, of that scope."""


class PolicyQuery(Body):
    """Which policies."""

    workload_type: PolicyType | None = None
    """Only those for workloads of this type."""
    scope: PolicyScope | None = None
    """Only those of this scope."""
    cluster_id: Id | None = None
    """Only those of this cluster, and of what is in it."""
    department_id: Id | None = None
    """Only those of this department, and of its projects."""
    project_id: Id | None = None
    """Only those of this project."""
