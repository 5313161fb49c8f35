"""What the affinity of tasks says of nodes and of other tasks (scheduling.md 2.4), read as kube-scheduler reads it.

Terms on tasks are met within one pool: pools are scheduling domains of their own. Each required near-term has to be
met by itself; one that nobody in the pool meets, and the task itself would, holds nobody back.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from aliquot.core.scheduling.facts import Affinity, Node, NodeTerm, PodTerm, Requirement, Task

EVERY_NAMESPACE: Final = "*"
NO_AFFINITY: Final = Affinity()
_NAME_FIELD: Final = "metadata.name"
_WHOLE_NUMBER: Final = re.compile(r"[+-]?\d{1,19}", re.ASCII)


def holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a condition. One that makes no sense is never met."""
    value, wanted = labels.get(requirement.key), requirement.values
    match requirement.operator:
        case "In":
            return value is not None and value in wanted
        case "NotIn":
            return bool(wanted) and (value is None or value not in wanted)
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            have, bound = _whole_number(value), _whole_number(wanted[0] if len(wanted) == 1 else None)
            if have is None or bound is None:
                return False
            return have > bound if requirement.operator == "Gt" else have < bound
        case _:
            return False


def _whole_number(written: str | None) -> int | None:
    return int(written) if written is not None and _WHOLE_NUMBER.fullmatch(written) else None


def suits(term: NodeTerm, node: Node) -> bool:
    """Whether the node meets the term. An empty term is met by none."""
    if not term.labels and not term.fields:
        return False
    name = {_NAME_FIELD: node.name}
    return all(holds(each, node.labels) for each in term.labels) and all(
        each.key == _NAME_FIELD and holds(each, name) for each in term.fields
    )


class Who(NamedTuple):
    """Tasks that a term speaks of: conditions on their labels, and their namespaces."""

    selector: tuple[Requirement, ...]
    namespaces: tuple[str, ...]

    def selects(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether a task in the namespace with these labels is one of them."""
        return (namespace in self.namespaces or EVERY_NAMESPACE in self.namespaces) and all(
            holds(each, labels) for each in self.selector
        )


def who(term: PodTerm) -> Who:
    """The tasks that the term speaks of."""
    return Who(term.selector, term.namespaces)


def far_terms(task: Task) -> tuple[PodTerm, ...]:
    """For whom the task must not have near; a term without namespaces speaks of the task's own."""
    return tuple(_at_home(term, task.namespace) for term in task.affinity.far_required)


def _at_home(term: PodTerm, namespace: str) -> PodTerm:
    return term if term.namespaces else replace(term, namespaces=(namespace,))


@dataclass(frozen=True, slots=True)
class Company:
    """A task as the terms of others see it, and its own terms on others.

    Attributes:
        met: those that known terms speak of and that it is one of.
        near_required: for each, such a task must be near.
        far_required: for none may such a task be near.
        wishes: weight and term; negative where such tasks had better be far.
    """

    met: frozenset[Who] = frozenset()
    near_required: tuple[PodTerm, ...] = ()
    far_required: tuple[PodTerm, ...] = ()
    wishes: tuple[tuple[int, PodTerm], ...] = ()

    @property
    def demands(self) -> bool:
        """Whether it has terms of its own: its place then depends on where its equals are."""
        return bool(self.near_required or self.far_required or self.wishes)

    def meets(self, term: PodTerm) -> bool:
        """Whether it is one of those that the term speaks of."""
        return who(term) in self.met

    @staticmethod
    def of(task: Task, known: Collection[Who]) -> "Company | None":
        """The task as these terms see it; None where it is none of theirs and has none itself."""
        affinity, home = task.affinity, task.namespace
        plain = affinity is NO_AFFINITY or affinity == NO_AFFINITY
        if plain and not known:
            return None
        met = frozenset(each for each in known if each.selects(home, task.labels))
        if plain:
            return Company(met) if met else None
        wishes = [(weight, _at_home(term, home)) for weight, term in affinity.near_preferred]
        wishes += [(-weight, _at_home(term, home)) for weight, term in affinity.far_preferred]
        near = tuple(_at_home(term, home) for term in affinity.near_required)
        company = Company(met, near, far_terms(task), tuple(wishes))
        return company if met or company.demands else None


def _spoken_of(task: Task) -> set[Who]:
    """Whom the task's own terms speak of."""
    if task.affinity is NO_AFFINITY:
        return set()
    company = Company.of(task, ())
    if company is None:
        return set()
    terms = (*company.near_required, *company.far_required, *(term for _, term in company.wishes))
    return {who(term) for term in terms}


class Mentioned:
    """Whom the terms of known tasks speak of. Other differences between labels make none, so shapes leave them out."""

    def __init__(self) -> None:
        self._tasks: dict[Who, int] = {}

    def count(self, task: Task, sign: int) -> set[Who]:
        """A task has come (`sign` 1) or gone (-1). Returns those whom terms speak of only now, or no longer."""
        changed: set[Who] = set()
        for each in _spoken_of(task):
            before = self._tasks.get(each, 0)
            self._tasks[each] = before + sign
            if not before or not self._tasks[each]:
                changed.add(each)
            if not self._tasks[each]:
                del self._tasks[each]
        return changed

    def company(self, task: Task) -> Company | None:
        """The task as terms see it; None when it is none of theirs and has none itself."""
        return Company.of(task, self._tasks)


def company_alone(task: Task) -> Company | None:
    """The task as its own terms see it: what others say of it is not known."""
    return Company.of(task, _spoken_of(task))
