"""`/api/v1/workloads`."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from aliquot.contracts.administrator_api.access_rules import Count
from aliquot.contracts.administrator_api.workloads import (
    DeletableCountQuery,
    Events,
    History,
    PartQuery,
    PodQuery,
    Pods,
    PodsOfWorkloadQuery,
    Workload,
    WorkloadQuery,
    Workloads,
)
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.database import tables
from aliquot.controlplane.listing import counted, listed, ordered, written
from aliquot.controlplane.workloads import shown
from aliquot.controlplane.workloads.queries import (
    FIELDS,
    KEYS,
    POD_FIELDS,
    POD_KEYS,
    pods_of,
    selected,
    selected_pods,
    workload,
)

router = APIRouter(prefix="/api/v1/workloads", tags=["Workloads"])


@router.get("", response_model=Workloads)
def list_workloads(gate: GateOfRequest, query: Annotated[WorkloadQuery, Query()]) -> Response:
    """List workloads."""
    with gate.permit("workloads", "read") as permit:
        wanted = selected(permit, tables.Workload, deleted=query.deleted)
        found = listed(permit, ordered(wanted, query, query.sort_by, FIELDS, KEYS), query)
        return written({"workloads": [shown.workload(row) for row in found.rows], "next": found.next})


@router.get("/count")
def count_workloads(gate: GateOfRequest, query: Annotated[DeletableCountQuery, Query()]) -> Count:
    """Count workloads."""
    with gate.permit("workloads", "read") as permit:
        wanted = selected(permit, tables.Workload, deleted=query.deleted)
        return Count(count=counted(permit, wanted, query.filter_by, FIELDS))


@router.get("/pods", response_model=Pods)
def list_pods(gate: GateOfRequest, query: Annotated[PodQuery, Query()]) -> Response:
    """List pods of workloads."""
    with gate.permit("workloads", "read") as permit:
        wanted = ordered(selected_pods(permit, query), query, query.sort_by, POD_FIELDS, POD_KEYS)
        found, full = listed(permit, wanted, query), query.verbosity == "full"
        return written({"pods": [shown.pod(row, full=full) for row in found.rows], "next": found.next})


@router.get("/pods/count")
def count_pods(gate: GateOfRequest, query: Annotated[DeletableCountQuery, Query()]) -> Count:
    """Count pods of workloads."""
    with gate.permit("workloads", "read") as permit:
        wanted = selected(permit, tables.Pod, deleted=query.deleted)
        return Count(count=counted(permit, wanted, query.filter_by, POD_FIELDS))


@router.get("/{workloadId}", response_model=Workload)
def get_workload(gate: GateOfRequest, workloadId: str) -> Response:  # noqa: N803 - as it is documented
    """Show a workload, also for some time after it has gone."""
    with gate.permit("workloads", "read") as permit:
        return written(shown.workload(workload(permit, workloadId)))


@router.get("/{workloadId}/pods", response_model=Pods)
def list_pods_of_workload(
    gate: GateOfRequest,
    workloadId: str,  # noqa: N803
    query: Annotated[PodsOfWorkloadQuery, Query()],
) -> Response:
    """List the pods of a workload."""
    with gate.permit("workloads", "read") as permit:
        found = listed(permit, pods_of(permit, workload(permit, workloadId), deleted=query.deleted), query)
        return written({"pods": [shown.pod(row, full=False) for row in found.rows], "next": found.next})


@router.get("/{workloadId}/events", response_model=Events)
def list_events_of_workload(
    gate: GateOfRequest,
    workloadId: str,  # noqa: N803
    query: Annotated[PartQuery, Query()],
) -> Response:
    """List what Aliquot, Kubernetes and others say happened to a workload and what belongs to it, the latest first."""
    with gate.permit("workloads", "read") as permit:
        rows, following = permit.records(workload(permit, workloadId), query.offset, query.limit, events_only=True)
        return written({"events": [shown.event(row) for row in rows], "next": following})


@router.get("/{workloadId}/history", response_model=History)
def list_history_of_workload(
    gate: GateOfRequest,
    workloadId: str,  # noqa: N803
    query: Annotated[PartQuery, Query()],
) -> Response:
    """List what happened to a workload, and the phases that it went through, the latest first."""
    with gate.permit("workloads", "read") as permit:
        rows, following = permit.records(workload(permit, workloadId), query.offset, query.limit)
        return written({"records": [shown.record(row) for row in rows], "next": following})
