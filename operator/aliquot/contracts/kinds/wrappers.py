"""How a parameter is written: wrapped in `value`, in `items`, or in `values`, with the rules that a policy may add.

Shapes: cluster-api.md 1.2; rule members: crd-contract.md, Rules. The same schema serves workloads and policies; rules
mean something only in a policy.
"""

from collections.abc import Mapping
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from aliquot.contracts.kinds.shapes import Check, Shape, list_of, map_of, text, whole

V = TypeVar("V")
R = TypeVar("R")
I = TypeVar("I")  # noqa: E741 -- rules about one item; beside V and R it cannot be misread
K = TypeVar("K")

DECIMAL_PATTERN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$"
"""What the contract calls a decimal (crd-contract.md)."""
QUANTITY_PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
"""What the contract calls a quantity (crd-contract.md)."""

Decimal = Annotated[str, text(32, pattern=DECIMAL_PATTERN)]
Amount = Annotated[str, text(32, pattern=QUANTITY_PATTERN)]

IS_DECIMAL = "self.matches('^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)$')"
"""CEL: a decimal that is not negative. Kept short so that `double(self)` cannot fail or overflow."""

AMOUNT = Check(
    rule="isQuantity(self) && !quantity(self).isLessThan(quantity('0'))",
    message="must be an amount that is not negative, such as 500M, 80Gi or 4G",
)


class Rules(Shape):
    """What all rules about a single value share."""

    can_edit: bool = True
    """Whether users may give a value of their own; if false, the policy's value holds."""
    required: bool | None = None
    """Whether a workload must end up with a value."""


class Option(Shape):
    """One of the values that a user may choose."""

    value: Annotated[str, text(1024)] | None = None
    """The value itself."""
    name: Annotated[str, text(253)] | None = None
    """What a form shows instead of the value."""
    disabled: bool | None = None
    """Whether the value is listed but may not be chosen."""


class StringRules(Rules):
    """Rules about text."""

    format: Annotated[str, text(32)] | None = None
    """Form of the text: envVar, password, email, volume, kubeName, name, duration, memory, imageName or gpuMemory."""
    options: Annotated[tuple[Option, ...], list_of(64)] = ()
    """Values to choose from; empty: any."""


class IntRules(Rules):
    """Rules about a whole number."""

    min: int | None = None
    """Smallest value allowed."""
    max: int | None = None
    """Largest value allowed."""
    format: Annotated[str, text(32)] | None = None
    """`port` if the number is a port."""


class BoolRules(Rules):
    """Rules about a switch."""


class DecimalRules(Rules):
    """Rules about a decimal number written as text."""

    min: Decimal | None = None
    """Smallest value allowed, in quotes."""
    max: Decimal | None = None
    """Largest value allowed, in quotes."""
    step: Decimal | None = None
    """Allowed values are min, min + step, min + 2 step and so on."""


class QuantityRules(Rules):
    """Rules about an amount of memory."""

    min: Amount | None = None
    """Smallest amount allowed, such as 100M."""
    max: Amount | None = None
    """Largest amount allowed, such as 2G."""
    options: Annotated[tuple[Option, ...], list_of(64)] = ()
    """Amounts to choose from; empty: any."""


class MapRules(Shape):
    """Rules about the items of a parameter as a whole."""

    can_add: bool = True
    """Whether users may add items of their own."""
    required: bool | None = None
    """Whether a workload must end up with at least one item."""


class ItemRules(Shape):
    """Rules about one item that a policy or template gives."""

    can_edit: bool = True
    """Whether users may replace the item's value."""
    can_remove: bool = True
    """Whether users may remove the item with `deleted: true`."""


class Value(Shape, Generic[V, R]):
    """A parameter with a single value."""

    value: V | None = None
    """The value."""
    rules: R | None = None
    """What values users may give; has an effect only in a policy."""


class Item(Shape, Generic[V]):
    """One item of a parameter that has many."""

    value: V | None = None
    """The item's value. It replaces a value inherited under the same label as a whole, member for member."""
    deleted: bool | None = None
    """Removes the item of this label that a template or policy gives, where the policy allows it."""
    rules: ItemRules | None = None
    """What users may do with this item; has an effect only in a policy."""


class Items(Shape, Generic[V, I]):
    """A parameter with many values, each under a label of its own."""

    items: Annotated[dict[str, Item[V]], map_of(256)] = Field(default_factory=dict)
    """The items by label. Labels only tell items apart, also when templates and policies are merged in; in a policy
    the label DEFAULTS gives defaults for all other items."""
    rules: MapRules | None = None
    """Whether users may add items, or must; has an effect only in a policy."""
    item_rules: I | None = None
    """What members of every item users may set, and to what; has an effect only in a policy."""


class KeyedItems(Shape, Generic[V]):
    """A parameter with many texts, each under a key that means something: a variable's or a label's name."""

    items: Annotated[dict[str, Item[V]], map_of(1000)] = Field(default_factory=dict)
    """The values by key."""
    rules: MapRules | None = None
    """Whether users may add keys, or must; has an effect only in a policy."""
    item_rules: StringRules | None = None
    """What the values may be; has an effect only in a policy."""
    key_rules: StringRules | None = None
    """What the keys may be; has an effect only in a policy."""


class Values(Shape, Generic[V]):
    """A group of parameters that belong to one framework."""

    values: V | None = None
    """The parameters of the group."""


IntValue = Value[int, IntRules]
BoolValue = Value[bool, BoolRules]
CountValue = Value[Annotated[int, whole(0)], IntRules]
PositiveValue = Value[Annotated[int, whole(1)], IntRules]
QuantityValue = Value[Annotated[str, text(32, AMOUNT)], QuantityRules]
ShortText = Value[Annotated[str, text(253)], StringRules]
LongText = Value[Annotated[str, text(4096)], StringRules]
CommandText = Value[Annotated[str, text(131072)], StringRules]


def given(items: Mapping[str, Item[V]]) -> dict[str, V]:
    """Return the values of items that have one and are not deleted, by label."""
    return {label: item.value for label, item in items.items() if item.value is not None and not item.deleted}
