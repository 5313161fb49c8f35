"""What is measured of the decision core, and on clusters of which sizes."""

import resource
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from aliquot.core.scheduling import ClusterState, Event, Granted, Plan, TaskChanged, TaskRemoved, decide
from aliquot.core.scheduling.facts import TaskState
from bench.core import worlds
from bench.core.clock import best

_USUAL: Final = (100, 300, 1000, 3000, 10_000)


@dataclass(frozen=True, slots=True)
class Measure:
    """Something to measure.

    Attributes:
        name: what it is called in the JSON.
        what: what happens, as the head of a row of the page.
        run: nodes and runs to seconds and counts.
        sizes: numbers of nodes.
        aims: at so many nodes it is to take at most so much, in the unit that is measured.
        unit: what is measured: `seconds` or `mib`.
    """

    name: str
    what: str
    run: Callable[[int, int], dict[str, float]]
    aims: Sequence[tuple[int, float]] = ()
    sizes: Sequence[int] = _USUAL
    unit: str = "seconds"


def _round(facts: Callable[[int], Iterator[Event]]) -> Callable[[int, int], dict[str, float]]:
    def measure(nodes: int, runs: int) -> dict[str, float]:
        plans: list[Plan] = []

        def prepare() -> Callable[[], object]:
            state = ClusterState.rebuild(facts(nodes))
            state.waiting()
            return lambda: plans.append(decide(state, 0.0))

        seconds = best(runs, prepare)
        plan = plans[-1]
        counts = {"binds": len(plan.binds), "evictions": len(plan.evictions), "waiting": len(plan.waiting)}
        return seconds | counts

    return measure


def _pod_ends(nodes: int, runs: int) -> dict[str, float]:
    """One pod ends, a round follows, the one pod starts that finds room; and whose reason for waiting is a new one."""
    state = ClusterState.rebuild(worlds.full_with_a_line(nodes))
    before = decide(state, 0.0).waiting
    ended = iter(range(0, 10 * nodes, 10))
    plans: list[Plan] = []

    def prepare() -> Callable[[], object]:
        gone = f"j{next(ended)}-0"

        def measured() -> None:
            state.apply(TaskRemoved(gone))
            plan = decide(state, 0.0)
            for bind in plan.binds:
                state.apply(Granted(bind.task, bind.node, bind.devices))
            plan.waiting.differing(plans[-1].waiting if plans else before)
            plans.append(plan)

        return measured

    return best(runs, prepare) | {"binds": len(plans[-1].binds), "waiting": len(plans[-1].waiting)}


def _running(nodes: int) -> Iterator[Event]:
    """Ten pods on each node, and nobody waits."""
    for fact in worlds.full_with_a_line(nodes):
        if not (isinstance(fact, TaskChanged) and fact.task.state is TaskState.PENDING):
            yield fact


def _built(nodes: int, runs: int) -> dict[str, float]:
    facts = list(_running(nodes))
    return best(runs, lambda: lambda: ClusterState.rebuild(facts))


def _memory(nodes: int, _runs: int) -> dict[str, float]:
    """Of a process of its own, which builds the state and decides once; what it has before is not counted."""
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        return other.submit(_resident, nodes).result()


def _resident(nodes: int) -> dict[str, float]:
    before = _resident_mib()
    state = ClusterState.rebuild(_running(nodes))
    built = _resident_mib()
    decide(state, 0.0)
    return {"mib": built - before, "after_a_round_mib": _resident_mib() - before, "before_mib": before}


def _resident_mib() -> float:
    """The memory that this process has, as Linux counts it."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)


MEASURES: Final = (
    Measure(
        "gang-reclaims",
        "8-GPU pods for half of the cluster, a gang, take it back from 1-GPU jobs of two other queues",
        _round(worlds.owner_against_two_borrowers),
        ((1000, 0.5), (10_000, 8)),
    ),
    Measure(
        "gang-reclaims-uneven",
        "the same where each node has five jobs of one queue and three of the other, and each is to lose exactly half",
        _round(partial(worlds.owner_against_two_borrowers, even=False)),
    ),
    Measure(
        "fill-empty-nodes",
        "10 waiting 1-GPU jobs per node, 20 queues, empty nodes",
        _round(worlds.many_waiting_for_empty_nodes),
        ((1000, 2),),
    ),
    Measure(
        "half-gpus",
        "half-GPU jobs, 16 per node, 20 queues, empty nodes",
        _round(worlds.halves),
        ((125, 1),),
        (125, 300, 1000, 3000),
    ),
    Measure(
        "close-gang",
        "512 single-GPU pods that have to be in one block of 100 nodes, and would rather be in one rack of 10",
        _round(worlds.close_gang),
        ((1000, 0.3),),
    ),
    Measure(
        "close-gang-reclaims",
        "the same gang, all nodes full of 1-GPU jobs of others: it takes a block back",
        _round(worlds.close_gang_owed),
    ),
    Measure(
        "consolidate",
        "one 8-GPU job, one or two GPUs free on each node: others move",
        _round(worlds.scattered),
        ((1000, 0.5),),
    ),
    Measure(
        "pod-ends",
        "one pod ends, one starts; 10 pods run and 5 jobs wait per node",
        _pod_ends,
        ((1000, 0.005),),
    ),
    Measure("state-built", "the books of 10 pods per node, from a list", _built, ((1000, 1),)),
    Measure("memory", "memory of the books of 10 pods per node", _memory, ((1000, 300),), unit="mib"),
)
