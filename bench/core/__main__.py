"""`python -m bench.core`: how long decisions take by the size of the cluster, as JSON; the best of some runs each."""

import gc
import json
import os
import platform as machine
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from aliquot.core.scheduling import ClusterState, Event, Granted, Plan, TaskChanged, TaskRemoved, decide
from aliquot.core.scheduling.facts import TaskState
from bench.core import worlds

Measure = Callable[[int, int], dict[str, float]]
"""Nodes and runs to seconds and counts."""


def main(
    nodes: Annotated[list[int] | None, typer.Option(help="Sizes to measure; left out, 100, 300 and 1,000.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="The best of so many counts.")] = 3,
    only: Annotated[str, typer.Option(help="Measure only this one.")] = "",
    output: Annotated[Path | None, typer.Option(help="Where the JSON goes; left out, standard output.")] = None,
) -> None:
    """Measure and print."""
    measured = {
        name: {str(size): measure(size, runs) for size in nodes or [100, 300, 1000]}
        for name, measure in MEASURES.items()
        if only in ("", name)
    }
    about = {"cpus": os.cpu_count(), "system": machine.platform(), "python": machine.python_version(), "runs": runs}
    text = json.dumps({"machine": about, "measured": measured}, indent=2)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text)


def _best(runs: int, prepare: Callable[[], Callable[[], object]]) -> float:
    """Seconds of the fastest of some runs; what `prepare` does is not counted, nor is collecting garbage."""
    best = float("inf")
    for _ in range(runs):
        measured = prepare()
        gc.collect()
        gc.disable()
        began = time.perf_counter()
        measured()
        best = min(best, time.perf_counter() - began)
        gc.enable()
    return best


def _round(facts: Callable[[int], Iterator[Event]]) -> Measure:
    def measure(nodes: int, runs: int) -> dict[str, float]:
        plans: list[Plan] = []

        def prepare() -> Callable[[], object]:
            state = ClusterState.rebuild(facts(nodes))
            state.waiting()
            return lambda: plans.append(decide(state, 0.0))

        seconds = _best(runs, prepare)
        plan = plans[-1]
        counts = {"binds": len(plan.binds), "evictions": len(plan.evictions), "waiting": len(plan.waiting)}
        return {"seconds": seconds, **counts}

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

    seconds = _best(runs, prepare)
    return {"seconds": seconds, "binds": len(plans[-1].binds), "waiting": len(plans[-1].waiting)}


def _built(nodes: int, runs: int) -> dict[str, float]:
    facts = [
        fact
        for fact in worlds.full_with_a_line(nodes)
        if not (isinstance(fact, TaskChanged) and fact.task.state is TaskState.PENDING)
    ]
    return {"seconds": _best(runs, lambda: lambda: ClusterState.rebuild(facts))}


MEASURES: dict[str, Measure] = {
    "gang-reclaims": _round(worlds.owner_against_two_borrowers),
    "fill-empty-nodes": _round(worlds.many_waiting_for_empty_nodes),
    "consolidate": _round(worlds.scattered),
    "pod-ends": _pod_ends,
    "state-built": _built,
}

if __name__ == "__main__":
    typer.run(main)
