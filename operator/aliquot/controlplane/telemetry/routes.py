"""`/api/v1/nodes/telemetry`, `/api/v1/workloads/telemetry`."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from aliquot.contracts.administrator_api.shapes import from_milliseconds, written_time
from aliquot.contracts.administrator_api.telemetry import (
    NodeTelemetryQuery,
    TelemetryResponse,
    TelemetryValue,
    WorkloadTelemetryQuery,
)
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.forms import AS_CSV, as_csv, wants_csv
from aliquot.controlplane.listing import written
from aliquot.controlplane.telemetry import queries
from aliquot.controlplane.telemetry.rules import of_nodes, values

router = APIRouter(prefix="/api/v1", tags=["Telemetry"])

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {200: {**AS_CSV, "model": TelemetryResponse}}


@router.get("/nodes/telemetry", response_model=TelemetryResponse, responses=_ANSWERS)
def count_what_nodes_have(
    request: Request, gate: GateOfRequest, query: Annotated[NodeTelemetryQuery, Query()]
) -> Response:
    """Count nodes and their GPUs, as they are now."""
    with gate.permit("nodes", "read") as permit:
        groups = _each_once(query.group_by)
        found = of_nodes(queries.nodes(permit, query), query.telemetry_type, groups)
        return _answer(request, query.telemetry_type, permit.now_ms, groups, found)


@router.get("/workloads/telemetry", response_model=TelemetryResponse, responses=_ANSWERS)
def count_what_workloads_have(
    request: Request, gate: GateOfRequest, query: Annotated[WorkloadTelemetryQuery, Query()]
) -> Response:
    """Count workloads that are there, or the GPUs that they have now."""
    with gate.permit("workloads", "read") as permit:
        groups = _each_once(query.group_by)
        asked = query.model_copy(update={"group_by": groups})
        found = values(groups, queries.sums(permit, asked))
        return _answer(request, query.telemetry_type, permit.now_ms, groups, found)


def _each_once(groups: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys(groups))


def _answer(
    request: Request, kind: str, now_ms: int, groups: Sequence[str], found: Sequence[TelemetryValue]
) -> Response:
    at = from_milliseconds(now_ms)
    if wants_csv(request):
        names = ("type", "timestamp", *(part for group in groups for part in (group, f"{group}Name")), "value")
        lines = (
            (
                kind,
                written_time(at),
                *(part for group in each.groups for part in (group.value, group.name)),
                each.value,
            )
            for each in found
        )
        return as_csv(names, lines)
    answer = TelemetryResponse(type=kind, timestamp=at, values=list(found))
    return written(answer.model_dump(mode="json", by_alias=True))
