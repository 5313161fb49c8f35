"""What waiting jobs ask for next, grouped so that jobs of equal shape are decided once.

A job asks first for as many tasks as it lacks to its minimum, all at once, and from then on for one task after the
other (scheduling.md 2.3).
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from aliquot.core.quantities import Request
from aliquot.core.scheduling.facts import Job, NodeTerm, Task
from aliquot.core.scheduling.reasons import Reason, WaitCode
from aliquot.core.scheduling.state.affinity import Company, Mentioned, company_alone
from aliquot.core.scheduling.state.queues import Amount, amount
from aliquot.core.scheduling.state.signature import Signature, gpu_form

Entry = tuple[float, str, str]
"""A job's place among equals: created, name, id."""


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

    @staticmethod
    def of(task: Task, mentioned: Mentioned | None = None) -> "TaskShape":
        """The shape of a task, as the terms of all tasks see it; None: its own alone (`Draft.shape` knows all)."""
        selector = tuple(sorted(task.node_selector.items()))
        affinity = task.affinity
        signature = Signature(selector, task.tolerations, gpu_form(task.request), affinity.node_required)
        company = company_alone(task) if mentioned is None else mentioned.company(task)
        return TaskShape(task.request, signature, affinity.node_preferred, company)


@dataclass(frozen=True, slots=True)
class Demand:
    """Tasks that start together, in order, as runs of equal ones.

    Attributes:
        runs: shape and number.
        total: what queues pay for all of them.
        tasks: how many there are.
    """

    runs: tuple[tuple[TaskShape, int], ...]
    total: Amount = field(compare=False)
    tasks: int = field(compare=False)

    @staticmethod
    def of(tasks: Sequence[Task], device_memory_mib: int, mentioned: Mentioned | None = None) -> "Demand":
        """The demand of these tasks; see `TaskShape.of`."""
        return Demand.of_shapes([TaskShape.of(task, mentioned) for task in tasks], device_memory_mib)

    @staticmethod
    def of_shapes(shapes: Iterable[TaskShape], device_memory_mib: int) -> "Demand":
        """The demand of tasks of these shapes; amounts of GPU memory count as parts of so large a device."""
        runs = tuple((shape, sum(1 for _ in equal)) for shape, equal in groupby(shapes))
        gpu = cpu = memory = tasks = 0
        for shape, count in runs:
            one = amount(shape.request, device_memory_mib)
            gpu, cpu, memory = gpu + count * one[0], cpu + count * one[1], memory + count * one[2]
            tasks += count
        return Demand(runs, (gpu, cpu, memory), tasks)


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What waiting jobs have in common that are decided alike.

    Attributes:
        queue: who pays.
        pools: where, in order of preference.
        priority: their priority.
        preemptible: whether they may be stopped.
        growing: whether they run already with their minimum and ask for one more task.
        demand: what they ask for next.
    """

    queue: str
    pools: tuple[str, ...]
    priority: int
    preemptible: bool
    growing: bool
    demand: Demand

    def place(self) -> tuple[int, bool]:
        """Where they stand in their queue: higher priority first, then those that lack their minimum."""
        return (-self.priority, self.growing)


@dataclass(slots=True)
class Group:
    """Waiting jobs of equal shape, oldest first."""

    key: GroupKey
    jobs: list[Entry] = field(default_factory=list[Entry])


@dataclass(frozen=True, slots=True)
class Ask:
    """What one job waits for.

    Attributes:
        job: the job.
        pending: its tasks without a node, in the order in which they start.
        active: how many of its tasks have a node and keep it.
        next: how many of `pending` start next, together.
        blocked: why it cannot even be considered; None when it can.
    """

    job: Job
    pending: tuple[Task, ...]
    active: int
    next: int
    blocked: Reason | None

    @property
    def entry(self) -> Entry:
        """Its place among equals."""
        return (self.job.created, self.job.name, self.job.id)


def ask(job: Job, pending: Sequence[Task], active: int, gated: int) -> Ask:
    """What the job asks for next, given its tasks."""
    ordered = tuple(sorted(pending, key=lambda task: (task.created, task.name, task.id)))
    lacking = max(0, job.min_member - active)
    blocked = None
    if lacking > len(ordered):
        counts = {"pods": active + len(ordered), "minimum_pods": job.min_member, "gated_pods": gated}
        enough = active + len(ordered) + gated >= job.min_member
        blocked = Reason(WaitCode.GATED if enough else WaitCode.TOO_FEW_PODS, counts)
    elif not ordered:
        blocked = Reason(WaitCode.GATED, {"pods": active, "minimum_pods": job.min_member, "gated_pods": gated})
    return Ask(job, ordered, active, lacking or 1, blocked)


class Line:
    """All waiting jobs, by the pool of their first choice and their queue.

    Attributes:
        mentioned: whom the affinity of tasks speaks of.
    """

    def __init__(self) -> None:
        self.mentioned = Mentioned()
        self.groups: dict[tuple[str, str], dict[GroupKey, Group]] = {}
        self.blocked: dict[str, Ask] = {}
        self.asks: dict[str, Ask] = {}
        self._where: dict[str, GroupKey] = {}

    def put(self, wanted: Ask, pools: tuple[str, ...], device_memory_mib: int) -> None:
        """Queue the job up, or move it to where it belongs now.

        Args:
            wanted: what it asks for.
            pools: those that it may still use.
            device_memory_mib: of the smallest device of the first of them.
        """
        job = wanted.job
        self.remove(job.id)
        self.asks[job.id] = wanted
        if wanted.blocked is not None or job.queue is None:
            self.blocked[job.id] = wanted
            return
        demand = Demand.of(wanted.pending[: wanted.next], device_memory_mib, self.mentioned)
        growing = wanted.active > 0 and wanted.active >= job.min_member
        key = GroupKey(job.queue, pools, job.priority, job.preemptible, growing, demand)
        groups = self.groups.setdefault((pools[0], job.queue), {})
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(key)
        insort(group.jobs, wanted.entry)
        self._where[job.id] = group.key

    def remove(self, job_id: str) -> None:
        """The job waits no longer; without effect when it did not."""
        before = self.asks.pop(job_id, None)
        self.blocked.pop(job_id, None)
        key = self._where.pop(job_id, None)
        if before is None or key is None:
            return
        groups = self.groups[key.pools[0], key.queue]
        jobs = groups[key].jobs
        del jobs[bisect_left(jobs, before.entry)]
        if not jobs:
            del groups[key]
            if not groups:
                del self.groups[key.pools[0], key.queue]
