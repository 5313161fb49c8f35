"""What placing a task depends on: tasks of one shape are interchangeable."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from aliquot.core.quantities import Request
from aliquot.core.scheduling.facts import NodeTerm, Task
from aliquot.core.scheduling.state.affinity import Company, Mentioned, company_alone
from aliquot.core.scheduling.state.signature import Signature, gpu_form


@dataclass(frozen=True, slots=True)
class TaskShape:
    """What placing a task depends on.

    Attributes:
        request: what it needs.
        signature: which nodes it may use, whatever they hold.
        preferred: weight and term of the nodes that it would rather have.
        company: the task as the affinity of pods sees it; None: none concerns it.
    """

    request: Request
    signature: Signature
    preferred: tuple[tuple[int, NodeTerm], ...] = ()
    company: Company | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Shapes are looked up for whoever waits, in every round: they are hashed once."""
        object.__setattr__(self, "_hash", hash((self.request, self.signature, self.preferred, self.company)))

    def __hash__(self) -> int:
        """As of all that placing depends on."""
        return self._hash

    @staticmethod
    def of(task: Task, mentioned: Mentioned | None = None) -> "TaskShape":
        """The shape of a task, as the terms of all tasks see it; None: its own alone (`Draft.shape` knows all)."""
        selector = tuple(sorted(task.node_selector.items()))
        affinity = task.affinity
        signature = Signature(selector, task.tolerations, gpu_form(task.request), affinity.node_required)
        company = company_alone(task) if mentioned is None else mentioned.company(task)
        return TaskShape(task.request, signature, affinity.node_preferred, company)


Runs = tuple[tuple[TaskShape, int], ...]
"""Tasks in order, as shapes and how many of each come one after the other."""


def runs_of(shapes: Iterable[TaskShape]) -> Runs:
    """Shapes in order as runs of equal ones."""
    return tuple((shape, sum(1 for _ in equal)) for shape, equal in groupby(shapes))
