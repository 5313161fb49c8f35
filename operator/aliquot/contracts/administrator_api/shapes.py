"""What the models of the API are built from: bases of bodies and answers, and the types of their members.

Bodies are strict: a member that a body does not know is refused by its name, as it is a typing error most likely.
Those of departments and projects are tolerant: newer clients send them members that came later
(control-plane-api.md 1.1, RUN-20246).
"""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, Strict
from pydantic.alias_generators import to_camel

LARGEST_AMOUNT: Final = 1e15
UNLIMITED: Final = -1
INT32_MAX: Final = 2**31 - 1
NAME: Final = r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"
"""Projects, departments and node pools: they become names of custom resources (control-plane-api.md 4.1)."""
DISPLAY_NAME: Final = r"^[A-Za-z0-9]([-A-Za-z0-9_.@ ]{0,253}[-A-Za-z0-9_.@])?$"
"""Clusters, applications and tenants: they are shown only."""


class Body(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class TolerantBody(Body):
    """What a client sends, where members that came later are skipped."""

    model_config = ConfigDict(extra="ignore")


class Answer(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


def _printable(text: str) -> str:
    """Refuse what no database takes: control characters, and halves of surrogate pairs."""
    if not text.isprintable():
        raise ValueError("must have printable characters only")
    return text


def _bounded(amount: float) -> float:
    if amount < 0 and amount != UNLIMITED:
        raise ValueError("must be 0 or more, or -1 for unlimited")
    return amount


def written_time(time: datetime) -> str:
    """A moment as answers have it."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def written_number(number: float) -> str:
    """A number as values of telemetry and metrics have it: whole where it is whole, else with six decimals at most."""
    return f"{number:.6f}".rstrip("0").rstrip(".")


def from_milliseconds(milliseconds: int) -> datetime:
    """The moment so many milliseconds after 1970-01-01 UTC."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def to_milliseconds(time: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC; a time that names no zone is one of UTC."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return int(aware.replace(microsecond=0).timestamp()) * 1000 + aware.microsecond // 1000


Text = Annotated[str, Field(max_length=1024), AfterValidator(_printable)]
"""Any text that can be shown."""
Id = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]
"""What names an object: a UUID, or a number in a string."""
Name = Annotated[str, Field(pattern=NAME)]
DisplayName = Annotated[str, Field(pattern=DISPLAY_NAME)]
Flag = Annotated[bool, Strict()]
Amount = (
    Annotated[int, Strict(), Field(ge=0, le=LARGEST_AMOUNT)]
    | Annotated[float, Strict(), Field(ge=0, le=LARGEST_AMOUNT, allow_inf_nan=False)]
)
"""A whole or broken number, 0 or more."""
AmountOrUnlimited = Annotated[
    Annotated[int, Strict(), Field(ge=-1, le=LARGEST_AMOUNT)]
    | Annotated[float, Strict(), Field(ge=-1, le=LARGEST_AMOUNT, allow_inf_nan=False)],
    AfterValidator(_bounded),
]
"""A whole or broken number, 0 or more; -1: unlimited."""
AmountShown = int | float
Time = Annotated[datetime, PlainSerializer(written_time, return_type=str)]
"""A moment, written in UTC with milliseconds: `2021-12-14T16:04:15.099Z`."""
