"""Whether a policy can be taken: by the rules of clusters, so that none refuses what was taken here. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from aliquot.contracts.administrator_api.policies import (
    DistributedPolicy,
    InferencePolicy,
    Policy,
    PolicyType,
    TrainingPolicy,
    WorkspacePolicy,
)
from aliquot.contracts.kinds import policies as kinds
from aliquot.controlplane.policies.rendering import KINDS, rendered
from aliquot.controlplane.policies.schema_check import refused
from aliquot.controlplane.policies.words import of_policy
from aliquot.core.submission import policy_problems_of
from aliquot.errors import UserError

MODELS: Final[Mapping[PolicyType, type[Policy]]] = {
    "workspace": WorkspacePolicy,
    "training": TrainingPolicy,
    "distributed": DistributedPolicy,
    "inference": InferencePolicy,
}
CLUSTER_MODELS: Final[Mapping[str, type[kinds.Policy]]] = {
    model.__name__: model
    for model in (kinds.InteractivePolicy, kinds.TrainingPolicy, kinds.DistributedPolicy, kinds.InferencePolicy)
}


def kind_of(workloads: PolicyType) -> str:
    """The kind of the policies of clusters for workloads of a type."""
    return KINDS[MODELS[workloads]]


def spec_of(workloads: PolicyType, document: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of the custom resource of what counts in a scope.

    Raises:
        UserError: no custom resource can say it.
    """
    return rendered(MODELS[workloads].model_validate(document))


def as_policy(kind: str, spec: Mapping[str, Any]) -> kinds.Policy:
    """A policy of a cluster as it reads it."""
    return CLUSTER_MODELS[kind].model_validate({"metadata": {"name": "policy"}, "spec": spec})


def check(workloads: PolicyType, document: Mapping[str, Any]) -> None:
    """See that clusters take what counts in a scope.

    Raises:
        UserError: they do not; the first that is wrong.
    """
    kind, spec = kind_of(workloads), spec_of(workloads, document)
    found = refused(CLUSTER_MODELS[kind], spec) or list(policy_problems_of(as_policy(kind, spec)))
    for problem in found:
        raise UserError(of_policy(kind, problem.field), problem.value, problem.allowed)
