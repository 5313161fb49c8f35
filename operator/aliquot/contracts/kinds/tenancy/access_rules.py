"""AccessRule: who may do what, and where (crd-contract.md, AccessRule)."""

from typing import Annotated

from aliquot.contracts.kinds.conditions import ObservedConditions
from aliquot.contracts.kinds.shapes import Resource, Shape, text
from aliquot.contracts.kinds.texts import Message, Name


class AccessRuleSpec(Shape):
    """Who may do what, and where."""

    subject_id: Name | None = None
    """User, group or application, by the name that its token gives."""
    subject_type: Annotated[str, text(64)] | None = None
    """What the subject is: user, group or app."""
    role_name: Name | None = None
    """Role that the subject has."""
    scope_name: Name | None = None
    """Project or department in which it has the role."""
    scope_type: Annotated[str, text(64)] | None = None
    """What the scope is: project, department, cluster or tenant."""


class AccessRuleStatus(Shape):
    """Whether the rule is in force."""

    phase: Annotated[str, text(64)] | None = None
    """Ready once the rule is in force."""
    message: Message | None = None
    """What stands in the way, as a sentence."""
    conditions: ObservedConditions = ()
    """Aspects of how the rule is doing, one entry for each type."""


class AccessRule(Resource):
    """Gives a user, group or application a role in a project or department."""

    spec: AccessRuleSpec
    """Who may do what, and where."""
    status: AccessRuleStatus = AccessRuleStatus()
    """Whether the rule is in force."""
