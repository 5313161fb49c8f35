"""Nodes, StorageClasses and custom resources as a cluster reports them (control-plane-api.md 1.4.1, 5.5). Pure.

`gpu` is in devices, `cpu` in thousandths of a core, `memory` in MB, as control planes show them. What is longer than a
report may be is cut; what cannot be read is left out: a report is always one that the control plane takes.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, Literal, cast, get_args

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.contracts.cluster_sync import (
    REFUSED,
    ReportedAccessRule,
    ReportedCondition,
    ReportedDepartment,
    ReportedNode,
    ReportedNodePool,
    ReportedPolicy,
    ReportedProject,
    ReportedStorageClass,
    ReportedTaint,
    ReportedUse,
)
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project, QuotaUse, TenantStatus
from aliquot.core.quantities import InvalidQuantityError, parse_quantity
from aliquot.core.submission.policy_status import READY
from aliquot.core.tenancy import BYTES_PER_MB

_TEXT: Final = 1024
_MESSAGE: Final = 4096
_CONDITIONS: Final = 64
_TAINTS: Final = 64
_POOLS: Final = 200
_NODES: Final = 10_000
_LARGEST: Final = Decimal(10**18)
_PER_UNIT: Final[Mapping[str, tuple[str, Decimal]]] = {
    names.GPU_RESOURCE: ("gpu", Decimal(1)),
    "cpu": ("cpu", Decimal(1000)),
    "memory": ("memory", Decimal(1) / BYTES_PER_MB),
}
Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]
ConditionStatus = Literal["True", "False", "Unknown"]
NodeStatus = Literal["Ready", "NotReady", "Unknown"]
_PLATFORMS: Final = (
    ("gke", "-gke.", "cloud.google.com/gke-"),
    ("eks", "-eks-", "eks.amazonaws.com/"),
    ("rke", "+rke2", "rke.cattle.io/"),
    ("aks", "-aks", "kubernetes.azure.com/"),
    ("openshift", "openshift", "node.openshift.io/"),
)
"""Name, and what betrays it: in the version, or how a label of nodes begins."""
_NODE_STATUSES: Final[Mapping[str, NodeStatus]] = {"True": "Ready", "False": "NotReady"}


def platform(git_version: str, node: kubernetes.Node | None) -> str:
    """Which distribution of Kubernetes a cluster is, in the words of control planes; empty: not known.

    Args:
        git_version: of the API server, such as `v1.33.2-gke.100`.
        node: any of its nodes; None: there is none.
    """
    labels = {} if node is None else node.metadata.labels
    for name, mark, label in _PLATFORMS:
        if mark in git_version or any(each.startswith(label) for each in labels):
            return name
    return "vanilla" if git_version and node is not None else ""


def reported_node(node: kubernetes.Node, pool: str) -> ReportedNode:
    """A node.

    Args:
        node: it.
        pool: the node pool that it belongs to.
    """
    labels, status = node.metadata.labels, node.status
    ready = next((each.status for each in status.conditions if each.type == "Ready"), "Unknown")
    return ReportedNode(
        name=node.metadata.name,
        status=_NODE_STATUSES.get(ready, "Unknown"),
        node_pool=pool,
        created_at=node.metadata.creation_timestamp,
        conditions=tuple(map(_condition, status.conditions[:_CONDITIONS])),
        taints=tuple(_taints(node.spec.taints))[:_TAINTS],
        gpu_type=labels.get(names.GPU_PRODUCT_LABEL),
        gpu_count=_devices(status.capacity, labels),
    )


def reported_storage_class(storage_class: kubernetes.StorageClass) -> ReportedStorageClass:
    """A StorageClass."""
    metadata = storage_class.metadata
    is_default = any(metadata.annotations.get(each) == "true" for each in names.DEFAULT_STORAGE_CLASS_ANNOTATIONS)
    return ReportedStorageClass(name=metadata.name, is_default=is_default)


def reported_node_pool(name: str, pool: NodePool | None, problem: str | None) -> ReportedNodePool:
    """A node pool.

    Args:
        name: its name.
        pool: it; None: there is none yet.
        problem: why it is not as the control plane wants it; None: it is.
    """
    nodes = () if pool is None else tuple(node.name for node in pool.status.nodes if node.name)
    phase, message = _phase(pool, problem)
    return ReportedNodePool(name=name, phase=phase, message=message, nodes=nodes[:_NODES])


def reported_department(name: str, department: Department | None, problem: str | None) -> ReportedDepartment:
    """A department; arguments as of `reported_node_pool`."""
    phase, message = _phase(department, problem)
    use, node_pools = _uses(department)
    return ReportedDepartment(name=name, phase=phase, message=message, use=use, node_pools=node_pools)


def reported_project(name: str, project: Project | None, problem: str | None) -> ReportedProject:
    """A project; arguments as of `reported_node_pool`."""
    phase, message = _phase(project, problem)
    use, node_pools = _uses(project)
    namespace = None if project is None else project.status.namespace
    return ReportedProject(name=name, phase=phase, message=message, use=use, node_pools=node_pools, namespace=namespace)


def reported_access_rule(name: str, rule: AccessRule | None, problem: str | None) -> ReportedAccessRule:
    """An access rule; `name` is its id in the control plane, other arguments as of `reported_node_pool`."""
    phase, message = _phase(rule, problem)
    return ReportedAccessRule(name=name, phase=phase, message=message)


def reported_policy(name: str, policy: Policy | None, problem: str | None) -> ReportedPolicy:
    """A policy; `name` is that of reports, other arguments as of `reported_node_pool`."""
    if problem is not None:
        return ReportedPolicy(name=name, phase=REFUSED, message=problem[:_MESSAGE])
    conditions = () if policy is None else policy.status.conditions
    ready = next((each for each in conditions if each.type == READY), None)
    if ready is None:
        return ReportedPolicy(name=name)
    phase = READY if ready.status == "True" else f"Not{READY}"
    return ReportedPolicy(name=name, phase=phase, message=(ready.message or "")[:_MESSAGE])


def _phase(held: NodePool | Department | Project | AccessRule | None, problem: str | None) -> tuple[str, str]:
    if problem is not None:
        return REFUSED, problem[:_MESSAGE]
    if held is None:
        return "", ""
    return (held.status.phase or "")[:_TEXT], (held.status.message or "")[:_MESSAGE]


def _uses(tenant: Department | Project | None) -> tuple[ReportedUse, dict[str, ReportedUse]]:
    status = TenantStatus() if tenant is None else tenant.status
    pools = {
        each.node_pool_name: _use(each.queue_status)
        for each in status.node_pools_quota_statuses[:_POOLS]
        if each.node_pool_name
    }
    return ReportedUse() if status.quota_status is None else _use(status.quota_status), pools


def _use(use: QuotaUse) -> ReportedUse:
    return ReportedUse(
        allocated=dict(_amounts(use.allocated)),
        allocated_non_preemptible=dict(_amounts(use.allocated_non_preemptible)),
        requested=dict(_amounts(use.requested)),
    )


def _amounts(written: Mapping[str, int | str]) -> Iterator[tuple[str, float]]:
    for resource, (name, per_unit) in _PER_UNIT.items():
        try:
            amount = parse_quantity(written[resource]) * per_unit
        except (KeyError, InvalidQuantityError):
            continue
        yield name, float(min(max(amount, Decimal(0)), _LARGEST))


def _condition(condition: kubernetes.Condition) -> ReportedCondition:
    known = condition.status in get_args(ConditionStatus)
    return ReportedCondition(
        type=condition.type[:_TEXT],
        status=cast("ConditionStatus", condition.status) if known else "Unknown",
        reason=condition.reason[:_TEXT],
        message=condition.message[:_MESSAGE],
        last_transition_time=condition.last_transition_time,
    )


def _taints(taints: Iterable[kubernetes.Taint]) -> Iterator[ReportedTaint]:
    for taint in taints:
        if taint.effect in get_args(Effect):
            yield ReportedTaint(key=taint.key, value=taint.value or None, effect=cast("Effect", taint.effect))


def _devices(capacity: Mapping[str, str | int | float], labels: Mapping[str, str]) -> int:
    """GPUs of a node: those that the device plugin offers, else those that GPU feature discovery counts."""
    try:
        offered = int(parse_quantity(capacity.get(names.GPU_RESOURCE, 0)))
    except InvalidQuantityError:
        offered = 0
    if 0 < offered <= _LARGEST:
        return offered
    counted = labels.get(names.GPU_COUNT_LABEL, "")
    return int(counted) if counted.isascii() and counted.isdigit() and len(counted) < 9 else 0
