"""Audit records in the database, and as they are shown."""

from datetime import datetime

from sqlalchemy import Select

from aliquot.contracts.administrator_api.audit import AuditRecord
from aliquot.contracts.administrator_api.shapes import from_milliseconds, to_milliseconds
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables


def between(permit: Permit, start: datetime | None, end: datetime | None) -> Select[tables.AuditRecord]:
    """The changes that the caller may see, since one moment and before another."""
    wanted = permit.select(tables.AuditRecord)
    if start is not None:
        wanted = wanted.where(tables.AuditRecord.happened_ms >= to_milliseconds(start))
    if end is not None:
        wanted = wanted.where(tables.AuditRecord.happened_ms < to_milliseconds(end))
    return wanted


def shown(row: tables.AuditRecord) -> AuditRecord:
    """A change as the API has it."""
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
