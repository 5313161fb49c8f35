"""`/v1/k8s/clusters/{uuid}/jobs` and `…/pods` (control-plane-api.md 1.3, 1.5): the workloads of a cluster.

A job is a workload of whichever kind; deployments are those for inference (`deployments`).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from sqlalchemy import Select, case, func

from aliquot.contracts.administrator_api.listing import Page
from aliquot.contracts.administrator_api.older.jobs import (
    OlderJob,
    OlderJobsFilter,
    OlderJobsQuery,
    OlderPart,
    OlderPod,
    OlderPodsOfJobQuery,
)
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Cluster, Pod, Workload
from aliquot.controlplane.listing import Field, counted, listed, ordered, written
from aliquot.controlplane.older.places import in_older_words
from aliquot.controlplane.older.running import STATUSES, job, pod
from aliquot.controlplane.workloads.queries import (
    KEYS,
    POD_KEYS,
    all_pods_of,
    namespaces_of,
    pods_by_phase,
    selected,
    workload,
    youngest_pods,
)

router = APIRouter(prefix="/v1/k8s/clusters/{uuid}", tags=["Older: jobs"])

_FIELDS: Final = {
    "jobName": Field(Workload.name),
    "workloadKind": Field(func.lower(Workload.type)),
    "status": Field(case(dict(STATUSES), value=Workload.phase, else_=Workload.phase)),
    "user": Field(Workload.submitted_by),
    "project": Field(Workload.project_name),
    "creationTime": Field(Workload.created_ms, "time"),
    "completionTime": Field(Workload.completed_ms, "time"),
    "currentAllocatedGPUs": Field(Workload.allocated_gpu, "amount"),
    "nodePool": Field(Workload.node_pool),
    "existsInCluster": Field(case((Workload.deleted_ms.is_(None), "true"), else_="false")),
}
_FILTER: Final = {"filterBy": "filter"}


@router.get("/jobs", response_model=list[OlderJob])
def list_jobs(gate: GateOfRequest, uuid: str, query: Annotated[OlderJobsQuery, Query()]) -> Response:
    """List the jobs of a cluster."""
    direction = query.sort_direction or ("ASC" if query.sort_by else "DESC")
    page = Page.model_validate({"filterBy": _filters(query), "sortOrder": direction.lower()})
    with gate.permit("jobs", "read") as permit, in_older_words(_FILTER):
        wanted = _wanted(permit, permit.one(Cluster, uuid), query)
        if not query.include_deleted:
            wanted = wanted.where(Workload.deleted_ms.is_(None))
        rows = listed(permit, ordered(wanted, page, query.sort_by, _FIELDS, KEYS), query).rows
        ids = [row.id for row in rows]
        youngest, phases = youngest_pods(permit, uuid, ids), pods_by_phase(permit, uuid, ids)
        return written([job(row, youngest.get(row.id), phases[row.id]) for row in rows])


@router.get("/jobs/count")
def count_jobs(gate: GateOfRequest, uuid: str, query: Annotated[OlderJobsFilter, Query()]) -> int:
    """Count the jobs of a cluster, also those that are gone."""
    with gate.permit("jobs", "read") as permit, in_older_words(_FILTER):
        return counted(permit, _wanted(permit, permit.one(Cluster, uuid), query), _filters(query), _FIELDS)


@router.get("/jobs/{jobId}/pods", response_model=list[OlderPod])
def list_pods_of_job(
    gate: GateOfRequest,
    uuid: str,
    jobId: str,  # noqa: N803 - as it is documented
    query: Annotated[OlderPodsOfJobQuery, Query()],
) -> Response:
    """List the pods of a job, the oldest first, also those that are gone."""
    with gate.permit("jobs", "read") as permit:
        row = workload(permit, jobId, permit.one(Cluster, uuid))
        asked: Sequence[tuple[Any, str | None]] = (
            (Pod.id, query.id),
            (Pod.id, query.pod_id),
            (Pod.workload_id, query.pod_group_id),
            (Pod.node_name, query.node_id),
            (Pod.name, query.name),
            (Pod.kubernetes_phase, query.status),
        )
        theirs = all_pods_of(permit, row)
        wanted = theirs.where(*(column == value for column, value in asked if value is not None)).order_by(*POD_KEYS)
        return written([pod(each, row.document["namespace"]) for each in listed(permit, wanted, query).rows])


@router.get("/pods", response_model=list[OlderPod])
def list_pods_of_cluster(gate: GateOfRequest, uuid: str, query: Annotated[OlderPart, Query()]) -> Response:
    """List the pods of a cluster that belong to jobs, the oldest first."""
    with gate.permit("jobs", "read") as permit:
        cluster = permit.one(Cluster, uuid)
        wanted = selected(permit, Pod, deleted=False).where(Pod.cluster_id == cluster.id).order_by(*POD_KEYS)
        rows = listed(permit, wanted, query).rows
        namespaces = namespaces_of(permit, cluster.id, {row.workload_id for row in rows})
        return written([pod(row, namespaces.get(row.workload_id)) for row in rows])


def _filters(query: OlderJobsFilter) -> list[str]:
    return [query.filter] if query.filter else []


def _wanted(permit: Permit, cluster: Cluster, query: OlderJobsFilter) -> Select[Workload]:
    """The jobs of a cluster, but for what its filter says."""
    found = permit.select(Workload).where(Workload.cluster_id == cluster.id)
    if query.node_id is None:
        return found
    on_node = permit.select_whole(Pod).where(
        Pod.cluster_id == cluster.id, Pod.node_name == query.node_id, Pod.deleted_ms.is_(None)
    )
    return found.where(Workload.id.in_(on_node.with_only_columns(Pod.workload_id)))
