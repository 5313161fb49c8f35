"""Workloads and pods in the database."""

from collections.abc import Collection, Mapping
from typing import Final, TypeVar

from sqlalchemy import Select, func

from aliquot.contracts.administrator_api.workloads import PodQuery
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Cluster, Pod, Workload
from aliquot.controlplane.listing import Field
from aliquot.controlplane.refusals import NotFound

RunningT = TypeVar("RunningT", Workload, Pod)

FIELDS: Final = {
    "type": Field(Workload.type),
    "name": Field(Workload.name),
    "clusterId": Field(Workload.cluster_id),
    "projectId": Field(Workload.project_id, "number"),
    "projectName": Field(Workload.project_name),
    "departmentId": Field(Workload.department_id, "number"),
    "departmentName": Field(Workload.department_name),
    "createdAt": Field(Workload.created_ms, "time"),
    "deletedAt": Field(Workload.deleted_ms, "time"),
    "submittedBy": Field(Workload.submitted_by),
    "phase": Field(Workload.phase),
    "completedAt": Field(Workload.completed_ms, "time"),
    "nodepool": Field(Workload.node_pool),
    "allocatedGPU": Field(Workload.allocated_gpu, "amount"),
    "distributedFramework": Field(Workload.distributed_framework),
}
KEYS: Final = (Workload.created_ms, Workload.cluster_id, Workload.id)
POD_FIELDS: Final = {
    "clusterId": Field(Pod.cluster_id),
    "nodeName": Field(Pod.node_name),
    "currentNodepool": Field(Pod.node_pool),
    "createdAt": Field(Pod.created_ms, "time"),
    "completedAt": Field(Pod.completed_ms, "time"),
    "deletedAt": Field(Pod.deleted_ms, "time"),
}
POD_KEYS: Final = (Pod.created_ms, Pod.cluster_id, Pod.id)


def selected(permit: Permit, model: type[RunningT], *, deleted: bool) -> Select[RunningT]:
    """Those that the caller may see: either those that are gone, or those that are there."""
    return permit.select(model).where(model.deleted_ms.is_not(None) if deleted else model.deleted_ms.is_(None))


def selected_pods(permit: Permit, query: PodQuery) -> Select[Pod]:
    """The pods that a list asks for, but for its filters."""
    found = selected(permit, Pod, deleted=query.deleted)
    if query.completed == "true":
        return found.where(Pod.completed_ms.is_not(None))
    return found.where(Pod.completed_ms.is_(None)) if query.completed == "false" else found


def workload(permit: Permit, uid: str, cluster: Cluster | None = None) -> Workload:
    """A workload, whether it is there or gone.

    A cluster that was copied has the uids of the other one: what is there goes before what is gone, then the younger.

    Args:
        permit: of the caller.
        uid: which one.
        cluster: where it has to be; None: anywhere.

    Raises:
        NotFound: the tenant, or the cluster, has none with this uid.
        Forbidden: it is out of the caller's reach.
    """
    here = () if cluster is None else (Workload.cluster_id == cluster.id,)
    if uid.isprintable():
        named = permit.select(Workload).where(Workload.id == uid, *here)
        found = permit.first(
            named.order_by(Workload.deleted_ms.is_not(None), Workload.created_ms.desc(), Workload.cluster_id)
        )
        if found is not None:
            return found
    elsewhere = permit.one(Workload, uid)
    if cluster is None:
        return elsewhere
    raise NotFound(details=f"the cluster {cluster.id} has no workload {uid}")


def pods_of(permit: Permit, row: Workload, *, deleted: bool) -> Select[Pod]:
    """The pods of a workload, the oldest first."""
    gone = Pod.deleted_ms.is_not(None) if deleted else Pod.deleted_ms.is_(None)
    return all_pods_of(permit, row).where(gone).order_by(*POD_KEYS)


def all_pods_of(permit: Permit, row: Workload) -> Select[Pod]:
    """The pods of a workload, those that are there and those that are gone."""
    return permit.select_whole(Pod).where(Pod.cluster_id == row.cluster_id, Pod.workload_id == row.id)


def youngest_pods(permit: Permit, cluster_id: str, workload_ids: Collection[str]) -> Mapping[str, Pod]:
    """The youngest pod of each of these workloads of a cluster, by workload; those that are there go before others."""
    theirs = permit.select_whole(Pod).where(Pod.cluster_id == cluster_id, Pod.workload_id.in_(workload_ids))
    place = func.row_number().over(
        partition_by=Pod.workload_id, order_by=(Pod.deleted_ms.is_not(None), Pod.created_ms.desc(), Pod.id)
    )
    ranked = theirs.with_only_columns(Pod.id, place.label("place")).subquery()
    first = theirs.join(ranked, Pod.id == ranked.c.id).where(ranked.c.place == 1)
    return {pod.workload_id: pod for pod in permit.rows(first)}


def pods_by_phase(permit: Permit, cluster_id: str, workload_ids: Collection[str]) -> Mapping[str, Mapping[str, int]]:
    """How many pods of each of these workloads are in which phase, by workload; those that are gone do not count."""
    found: dict[str, dict[str, int]] = {uid: {} for uid in workload_ids}
    there = permit.select_whole(Pod).where(
        Pod.cluster_id == cluster_id, Pod.workload_id.in_(workload_ids), Pod.deleted_ms.is_(None)
    )
    for uid, phase, number in permit.counts(there, (Pod.workload_id, Pod.kubernetes_phase)):
        found[uid][phase] = number
    return found


def namespaces_of(permit: Permit, cluster_id: str, workload_ids: Collection[str]) -> Mapping[str, str]:
    """Where these workloads of a cluster are, and so their pods, by workload."""
    named = permit.select_whole(Workload).where(Workload.cluster_id == cluster_id, Workload.id.in_(workload_ids))
    return {row.id: row.document["namespace"] for row in permit.rows(named)}
