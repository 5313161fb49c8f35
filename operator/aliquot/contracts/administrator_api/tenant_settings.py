"""Settings of a tenant (control-plane-api.md 1.4.9).

The list of keys is not published: all but `department.use` are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import Answer, Text, TolerantBody


@dataclass(frozen=True, slots=True)
class Known:
    """A setting that there is; all of them are true or false.

    Attributes:
        label: for people.
        description: what it does.
        category: heading under which it is shown.
        default: what it is where nobody has said anything.
    """

    label: str
    description: str
    category: str
    default: bool


REFUSE_OVER_SUBSCRIPTION: Final = "aliquot.refuse_over_subscription"
SETTINGS: Final[Mapping[str, Known]] = {
    "department.use": Known(
        label="Departments",
        description="Whether user interfaces show departments. The API has them in any case.",
        category="General",
        default=False,
    ),
    REFUSE_OVER_SUBSCRIPTION: Known(
        label="Refuse over-subscription",
        description="Whether quotas of projects that add up to more GPUs than their department's are refused.",
        category="Quotas",
        default=False,
    ),
}
"""By key."""


class Setting(Answer):
    """A setting."""

    key: str
    """Its name."""
    value: Literal["true", "false"]
    """What it is."""
    active: bool
    """The same."""
    category: str
    """Heading under which it is shown."""
    description: str
    """What it does."""
    label: str
    """Its name, for people."""
    stage: Literal["Beta", "GA"]
    """How far it is developed."""
    type: Literal["Boolean"]
    """Type of its value."""
    source: Literal["Tenant", "Default"]
    """Who said so: somebody of the tenant, or nobody."""


class SettingChange(TolerantBody):
    """Another value for a setting."""

    key: Annotated[Text, Field(min_length=1)]
    """Its name."""
    value: bool
    """`true` or `false`, in quotation marks or not."""


class SettingChanged(Answer):
    """It was changed."""

    msg: Literal["done"] = "done"
    """In a word."""
