"""The table in force: the built-in one, and what administrators add to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from aliquot.contracts.workload_kinds import WorkloadKind, WorkloadKinds
from aliquot.core.intake.group_table.reading import read_kinds
from aliquot.errors import UserError

CORE_POD: Final = ("", "Pod")
_NO_KINDS: Final[Mapping[tuple[str, str], WorkloadKind]] = MappingProxyType({})
_NO_TOPOLOGIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Table:
    """Kinds by group and kind, and topologies by name.

    Attributes:
        kinds: the kinds.
        topologies: keys of node labels from coarse to fine.
        named_by: the kinds whose objects pods name by a label.
    """

    kinds: Mapping[tuple[str, str], WorkloadKind] = field(default_factory=lambda: _NO_KINDS)
    topologies: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NO_TOPOLOGIES)
    named_by: tuple[WorkloadKind, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Every pod is asked which of them it names: they are picked out once."""
        named = tuple(kind for kind in self.kinds.values() if kind.named_by is not None)
        object.__setattr__(self, "named_by", named)

    def get(self, group: str, kind: str) -> WorkloadKind | None:
        """The entry of a kind."""
        return self.kinds.get((group, kind))

    def with_(self, added: WorkloadKinds) -> "Table":
        """This table with others' entries; where one leaves something out of a kind that is here, it stays."""
        kinds, topologies = dict(self.kinds), dict(self.topologies)
        for entry in added.kinds:
            key = (entry.group, entry.kind)
            known = kinds.get(key)
            kinds[key] = entry if known is None else _merged(known, entry)
        topologies.update({each.name: tuple(each.levels) for each in added.topologies})
        return Table(MappingProxyType(kinds), MappingProxyType(topologies))


def _merged(known: WorkloadKind, entry: WorkloadKind) -> WorkloadKind:
    given = {name: getattr(entry, name) for name in entry.model_fields_set}
    return known.model_copy(update=given)


@cache
def builtin_table() -> Table:
    """The table that Aliquot brings."""
    text = resources.files("aliquot.core.intake.group_table").joinpath("builtin.yaml").read_text("utf-8")
    added, problems = read_kinds(text)
    assert not problems, problems
    return Table().with_(added)


def table_of(texts: Iterable[tuple[str, str]], base: Table | None = None) -> tuple[Table, list[tuple[str, UserError]]]:
    """The built-in table with further texts, the later ones over the earlier ones.

    Args:
        texts: where each is from, and the text.
        base: instead of the built-in table.

    Returns:
        The table, and what is wrong with the texts, each with where it is from. What is wrong is left out.
    """
    table = builtin_table() if base is None else base
    wrong: list[tuple[str, UserError]] = []
    for origin, text in texts:
        added, problems = read_kinds(text)
        wrong += [(origin, problem) for problem in problems]
        table = table.with_(added)
    return table, wrong
