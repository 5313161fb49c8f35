"""`/v1/k8s/setting` (control-plane-api.md 1.4.9); there is no newer route."""

from fastapi import APIRouter

from aliquot.contracts.administrator_api.tenant_settings import Setting, SettingChange, SettingChanged
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.tenant_settings.changes import change, every, one

router = APIRouter(prefix="/v1/k8s/setting", tags=["Settings"])


@router.get("")
def list_settings(gate: GateOfRequest) -> list[Setting]:
    """List the tenant's settings."""
    with gate.permit("settings", "read") as permit:
        return every(permit)


@router.put("")
def change_setting(gate: GateOfRequest, body: SettingChange) -> SettingChanged:
    """Change a setting of the tenant."""
    with gate.permit("settings", "update") as permit:
        change(permit, body.key, value=body.value)
        return SettingChanged()


@router.get("/{settingKey}")
def get_setting(gate: GateOfRequest, settingKey: str) -> bool:  # noqa: N803 - as it is documented
    """Say what a setting of the tenant is."""
    with gate.permit("settings", "read") as permit:
        return one(permit, settingKey)
