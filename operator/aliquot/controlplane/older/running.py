"""Workloads and pods in the words of the older surface (control-plane-api.md 1.5), from what is kept. Pure.

Documents, not models, as of the newer surface: there are many of them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from aliquot import names
from aliquot.contracts.administrator_api.older.deployments import OLDER_CONDITIONS
from aliquot.contracts.administrator_api.older.jobs import JobType
from aliquot.contracts.administrator_api.shapes import from_milliseconds, to_milliseconds, written_time
from aliquot.controlplane.database.tables import Pod, Workload
from aliquot.controlplane.workloads.rules import INFERENCE

STATUSES: Final[Mapping[str, str]] = {
    "Creating": "Pending",
    "Initializing": "Pending",
    "Resuming": "Pending",
    "Updating": "Running",
    "Degraded": "Running",
    "Completed": "Succeeded",
}
"""Older words for phases; all others are called the same."""
_KINDS: Final[Mapping[str, JobType]] = {
    "TrainingWorkload": "Train",
    "DistributedWorkload": "Train",
    "InteractiveWorkload": "Interactive",
    INFERENCE: "Inference",
}
_HOLDS: Final = {"True": "true", "False": "false"}
_MILLI: Final = 1000

Document = dict[str, Any]
Said = Mapping[str, Any]


def job(row: Workload, youngest: Pod | None, phases: Mapping[str, int]) -> Document:
    """A workload, as `OlderJob` is written.

    Args:
        row: it.
        youngest: the youngest of its pods; None: it has none.
        phases: how many of its pods are in which phase.
    """
    said = row.document
    whole: Said = said["requested"] or said["podsRequested"]
    pods: Said = said["requestedPods"] or {}
    return {
        "JobId": row.id,
        "podGroupId": row.id,
        "jobName": row.name,
        "jobType": _type(row),
        "workloadKind": row.type.lower(),
        "clusterId": row.cluster_id,
        "status": STATUSES.get(row.phase, row.phase),
        "imageName": next(iter(said["images"]), ""),
        "user": row.submitted_by,
        "project": row.project_name,
        "nodeId": None if youngest is None else youngest.node_name,
        "nodePool": row.node_pool,
        "creationTime": _time(row.created_ms),
        "completionTime": _time(row.completed_ms),
        "pending": phases.get("Pending", 0),
        "running": phases.get("Running", 0),
        "failed": phases.get("Failed", 0),
        "succeeded": phases.get("Succeeded", 0),
        "parallelism": pods.get("parallelism"),
        "completions": pods.get("completions"),
        "currentAllocatedGPUs": row.allocated_gpu,
        "currentAllocatedGPUsMemory": said["allocated"]["gpuMemoryMib"],
        "currentRequestedGPUs": said["podsRequested"]["gpu"],
        "totalRequestedGPUs": whole["gpu"],
        "requestedGPUsPerPodGroup": whole["gpu"],
        "requestedGPUsMemoryPerPodGroup": whole["gpuMemoryMib"],
        "totalRequestedMemory": whole["memoryBytes"],
        "totalRequestedCPU": whole["cpuMilli"] / _MILLI,
        "requestedMigDevices": whole["migProfile"],
        "latestPod": None if youngest is None else pod(youngest, said["namespace"]),
        "existsInCluster": row.deleted_ms is None,
        "jobUrl": next(iter(said["urls"]), None),
    }


def pod(row: Pod, namespace: str | None) -> Document:
    """A pod, as `OlderPod` is written.

    Args:
        row: it.
        namespace: of its workload; None: not known any more.
    """
    said = row.document
    started = [each["startedAt"] for each in said["containers"] if each["startedAt"] is not None]
    return {
        "podId": row.id,
        "jobId": row.workload_id,
        "podGroupId": row.workload_id,
        "clusterUuid": row.cluster_id,
        "podName": row.name,
        "imageName": next((each["image"] for each in said["containers"]), ""),
        "nodeId": row.node_name,
        "phase": row.kubernetes_phase,
        "status": row.kubernetes_phase,
        "created": row.created_ms,
        "completed": row.completed_ms or 0,
        "started": min(map(_milliseconds, started), default=None),
        "lastUpdated": row.updated_ms,
        "existsInCluster": row.deleted_ms is None,
        "resourceRequest": _amounts(said["requested"]),
        "resourceAllocation": _amounts(said["allocated"]),
        "nodePool": row.node_pool,
        "namespace": namespace,
    }


def deployment(row: Workload, youngest: Pod | None, phases: Mapping[str, int]) -> Document:
    """An inference workload, as `OlderDeployment` is written; arguments as of `job`."""
    said = row.document
    seen: Said = {"containers": [], "requested": None} if youngest is None else youngest.document
    return {
        "clusterUuid": row.cluster_id,
        "id": row.id,
        "name": row.name,
        "namespace": said["namespace"],
        "project": row.project_name,
        "owners": [{"kind": row.type, "name": row.name, "id": row.id}],
        "createdAt": _time(row.created_ms),
        "replicas": phases.get("Pending", 0) + phases.get("Running", 0),
        "template": {
            "containers": [{"name": each["name"], "image": each["image"]} for each in seen["containers"]],
            "resourceRequest": {} if seen["requested"] is None else _amounts(seen["requested"]),
        },
        "schedulerName": names.SCHEDULER_NAME,
        "username": row.submitted_by,
        "connections": said["urls"],
        "inferenceworkloadName": row.name,
        "conditions": [
            {
                "type": each["type"],
                "status": _HOLDS.get(each["status"], each["status"]),
                "reason": each["reason"],
                "message": each["message"],
            }
            for each in said["conditions"]
            if each["type"] in OLDER_CONDITIONS
        ],
        "nodePool": row.node_pool,
    }


def _amounts(said: Said) -> dict[str, float]:
    """What somebody asks for or has, by resource: `gpuMemory` in MiB, `cpu` in cores, `memory` in bytes."""
    return {
        **said["extended"],
        "gpu": said["gpu"],
        "gpuMemory": said["gpuMemoryMib"],
        "cpu": said["cpuMilli"] / _MILLI,
        "memory": said["memoryBytes"],
    }


def _type(row: Workload) -> JobType:
    priority = row.document["priorityClass"]
    if priority in names.INTERACTIVE_PRIORITY_CLASSES:
        by_priority: JobType = "Interactive"
    else:
        by_priority = "Inference" if priority == names.INFERENCE_PRIORITY_CLASS else "Train"
    return _KINDS.get(row.type, by_priority)


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else written_time(from_milliseconds(milliseconds))


def _milliseconds(written: str) -> int:
    return to_milliseconds(datetime.fromisoformat(written))
