"""What settings of the tenant are, and what becomes of a change (control-plane-api.md 1.4.9)."""

from aliquot.contracts.administrator_api.tenant_settings import REFUSE_OVER_SUBSCRIPTION, SETTINGS, Known, Setting
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.refusals import NotFound


def every(permit: Permit) -> list[Setting]:
    """All settings, in the order of their keys."""
    said = _said(permit)
    return [
        Setting(
            key=key,
            value="true" if said.get(key, known.default) else "false",
            active=said.get(key, known.default),
            category=known.category,
            description=known.description,
            label=known.label,
            stage="Beta" if key == "department.use" else "GA",
            type="Boolean",
            source="Tenant" if key in said else "Default",
        )
        for key, known in sorted(SETTINGS.items())
    ]


def one(permit: Permit, key: str) -> bool:
    """What a setting is.

    Raises:
        NotFound: there is no such setting.
    """
    return _said(permit).get(key, _known(key).default)


def change(permit: Permit, key: str, *, value: bool) -> None:
    """Change a setting.

    Raises:
        NotFound: there is no such setting.
        Forbidden: the caller's rights do not reach the tenant itself.
    """
    before = one(permit, key)
    if key == REFUSE_OVER_SUBSCRIPTION:
        permit.refuse_over_subscription(refuses=value)
    else:
        permit.set_setting(key, value=value)
    permit.record_of_tenant("setting", key, before={"value": before}, after={"value": value})


def _said(permit: Permit) -> dict[str, bool]:
    """What somebody said, by key; the rules of quotas have their flag on the tenant itself."""
    said = dict(permit.settings())
    if permit.refuses_over_subscription():
        said[REFUSE_OVER_SUBSCRIPTION] = True
    return said


def _known(key: str) -> Known:
    if key not in SETTINGS:
        raise NotFound(details=f"there is no setting {key!r}: there are {', '.join(sorted(SETTINGS))}")
    return SETTINGS[key]
