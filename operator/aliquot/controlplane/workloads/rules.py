"""From what clusters say of workloads to what is kept of it (control-plane-api.md 1.4.10). Pure.

What lists are filtered and sorted by becomes a column of its own; all the rest is kept as it was said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aliquot import names
from aliquot.contracts.administrator_api.shapes import to_milliseconds
from aliquot.contracts.cluster_orders import ReportedOrder
from aliquot.contracts.cluster_shapes import Moment
from aliquot.contracts.cluster_workloads import ReportedEvent, ReportedPod, ReportedWorkload

INFERENCE: Final = "InferenceWorkload"
"""Type of workloads that answer requests."""
_LONGEST: Final = 1024
_IN_COLUMNS: Final = {
    "kind", "id", "name", "type", "project", "department", "submittedBy", "phase", "kubernetesPhase", "createdAt",
    "completedAt", "distributedFramework", "node", "currentNodePool", "workload", "workloadName",
}  # fmt: skip

Columns = Mapping[str, Any]
Written = Mapping[str, Any]
"""What a cluster says of one object, as JSON has it."""


@dataclass(frozen=True, slots=True)
class ProjectPlace:
    """Where a project of the control plane is.

    Attributes:
        project_id: its id.
        department_id: its department's.
        department: its department's name.
    """

    project_id: int
    department_id: int
    department: str


def written(said: ReportedWorkload | ReportedPod | ReportedEvent | ReportedOrder) -> Written:
    """What a cluster says of an object, as JSON has it."""
    return said.model_dump(mode="json", by_alias=True)


def workload_columns(said: ReportedWorkload, document: Written, place: ProjectPlace | None) -> Columns:
    """A workload as it is kept.

    Args:
        said: what its cluster says.
        document: the same, written.
        place: where its project is; None: it has none, or one that only the cluster knows.
    """
    return {
        **_running(said, document, place),
        "node_pool": ",".join(said.current_node_pools)[:_LONGEST] or None,
        "type": said.type,
        "department_name": place.department if place is not None else said.department,
        "phase": said.phase,
        "submitted_by": said.submitted_by,
        "allocated_gpu": said.allocated.gpu,
        "distributed_framework": said.distributed_framework,
    }


def pod_columns(said: ReportedPod, document: Written, place: ProjectPlace | None) -> Columns:
    """A pod as it is kept; arguments as of `workload_columns`."""
    return {
        **_running(said, document, place),
        "node_pool": said.current_node_pool,
        "workload_id": said.workload,
        "workload_name": said.workload_name,
        "node_name": said.node,
        "allocated_gpu": said.allocated.gpu,
    }


def event_document(said: ReportedEvent) -> dict[str, Any]:
    """An Event as the API has it (`Event`), without what only its row knows."""
    return {
        "createdAt": said.created_at.isoformat(),
        "count": said.count,
        "id": said.id,
        "type": said.type,
        "reason": said.reason or None,
        "message": said.message,
        "source": said.source or None,
        "involvedObject": {
            "uid": said.involved_uid,
            "kind": said.involved_kind,
            "name": said.involved_name,
            "namespace": said.involved_namespace or None,
        },
    }


def is_of_others(said: ReportedEvent) -> bool:
    """Whether somebody else than Aliquot says so, by what the Event says of itself."""
    return not said.source.startswith(names.OWN_EVENTS)


def projects_named(objects: Sequence[ReportedWorkload | ReportedPod]) -> set[str]:
    """The projects that workloads and pods name."""
    return {each.project for each in objects if each.project is not None}


def _running(said: ReportedWorkload | ReportedPod, document: Written, place: ProjectPlace | None) -> Columns:
    return {
        "name": said.name,
        "project_name": said.project,
        "project_id": None if place is None else place.project_id,
        "department_id": None if place is None else place.department_id,
        "kubernetes_phase": said.kubernetes_phase,
        "created_ms": to_milliseconds(said.created_at),
        "completed_ms": _milliseconds(said.completed_at),
        "document": {name: value for name, value in document.items() if name not in _IN_COLUMNS},
    }


def _milliseconds(time: Moment | None) -> int | None:
    return None if time is None else to_milliseconds(time)
