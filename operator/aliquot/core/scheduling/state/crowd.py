"""Who is on which node, as far as the affinity of tasks asks.

A view is made when somebody first asks for it and kept up to date from then on, so
that a cluster without affinity pays nothing.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from aliquot.core.scheduling.facts import PodTerm, Task
from aliquot.core.scheduling.state.affinity import Company, Who, far_terms

_MOST_VIEWS: Final = 256
"""Views kept at once; the one made first goes first."""


class There(NamedTuple):
    """How many tasks are on a node.

    Attributes:
        now: at this moment, stopping ones included.
        later: when all that is stopping has gone and all that was promised has come.
        staying: those of `now` that do not stop.
    """

    now: int = 0
    later: int = 0
    staying: int = 0

    def plus(self, more: "There", times: int) -> "There":
        """So many times more."""
        return There(self.now + times * more.now, self.later + times * more.later, self.staying + times * more.staying)


NOBODY: Final = There()
STAYS: Final = There(1, 1, 1)
"""A task that is there, or comes now."""
STOPS: Final = There(1, 0, 0)
"""A task that is there and goes."""
PROMISED: Final = There(0, 1, 0)
"""A task that has been promised room."""
RELEASED: Final = There(0, 1, 1)
"""What is missing of a task that is there once it has to stop."""

Numbers = dict[int, There]
"""How many tasks, by the row of their node."""


def _add(numbers: Numbers, row: int, how: There, times: int) -> None:
    after = numbers.get(row, NOBODY).plus(how, times)
    if after == NOBODY:
        numbers.pop(row, None)
    else:
        numbers[row] = after


def _add_holders(holders: dict[PodTerm, Numbers], terms: tuple[PodTerm, ...], row: int, how: There, times: int) -> None:
    for term in terms:
        numbers = holders.setdefault(term, {})
        _add(numbers, row, how, times)
        if not numbers:
            del holders[term]


class Crowd:
    """The tasks on the nodes of one pool.

    Attributes:
        repelling: the required far-terms of those who are there, and who has each.
    """

    def __init__(self) -> None:
        self.repelling: dict[PodTerm, Numbers] = {}
        self._there: dict[str, tuple[int, Task, bool]] = {}
        self._views: dict[Who, Numbers] = {}

    def count(self, row: int, task: Task, sign: int, *, stopping: bool) -> None:
        """A task is on the node (`sign` 1) or no longer (-1)."""
        if sign > 0:
            self._there[task.id] = (row, task, stopping)
        else:
            self._there.pop(task.id, None)
        how = STOPS if stopping else STAYS
        if task.affinity.far_required:
            _add_holders(self.repelling, far_terms(task), row, how, sign)
        for asked, numbers in self._views.items():
            if asked.selects(task.namespace, task.labels):
                _add(numbers, row, how, sign)

    def views(self) -> tuple[Who, ...]:
        """Whom somebody has asked for."""
        return tuple(self._views)

    def view(self, asked: Who) -> Mapping[int, There]:
        """Where such tasks are. To read only; changes show in it."""
        numbers = self._views.get(asked)
        if numbers is None:
            if len(self._views) >= _MOST_VIEWS:
                del self._views[next(iter(self._views))]
            numbers = self._views[asked] = {}
            for row, task, stopping in self._there.values():
                if asked.selects(task.namespace, task.labels):
                    _add(numbers, row, STOPS if stopping else STAYS, 1)
        return numbers


class _Change(NamedTuple):
    row: int
    company: Company
    tasks: int
    how: There


class CrowdDraft:
    """The tasks on the nodes as they will be, with those that a round has placed or released.

    Attributes:
        version: another one whenever something has changed, or been taken back.
        far_version: the same for those who have far-terms alone.
    """

    def __init__(self, crowd: Crowd) -> None:
        self.version = 0
        self.far_version = 0
        self._crowd = crowd
        self._log: list[_Change] = []
        self._views: dict[Who, Numbers] = {}
        self._repelling: dict[PodTerm, Numbers] | None = None

    def change(self, row: int, company: Company, count: int, how: There) -> None:
        """So many such tasks come to the node; go, where negative."""
        change = _Change(row, company, count, how)
        self._log.append(change)
        self._apply(change, 1)

    def undo(self) -> None:
        """Take back the last change."""
        self._apply(self._log.pop(), -1)

    def view(self, asked: Who) -> Mapping[int, There]:
        """Where such tasks are. To read only."""
        numbers = self._views.get(asked)
        if numbers is None:
            numbers = self._views[asked] = dict(self._crowd.view(asked))
            for change in self._log:
                self._see(asked, numbers, change, 1)
        return numbers

    def repelling(self) -> Mapping[PodTerm, Mapping[int, There]]:
        """The required far-terms of those who are there, and who has each. To read only."""
        if self._repelling is None:
            return self._crowd.repelling
        return self._repelling

    def _apply(self, change: _Change, sign: int) -> None:
        row, company, count, how = change
        self.version += 1
        if company.far_required:
            self.far_version += 1
            if self._repelling is None:
                self._repelling = {term: dict(numbers) for term, numbers in self._crowd.repelling.items()}
            _add_holders(self._repelling, company.far_required, row, how, count * sign)
        for asked, numbers in self._views.items():
            self._see(asked, numbers, change, sign)

    @staticmethod
    def _see(asked: Who, numbers: Numbers, change: _Change, sign: int) -> None:
        if asked in change.company.met:
            _add(numbers, change.row, change.how, change.tasks * sign)
