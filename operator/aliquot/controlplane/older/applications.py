"""`/v1/k8s/apps` (control-plane-api.md 1.4.7)."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from aliquot.contracts.administrator_api.older.subjects import (
    OlderApplication,
    OlderApplicationCreation,
    OlderApplicationUpdate,
    OlderApplicationWithSecret,
    OlderSubjectsQuery,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.applications import changes
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.older import subjects
from aliquot.controlplane.older.places import check_same
from aliquot.controlplane.older.subjects import Seen, give, is_asked, seen
from aliquot.controlplane.services import services_of

router = APIRouter(prefix="/v1/k8s/apps", tags=["Older: applications"])


@router.get("")
def list_applications_with_roles(
    gate: GateOfRequest, query: Annotated[OlderSubjectsQuery, Query()]
) -> list[OlderApplication]:
    """List applications, with their roles."""
    with gate.permit("apps", "read") as permit:
        rules = seen(permit, "app")
        order = permit.select(tables.Application).order_by(tables.Application.created_ms, tables.Application.id)
        return [
            OlderApplication.model_validate(_document(row, rules))
            for row in permit.rows(order)
            if is_asked(query, rules.rights(row.name, row.id), row.created_by, permit.holder.name)
        ]


@router.post("")
def create_application_with_roles(
    gate: GateOfRequest, request: Request, body: OlderApplicationCreation
) -> OlderApplicationWithSecret:
    """Create an application, with roles."""
    secret = services_of(request).passwords.new_secret()
    with gate.permit("apps", "create") as permit:
        row = changes.create(permit, body.name, secret)
        give(permit, "app", [row.name, row.id], body.roles, body)
        return _with_secret(permit, row, secret.text)


@router.get("/{clientId}")
def get_application_with_roles(gate: GateOfRequest, clientId: str) -> OlderApplication:  # noqa: N803 - as documented
    """Show an application, with its roles."""
    with gate.permit("apps", "read") as permit:
        return _shown(permit, permit.one(tables.Application, clientId))


@router.put("/{clientId}")
def replace_roles_of_application(
    gate: GateOfRequest,
    clientId: str,  # noqa: N803
    body: OlderApplicationUpdate,
) -> OlderApplication:
    """Give an application other roles, revoke it, or let it have tokens again."""
    with gate.permit("apps", "update") as permit:
        row = permit.one(tables.Application, clientId)
        check_same("name", body.name, row.name, "the name")
        if body.revoked is not None and body.revoked is row.enabled:
            changes.enable(permit, row, enabled=not body.revoked)
        give(permit, "app", [row.name, row.id], body.roles, body)
        return _shown(permit, row)


@router.delete("/{clientId}", status_code=200)
def delete_application_with_roles(gate: GateOfRequest, clientId: str) -> None:  # noqa: N803
    """Delete an application, and the access rules for it."""
    with gate.permit("apps", "delete") as permit:
        changes.delete(permit, permit.one(tables.Application, clientId))


@router.post("/{clientId}/secret")
def renew_secret_of_application(
    gate: GateOfRequest,
    request: Request,
    clientId: str,  # noqa: N803
) -> OlderApplicationWithSecret:
    """Give an application another secret; the one before, and the tokens got by it, do not count any more."""
    secret = services_of(request).passwords.new_secret()
    with gate.permit("apps", "update") as permit:
        row = permit.one(tables.Application, clientId)
        changes.change_secret(permit, row, secret)
        return _with_secret(permit, row, secret.text)


def _with_secret(permit: Permit, row: tables.Application, secret: str) -> OlderApplicationWithSecret:
    shown = {**_document(row, seen(permit, "app")), "secret": secret}
    return OlderApplicationWithSecret.model_validate(shown)


def _shown(permit: Permit, row: tables.Application) -> OlderApplication:
    return OlderApplication.model_validate(_document(row, seen(permit, "app")))


def _document(row: tables.Application, rules: Seen) -> dict[str, Any]:
    return {
        "entityType": "app",
        "tenantId": row.tenant_id,
        "userId": row.id,
        "clientId": row.id,
        "name": row.name,
        "revoked": not row.enabled,
        "createdAt": from_milliseconds(row.created_ms),
        **subjects.shown(rules.rights(row.name, row.id)),
    }
