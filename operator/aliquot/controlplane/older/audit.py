"""`/v1/k8s/audit` (control-plane-api.md 1.4.9)."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from sqlalchemy import Select

from aliquot.contracts.administrator_api.older.audit import OlderAuditQuery, OlderAuditRecord
from aliquot.controlplane.audit.queries import between, shown
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.database.tables import AuditRecord

router = APIRouter(prefix="/v1/k8s/audit", tags=["Older: audit"])

_COLUMNS: Final[dict[str, Any]] = {
    "cluster_uuid": AuditRecord.cluster_id,
    "action": AuditRecord.action,
    "source_type": AuditRecord.source_type,
    "source_id": AuditRecord.source_id,
    "source_name": AuditRecord.source_name,
    "entity_type": AuditRecord.entity_type,
    "entity_id": AuditRecord.entity_id,
}


@router.get("")
def list_older_changes(
    gate: GateOfRequest, answer: Response, query: Annotated[OlderAuditQuery, Query()]
) -> list[OlderAuditRecord]:
    """List changes, the oldest first."""
    if query.download:
        answer.headers["Content-Disposition"] = 'attachment; filename="logs.json"'
    with gate.permit("events-history", "read") as permit:
        if query.success is False:
            return []
        wanted = _wanted(between(permit, query.start, query.end), query).order_by(AuditRecord.id)
        return [_older(row) for row in permit.rows(wanted.offset(query.offset).limit(query.limit))]


def _wanted(records: Select[AuditRecord], query: OlderAuditQuery) -> Select[AuditRecord]:
    for name, column in _COLUMNS.items():
        value = getattr(query, name)
        if value is not None:
            records = records.where(column == value)
    return records


def _older(row: AuditRecord) -> OlderAuditRecord:
    record = shown(row).model_dump(by_alias=True)
    return OlderAuditRecord.model_validate(
        {
            **record,
            "version": "v1",
            "error": "",
            "context": {} if row.before is None else {"before": row.before},
            "body": row.after or {},
        }
    )
