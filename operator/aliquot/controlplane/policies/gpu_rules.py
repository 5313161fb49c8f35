"""Rules for GPUs: numbers and parts of them are one parameter of clusters, `gpu` (decision 18). Pure.

gpuDevicesRequest    of gpu; of gpuDevices what is the most, and whether it may be changed
gpuPortionRequest    of gpu, where it says more than that a part is above 0 and at most 1
"""

from collections.abc import Mapping

from aliquot.contracts.kinds.catalogue import ValueType
from aliquot.controlplane.policies.rule_values import rules_of
from aliquot.controlplane.submissions.gpus import Parameters
from aliquot.controlplane.submissions.mapping import GPUS, at, outside
from aliquot.errors import UserError

_DEVICES, _PORTION = "gpu_devices_request", "gpu_portion_request"
_TYPES: Mapping[str, ValueType] = {
    "gpu_portion_limit": ValueType.DECIMAL,
    "gpu_memory_request": ValueType.QUANTITY,
    "gpu_memory_limit": ValueType.QUANTITY,
    "mig_profile": ValueType.TEXT,
}


def gpu_rules(compute: object, field: str) -> Parameters:
    """The rules of the parameters that are about GPUs.

    Args:
        compute: rules for what each pod has to compute with; None: none.
        field: their path, for errors.

    Raises:
        UserError: clusters cannot have both of two.
    """
    found = {
        GPUS[member]: rules_of(said, value_type, f"{field}.{outside(member)}", lambda value: value)
        for member, value_type in _TYPES.items()
        if (said := at(compute, member)) is not None
    }
    devices = _number(compute, _DEVICES, field)
    portion = _number(compute, _PORTION, field)
    if portion.get("min") == "0":
        del portion["min"]
    if float(portion.get("max", 0)) >= 1:
        del portion["max"]
    if devices and portion:
        path = f"{field}.{outside(_PORTION)}"
        raise UserError(path, portion, "left out, because gpuDevicesRequest has rules: clusters know both as gpu")
    if devices or portion:
        found["gpu"] = devices or portion
    most = {name: value for name, value in devices.items() if name in ("max", "canEdit")}
    if most:
        found["gpuDevices"] = {**most, "max": int(most["max"])} if "max" in most else most
    return {parameter: rules for parameter, rules in found.items() if rules}


def _number(compute: object, member: str, field: str) -> Parameters:
    said = at(compute, member)
    path = f"{field}.{outside(member)}"
    return {} if said is None else rules_of(said, ValueType.DECIMAL, path, lambda value: value)
