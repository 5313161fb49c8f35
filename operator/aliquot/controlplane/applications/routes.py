"""`/api/v1/apps`."""

import uuid

from fastapi import APIRouter, Request

from aliquot.contracts.administrator_api.applications import (
    Application,
    ApplicationChange,
    ApplicationCreation,
    ApplicationWithSecret,
    Secret,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.access_rules.ending import end_rules_of
from aliquot.controlplane.auditing import document
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.passwords import new_secret
from aliquot.controlplane.database import tables
from aliquot.controlplane.refusals import Conflict
from aliquot.controlplane.services import services_of

router = APIRouter(prefix="/api/v1/apps", tags=["Applications"])


@router.get("")
def list_applications(gate: GateOfRequest) -> list[Application]:
    """List applications."""
    with gate.permit("apps", "read") as permit:
        order = permit.select(tables.Application).order_by(tables.Application.created_ms, tables.Application.id)
        return [_shown(row) for row in permit.rows(order)]


@router.post("", status_code=201)
def create_application(gate: GateOfRequest, request: Request, body: ApplicationCreation) -> ApplicationWithSecret:
    """Create an application; it has no rights before an access rule gives it some."""
    secret = new_secret()
    kept = services_of(request).passwords.hashed(secret)
    with gate.permit("apps", "create") as permit:
        if permit.count(permit.select_whole(tables.Application).where(tables.Application.name == body.name)):
            raise Conflict("Resource with this name already exists", f"there is an application {body.name}")
        row = tables.Application(
            id=str(uuid.uuid4()),
            tenant_id=permit.holder.tenant_id,
            name=body.name,
            secret_hash=kept,
            enabled=True,
            tokens_from_ms=permit.now_ms,
            created_ms=permit.now_ms,
            updated_ms=permit.now_ms,
            created_by=permit.holder.name,
        )
        permit.add(row)
        permit.record("create", "app", row, after=document(_shown(row)))
        return ApplicationWithSecret(id=row.id, name=row.name, secret=secret)


@router.get("/{appId}")
def get_application(gate: GateOfRequest, appId: str) -> Application:  # noqa: N803 - as it is documented
    """Show an application."""
    with gate.permit("apps", "read") as permit:
        return _shown(permit.one(tables.Application, appId))


@router.patch("/{appId}")
def change_application(gate: GateOfRequest, appId: str, body: ApplicationChange) -> Application:  # noqa: N803
    """Enable or disable an application; disabled, its tokens do not count, either."""
    with gate.permit("apps", "update") as permit:
        row = permit.one(tables.Application, appId)
        before = document(_shown(row))
        if row.enabled and not body.enabled:
            permit.end_tokens(row)
        row.enabled, row.updated_ms = body.enabled, permit.now_ms
        permit.record("update", "app", row, before=before, after=document(_shown(row)))
        return _shown(row)


@router.post("/{appId}/secret")
def renew_secret(gate: GateOfRequest, request: Request, appId: str) -> Secret:  # noqa: N803
    """Give an application another secret; the one before, and the tokens got by it, do not count any more."""
    secret = new_secret()
    kept = services_of(request).passwords.hashed(secret)
    with gate.permit("apps", "update") as permit:
        row = permit.one(tables.Application, appId)
        before = document(_shown(row))
        row.secret_hash = kept
        permit.end_tokens(row)
        row.updated_ms = permit.now_ms
        permit.record("update", "app", row, before=before, after=document(_shown(row)))
        return Secret(secret=secret)


@router.delete("/{appId}", status_code=204)
def delete_application(gate: GateOfRequest, appId: str) -> None:  # noqa: N803
    """Delete an application, and the access rules for it."""
    with gate.permit("apps", "delete") as permit:
        row = permit.one(tables.Application, appId)
        permit.record("delete", "app", row, before=document(_shown(row)))
        end_rules_of(permit, "app", row.id, row.name)
        permit.remove(row)


def _shown(row: tables.Application) -> Application:
    return Application(
        id=row.id,
        name=row.name,
        created_by=row.created_by,
        created_at=from_milliseconds(row.created_ms),
        updated_at=from_milliseconds(row.updated_ms),
        enabled=row.enabled,
        last_login=None if row.last_login_ms is None else from_milliseconds(row.last_login_ms),
        tenant_id=str(row.tenant_id),
    )
