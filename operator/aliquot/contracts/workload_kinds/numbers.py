"""Numbers of the table: whole ones, members of the object, and what is made of them."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, Discriminator, Field, Tag

from aliquot.contracts.workload_kinds.shapes import A_PATH, MOST_PODS, TAG, ObjectPath, Shape

_A_NUMBER: Final = f"a whole number, {A_PATH}, or one of first, positive, sum, product, least and each"


class First(Shape):
    """The first that is there."""

    first: Annotated[list["Number"], Field(min_length=1)]


class Positive(Shape):
    """The first that is more than 0."""

    positive: Annotated[list["Number"], Field(min_length=1)]


class Sum(Shape):
    """All that are there, together."""

    sum: Annotated[list["Number"], Field(min_length=1)]


class Product(Shape):
    """One times the other; nothing where one is not there."""

    product: Annotated[list["Number"], Field(min_length=1)]


class Least(Shape):
    """The smallest of those that are there."""

    least: Annotated[list["Number"], Field(min_length=1)]


class Each(Shape):
    """The sum over all entries of a list or mapping."""

    each: ObjectPath
    """The list or mapping."""
    of: "Number"
    """What each entry counts; paths begin at the entry."""


_FORMS: Final = ("first", "positive", "sum", "product", "least", "each")


def _form(value: object) -> str | None:
    if isinstance(value, BaseModel):
        return TAG + type(value).__name__.lower()
    if isinstance(value, (str, tuple)):
        return f"{TAG}path"
    if isinstance(value, Mapping):
        return next((TAG + form for form in _FORMS if form in value), None)
    return f"{TAG}number" if isinstance(value, int) and not isinstance(value, bool) else None


Number = Annotated[
    Annotated[int, Field(ge=0, le=MOST_PODS), Tag("=number")]
    | Annotated[ObjectPath, Tag("=path")]
    | Annotated[First, Tag("=first")]
    | Annotated[Positive, Tag("=positive")]
    | Annotated[Sum, Tag("=sum")]
    | Annotated[Product, Tag("=product")]
    | Annotated[Least, Tag("=least")]
    | Annotated[Each, Tag("=each")],
    Discriminator(_form, custom_error_type="no_number", custom_error_message=_A_NUMBER),
]
for _model in (First, Positive, Sum, Product, Least, Each):
    _model.model_rebuild()
