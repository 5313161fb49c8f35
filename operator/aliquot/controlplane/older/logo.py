"""`/v1/k8s/tenant/{tenantId}/logo` (control-plane-api.md 1.4.9)."""

from fastapi import APIRouter

from aliquot.contracts.administrator_api.logo import Logo, LogoChange
from aliquot.contracts.administrator_api.problems import Problem
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.logo.changes import change, shown
from aliquot.controlplane.logo.rules import image
from aliquot.controlplane.refusals import NotFound

router = APIRouter(prefix="/v1/k8s/tenant/{tenantId}/logo", tags=["Older: logo"])


@router.get("")
def get_logo_of_tenant(gate: GateOfRequest, tenantId: str) -> Logo:  # noqa: N803 - as it is documented
    """Show the tenant's logo."""
    with gate.permit("tenant", "read") as permit:
        _check_tenant(permit, tenantId)
        found = shown(permit)
        if found is None:
            raise NotFound(details="the tenant has no logo")
        return found


@router.post("", responses={415: {"model": Problem, "description": "It is no image."}})
def change_logo_of_tenant(gate: GateOfRequest, tenantId: str, body: LogoChange) -> None:  # noqa: N803
    """Give the tenant another logo."""
    given = image(body.logo)
    with gate.permit("settings", "update") as permit:
        _check_tenant(permit, tenantId)
        change(permit, given)


def _check_tenant(permit: Permit, written_id: str) -> None:
    if written_id != str(permit.holder.tenant_id):
        raise NotFound(details=f"there is no tenant {written_id}")
