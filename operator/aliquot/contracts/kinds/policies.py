"""The policies: defaults and rules for the workloads of a project, or of all projects (cluster-api.md 4).

A policy in a project's namespace replaces the one of the same kind in the namespace runai. It has the same parameters
as the workloads it governs: `value` is a default, `rules` say what users may give.
"""

from typing import TypeAlias

from aliquot.contracts.kinds.conditions import Conditions
from aliquot.contracts.kinds.parameters import (
    DistributedParameters,
    InferenceParameters,
    InteractiveParameters,
    TrainingParameters,
)
from aliquot.contracts.kinds.shapes import Resource, Shape


class PolicyStatus(Shape):
    """Whether the policy is in force."""

    conditions: Conditions = ()
    """Aspects of how the policy is doing, one entry for each type."""


class TrainingPolicy(Resource):
    """Defaults and rules for training workloads."""

    spec: TrainingParameters
    """For each parameter its default and what users may give."""
    status: PolicyStatus = PolicyStatus()
    """Whether the policy is in force."""


class InteractivePolicy(Resource):
    """Defaults and rules for interactive workloads."""

    spec: InteractiveParameters
    """For each parameter its default and what users may give."""
    status: PolicyStatus = PolicyStatus()
    """Whether the policy is in force."""


class InferencePolicy(Resource):
    """Defaults and rules for inference workloads."""

    spec: InferenceParameters
    """For each parameter its default and what users may give."""
    status: PolicyStatus = PolicyStatus()
    """Whether the policy is in force."""


class DistributedPolicy(Resource):
    """Defaults and rules for distributed workloads."""

    spec: DistributedParameters
    """For each parameter its default and what users may give."""
    status: PolicyStatus = PolicyStatus()
    """Whether the policy is in force."""


Policy: TypeAlias = TrainingPolicy | InteractivePolicy | DistributedPolicy | InferencePolicy
"""A policy of any kind."""
