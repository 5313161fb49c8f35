"""Who changed what (control-plane-api.md 1.4.9; the path is that of 2.19)."""

from typing import Any, Literal

from aliquot.contracts.administrator_api.listing import Page
from aliquot.contracts.administrator_api.permissions import Action
from aliquot.contracts.administrator_api.shapes import Answer, Time


class AuditQuery(Page):
    """Which changes, in which order."""

    start: Time | None = None
    """Only those since."""
    end: Time | None = None
    """Only those before."""
    sort_by: Literal["happenedAt", "entityType", "sourceName"] | None = None
    """What they are sorted by; left out: by age."""


class AuditRecord(Answer):
    """A change."""

    id: int
    """Its id; later ones have larger ones."""
    tenant_id: int
    """Whose it is."""
    cluster_uuid: str | None
    """Cluster of what was changed; null: it is in none."""
    happened_at: Time
    """When."""
    action: Action
    """What was done."""
    entity_type: str
    """Type of what was changed."""
    entity_id: str
    """Its id."""
    entity_name: str
    """Its name, then."""
    source_type: Literal["user", "app"]
    """What did it."""
    source_id: str
    """Id of who did it."""
    source_name: str
    """Name of who did it."""
    before: dict[str, Any] | None
    """What it was, as the API showed it; null: it was not there."""
    after: dict[str, Any] | None
    """What it became; null: it is not there any more."""


class AuditLog(Answer):
    """A page of changes."""

    records: list[AuditRecord]
    """They."""
    next: int | None = None
    """Offset of the next page; left out on the last one."""
