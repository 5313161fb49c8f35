"""`/api/v1/audit/log`."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from aliquot.contracts.administrator_api.audit import AuditLog, AuditQuery
from aliquot.controlplane.audit.queries import between, shown
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
        wanted = between(permit, query.start, query.end)
        found = listed(permit, ordered(wanted, query, query.sort_by, _FIELDS, tables.AuditRecord.id), query)
        return AuditLog(records=[shown(row) for row in found.rows], next=found.next)
