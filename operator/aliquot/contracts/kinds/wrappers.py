"""How a parameter is written: wrapped in `value`, in `items`, or in `values`, with the rules that a policy may add.

Shapes: cluster-api.md 1.2. The same schema serves workloads and policies; rules mean something only in a policy. What
is known of each parameter without an object at hand, `catalogue` tells.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Generic, TypeVar

from pydantic import ConfigDict, Field

from aliquot.contracts.kinds.rules import BoolRules, IntRules, ItemRules, MapRules, StringRules
from aliquot.contracts.kinds.shapes import Mark, Shape, map_of, text, whole

V = TypeVar("V")
R = TypeVar("R")
I = TypeVar("I")  # noqa: E741 -- rules about one item; beside V and R it cannot be misread


class Wrapper(Shape):
    """Base of what is made for each type anew.

    Its members are described in `Field`: for docstrings pydantic would search all modules at every frame below, for
    each type, which was half of the time that an operator took to start.
    """

    model_config = ConfigDict(use_attribute_docstrings=False)


class Value(Wrapper, Generic[V, R]):
    """A parameter with a single value."""

    value: V | None = Field(
        default=None,
        description="The value. Left out, the one of the baseWorkload holds, or else the policy's default.",
    )
    rules: R | None = Field(default=None, description="What values users may give; has an effect only in a policy.")


class Item(Wrapper, Generic[V]):
    """One item of a parameter that has many; what its value is, the value's own type explains."""

    value: V | None = None
    deleted: bool | None = Field(
        default=None,
        description="Removes the item of this label that a template or policy gives, where the policy allows it.",
    )
    rules: ItemRules | None = Field(
        default=None, description="What users may do with this item; has an effect only in a policy."
    )


class Items(Wrapper, Generic[V, I]):
    """A parameter with many values, each under a label of its own."""

    items: Annotated[dict[str, Item[V]], map_of(256)] = Field(
        default_factory=dict,
        description="The items by label. Labels only tell items apart: an item replaces the one that a template or "
        "policy has under the same label, with all its members. In a policy the label DEFAULTS gives defaults for all "
        "other items.",
    )
    rules: MapRules | None = Field(
        default=None, description="Whether users may add items, or must; has an effect only in a policy."
    )
    item_rules: I | None = Field(
        default=None,
        description="What members of every item users may set, and to what; has an effect only in a policy.",
    )


UNDER_A_KEY: Final = Mark(description="The text under this key.")
"""For the texts of `KeyedItems`."""


class KeyedItems(Wrapper, Generic[V]):
    """A parameter with many texts, each under a key that means something: a variable's or a label's name."""

    items: Annotated[dict[str, Item[V]], map_of(1000)] = Field(
        default_factory=dict,
        description="The values by key; those of templates and policies under other keys are added.",
    )
    rules: MapRules | None = Field(
        default=None, description="Whether users may add keys, or must; has an effect only in a policy."
    )
    item_rules: StringRules | None = Field(
        default=None, description="What the values may be; has an effect only in a policy."
    )
    key_rules: StringRules | None = Field(
        default=None, description="What the keys may be; has an effect only in a policy."
    )


class Values(Wrapper, Generic[V]):
    """A group of parameters that belong to one framework."""

    values: V | None = Field(default=None, description="The parameters of the group.")


# What parameters of one form share is named once; where the default of a parameter is an instance of exactly its type,
# it is one object for all that are read.
BoolValue = Value[bool, BoolRules]
CountValue = Value[Annotated[int, whole(0)], IntRules]
PositiveValue = Value[Annotated[int, whole(1)], IntRules]
ShortText = Value[Annotated[str, text(253)], StringRules]
LongText = Value[Annotated[str, text(4096)], StringRules]
CommandText = Value[Annotated[str, text(131072)], StringRules]


def given(items: Mapping[str, Item[V]]) -> dict[str, V]:
    """Return the values of items that have one and are not deleted, by label."""
    return {label: item.value for label, item in items.items() if item.value is not None and not item.deleted}
