"""What a policy may say about a parameter: who may set it, and to what (crd-contract.md, Rules).

Which rules a parameter takes goes with the type of its value. Workloads accept rules too, as one schema serves both;
there they mean nothing.
"""

from typing import Annotated, Final, Literal, get_args

from aliquot.contracts.kinds.shapes import Shape, list_of, one_of, text

DECIMAL_PATTERN: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$"
"""What the contract calls a decimal."""
QUANTITY_PATTERN: Final = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
"""What the contract calls a quantity."""
MAX_OPTIONS: Final = 256
"""Most values that a rule may offer."""

TextFormat = Literal[
    "envVar", "password", "email", "volume", "kubeName", "name", "duration", "memory", "imageName", "gpuMemory"
]

Decimal = Annotated[str, text(32, pattern=DECIMAL_PATTERN)]
Amount = Annotated[str, text(32, pattern=QUANTITY_PATTERN)]


class Rules(Shape):
    """What all rules about a single value share."""

    can_edit: bool = True
    """Whether users may give a value of their own; if false, the policy's value holds."""
    required: bool | None = None
    """Whether a workload must end up with a value."""


class Option(Shape):
    """One of the values that a user may choose."""

    value: Annotated[str, text(1024)] | None = None
    """The value that is chosen, as it would stand in a workload."""
    name: Annotated[str, text(253)] | None = None
    """What a form shows instead of the value."""
    disabled: bool | None = None
    """Whether the value is listed but may not be chosen."""


class StringRules(Rules):
    """Rules about text."""

    format: Annotated[str, one_of(*get_args(TextFormat))] | None = None
    """What the text must look like, as one of these forms has it; password: any text, which forms on screens hide."""
    options: Annotated[tuple[Option, ...], list_of(MAX_OPTIONS)] = ()
    """Values to choose from; empty: any."""


class IntRules(Rules):
    """Rules about a whole number."""

    min: int | None = None
    """Smallest value allowed."""
    max: int | None = None
    """Largest value allowed."""
    format: Annotated[str, one_of("port")] | None = None
    """`port` if the number is a port, from 1 to 65535."""


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
    options: Annotated[tuple[Option, ...], list_of(MAX_OPTIONS)] = ()
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
