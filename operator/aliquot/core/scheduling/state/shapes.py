"""What placing a task depends on: tasks of one shape are interchangeable."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from aliquot.core.quantities import Request
from aliquot.core.scheduling.facts import Task
from aliquot.core.scheduling.state.nodes import Signature, gpu_form


@dataclass(frozen=True, slots=True)
class TaskShape:
    """What placing a task depends on."""

    request: Request
    signature: Signature

    @staticmethod
    def of(task: Task) -> "TaskShape":
        """The shape of a task."""
        selector = tuple(sorted(task.node_selector.items()))
        return TaskShape(task.request, Signature(selector, task.tolerations, gpu_form(task.request)))


Runs = tuple[tuple[TaskShape, int], ...]
"""Tasks in order, as shapes and how many of each come one after the other."""


def runs_of(shapes: Iterable[TaskShape]) -> Runs:
    """Shapes in order as runs of equal ones."""
    return tuple((shape, sum(1 for _ in equal)) for shape, equal in groupby(shapes))
