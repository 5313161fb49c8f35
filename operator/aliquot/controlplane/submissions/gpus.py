"""From what a submission asks for of GPUs to parameters (control-plane-api.md 1.4.11, compute rules). Pure."""

from typing import Any, Final

from aliquot.contracts.administrator_api.submissions.parts import Amounts
from aliquot.errors import UserError

Parameters = dict[str, Any]

_FIELD: Final = "spec.compute"
_NEEDS: Final = {
    "gpu_portion_request": "portion",
    "gpu_portion_limit": "portion",
    "gpu_memory_request": "memory",
    "gpu_memory_limit": "memory",
    "mig_profile": "migProfile",
}
"""Which type of request a member belongs to."""


def gpus(compute: Amounts, field: str = _FIELD) -> Parameters:
    """Say which GPUs each pod gets.

    Args:
        compute: asks for them.
        field: path of that, for errors.

    Raises:
        UserError: the members contradict one another.
    """
    kind, devices = compute.gpu_request_type, compute.gpu_devices_request
    for member, needed in _NEEDS.items():
        value = getattr(compute, member)
        if value is not None and kind != needed:
            raise UserError(_path(field, member), value, f"left out, because gpuRequestType is not {needed}")
    if devices is not None and devices > 1 and kind not in (None, "portion"):
        raise UserError(f"{field}.gpuDevicesRequest", devices, f"0 or 1: with {kind} there is no more than one device")
    if kind is None:
        return {} if devices is None else {"gpu": _value(str(devices))}
    if kind == "portion":
        return _portion(compute, field)
    member, parameter = ("gpu_memory_request", "gpuMemory") if kind == "memory" else ("mig_profile", "migProfile")
    asked = getattr(compute, member)
    if asked is None:
        raise UserError(_path(field, member), None, f"needed, because gpuRequestType is {kind}")
    if devices == 0:
        return {}
    limit = compute.gpu_memory_limit
    return {parameter: _value(asked)} | ({} if limit is None else {"gpuMemoryLimit": _value(limit)})


def decimal(number: float) -> str:
    """A number as parameters have decimals: without an exponent, to a millionth."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _portion(compute: Amounts, field: str) -> Parameters:
    portion, limit = compute.gpu_portion_request, compute.gpu_portion_limit
    devices = 1 if compute.gpu_devices_request is None else compute.gpu_devices_request
    if portion is None or not 0 < portion <= 1:
        allowed = "a part of a GPU above 0 and at most 1, because gpuRequestType is portion"
        raise UserError(f"{field}.gpuPortionRequest", portion, allowed)
    if limit is not None and not portion <= limit <= 1:
        raise UserError(f"{field}.gpuPortionLimit", limit, f"from gpuPortionRequest, which is {portion}, to 1")
    if devices == 0:
        return {}
    if portion == 1:
        return {"gpu": _value(str(devices))}
    found = {"gpu": _value(decimal(portion)), "gpuDevices": _value(devices)}
    return found if limit is None else {**found, "gpuLimit": _value(decimal(limit))}


def _path(field: str, member: str) -> str:
    first, *rest = member.split("_")
    return f"{field}.{first}{''.join(map(str.capitalize, rest))}"


def _value(value: object) -> Parameters:
    return {"value": value}
