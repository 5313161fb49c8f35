"""From the rules for one value to those of a custom resource (crd-contract.md, Rules). Pure."""

from collections.abc import Callable
from typing import Any

from aliquot.contracts.kinds.catalogue import ValueType
from aliquot.controlplane.submissions.gpus import Parameters, decimal
from aliquot.controlplane.submissions.mapping import at
from aliquot.errors import UserError


def rules_of(rules: object, value_type: ValueType, field: str, write: Callable[[Any], Any]) -> Parameters:
    """The rules; those that say nothing are left out.

    Args:
        rules: as REST has them.
        value_type: of the value that they are for.
        field: their path, for errors.
        write: makes of a value that may be chosen what the parameter has.

    Raises:
        UserError: values of this type have no such rule in a cluster.
    """
    found: Parameters = {}
    if at(rules, "required"):
        found["required"] = True
    if at(rules, "can_edit") is False:
        found["canEdit"] = False
    for bound in ("min", "max", "step"):
        value = at(rules, bound)
        if value is None:
            continue
        if bound == "step" and value_type is not ValueType.DECIMAL:
            raise UserError(f"{field}.step", value, "left out: clusters have no steps of whole numbers")
        found[bound] = decimal(value) if value_type is ValueType.DECIMAL else value
    options = at(rules, "options")
    if options is not None:
        if not options:
            raise UserError(f"{field}.options", [], "at least one; left out: any")
        found["options"] = [_option(write(each.value), each.displayed) for each in options]
    return found


def _option(value: object, displayed: str | None) -> Parameters:
    return {"value": value} if displayed is None else {"value": value, "name": displayed}
