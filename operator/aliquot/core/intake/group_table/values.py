"""What the table's numbers, tests and paths give for one object. Objects are plain JSON; nothing here raises.

Somebody else's definition checks the objects, so a member may have any shape: what makes no sense counts as absent, and
is told.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import prod
from typing import Final, cast

from pydantic import BaseModel

from aliquot.contracts.workload_kinds import (
    MOST_PODS,
    Check,
    Each,
    First,
    Least,
    Number,
    Path,
    Positive,
    Product,
    Sum,
    WorkloadKind,
)

CONDITIONS: Final[Path] = ("status", "conditions")
STATUS_PHASE: Final[Path] = ("status", "phase")
_TYPE: Final[Path] = ("type",)
_STATUS: Final[Path] = ("status",)
ANY: Final = "*"
"""Stands in `Needs` for every entry of a list or mapping."""

Needs = dict[str, "Needs"]
"""Which members of an object are read, as a tree; an empty branch is read whole."""


def at(value: object, path: Path) -> object:
    """The member; None: it is not there, or null."""
    for step in path:
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, object]", value).get(step)
    return value


def text(value: object, path: Path) -> str | None:
    """The member, if it is a text that says anything."""
    found = at(value, path)
    return found if isinstance(found, str) and found else None


def texts(value: object, path: Path) -> dict[str, str]:
    """The member, if it is a mapping: its texts."""
    found = at(value, path)
    if not isinstance(found, Mapping):
        return {}
    pairs = cast("Mapping[object, object]", found).items()
    return {key: said for key, said in pairs if isinstance(key, str) and isinstance(said, str)}


def entries(value: object, path: Path) -> Iterator[tuple[str, object]]:
    """The entries of the list or mapping there, each with how it is called in sentences."""
    found = at(value, path)
    if isinstance(found, Mapping):
        for key, entry in sorted(cast("Mapping[str, object]", found).items()):
            yield f"{written(path)}.{key}", entry
    elif isinstance(found, Sequence) and not isinstance(found, (str, bytes)):
        for number, entry in enumerate(cast("Sequence[object]", found)):
            yield f"{written(path)}[{number}]", entry


def written(path: Path) -> str:
    """The path as people write it."""
    shown = ""
    for step in path:
        plain = step.replace("-", "_").isidentifier()
        shown += (f".{step}" if shown else step) if plain else f"['{step}']"
    return shown


class Reader:
    """Reads one object, or one entry of a list in it.

    Args:
        value: the object.
        problems: takes a sentence for each number that is none.
        where: how the entry is called in these; empty: the object itself.
    """

    def __init__(self, value: object, problems: list[str], where: str = "") -> None:
        self.value = value
        self._problems = problems
        self._where = where

    def number(self, asked: Number | None) -> int | None:
        """The number; None: what it is made of is not there."""
        match asked:
            case None:
                return None
            case int():
                return asked
            case First():
                return next((found for each in asked.first if (found := self.number(each)) is not None), None)
            case Positive():
                return next((found for each in asked.positive if (found := self.number(each))), None)
            case Sum():
                there = self._there(asked.sum)
                return _bounded(sum(there)) if there else None
            case Product():
                there = self._there(asked.product)
                return _bounded(prod(there)) if len(there) == len(asked.product) else None
            case Least():
                return min(self._there(asked.least), default=None)
            case Each():
                found = [inner.number(asked.of) for inner in self.each(asked.each)]
                return _bounded(sum(one or 0 for one in found)) if at(self.value, asked.each) is not None else None
            case _:
                return self._at(asked)

    @property
    def key(self) -> str:
        """Of an entry of a mapping: its key, in small letters."""
        return self._where.rpartition(".")[2].lower()

    def each(self, path: Path) -> Iterator["Reader"]:
        """Readers of the entries of a list or mapping."""
        for where, entry in entries(self.value, path):
            yield Reader(entry, self._problems, f"{self._where}.{where}" if self._where else where)

    def _there(self, asked: Sequence[Number]) -> list[int]:
        return [found for each in asked if (found := self.number(each)) is not None]

    def _at(self, path: Path) -> int | None:
        found = at(self.value, path)
        if found is None:
            return None
        if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= 9:
            found = int(found)
        if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MOST_PODS:
            return found
        where = f"{self._where}.{written(path)}" if self._where else written(path)
        self._problems.append(f"{where} is {_shown(found)}: allowed is a whole number from 0 to {MOST_PODS}")
        return None


def holds(test: Check, value: object) -> bool:
    """Whether the test holds for the object."""
    if test.path is not None:
        found = at(value, test.path)
        return any(type(found) is type(wanted) and found == wanted for wanted in test.is_ or (True,))
    statuses = test.is_ or ("True",)
    return any(at(each, _TYPE) == test.condition and at(each, _STATUS) in statuses for each in conditions(value))


def conditions(value: object) -> list[object]:
    """The entries of `status.conditions`."""
    return [entry for _, entry in entries(value, CONDITIONS)]


def _bounded(number: int) -> int:
    return min(number, MOST_PODS)


def _shown(value: object) -> str:
    said = repr(value)
    return said if len(said) <= 60 else said[:60] + "…"


# What is read


def needs_of(kind: WorkloadKind) -> Needs:
    """The members that the table reads of objects of a kind, other than `metadata`."""
    paths: set[Path] = {(*CONDITIONS, ANY, "type"), (*CONDITIONS, ANY, "status"), STATUS_PHASE}
    paths.update(path for path in _paths(kind, ()) if path[0] != "metadata")
    return _tree(paths)


def _paths(value: object, begin: Path) -> Iterator[Path]:
    """All paths in a part of the table; those beside an `each` begin at its entries."""
    if isinstance(value, BaseModel):
        each: Path | None = getattr(value, "each", None)
        inside = begin if each is None else (*begin, *each, ANY)
        if each is not None:
            yield (*inside, "")  # entries count, even where nothing of them is read
        for name, member in value:
            if name != "each":
                yield from _paths(member, inside)
    elif isinstance(value, tuple):
        yield (*begin, *cast("Path", value))
    elif isinstance(value, list):
        for member in cast("list[object]", value):
            yield from _paths(member, begin)


def _tree(paths: Collection[Path]) -> Needs:
    if () in paths:
        return {}
    below: dict[str, set[Path]] = {}
    for step, *rest in paths:
        below.setdefault(step, set()).add(tuple(rest))
    return {step: _tree(there) for step, there in sorted(below.items())}
