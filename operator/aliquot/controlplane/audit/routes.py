"""`/api/v1/audit/log`."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from aliquot.contracts.administrator_api.audit import AuditLog, AuditQuery, AuditRecord
from aliquot.contracts.administrator_api.shapes import from_milliseconds, to_milliseconds
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.database import tables
from aliquot.controlplane.listing import Field, listed, ordered

router = APIRouter(prefix="/api/v1/audit", tags=["Audit"])

_FIELDS: Final = {
    "action": Field(tables.AuditRecord.action),
    "entityType": Field(tables.AuditRecord.entity_type),
    "entityId": Field(tables.AuditRecord.entity_id),
    "entityName": Field(tables.AuditRecord.entity_name),
    "sourceType": Field(tables.AuditRecord.source_type),
    "sourceName": Field(tables.AuditRecord.source_name),
    "clusterUuid": Field(tables.AuditRecord.cluster_id),
    "happenedAt": Field(tables.AuditRecord.happened_ms, "time"),
}


@router.get("/log")
def list_changes(gate: GateOfRequest, query: Annotated[AuditQuery, Query()]) -> AuditLog:
    """List changes."""
    with gate.permit("events-history", "read") as permit:
        wanted = permit.select(tables.AuditRecord)
        if query.start is not None:
            wanted = wanted.where(tables.AuditRecord.happened_ms >= to_milliseconds(query.start))
        if query.end is not None:
            wanted = wanted.where(tables.AuditRecord.happened_ms < to_milliseconds(query.end))
        found = listed(permit, ordered(wanted, query, query.sort_by, _FIELDS, tables.AuditRecord.id), query)
        return AuditLog(records=[_shown(row) for row in found.rows], next=found.next)


def _shown(row: tables.AuditRecord) -> AuditRecord:
    return AuditRecord.model_validate(
        {
            "id": row.id,
            "tenant_id": row.tenant_id,
            "cluster_uuid": row.cluster_id,
            "happened_at": from_milliseconds(row.happened_ms),
            "action": row.action,
            "entity_type": row.entity_type,
            "entity_id": row.entity_id,
            "entity_name": row.entity_name,
            "source_type": row.source_type,
            "source_id": row.source_id,
            "source_name": row.source_name,
            "before": row.before,
            "after": row.after,
        }
    )
