"""`/api/v1/logo`."""

from fastapi import APIRouter, Response

from aliquot.contracts.administrator_api.logo import Logo, LogoChange
from aliquot.contracts.administrator_api.problems import Problem
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.logo.changes import change, shown
from aliquot.controlplane.logo.rules import image

router = APIRouter(prefix="/api/v1/logo", tags=["Logo"])


@router.get("", response_model=Logo, responses={204: {"description": "There is none"}})
def get_logo(gate: GateOfRequest) -> Logo | Response:
    """Show the tenant's logo."""
    with gate.permit("tenant", "read") as permit:
        return shown(permit) or Response(status_code=204)


@router.post("", responses={415: {"model": Problem, "description": "It is no image."}})
def change_logo(gate: GateOfRequest, body: LogoChange) -> None:
    """Give the tenant another logo."""
    given = image(body.logo)
    with gate.permit("settings", "update") as permit:
        change(permit, given)
