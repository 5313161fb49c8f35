"""Workloads and pods as the API has them (control-plane-api.md 1.4.10), from what is kept. Pure.

Documents, not models: making and checking 500 of those takes longer than everything else together.
"""

from collections.abc import Mapping
from typing import Any, Final

from aliquot.contracts.administrator_api.shapes import from_milliseconds, written_time
from aliquot.controlplane.database.tables import Pod, Workload, WorkloadRecord

_MILLI: Final = 1000
_MIB: Final = 2**20

Document = dict[str, Any]
Said = Mapping[str, Any]


def workload(row: Workload) -> Document:
    """A workload, as `Workload` is written."""
    said = row.document
    return {
        **_running(row),
        "namespace": said["namespace"],
        "type": row.type,
        "projectName": row.project_name,
        "departmentId": _id(row.department_id),
        "departmentName": row.department_name,
        "preemptible": said["preemptible"],
        "submittedBy": row.submitted_by,
        "source": said["source"],
        "phase": row.phase,
        "phaseMessage": said["phaseMessage"],
        "phaseUpdatedAt": _time(row.phase_ms),
        "conditions": said["conditions"],
        "runningPods": said["runningPods"],
        "requestedPods": said["requestedPods"],
        "workloadRequestedResources": None if said["requested"] is None else _requested(said["requested"]),
        "podsRequestedResources": _requested(said["podsRequested"]),
        "allocatedResources": _allocated(said["allocated"]),
        "currentNodePools": said["currentNodePools"],
        "images": said["images"],
        "urls": [{"url": url} for url in said["urls"]],
        "distributedFramework": row.distributed_framework,
    }


def pod(row: Pod, *, full: bool) -> Document:
    """A pod, as `Pod` is written.

    Args:
        row: it.
        full: with the names of project and workload.
    """
    said = row.document
    further = {"projectName": row.project_name, "workloadName": row.workload_name} if full else {}
    return {
        **_running(row),
        **further,
        "workloadId": row.workload_id,
        "nodeName": row.node_name,
        "currentNodePool": row.node_pool,
        "containers": said["containers"],
        "requestedResources": _requested(said["requested"]),
        "allocatedResources": _allocated(said["allocated"]),
        "tolerations": said["tolerations"],
    }


def event(row: WorkloadRecord) -> Document:
    """An event, as `Event` is written."""
    return {"count": 1, **row.document, "createdAt": _time(row.happened_ms), "clusterId": row.cluster_id}


def record(row: WorkloadRecord) -> Document:
    """Whatever happened, as `HistoryRecord` is written."""
    kind, spec = (
        ("PhaseUpdate", {"phaseUpdate": row.document}) if row.event_id is None else ("Event", {"event": event(row)})
    )
    return {"meta": {"creationTimestamp": _time(row.happened_ms), "type": kind}, "spec": spec}


def _running(row: Workload | Pod) -> Document:
    said = row.document
    return {
        "id": row.id,
        "tenantId": row.tenant_id,
        "name": row.name,
        "clusterId": row.cluster_id,
        "projectId": _id(row.project_id),
        "priorityClassName": said["priorityClass"],
        "k8sPhase": row.kubernetes_phase,
        "k8sPhaseUpdatedAt": _time(row.kubernetes_phase_ms),
        "requestedNodePools": said["requestedNodePools"],
        "createdAt": _time(row.created_ms),
        "completedAt": _time(row.completed_ms),
        "deletedAt": _time(row.deleted_ms),
        "updatedAt": _time(row.updated_ms),
    }


def _requested(said: Said) -> Document:
    gpu_memory = said["gpuMemoryMib"]
    return {
        "gpuRequestType": said["gpuRequestType"],
        "gpu": {"request": said["gpu"], "limit": None},
        "gpuMemory": {"request": f"{gpu_memory}Mi", "limit": None} if gpu_memory else None,
        "migProfile": said["migProfile"],
        "cpu": {"request": said["cpuMilli"] / _MILLI, "limit": None},
        "cpuMemory": {"request": _bytes(said["memoryBytes"]), "limit": None},
        "extendedResources": _extended(said),
    }


def _allocated(said: Said) -> Document:
    gpu_memory = said["gpuMemoryMib"]
    return {
        "gpu": said["gpu"],
        "gpuMemory": f"{gpu_memory}Mi" if gpu_memory else None,
        "migProfile": said["migProfile"],
        "cpu": said["cpuMilli"] / _MILLI,
        "cpuMemory": _bytes(said["memoryBytes"]),
        "extendedResources": _extended(said),
    }


def _extended(said: Said) -> list[Document]:
    return [{"resource": name, "quantity": str(amount)} for name, amount in sorted(said["extended"].items())]


def _bytes(amount: int) -> str:
    whole, rest = divmod(amount, _MIB)
    return f"{whole}Mi" if whole and not rest else str(amount)


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else written_time(from_milliseconds(milliseconds))
