"""From what is to stand on an object, and what stands there, to what is to be written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Wanted = Mapping[str, str | None]
"""What some keys are to say; None: they are not to be there. Keys that are missing are nobody's business."""


@dataclass(frozen=True, slots=True)
class Target:
    """An object of the API that the agent writes on."""

    kind: Literal["pod", "node"]
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Patch:
    """What is to be written on an object.

    Attributes:
        annotations: by key; None: it is removed.
        labels: the same.
    """

    annotations: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    labels: Mapping[str, str | None] = field(default_factory=dict[str, str | None])

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.annotations or self.labels)

    def body(self, uid: str) -> dict[str, object]:
        """As a merge patch, which only the object of that uid takes."""
        both = {"annotations": self.annotations, "labels": self.labels}
        return {"metadata": {"uid": uid, **{key: dict(value) for key, value in both.items() if value}}}


def difference(wanted: Wanted, stands: Mapping[str, str]) -> dict[str, str | None]:
    """Those keys of which something else stands there."""
    return {key: value for key, value in wanted.items() if stands.get(key) != value}
