"""Every small cluster, settled, against a statement of what must not be that is too slow and too simple to be wrong.

Up to two nodes of up to three GPUs, three projects, up to four jobs: halves of a GPU, one, two, and gangs of two pods;
waiting, or running where there is room; those that may be stopped, and those that may not. By default one in so many is
looked at, always the same ones; `ALIQUOT_SMALL_WORLDS=all` looks at all of them.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product
from typing import Final

import pytest

from aliquot.core.quantities import quantify
from aliquot.core.scheduling import ClusterState, check, decide
from aliquot.core.scheduling.facts import TaskState
from aliquot.core.scheduling.state.tasks import TaskRecord
from tests.core.scheduling.world import GPU, World, carry_out

EVERY: Final = 1 if os.environ.get("ALIQUOT_SMALL_WORLDS") == "all" else 211
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


def worlds(jobs: int) -> Iterator[tuple[Sequence[int], Sequence[int], Sequence[Kind]]]:
    """Nodes, quotas and jobs; one in `EVERY`."""
    for number, kinds in enumerate(combinations_with_replacement(KINDS, jobs)):
        for at, (nodes, quotas) in enumerate(product(NODES, QUOTAS)):
            if (number * len(NODES) * len(QUOTAS) + at) % (EVERY * (1 if jobs < 3 else 25 ** (jobs - 2))) == 0:
                yield nodes, quotas, kinds


def built(nodes: Sequence[int], quotas: Sequence[int], kinds: Sequence[Kind]) -> ClusterState | None:
    """The world; None where what is to run does not fit, or has no right to."""
    world = World()
    for number, gpus in enumerate(nodes):
        world = world.node(f"n{number}", gpus=gpus)
    for queue, quota in zip(QUEUES, quotas, strict=True):
        world = world.queue(queue, quota)
    free = [gpus * GPU for gpus in nodes]
    held: dict[str, int] = dict.fromkeys(QUEUES, 0)
    for number, kind in enumerate(kinds):
        name, amount = f"{kind.queue}{number}", round(kind.gpus * GPU)
        node = None
        if kind.runs:
            # A half takes a device of its own here; other ways to share are found by the scheduler.
            takes = max(GPU, amount) * kind.pods
            node = next((at for at, left in enumerate(free) if left >= takes), None)
            if not kind.preemptible:
                held[kind.queue] += amount * kind.pods
            if node is None or held[kind.queue] > quotas[QUEUES.index(kind.queue)] * GPU:
                return None
            free[node] -= takes
        world = world.job(
            name,
            kind.queue,
            kind.gpus,
            devices=(f"d{number}",) if kind.runs and kind.gpus < 1 else (),
            on=None if node is None else f"n{node}",
            created=number,
            preemptible=kind.preemptible,
            pods=kind.pods,
            together=kind.pods,
        )
    return world.state()


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


@pytest.mark.parametrize("jobs", [1, 2, 3, 4])
def test_nothing_is_as_it_must_not_be(jobs: int) -> None:
    looked_at = 0
    for nodes, quotas, kinds in worlds(jobs):
        state = built(nodes, quotas, kinds)
        if state is None:
            continue
        looked_at += 1
        wrong = settle(state) or list(violations(state, nodes, quotas))
        held = {record.fact.name: f"{record.node} {record.state.value}" for record in state.tasks().values()}
        assert not wrong, f"{wrong}: nodes {nodes}, quotas {quotas}, {kinds} ended as {held}"
    assert looked_at
    assert TaskState.RUNNING.active
