"""What waiting jobs ask for next, grouped so that jobs of equal shape are decided once.

Which tasks those are is said in `gangs`.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from aliquot.core.scheduling import facts
from aliquot.core.scheduling.facts import Job, Task
from aliquot.core.scheduling.reasons import Reason, WaitCode
from aliquot.core.scheduling.state.affinity import Mentioned
from aliquot.core.scheduling.state.gangs import Part, minimum_of, next_tasks, part_of, unknown_in
from aliquot.core.scheduling.state.queues import Amount, amount
from aliquot.core.scheduling.state.shapes import Runs, TaskShape, runs_of
from aliquot.core.scheduling.waiters import Entry

_ONLY_POD_SET: Final = "default"
"""That of gangs whose tasks are all alike: saying so would tell nobody anything."""
_MOST_NAMES: Final = 10
"""So many of what there is instead are named."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Tasks that start together, in order, as runs of equal ones.

    Attributes:
        runs: shape and number.
        part: how close they are to be; None: it makes no difference.
        total: what queues pay for all of them.
        tasks: how many there are.
    """

    runs: Runs
    part: Part | None
    total: Amount = field(compare=False)
    tasks: int = field(compare=False)

    @staticmethod
    def of_shapes(shapes: Iterable[TaskShape], device_memory_mib: int, part: Part | None = None) -> "Demand":
        """The demand of tasks of these shapes; amounts of GPU memory count as parts of so large a device."""
        runs = runs_of(shapes)
        gpu = cpu = memory = tasks = 0
        for shape, count in runs:
            one = amount(shape.request, device_memory_mib)
            gpu, cpu, memory = gpu + count * one[0], cpu + count * one[1], memory + count * one[2]
            tasks += count
        return Demand(runs, part, (gpu, cpu, memory), tasks)


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
        next: how many of `pending` start next, together.
        growing: whether it has its minimum already.
        nodes: where its other tasks are, by pod set.
        blocked: why it cannot even be considered; None when it can.
        entry: its place among equals.
    """

    job: Job
    pending: tuple[Task, ...]
    next: int
    growing: bool
    nodes: Mapping[str, Sequence[str]]
    blocked: Reason | None
    entry: Entry

    def demand(
        self,
        first: int,
        count: int,
        device_memory_mib: int,
        nodes: Mapping[str, Sequence[str]],
        shape: Callable[[Task], TaskShape],
    ) -> Demand:
        """What so many of its waiting tasks from one on ask for, the job's others being on these nodes, by pod set."""
        tasks = self.pending[first : first + count]
        shapes = [shape(task) for task in tasks]
        named = [(task.pod_set, one) for task, one in zip(tasks, shapes, strict=True)]
        return Demand.of_shapes(shapes, device_memory_mib, part_of(self.job, named, nodes))

    def key(self, pools: tuple[str, ...], demand: Demand, *, growing: bool) -> GroupKey:
        """What the job has in common with all that are decided alike when they ask for this."""
        job = self.job
        assert job.queue is not None, "a job asks for room that no queue pays for"
        preemptible = job.preemptible or (growing and job.surplus_preemptible)
        return GroupKey(job.queue, pools, job.priority, preemptible, growing, demand)


def ask(job: Job, pending: Sequence[Task], nodes: Mapping[str, Sequence[str]], gated: Mapping[str, int]) -> Ask:
    """What the job asks for next, given its tasks.

    Args:
        job: the job.
        pending: its tasks that could be started.
        nodes: where its tasks are that have a node and keep it, by pod set.
        gated: how many of its tasks may not be scheduled yet, by pod set.
    """
    found = next_tasks(job, pending, {name: len(there) for name, there in nodes.items()}, gated)
    blocked = None if job.group is None else _astray(job.group)
    lack = found.lack if blocked is None else None
    if lack is not None:
        counts: dict[str, int | str] = {
            "pods": lack.alive,
            "minimum_pods": lack.minimum,
            "gated_pods": lack.gated,
        }
        if job.group is not None and lack.pod_set != _ONLY_POD_SET:
            counts["pod_set"] = lack.pod_set
        enough = lack.alive + lack.gated >= lack.minimum
        blocked = Reason.of(WaitCode.GATED if enough else WaitCode.TOO_FEW_PODS, counts)
    elif blocked is None and not found.order:
        active = sum(map(len, nodes.values()))
        numbers = {"pods": active, "minimum_pods": minimum_of(job), "gated_pods": sum(gated.values())}
        blocked = Reason.of(WaitCode.GATED, numbers)
    entry = (job.created, job.name, job.id)
    return Ask(job, found.order, found.together, found.growing, nodes, blocked, entry)


def _astray(group: facts.Group) -> Reason | None:
    """The reason of a gang that is to be close in a way that nobody knows; None: it can be followed."""
    topology = unknown_in(group)
    if topology is None:
        return None
    details: dict[str, int | str] = {"topology": topology.name}
    if topology.levels:
        details |= {"level": topology.missing or "", "levels": ", ".join(topology.levels)}
    else:
        details["topologies"] = ", ".join(topology.others[:_MOST_NAMES])
    return Reason.of(WaitCode.NO_SUCH_TOPOLOGY, details)


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
        shapes = partial(TaskShape.of, mentioned=self.mentioned)
        demand = wanted.demand(0, wanted.next, device_memory_mib, wanted.nodes, shapes)
        key = wanted.key(pools, demand, growing=wanted.growing)
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
