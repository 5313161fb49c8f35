"""All that a cluster is to have, out of the database."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy.orm import joinedload

from aliquot.contracts.cluster_sync import (
    Desired,
    DesiredAccessRule,
    DesiredDepartment,
    DesiredNodePool,
    DesiredProject,
    DesiredQueue,
)
from aliquot.controlplane.auth.cluster_permit import ClusterPermit
from aliquot.controlplane.cluster_sync.rules import queue, revision_text
from aliquot.controlplane.database import tables
from aliquot.controlplane.policies.desired import desired_policies
from aliquot.controlplane.quotas.changes import OF_DEPARTMENT, OF_PROJECT, Owner
from aliquot.controlplane.quotas.rules import Blocks
from aliquot.controlplane.submissions.made import order


def desired(permit: ClusterPermit) -> Desired:
    """Make it."""
    names = permit.names_of_subjects()
    projects = permit.own(tables.Project, OF_PROJECT, joinedload(tables.Project.department))
    types = {str(row.id): row.name for row in permit.own(tables.NodeType)}
    return Desired(
        revision=revision_text(permit.revision),
        node_pools=tuple(_node_pool(row) for row in permit.own(tables.NodePool)),
        departments=tuple(
            DesiredDepartment(id=str(row.id), name=row.name, queues=_queues(row))
            for row in permit.own(tables.Department, OF_DEPARTMENT)
        ),
        projects=tuple(_project(row, types) for row in projects),
        access_rules=tuple(_access_rule(row, names) for row in permit.access_rules() if row.scope_type != "system"),
        policies=tuple(desired_policies(permit.policies(), permit.cluster_id, projects)),
        orders=tuple(order(waiting.submission, waiting.namespace) for waiting in permit.orders.waiting()),
    )


def _node_pool(row: tables.NodePool) -> DesiredNodePool:
    return DesiredNodePool(
        id=str(row.id),
        name=row.name,
        label_key=row.label_key,
        label_value=row.label_value,
        over_provisioning_ratio=row.over_provisioning_ratio,
        cpu_placement=cast("Any", row.cpu_placement),
        gpu_placement=cast("Any", row.gpu_placement),
    )


def _queues(owner: Owner) -> tuple[DesiredQueue, ...]:
    return tuple(
        queue(quota.node_pool.name, Blocks(quota.gpu, quota.cpu, quota.memory))
        for quota in sorted(owner.quotas, key=lambda quota: quota.node_pool.name)
    )


def _project(row: tables.Project, types: Mapping[str, str]) -> DesiredProject:
    rules = row.scheduling_rules or {}
    return DesiredProject(
        id=str(row.id),
        name=row.name,
        department=row.department.name,
        namespace=row.requested_namespace,
        queues=_queues(row),
        default_node_pools=tuple(row.default_node_pools),
        training_types=tuple(types.get(written, written) for written in row.training_types),
        interactive_types=tuple(types.get(written, written) for written in row.workspace_types),
        interactive_time_limit_seconds=rules.get("interactiveJobTimeLimitSeconds"),
        interactive_idle_seconds=rules.get("interactiveJobMaxIdleDurationSeconds"),
        preemptible_interactive_idle_seconds=rules.get("interactiveJobPreemptIdleDurationSeconds"),
        training_time_limit_seconds=rules.get("trainingJobTimeLimitSeconds"),
        training_idle_seconds=rules.get("trainingJobMaxIdleDurationSeconds"),
    )


def _access_rule(row: tables.AccessRule, names: Mapping[str, str]) -> DesiredAccessRule:
    return DesiredAccessRule(
        id=str(row.id),
        subject_id=names.get(row.subject_id, row.subject_id),
        subject_type=cast("Any", row.subject_type),
        role_name=row.role_name,
        scope_type=cast("Any", row.scope_type),
        scope_name=row.scope_name,
    )
