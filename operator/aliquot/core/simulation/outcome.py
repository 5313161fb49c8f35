"""Plans and states → what a simulation prints."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final, Literal, cast

from aliquot.contracts.simulation import (
    BindOutcome,
    EvictOutcome,
    NodeOutcome,
    NominateOutcome,
    QueueOutcome,
    RoundOutcome,
    ShareOutcome,
    TaskOutcome,
    WaitingOutcome,
)
from aliquot.core.quantities import PERCENT_PER_DEVICE, UNLIMITED, Request, quantify
from aliquot.core.scheduling import ClusterState, Plan, explain
from aliquot.core.scheduling.facts import TaskState
from aliquot.core.scheduling.state.queues import shares
from aliquot.core.scheduling.state.tasks import TaskRecord
from aliquot.core.simulation.cluster import POOL

Shares = Mapping[str, tuple[int, int, int]]
"""Per queue, hundredths of devices, milli-CPU and bytes."""

_UNITS: Final = (PERCENT_PER_DEVICE, 1000, 1)
"""What makes a device, a core, a byte."""


def fair_shares(state: ClusterState, usage_factor: float) -> Shares:
    """What each queue is due; empty as long as nobody reckons it."""
    try:
        module = import_module("aliquot.core.scheduling.fairness.fair_share")
    except ModuleNotFoundError:
        return {}
    return cast("Shares", module.fair_shares(state.pool(POOL), usage_factor))


def requested(state: ClusterState) -> Shares:
    """What the jobs of each queue hold or ask for."""
    found = {name: state.usage(pool, name).requested for pool, name in state.queue_names()}
    return {name: (each.gpu_percent, each.cpu_milli, each.memory_bytes) for name, each in found.items()}


def round_outcome(state: ClusterState, plan: Plan) -> RoundOutcome:
    """What a round decided in this state."""
    job_of = {task_id: record.fact.job for task_id, record in state.tasks().items()}
    return RoundOutcome(
        bind=[
            BindOutcome(
                job=job_of[bind.task],
                task=bind.task,
                node=bind.node,
                devices=list(bind.devices),
                resource=_form(state.tasks()[bind.task].fact.request),
            )
            for bind in plan.binds
        ],
        nominate=[
            NominateOutcome(job=job_of[nominate.task], task=nominate.task, node=nominate.node)
            for nominate in plan.nominations
        ],
        evict=[
            EvictOutcome(
                job=job_of[evict.task], task=evict.task, action=evict.action, for_=evict.for_job, moves=evict.moves
            )
            for evict in plan.evictions
        ],
        waiting=[
            WaitingOutcome(
                job=waiting.job,
                reason=waiting.reason.code.value,
                message=explain(waiting.reason),
                details=dict(waiting.reason.details),
            )
            for waiting in plan.waiting
        ],
    )


def _form(request: Request) -> Literal["whole", "fraction", "mig"]:
    return "mig" if request.mig else "fraction" if request.part is not None else "whole"


def task_outcomes(state: ClusterState, plan: Plan, states: Mapping[str, str]) -> dict[str, TaskOutcome]:
    """Every task of the state, in which the plan has begun; `states` are the names of states in the document."""
    nominated = {nominate.task: nominate.node for nominate in plan.nominations}
    found: dict[str, TaskOutcome] = {}
    for task_id in states:
        record = state.tasks()[task_id]
        name, node = record.state.value, record.node
        if record.state is TaskState.ENDED:
            name = states[task_id]
        elif node is None and task_id in nominated:
            name, node = "Nominated", nominated[task_id]
        counts = quantify(record.fact.request, _device_memory(state, record)).gpu_percent
        found[task_id] = TaskOutcome(
            state=name, node=node, devices=list(record.task.devices), gpus=counts / PERCENT_PER_DEVICE
        )
    return found


def _device_memory(state: ClusterState, record: TaskRecord) -> int:
    node = None if record.node is None else state.node(record.node)
    return state.pool(POOL).nodes.smallest_device_mib() if node is None else node.device_memory_mib


def queue_outcomes(state: ClusterState, asked: Shares, due: Shares) -> dict[str, QueueOutcome]:
    """Every queue of the state; `asked` and `due` are what it asked for and was due when the plan was made."""
    found: dict[str, QueueOutcome] = {}
    for name, queue in state.pool(POOL).queues.queues.items():
        usage = state.usage(POOL, name)
        held, fixed = usage.allocated.as_tuple(), usage.allocated_non_preemptible.as_tuple()
        gpu, cpu, memory = (
            ShareOutcome(
                deserved=_amount(axis, share.deserved),
                fair_share=_amount(axis, due[name][axis]) if name in due else None,
                allocated=_units(axis, held[axis]),
                allocated_non_preemptible=_units(axis, fixed[axis]),
                requested=_units(axis, asked[name][axis]),
            )
            for axis, share in enumerate(shares(queue))
        )
        found[name] = QueueOutcome(gpu=gpu, cpu=cpu, memory=memory)
    return found


def _amount(axis: int, amount: int) -> int | float | None:
    return None if amount >= UNLIMITED else _units(axis, amount)


def _units(axis: int, amount: int) -> int | float:
    """In devices, cores or bytes; an int where it is whole."""
    whole, rest = divmod(amount, _UNITS[axis])
    return whole if not rest else amount / _UNITS[axis]


def node_outcomes(state: ClusterState) -> dict[str, NodeOutcome]:
    """Every node of the state."""
    table = state.pool(POOL).nodes
    return {
        name: NodeOutcome(
            free_gpus=_units(0, int(table.free[row, 0])),
            releasing_gpus=_units(0, int(table.releasing[row, 0])),
        )
        for name, row in sorted(table.row.items())
    }
