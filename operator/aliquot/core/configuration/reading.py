"""The cluster's RunaiConfig: what of it is followed, and what is not (cluster-api.md 3.5, 5.9).

spec ─▶ known and right   a member of `ClusterConfig`, which wins over the operator's settings
        known and wrong   told, and as if left out; refused at its submission
        what holds here   nothing to do, nothing to tell
        anything else     told by its field, so that nobody waits for what will never happen
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from aliquot.core.configuration.config import ClusterConfig, Reading
from aliquot.core.configuration.members import DESCENDED, FOLLOWED, HOLDS, SCHEDULER, Path, WrongValue
from aliquot.errors import UserError

_SAME: Final = (
    ((SCHEDULER, "placementStrategy"), (SCHEDULER, "gpuPlacementStrategy")),
    ((SCHEDULER, "placementStrategy"), (SCHEDULER, "cpuPlacementStrategy")),
    (("project-controller", "createRoleBindings"), ("project-controller", "CreateRoleBindings")),
)
"""Members that say the same; of both only the first counts."""
_PLAIN_KEY: Final = re.compile(r"[\w-]{1,63}", re.ASCII)
_LONGEST_KEY: Final = 63


@dataclass(slots=True)
class _Reader:
    """Collects what a spec says: what is written and what it means by path, and what is ignored by field."""

    found: dict[Path, tuple[object, object]] = field(default_factory=dict[Path, tuple[object, object]])
    ignored: dict[str, str] = field(default_factory=dict[str, str])
    wrong: dict[str, UserError] = field(default_factory=dict[str, UserError])

    def read(self, path: Path, value: object) -> None:
        if path in FOLLOWED:
            try:
                self.found[path] = value, FOLLOWED[path].read(value)
            except WrongValue as wrong:
                self.never(path, value, str(wrong))
        elif path in HOLDS:
            held = HOLDS[path]
            if (type(value), value) != (type(held), held):
                self.refuse(path, value, f"{str(held).lower()}, which holds here whether it is written or not")
        elif path not in DESCENDED:
            self.ignored[_name(path)] = f"{_name(path)}: unknown, and ignored"
        elif isinstance(value, Mapping):
            for key, member in cast("Mapping[object, object]", value).items():
                if member is not None:
                    self.read((*path, str(key)), member)
        else:
            self.never(path, value, "an object")

    def refuse(self, path: Path, value: object, allowed: str) -> None:
        self.ignored[_name(path)] = str(UserError(_name(path), value, allowed))

    def never(self, path: Path, value: object, allowed: str) -> None:
        """For what it may not say in any cluster."""
        self.wrong[_name(path)] = UserError(_name(path), value, allowed)
        self.refuse(path, value, allowed)

    def members(self) -> Iterator[tuple[str, object]]:
        for path, (_, meant) in self.found.items():
            for name in FOLLOWED[path].into:
                yield name, meant


def read_config(spec: Mapping[str, Any]) -> Reading:
    """Read the spec of a RunaiConfig. Whatever is wrong in it, the rest of it counts."""
    reader = _Reader()
    reader.read((), spec)
    for first, also in _SAME:
        if first in reader.found and also in reader.found:
            written, _ = reader.found.pop(also)
            reader.refuse(also, written, f"left out, because {_name(first)} says it already")
    members: dict[str, Any] = dict(reader.members())
    return Reading(
        ClusterConfig(**members),
        tuple(said for _, said in sorted(reader.ignored.items())),
        tuple(error for _, error in sorted(reader.wrong.items())),
    )


def _name(path: Path) -> str:
    return ".".join(("spec", *(key if _PLAIN_KEY.fullmatch(key) else ascii(key)[:_LONGEST_KEY] for key in path)))
