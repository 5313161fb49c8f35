"""Who changed what, on the older surface (control-plane-api.md 1.4.9)."""

from typing import Annotated, Any

from pydantic import Field

from aliquot.contracts.administrator_api.listing import DEFAULT_LIMIT, MOST_LISTED
from aliquot.contracts.administrator_api.permissions import Action
from aliquot.contracts.administrator_api.shapes import INT32_MAX, Answer, Body, Text, Time


class OlderAuditQuery(Body):
    """Which changes; the oldest first."""

    start: Time | None = None
    """Only those since: `2026-01-31`, or `2026-01-31T12:00:00`, in UTC."""
    end: Time | None = None
    """Only those before."""
    cluster_uuid: Annotated[Text | None, Field(alias="cluster_uuid")] = None
    """Only those in this cluster."""
    action: Text | None = None
    """Only those: `create`, `update` or `delete`."""
    source_type: Annotated[Text | None, Field(alias="source_type")] = None
    """Only those by a `user`, or by an `app`."""
    source_id: Annotated[Text | None, Field(alias="source_id")] = None
    """Only those by the one with this id."""
    source_name: Annotated[Text | None, Field(alias="source_name")] = None
    """Only those by the one with this name."""
    entity_type: Annotated[Text | None, Field(alias="entity_type")] = None
    """Only those of something of this type."""
    entity_id: Annotated[Text | None, Field(alias="entity_id")] = None
    """Only those of the one with this id."""
    success: bool | None = None
    """Only those that were carried out, or that were not: only the former are written down."""
    download: bool = False
    """Whether the answer is to be kept as a file."""
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = DEFAULT_LIMIT
    """At most so many are shown."""
    offset: Annotated[int, Field(ge=0, le=INT32_MAX)] = 0
    """So many are skipped."""


class OlderAuditRecord(Answer):
    """A change."""

    id: int
    """Its id; later ones have larger ones."""
    cluster_uuid: str | None
    """Cluster of what was changed; null: it is in none."""
    tenant_id: int
    """Whose it is."""
    happened_at: Time
    """When."""
    action: Action
    """What was done."""
    version: str
    """Of the surface whose objects `body` has."""
    entity_id: str
    """Id of what was changed."""
    entity_type: str
    """Its type."""
    entity_name: str
    """Its name, then."""
    source_type: str
    """What did it."""
    source_id: str
    """Id of who did it."""
    source_name: str
    """Name of who did it."""
    error: str
    """Empty: it was done."""
    context: dict[str, Any]
    """What it was before, as `before`."""
    body: dict[str, Any]
    """What it became; empty: it is not there any more."""
