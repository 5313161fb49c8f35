"""What all parts of the cluster document have in common: keys in camelCase, nothing unknown, no conversions."""

import math
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

MOST_GPUS: Final = 1_000_000
"""GPU devices of one node, queue or request."""
MOST_PODS: Final = 1_000_000
_LONGEST_QUANTITY: Final = 64
_LARGEST_TIME: Final = 10**15
_ODD_KEYS: Final = {"gpu_memory_mib": "gpuMemoryMiB"}


def key_of(name: str) -> str:
    """What a field is called in the document."""
    return _ODD_KEYS.get(name) or to_camel(name.rstrip("_"))


class Part(BaseModel):
    """A mapping in the document."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=key_of,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=False,
    )


def refusal(allowed: str) -> PydanticCustomError:
    """The error of a value by itself; `allowed` ends the sentence that begins with the value."""
    return PydanticCustomError("refused", "{allowed}", {"allowed": allowed})


def _quantity(value: object) -> str | int | float:
    allowed = 'a number or a Kubernetes quantity such as "500m" or "4Gi"'
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise refusal(allowed)
    if (isinstance(value, float) and not math.isfinite(value)) or len(str(value)) > _LONGEST_QUANTITY:
        raise refusal(allowed)
    return value


def _time(value: object) -> float:
    allowed = "a number of seconds, or a time in the form of RFC 3339 such as 2026-01-31T12:00:00Z"
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise refusal(allowed) from None
        if moment.tzinfo is None:
            raise refusal(f"{allowed}, with a time zone")
        return moment.timestamp()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LARGEST_TIME:
        raise refusal(allowed)
    return float(value)


Quantity = Annotated[
    str | int | float,
    PlainValidator(_quantity),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "examples": ["500m", "4Gi"]}]}),
]
"""A Kubernetes quantity; `core.quantities` reads it."""

Time = Annotated[
    float,
    PlainValidator(_time),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}]}),
]
"""Unix seconds; only the order counts."""

Name = Annotated[str, Field(min_length=1, max_length=1024)]
Text = Annotated[str, Field(max_length=4096)]
Gpus = Annotated[float, Field(ge=0, le=MOST_GPUS, allow_inf_nan=False)]
"""GPU devices, also parts of one."""
WholeGpus = Annotated[int, Field(ge=0, le=MOST_GPUS)]
Weight = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Part01 = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=_LARGEST_TIME, allow_inf_nan=False)]
Priority = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Count = Annotated[int, Field(ge=0, le=MOST_PODS)]
Amount = Annotated[int, Field(ge=0, le=2**50)]
"""Of another resource, in its own unit."""
Mebibytes = Annotated[int, Field(ge=1, le=100_000_000)]
MigProfile = Annotated[str, Field(pattern=r"^[0-9a-zA-Z][0-9a-zA-Z.+_-]{0,62}$")]
Labels = dict[Name, Text]
