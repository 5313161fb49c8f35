"""A msgspec struct with just the members of an object that the table reads: 10,000 objects stay small."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

import msgspec

from aliquot.contracts.kubernetes import Metadata
from aliquot.core.intake.group_table import ANY, Needs

_SCALARS: Any = str | int | float | bool | None
_NOT_READ = "kubectl.kubernetes.io/last-applied-configuration"


class Projected(Protocol):
    """An object as far as it was read."""

    @property
    def metadata(self) -> Metadata:
        """Its metadata."""
        ...


def projection(needs: Needs) -> type[Projected]:
    """The struct for these needs.

    A member of another shape than is needed is read all the same: it must not spoil the rest of the object.
    """
    fields: list[Any] = [("metadata", Metadata, Metadata())]
    for number, (name, below) in enumerate(needs.items()):
        fields.append((f"_{number}", _type(below), msgspec.field(name=name, default=None)))
    return cast("type[Projected]", msgspec.defstruct("Projected", fields, frozen=True, omit_defaults=True))


def _type(needs: Needs) -> Any:
    if not needs:
        return Any
    if ANY in needs:
        inner = _type(needs[ANY])
        return dict[str, inner] | list[inner] | _SCALARS
    fields: list[Any] = [
        (f"_{number}", _type(below), msgspec.field(name=name, default=None))
        for number, (name, below) in enumerate(needs.items())
    ]
    struct: Any = msgspec.defstruct("Member", fields, frozen=True, omit_defaults=True)
    return struct | list[Any] | _SCALARS


def body_of(projected: Projected) -> Mapping[str, object]:
    """Its members other than metadata, as plain JSON."""
    members = cast("dict[str, object]", msgspec.to_builtins(projected))
    members.pop("metadata", None)
    return members


def slim(metadata: Metadata) -> Metadata:
    """The metadata without what kubectl keeps there for itself."""
    if _NOT_READ not in metadata.annotations:
        return metadata
    kept = {key: said for key, said in metadata.annotations.items() if key != _NOT_READ}
    return msgspec.structs.replace(metadata, annotations=kept)
