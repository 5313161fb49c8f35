"""Every small cluster, settled, against a statement of what must not be that is too slow and too simple to be wrong.

Up to two nodes of up to three GPUs, three projects, up to four jobs: halves of a GPU, one, two, and gangs of two pods;
waiting, or running where there is room; those that may be stopped, and those that may not. Of worlds that differ only
in the names of projects with equal quotas one stands for all. Who runs is on the first node with room, and every world
has one order of ages, another than its neighbours'. By default one in so many worlds is looked at, always the same
ones; `ALIQUOT_SMALL_WORLDS=all` looks at all of them, which takes about an hour.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, combinations_with_replacement, permutations, product
from typing import Final

import pytest

from aliquot.core.quantities import quantify
from aliquot.core.scheduling import ClusterState, check, decide
from aliquot.core.scheduling.state.tasks import TaskRecord
from tests.core.scheduling.world import GPU, World, carry_out

ALL: Final = os.environ.get("ALIQUOT_SMALL_WORLDS") == "all"
EVERY: Final = {1: 1, 2: 1, 3: 1, 4: 1} if ALL else {1: 7, 2: 97, 3: 1999, 4: 29989}
"""By the number of jobs, of how many worlds one is looked at: primes, so that no part of a world is always the same."""
QUEUES: Final[tuple[str, ...]] = ("a", "b", "c")
QUOTAS: Final = ((1, 1, 1), (2, 1, 0), (3, 0, 0), (2, 2, 2))
NODES: Final = ((1,), (2,), (3,), (1, 2), (2, 2), (3, 3))


@dataclass(frozen=True, order=True)
class Kind:
    """A job of the small world; its `pods` of `gpus` each run from the beginning, or wait."""

    queue: str
    gpus: float
    pods: int
    preemptible: bool
    runs: bool


KINDS: Final = tuple(
    Kind(queue, gpus, pods, preemptible, runs)
    for queue, (gpus, pods), preemptible, runs in product(
        QUEUES, ((0.5, 1), (1, 1), (2, 1), (1, 2)), (True, False), (True, False)
    )
)


def worlds(jobs: int) -> Iterator["SmallWorld"]:
    """One in `EVERY` of those with so many jobs, in the order of ages of their number."""
    clusters, orders = list(product(NODES, QUOTAS)), list(permutations(range(jobs)))
    for number, kinds in enumerate(combinations_with_replacement(KINDS, jobs)):
        for at, (nodes, quotas) in enumerate(clusters):
            if (number * len(clusters) + at) % EVERY[jobs] == 0 and is_first(kinds, quotas):
                yield SmallWorld(nodes, quotas, kinds, orders[(number + at) % len(orders)])


@lru_cache(maxsize=len(QUOTAS))
def is_first(kinds: tuple[Kind, ...], quotas: tuple[int, ...]) -> bool:
    """Whether these jobs stand for all that differ from them in the names of projects with equal quotas only."""
    quota = dict(zip(QUEUES, quotas, strict=True))
    for renamed in permutations(QUEUES):
        names = {name: other for name, other in zip(QUEUES, renamed, strict=True) if quota[name] == quota[other]}
        if len(names) == len(QUEUES):
            others = sorted(replace(kind, queue=names[kind.queue]) for kind in kinds)
            if others < sorted(kinds):
                return False
    return True


@dataclass(frozen=True)
class SmallWorld:
    """GPUs per node, what each project deserves, the jobs, and of each how old it is: 0 is the oldest."""

    nodes: Sequence[int]
    quotas: Sequence[int]
    kinds: Sequence[Kind]
    ages: Sequence[int]

    def built(self) -> ClusterState | None:
        """The world; None where what is to run does not fit, or has no right to."""
        places = self._places()
        if places is None:
            return None
        world = World()
        for number, gpus in enumerate(self.nodes):
            world = world.node(f"n{number}", gpus=gpus)
        for queue, quota in zip(QUEUES, self.quotas, strict=True):
            world = world.queue(queue, quota)
        for number, (kind, node) in enumerate(zip(self.kinds, places, strict=True)):
            world = world.job(
                f"{kind.queue}{number}",
                kind.queue,
                kind.gpus,
                devices=(f"d{number}",) if kind.runs and kind.gpus < 1 else (),
                on=None if node is None else f"n{node}",
                created=self.ages[number],
                preemptible=kind.preemptible,
                pods=kind.pods,
                together=kind.pods,
            )
        return world.state()

    def _places(self) -> list[int | None] | None:
        """The node of each job that runs, the first with room; None where one has none, or no right to it."""
        free = [gpus * GPU for gpus in self.nodes]
        quota = {name: gpus * GPU for name, gpus in zip(QUEUES, self.quotas, strict=True)}
        held: dict[str, int] = dict.fromkeys(QUEUES, 0)
        places: list[int | None] = []
        for kind in self.kinds:
            if not kind.runs:
                places.append(None)
                continue
            amount = round(kind.gpus * GPU)
            # A half takes a device of its own here; other ways to share are found by the scheduler.
            takes = max(GPU, amount) * kind.pods
            node = next((at for at, left in enumerate(free) if left >= takes), None)
            if not kind.preemptible:
                held[kind.queue] += amount * kind.pods
            if node is None or held[kind.queue] > quota[kind.queue]:
                return None
            free[node] -= takes
            places.append(node)
        return places


def settle(state: ClusterState) -> list[str]:
    """Carry plans out until there are none; what was wrong on the way."""
    for _ in range(12):
        plan = decide(state, 0.0)
        wrong = check(state, plan)
        for evict in plan.evictions:
            record = state.task(evict.task)
            job = state.job(record.fact.job) if record is not None else None
            if job is None or not job.preemptible:
                wrong.append(f"{evict.task} is stopped and may not be")
        if wrong or not (plan.binds or plan.evictions or plan.nominations):
            return wrong
        carry_out(state, plan)
    return ["never settles"]


def violations(state: ClusterState, nodes: Sequence[int], quotas: Sequence[int]) -> Iterator[str]:
    """What must not be in a settled cluster."""
    jobs: dict[str, list[TaskRecord]] = {}
    for record in state.tasks().values():
        jobs.setdefault(record.fact.job, []).append(record)
    runs = {name: tasks for name, tasks in jobs.items() if all(each.state.active for each in tasks)}
    for name, tasks in jobs.items():
        if name not in runs and any(each.state.active for each in tasks):
            yield f"{name} runs by half"
    size = {name: sum(quantify(each.fact.request, 0).gpu_percent for each in tasks) for name, tasks in jobs.items()}
    queue_of = {name: (job.queue or "") if (job := state.job(name)) else "" for name in jobs}
    held = {queue: sum(size[name] for name in runs if queue_of[name] == queue) for queue in QUEUES}
    quota = {queue: amount * GPU for queue, amount in zip(QUEUES, quotas, strict=True)}
    for name, tasks in jobs.items():
        queue = queue_of[name]
        if name in runs or held[queue] + size[name] > quota[queue]:
            continue
        borrowers = [
            other
            for other in runs
            if queue_of[other] != queue and (job := state.job(other)) is not None and job.preemptible
        ]
        for count in range(len(borrowers) + 1):
            for going in combinations(borrowers, count):
                if all(_over(going, giver, size, queue_of, held, quota) for giver in {queue_of[one] for one in going}):
                    left = [each for other, theirs in runs.items() if other not in going for each in theirs]
                    if _fits(tasks, left, nodes):
                        yield f"{name} is within its quota and waits, though {going or 'nobody'} would make room"
                        return


def _over(
    going: Sequence[str],
    queue: str,
    size: dict[str, int],
    queue_of: dict[str, str],
    held: dict[str, int],
    quota: dict[str, int],
) -> bool:
    """Whether the queue is over its quota before each of those goes, the largest last."""
    theirs = [size[name] for name in going if queue_of[name] == queue]
    return held[queue] - sum(theirs) + max(theirs) > quota[queue]


def _fits(tasks: Sequence[TaskRecord], others: Sequence[TaskRecord], nodes: Sequence[int]) -> bool:
    """Whether the tasks can be put beside the others, which stay where they are."""
    free = {f"n{number}": gpus for number, gpus in enumerate(nodes)}
    devices: dict[tuple[str, str], int] = {}
    for record in others:
        node = record.node or ""
        part = record.fact.request.part
        if part is None:
            free[node] -= record.fact.request.base.gpu_percent // GPU
        else:
            for device in record.fact.devices:
                if (node, device) not in devices:
                    free[node] -= 1
                devices[node, device] = devices.get((node, device), 0) + part.percent
    part = tasks[0].fact.request.part
    if part is not None:
        return any(used + part.percent <= GPU for used in devices.values()) or any(left >= 1 for left in free.values())
    each = tasks[0].fact.request.base.gpu_percent // GPU
    return sum(max(0, left) // each for left in free.values()) >= len(tasks)


@pytest.mark.timeout(0 if ALL else 300)
@pytest.mark.parametrize("jobs", EVERY)
def test_nothing_is_as_it_must_not_be(jobs: int) -> None:
    looked_at = 0
    for world in worlds(jobs):
        state = world.built()
        if state is None:
            continue
        looked_at += 1
        wrong = settle(state) or list(violations(state, world.nodes, world.quotas))
        held = {record.fact.name: f"{record.node} {record.state.value}" for record in state.tasks().values()}
        assert not wrong, f"{wrong}: {world} ended as {held}"
    assert looked_at
    if ALL:
        print(f"{looked_at} worlds of {jobs} jobs")  # noqa: T201  for who asked for all of them
