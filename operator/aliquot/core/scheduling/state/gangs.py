"""What a gang asks for next: which of its tasks, in which order, and how close to one another (scheduling.md 2.3).

First all that its pod sets lack to their minimums, together; from then on one task after the other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from aliquot.core.scheduling.facts import Group, Job, PodSet, Task, Topology
from aliquot.core.scheduling.state.shapes import Runs, TaskShape, runs_of


@dataclass(frozen=True, slots=True)
class Lack:
    """A pod set that can not have its minimum.

    Attributes:
        pod_set: its name.
        minimum: how many it needs.
        alive: how many it has that run or could be started.
        gated: how many it has beside them that may not be scheduled yet.
    """

    pod_set: str
    minimum: int
    alive: int
    gated: int


@dataclass(frozen=True, slots=True)
class Next:
    """In which order a job's tasks start.

    Attributes:
        order: its waiting tasks, first to start first.
        together: how many of them start together.
        growing: whether it has its minimum already.
        lack: why nothing can be started; None when it can.
    """

    order: tuple[Task, ...]
    together: int
    growing: bool
    lack: Lack | None


def group_of(job: Job) -> Group:
    """The parts of the job; of one that names none, a single pod set."""
    return job.group or Group(pod_sets=(PodSet("default", job.min_member),))


def pod_sets(group: Group) -> Iterator[PodSet]:
    """All pod sets in the order in which they are placed: those of its groups first, by name, then its own."""
    for inner in sorted(group.groups, key=lambda inner: inner.name):
        yield from pod_sets(inner)
    yield from sorted(group.pod_sets, key=lambda pod_set: pod_set.name)


def minimum_of(job: Job) -> int:
    """How many tasks it needs in all."""
    return job.min_member if job.group is None else sum(each.min_member for each in pod_sets(job.group))


def short_of(job: Job, tasks: Iterable[Task]) -> tuple[PodSet, int] | None:
    """The first pod set that has fewer of these tasks than its minimum, and how many; None when there is none."""
    there = Counter(task.pod_set for task in tasks)
    lacking = (each for each in pod_sets(group_of(job)) if there[each.name] < each.min_member)
    return next(((each, there[each.name]) for each in lacking), None)


def beyond_minimum(job: Job, tasks: Iterable[Task]) -> set[str]:
    """Ids of those of a job's tasks that it could go on without: what its pod sets have beyond their minimums.

    Of each set those go that would have started last. Tasks of a set that the job does not have go, too, but not all
    that it has.
    """
    ordered = sorted(tasks, key=task_order)
    left = {each.name: each.min_member for each in pod_sets(group_of(job))}
    beyond: set[str] = set()
    for task in ordered:
        left[task.pod_set] = left.get(task.pod_set, 0) - 1
        if left[task.pod_set] < 0:
            beyond.add(task.id)
    if ordered and len(beyond) == len(ordered):
        beyond.discard(ordered[0].id)
    return beyond


def task_order(task: Task) -> tuple[bool, int, float, str, str]:
    """Where a task stands in its pod set: a priority before none, higher first, then age and name."""
    return (task.priority is None, -(task.priority or 0), task.created, task.name, task.id)


def next_tasks(job: Job, pending: Iterable[Task], active: Mapping[str, int], gated: Mapping[str, int]) -> Next:
    """What the job starts next.

    Args:
        job: the job.
        pending: its tasks that could be started.
        active: how many of its tasks have a node and keep it, by pod set.
        gated: how many of its tasks may not be scheduled yet, by pod set.

    Tasks of a pod set that the job does not have count in none, and are started last.
    """
    waiting: dict[str, list[Task]] = {}
    for task in sorted(pending, key=task_order):
        waiting.setdefault(task.pod_set, []).append(task)
    have = dict(active)
    sets = list(pod_sets(group_of(job)))
    first: list[Task] = []
    lack: Lack | None = None
    for each in sets:
        missing = max(0, each.min_member - have.get(each.name, 0))
        theirs = waiting.get(each.name, [])
        if missing > len(theirs) and lack is None:
            lack = Lack(each.name, each.min_member, have.get(each.name, 0) + len(theirs), gated.get(each.name, 0))
        first += theirs[:missing]
        waiting[each.name] = theirs[missing:]
        have[each.name] = have.get(each.name, 0) + len(theirs[:missing])
    order = (*first, *_growth(sets, waiting, have))
    growing = not first and lack is None and any(active.values())
    return Next(order, len(first) or min(1, len(order)), growing, lack)


def _growth(sets: Sequence[PodSet], waiting: Mapping[str, list[Task]], have: dict[str, int]) -> Iterator[Task]:
    """The rest, one after the other: always of the set that has least of its minimum."""
    minimum = {each.name: each.min_member for each in sets}
    left = {name: list(reversed(tasks)) for name, tasks in waiting.items() if tasks}
    while left:
        name = min(left, key=lambda name: (name not in minimum, have.get(name, 0) / max(1, minimum.get(name, 1)), name))
        yield left[name].pop()
        have[name] = have.get(name, 0) + 1
        if not left[name]:
            del left[name]


@dataclass(frozen=True, slots=True)
class Part:
    """Tasks that start together and are to be close to one another, with parts that are to be closer still.

    Attributes:
        topology: how close all of it is to be; None: as those above it.
        tasks: how many there are.
        runs: those that are in no part of it, as runs of equal shapes; after those of the parts.
        parts: closer ones.
        anchors: nodes where others of it run already; where closeness is required, it is to them.
    """

    topology: Topology | None
    tasks: int
    runs: Runs = ()
    parts: tuple["Part", ...] = ()
    anchors: tuple[str, ...] = ()


def part_of(job: Job, together: Iterable[tuple[str, TaskShape]], nodes: Mapping[str, Iterable[str]]) -> Part | None:
    """How close tasks that start together are to be.

    Args:
        job: the job.
        together: pod set and shape of each task, in the order of `next_tasks`.
        nodes: where the job's other tasks are, by pod set.

    Returns:
        None when it makes no difference.
    """
    if job.group is None or not _is_close(job.group):
        return None
    shapes: dict[str, list[TaskShape]] = {}
    for pod_set, shape in together:
        shapes.setdefault(pod_set, []).append(shape)
    return _part(job.group, shapes, nodes)


def _part(group: Group, shapes: Mapping[str, list[TaskShape]], nodes: Mapping[str, Iterable[str]]) -> Part:
    inner = [_part(each, shapes, nodes) for each in sorted(group.groups, key=lambda each: each.name)]
    for each in sorted(group.pod_sets, key=lambda each: each.name):
        theirs = shapes.get(each.name, [])
        inner.append(Part(each.topology, len(theirs), runs_of(theirs), (), tuple(sorted(nodes.get(each.name, ())))))
    there = sorted({node for each in pod_sets(group) for node in nodes.get(each.name, ())})
    tasks = sum(each.tasks for each in inner)
    return Part(group.topology, tasks, (), tuple(each for each in inner if each.tasks), tuple(there))


def unknown_in(group: Group) -> Topology | None:
    """The first topology of a gang that cannot be followed, because it or one of its levels is not there."""
    asked = (group.topology, *(each.topology for each in group.pod_sets))
    own = (each for each in asked if each is not None and each.missing is not None)
    inner = (found for each in group.groups if (found := unknown_in(each)) is not None)
    return next(chain(own, inner), None)


def _is_close(group: Group) -> bool:
    return (
        group.topology is not None
        or any(each.topology is not None for each in group.pod_sets)
        or any(_is_close(inner) for inner in group.groups)
    )
