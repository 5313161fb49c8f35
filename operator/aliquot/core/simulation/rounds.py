"""Rounds on a cluster that is written down: the decision core, and what becomes of its plans (simulation.md)."""

from collections.abc import Container
from dataclasses import replace

from aliquot.contracts.simulation import Document, Outcome, RoundOutcome
from aliquot.core.scheduling import (
    ClusterState,
    EvictionStarted,
    Granted,
    JobChanged,
    Plan,
    TaskChanged,
    TaskRemoved,
    decide,
)
from aliquot.core.scheduling.facts import TaskState
from aliquot.core.simulation.jobs import NOW
from aliquot.core.simulation.outcome import (
    fair_shares,
    node_outcomes,
    queue_outcomes,
    requested,
    round_outcome,
    task_outcomes,
)
from aliquot.core.simulation.world import world_of


def simulate(document: Document, rounds: int = 1) -> Outcome:
    """What would happen.

    Args:
        document: the cluster.
        rounds: how many rounds, at least one.

    Raises:
        SimulationError: the document contradicts itself.
    """
    assert rounds >= 1, "at least one round"
    world = world_of(document)
    state = ClusterState.rebuild(world.events)
    done: list[RoundOutcome] = []
    while True:
        plan = decide(state, NOW, world.settings)
        done.append(round_outcome(state, plan))
        if len(done) == rounds:
            break
        begin(state, plan)
        carry_out(state, world.lingering)
    asked, due = requested(state), fair_shares(state, world.settings.usage_factor)
    begin(state, plan)
    return Outcome(
        rounds=done,
        tasks=task_outcomes(state, plan, world.states),
        queues=queue_outcomes(state, asked, due),
        nodes=node_outcomes(state),
    )


def begin(state: ClusterState, plan: Plan) -> None:
    """The plan's bound tasks count as there, its victims as stopping."""
    for bind in plan.binds:
        state.apply(Granted(bind.task, bind.node, bind.devices))
    for evict in plan.evictions:
        state.apply(EvictionStarted(evict.task, evict.for_job))


def carry_out(state: ClusterState, lingering: Container[str]) -> None:
    """Bound tasks run, and stopping ones wait again, but for those that linger; no time passes."""
    before = {record.fact.job for record in state.tasks().values() if record.fact.state.active}
    for task_id, record in sorted(state.tasks().items()):
        task = record.task
        if record.state is TaskState.BOUND:
            state.apply(TaskChanged(replace(task, state=TaskState.RUNNING, node=record.node)))
        elif record.state is TaskState.TERMINATING and task_id not in lingering:
            state.apply(TaskRemoved(task_id))
            state.apply(TaskChanged(replace(task, state=TaskState.PENDING, node=None, devices=())))
    for job_id, job in sorted(state.jobs().items()):
        active = sum(record.state.active for record in state.tasks_of(job_id).values())
        started = NOW if active and job_id not in before else job.last_started
        stale = (NOW if job.stale_since is None else job.stale_since) if 0 < active < job.min_member else None
        if (started, stale) != (job.last_started, job.stale_since):
            state.apply(JobChanged(replace(job, last_started=started, stale_since=stale)))
