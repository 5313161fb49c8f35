"""Of what time series are asked for, found within a caller's reach."""

from typing import Final

from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Cluster, NodePool, Pod, Submission, Workload
from aliquot.controlplane.metrics.store import Subject
from aliquot.controlplane.refusals import NotFound
from aliquot.controlplane.workloads.queries import all_pods_of, workload
from aliquot.controlplane.workloads.rules import INFERENCE

_MOST_PODS: Final = 200


def cluster(permit: Permit, cluster_id: str) -> Subject:
    """A cluster.

    Raises:
        NotFound: the tenant has no such cluster.
        Forbidden: it is out of the caller's reach.
    """
    return Subject("cluster", permit.one(Cluster, cluster_id).id)


def node_pool(permit: Permit, cluster_id: str, name: str) -> Subject:
    """A node pool of a cluster; errors as of `cluster`, and of a node pool that the cluster does not have."""
    held = permit.one(Cluster, cluster_id)
    return Subject("nodepool", held.id, pool_of(permit, held.id, name), node_pool=name)


def pool_of(permit: Permit, cluster_id: str, name: str) -> str:
    """The name of a node pool of a cluster that the caller may see.

    Raises:
        NotFound: the cluster has no such node pool.
    """
    named = permit.select_whole(NodePool).where(NodePool.cluster_id == cluster_id, NodePool.name == name)
    if not name.isprintable() or not permit.count(named):
        raise NotFound(details=f"the cluster {cluster_id} has no node pool {name}")
    return name


def of_workload(permit: Permit, uid: str, *, of_inference: bool = False) -> Subject:
    """A workload, whether it is there or gone.

    Args:
        permit: what the caller may see.
        uid: its id here.
        of_inference: one that answers requests.

    Raises:
        NotFound: the tenant has no such workload, or it answers no requests.
        Forbidden: it is out of the caller's reach.
    """
    row = _row(permit, uid, of_inference=of_inference)
    pods = permit.rows(all_pods_of(permit, row).order_by(Pod.created_ms.desc(), Pod.id).limit(_MOST_PODS))
    return Subject(
        "inference" if of_inference else "workload",
        row.cluster_id,
        row.name,
        _uid(permit, row),
        row.document["namespace"],
        pods=tuple(each.id for each in pods),
    )


def of_pod(permit: Permit, workload_id: str, pod_id: str, *, of_inference: bool = False) -> Subject:
    """A pod of a workload, whether it is there or gone; arguments and errors as of `of_workload`."""
    row = _row(permit, workload_id, of_inference=of_inference)
    found = permit.first(all_pods_of(permit, row).where(Pod.id == pod_id)) if pod_id.isprintable() else None
    if found is None:
        raise NotFound(details=f"the workload {workload_id} has no pod {pod_id}")
    level = "inferencePod" if of_inference else "pod"
    return Subject(level, row.cluster_id, found.name, found.id, row.document["namespace"])


def _row(permit: Permit, uid: str, *, of_inference: bool) -> Workload:
    row = workload(permit, uid)
    if of_inference and row.type != INFERENCE:
        raise NotFound(details=f"the workload {uid} is no {INFERENCE}, but a {row.type}")
    return row


def _uid(permit: Permit, row: Workload) -> str:
    """What its cluster calls it."""
    submitted = permit.first(permit.select_whole(Submission).where(Submission.id == row.id))
    return row.id if submitted is None else submitted.uid or ""
