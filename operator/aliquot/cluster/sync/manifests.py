"""What a control plane desires, as custom resources; and what is to be written so that a cluster has it. Pure.

The control plane owns the members of a spec that it has a word for, whether it says something or nothing there. The
others (`preemptMinRuntimeSecs`, `permissions`, …) stay as people set them in the cluster.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from aliquot import names
from aliquot.contracts.cluster_sync import (
    Desired,
    DesiredAccessRule,
    DesiredAmounts,
    DesiredDepartment,
    DesiredNodePool,
    DesiredPolicy,
    DesiredProject,
    DesiredQueue,
)
from aliquot.contracts.kinds.catalogue import of_kind
from aliquot.contracts.kinds.policies import (
    DistributedPolicy,
    InferencePolicy,
    InteractivePolicy,
    Policy,
    TrainingPolicy,
)
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project

Held = NodePool | Department | Project | AccessRule | Policy
"""A custom resource of a kind that control planes manage."""
POLICIES: Final[tuple[type[Policy], ...]] = (TrainingPolicy, InteractivePolicy, DistributedPolicy, InferencePolicy)
MODELS: Final[tuple[type[Held], ...]] = (NodePool, Department, Project, AccessRule, *POLICIES)
"""In the order in which they are made: who is named comes before who names. They go the other way round."""
RULE_PREFIX: Final = "rule-"
"""Begins the name of an access rule's custom resource; the id in the control plane follows."""
POLICY_NAME: Final = "control-plane"
"""Of the custom resource of a policy: there is one of a kind in a namespace."""


class Place(NamedTuple):
    """Which object; the namespace of what is in none is empty."""

    model: type[Held]
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        """For people."""
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.model.__name__} {where}"


def place_of(held: Held) -> Place:
    """Which object it is."""
    return Place(type(held), held.metadata.name, held.metadata.namespace)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object as it is to be.

    Attributes:
        place: which one.
        spec: those members of its spec that are the control plane's, as JSON; None: not to be there.
    """

    place: Place
    spec: Mapping[str, Any]


def wanted(desired: Desired, shared_namespace: str) -> Iterator[Wanted]:
    """All objects that are to be, in the order in which they are made.

    Args:
        desired: what the control plane says.
        shared_namespace: where policies for all projects are.
    """
    yield from map(_node_pool, desired.node_pools)
    yield from map(_department, desired.departments)
    yield from map(_project, desired.projects)
    yield from map(_access_rule, desired.access_rules)
    for policy in desired.policies:
        yield _policy(policy, shared_namespace)


def manifest(want: Wanted, cluster: str, api_version: str) -> dict[str, Any]:
    """The object that makes what is missing."""
    return {
        "apiVersion": api_version,
        "kind": want.place.model.__name__,
        "metadata": {
            "name": want.place.name,
            **({"namespace": want.place.namespace} if want.place.namespace else {}),
            "labels": {names.CONTROL_PLANE_LABEL: cluster},
        },
        "spec": {member: value for member, value in want.spec.items() if value is not None},
    }


def difference(want: Wanted, held: Held, cluster: str) -> dict[str, Any] | None:
    """The JSON merge patch (RFC 7386) that makes of an object what it is to be; None: it is.

    Args:
        want: how it is to be.
        held: how it is.
        cluster: uuid of the cluster.
    """
    before: dict[str, Any] = held.spec.model_dump(mode="json", exclude_unset=True)
    spec = {
        member: _queues_with_their_own(value, before.get(member, ())) if member == "queues" else value
        for member, value in want.spec.items()
    }
    kept = {member: value for member, value in {**before, **spec}.items() if value is not None}
    patch: dict[str, Any] = {}
    if type(held.spec).model_validate(kept) != held.spec:
        patch["spec"] = _replacing(before, spec) if isinstance(held, Policy) else spec
    if not is_managed(held, cluster):
        patch["metadata"] = {"labels": {names.CONTROL_PLANE_LABEL: cluster}}
    return patch or None


def is_managed(held: Held, cluster: str) -> bool:
    """Whether an object is the control plane's."""
    return held.metadata.labels.get(names.CONTROL_PLANE_LABEL) == cluster


def is_going(held: Held) -> bool:
    """Whether somebody has deleted an object that has not gone yet."""
    return held.metadata.deletion_timestamp is not None


def no_longer_wanted(held: Iterable[Held], wants: Mapping[Place, Wanted], cluster: str) -> list[Held]:
    """The objects that are the control plane's and that it does not want any more, by name."""
    left = (each for each in held if is_managed(each, cluster) and place_of(each) not in wants)
    return sorted((each for each in left if not is_going(each)), key=lambda each: place_of(each)[1:])


def _queues_with_their_own(
    queues: Sequence[Mapping[str, Any]], before: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The queues, with those members of the ones that are there that a control plane has no word for."""
    said = {queue["nodepool"]: queue for queue in before}
    return [{**said.get(queue["nodepool"], {}), **queue} for queue in queues]


def _replacing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch that leaves nothing of what was there and is not to be any more."""
    gone = dict.fromkeys(before.keys() - after.keys())
    there: dict[str, Any] = {}
    for name, value in after.items():
        if isinstance(value, dict) and isinstance(before.get(name), dict):
            there[name] = _replacing(before[name], cast("dict[str, Any]", value))
        else:
            there[name] = value
    return {**gone, **there}


def _node_pool(pool: DesiredNodePool) -> Wanted:
    return Wanted(
        Place(NodePool, pool.name),
        {
            "labelKey": pool.label_key or None,
            "labelValue": pool.label_value or None,
            "overProvisioningRatio": pool.over_provisioning_ratio,
            "placementStrategy": {"cpu": pool.cpu_placement, "gpu": pool.gpu_placement},
        },
    )


def _department(department: DesiredDepartment) -> Wanted:
    return Wanted(Place(Department, department.name), {"queues": _queues(department.name, department.queues)})


def _project(project: DesiredProject) -> Wanted:
    return Wanted(
        Place(Project, project.name),
        {
            "department": project.department,
            "namespace": project.namespace,
            "queues": _queues(project.name, project.queues),
            "defaultNodePools": list(project.default_node_pools) or None,
            "nodeAffinityTrain": list(project.training_types) or None,
            "nodeAffinityInteractive": list(project.interactive_types) or None,
            "interactiveJobTimeLimitSecs": project.interactive_time_limit_seconds,
            "interactiveJobMaxIdleDurationSecs": project.interactive_idle_seconds,
            "interactivePreemptibleJobMaxIdleDurationSecs": project.preemptible_interactive_idle_seconds,
            "trainingJobTimeLimitSecs": project.training_time_limit_seconds,
            "trainingJobMaxIdleDurationSecs": project.training_idle_seconds,
        },
    )


def _access_rule(rule: DesiredAccessRule) -> Wanted:
    return Wanted(
        Place(AccessRule, f"{RULE_PREFIX}{rule.id}"),
        {
            "subjectId": rule.subject_id,
            "subjectType": rule.subject_type,
            "roleName": rule.role_name,
            "scopeType": rule.scope_type,
            "scopeName": rule.scope_name,
        },
    )


def _policy(policy: DesiredPolicy, shared_namespace: str) -> Wanted:
    """All of a policy's spec is the control plane's."""
    model = next(model for model in POLICIES if model.__name__ == policy.kind)
    spec = {name: policy.spec.get(name) for name in of_kind(policy.kind)}
    return Wanted(Place(model, POLICY_NAME, policy.namespace or shared_namespace), spec)


def _queues(name: str, queues: Iterable[DesiredQueue]) -> list[dict[str, Any]]:
    return [
        {
            "name": name if queue.node_pool == names.DEFAULT_NODE_POOL else f"{name}-{queue.node_pool}",
            "nodepool": queue.node_pool,
            "resources": {
                "gpu": _amounts(queue.gpu),
                "cpu": _amounts(queue.cpu),
                "memory": _amounts(queue.memory),
            },
        }
        for queue in queues
    ]


def _amounts(amounts: DesiredAmounts) -> dict[str, float]:
    return {
        "deserved": amounts.deserved,
        "limit": amounts.limit,
        "overQuotaWeight": amounts.over_quota_weight,
    }
