"""What the schemas of custom resources want of items, of their defaults and rules, although it says nothing. Pure."""

from typing import Any

from aliquot.contracts.kinds.catalogue import Member, Parameter, ValueType
from aliquot.contracts.kinds.shapes import Shape, outside_name
from aliquot.controlplane.submissions.mapping import Listed, outside
from aliquot.core.submission.layers import NIL
from aliquot.errors import UserError

Parameters = dict[str, Any]


def missing(parameter: Parameter, value: Parameters) -> list[Member]:
    """The members that an item has to have, and a value lacks."""
    return [member for member in parameter.members.values() if member.required and member.name not in value]


def member_outside(how: Listed, name: str) -> str:
    """What REST calls a member of an item."""
    return next(outside(member) for member, target in how.members.items() if target == name)


def fillers(parameter: Parameter, common: Parameters, item_rules: Parameters, field: str, how: Listed) -> Parameters:
    """What the schema wants of defaults, too, although it means nothing: every item gives these itself.

    Raises:
        UserError: there is nothing that would mean nothing.
    """
    found: Parameters = {}
    for member in missing(parameter, common):
        rules: Parameters = item_rules.get(outside_name(member.rules), {}) if member.rules else {}
        if rules.get("canEdit") is False or (member.value_type is not ValueType.INTEGER and rules.get("options")):
            raise UserError(f"{field}.attributes.{member_outside(how, member.name)}", None, "needed, as it has rules")
        found[member.name] = rules.get("min") or 1 if member.value_type is ValueType.INTEGER else NIL
    return found


def needed_rules(model: type[Shape] | None) -> Parameters:
    """Rules that say nothing, for the members of which the schema wants some."""
    fields = {} if model is None else model.model_fields
    return {outside_name(name): {} for name, field in fields.items() if field.is_required()}
