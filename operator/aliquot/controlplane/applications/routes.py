"""`/api/v1/apps`."""

from fastapi import APIRouter, Request, Response

from aliquot.contracts.administrator_api.applications import (
    Application,
    ApplicationChange,
    ApplicationCreation,
    ApplicationWithSecret,
    Installer,
    Secret,
)
from aliquot.contracts.administrator_api.problems import Problem
from aliquot.controlplane.applications import changes
from aliquot.controlplane.applications.queries import INSTALLER, installer, installer_shown, shown
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.database import tables
from aliquot.controlplane.services import services_of

router = APIRouter(prefix="/api/v1/apps", tags=["Applications"])


@router.get("")
def list_applications(gate: GateOfRequest) -> list[Application]:
    """List applications."""
    with gate.permit("apps", "read") as permit:
        order = permit.select(tables.Application).order_by(tables.Application.created_ms, tables.Application.id)
        return [shown(row) for row in permit.rows(order)]


@router.post("", status_code=201)
def create_application(gate: GateOfRequest, request: Request, body: ApplicationCreation) -> ApplicationWithSecret:
    """Create an application; it has no rights before an access rule gives it some."""
    secret = services_of(request).passwords.new_secret()
    with gate.permit("apps", "create") as permit:
        row = changes.create(permit, body.name, secret)
        return ApplicationWithSecret(id=row.id, name=row.name, secret=secret.text)


@router.get("/installer", responses={409: {"model": Problem}})
def get_installer(gate: GateOfRequest, request: Request, answer: Response) -> Installer:
    """Show the tenant's application for installing clusters, with its secret; it is made where there is none.

    It has no rights before an access rule gives it some. As who changes applications can give it another secret,
    seeing the one that it has takes the same right.
    """
    answer.headers["Cache-Control"] = "no-store"
    with gate.permit("apps", "update") as permit:
        found = installer(permit)
        if found is not None:
            return installer_shown(found)
    secret = services_of(request).passwords.new_secret()
    with gate.permit("apps", "create") as permit:
        row = installer(permit)  # somebody else may have been faster
        return installer_shown(row or changes.create(permit, INSTALLER, secret, shows_secret=True))


@router.get("/{appId}")
def get_application(gate: GateOfRequest, appId: str) -> Application:  # noqa: N803 - as it is documented
    """Show an application."""
    with gate.permit("apps", "read") as permit:
        return shown(permit.one(tables.Application, appId))


@router.patch("/{appId}")
def change_application(gate: GateOfRequest, appId: str, body: ApplicationChange) -> Application:  # noqa: N803
    """Enable or disable an application; disabled, its tokens do not count, either."""
    with gate.permit("apps", "update") as permit:
        row = permit.one(tables.Application, appId)
        changes.enable(permit, row, enabled=body.enabled)
        return shown(row)


@router.post("/{appId}/secret")
def renew_secret(gate: GateOfRequest, request: Request, appId: str) -> Secret:  # noqa: N803
    """Give an application another secret; the one before, and the tokens got by it, do not count any more."""
    secret = services_of(request).passwords.new_secret()
    with gate.permit("apps", "update") as permit:
        changes.change_secret(permit, permit.one(tables.Application, appId), secret)
        return Secret(secret=secret.text)


@router.delete("/{appId}", status_code=204)
def delete_application(gate: GateOfRequest, appId: str) -> None:  # noqa: N803
    """Delete an application, and the access rules for it."""
    with gate.permit("apps", "delete") as permit:
        changes.delete(permit, permit.one(tables.Application, appId))
