"""Nodes and workloads within a caller's reach, counted by the database."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal

from aliquot.contracts.administrator_api.telemetry import NodeTelemetryQuery, WorkloadGroup, WorkloadTelemetryQuery
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Cluster, Department, Pod, Workload
from aliquot.controlplane.telemetry.rules import Group, Node

_COLUMNS: Final[Mapping[WorkloadGroup, tuple[Any, Any]]] = {
    "ClusterId": (Workload.cluster_id, None),
    "DepartmentId": (Workload.department_id, Workload.department_name),
    "ProjectId": (Workload.project_id, Workload.project_name),
    "Type": (Workload.type, Workload.type),
    "CurrentNodepools": (Workload.node_pool, Workload.node_pool),
    "Phase": (Workload.phase, Workload.phase),
}
"""What tells groups apart, and what they are called; the name of clusters is theirs."""


def nodes(permit: Permit, query: NodeTelemetryQuery) -> list[Node]:
    """The nodes of clusters that the caller may read.

    Raises:
        NotFound: the tenant has no such cluster.
        Forbidden: it is out of the caller's reach.
    """
    clusters = _clusters(permit, query.cluster_id)
    allocated = _allocated(permit, clusters)
    return [
        Node(
            name=row.name,
            cluster_id=row.cluster_id,
            cluster=clusters[row.cluster_id],
            pool=row.document["nodePool"],
            is_ready=row.document["status"] == "Ready",
            gpus=row.document["gpuCount"],
            allocated=allocated.get((row.cluster_id, row.name), 0),
        )
        for row in permit.told_of(clusters, "node")
        if query.nodepool_name in (None, row.document["nodePool"])
    ]


def sums(permit: Permit, query: WorkloadTelemetryQuery) -> dict[tuple[Group, ...], float]:
    """What workloads that the caller may read come to, by group.

    Raises:
        NotFound: the tenant has no such cluster, or no such department.
        Forbidden: it is out of the caller's reach.
    """
    amount: ColumnElement[Any] = (
        func.count() if query.telemetry_type == "WORKLOADS_COUNT" else func.sum(Workload.allocated_gpu)
    )
    keys = [_COLUMNS[group][0] for group in query.group_by]
    called = [
        literal(None) if name is None else func.max(name) for _, name in map(_COLUMNS.__getitem__, query.group_by)
    ]
    counted = _selected(permit, query).with_only_columns(amount, *keys, *called)
    names = _clusters(permit, query.cluster_id) if "ClusterId" in query.group_by else {}
    found: dict[tuple[Group, ...], float] = {}
    for total, *rest in permit.table(counted.group_by(*keys) if keys else counted):
        pairs = zip(query.group_by, rest[: len(keys)], rest[len(keys) :], strict=True)
        group = tuple(("", None) if value is None else (str(value), names.get(value, name)) for _, value, name in pairs)
        found[group] = total or 0
    return found


def _selected(permit: Permit, query: WorkloadTelemetryQuery) -> Select[Workload]:
    found = permit.select(Workload).where(Workload.deleted_ms.is_(None))
    if query.cluster_id is not None:
        found = found.where(Workload.cluster_id == permit.one(Cluster, query.cluster_id).id)
    if query.department_id is not None:
        found = found.where(Workload.department_id == permit.one(Department, query.department_id).id)
    if query.nodepool_name is not None:
        pools = literal(",") + Workload.node_pool + literal(",")
        found = found.where(pools.contains(f",{query.nodepool_name},", autoescape=True))
    return found


def _clusters(permit: Permit, cluster_id: str | None) -> dict[str, str]:
    """Names of the clusters that are asked for, by id."""
    if cluster_id is not None:
        row = permit.one(Cluster, cluster_id)
        return {row.id: row.name}
    return {row.id: row.name for row in permit.rows(permit.select(Cluster))}


def _allocated(permit: Permit, clusters: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """GPU devices that pods have, by cluster and node: of whoever they are, as they are the node's."""
    held = permit.select_whole(Pod).where(
        Pod.cluster_id.in_(clusters), Pod.deleted_ms.is_(None), Pod.completed_ms.is_(None), Pod.node_name.is_not(None)
    )
    columns = Pod.cluster_id, Pod.node_name
    query = held.with_only_columns(*columns, func.sum(Pod.allocated_gpu)).group_by(*columns)
    rows: Sequence[Sequence[Any]] = permit.table(query)
    return {(row[0], row[1]): row[2] for row in rows}
