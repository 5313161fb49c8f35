"""What all parts of the table have in common: keys in camelCase, nothing unknown, no conversions; and paths."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

MOST_PODS: Final = 100_000
"""Of one gang."""
TAG: Final = "="
"""Begins the parts of an error's place that name a form and are no key."""

Path = tuple[str, ...]
"""Names of members from outside to inside."""

_STEP: Final = re.compile(r"\.?([A-Za-z_][-A-Za-z0-9_]*)|\['([^']+)'\]")
A_PATH: Final = "the path of a member, such as spec.replicas or metadata.annotations['example.com/size']"


def _path(value: object) -> Path:
    steps: list[str] = []
    at = 0
    if isinstance(value, str) and not value.startswith("."):
        while at < len(value) and (found := _STEP.match(value, at)):
            steps.append(found[1] or found[2])
            at = found.end()
    if not steps or not isinstance(value, str) or at < len(value):
        raise PydanticCustomError("refused", "{allowed}", {"allowed": A_PATH})
    return tuple(steps)


def _read_path(value: object) -> Path:
    """A path, as text; one that was read already is taken as it is."""
    return cast("Path", value) if isinstance(value, tuple) else _path(value)


ObjectPath = Annotated[Path, PlainValidator(_read_path)]
Text = Annotated[str, Field(min_length=1, max_length=317)]


class Shape(BaseModel):
    """A mapping of the table."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=lambda name: to_camel(name.rstrip("_")),
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


def keys_of(shape: type[BaseModel]) -> list[str]:
    """The keys that a mapping may have."""
    fields: Mapping[str, Any] = shape.model_fields
    return [to_camel(name.rstrip("_")) for name in fields]
