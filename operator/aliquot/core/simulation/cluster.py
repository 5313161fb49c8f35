"""Nodes, queues and topologies of a document → facts. All are of one node pool."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aliquot import names
from aliquot.contracts.simulation import GpuShareEntry, NodeEntry, QueueEntry, SettingsEntry, ShareEntry, TopologyEntry
from aliquot.core.quantities import MIG_PREFIX, PERCENT_PER_DEVICE, UNLIMITED, Vector
from aliquot.core.scheduling import ACTIONS, SchedulingSettings
from aliquot.core.scheduling.facts import Node, Queue, Share, Taint
from aliquot.core.simulation.amounts import (
    MOST_BYTES_OF_A_QUEUE,
    MOST_CORES_OF_A_QUEUE,
    gpu_percent,
    in_bytes,
    milli_cpu,
)
from aliquot.core.simulation.problems import Problems, at

POOL: Final = names.DEFAULT_NODE_POOL
"""The node pool of all that a document describes."""
MOST_LEVELS: Final = 100
"""Of queues above one another."""


def settings_of(entry: SettingsEntry) -> SchedulingSettings:
    """The scheduler's settings."""
    return SchedulingSettings(
        gpu_placement=entry.placement.gpu,
        cpu_placement=entry.placement.cpu,
        actions=tuple(action for action in ACTIONS if action in entry.actions),
        stale_gang_grace_seconds=entry.stale_gang_grace_seconds,
        max_consolidation_victims=entry.max_consolidation_victims,
        consolidating_reclaim=entry.consolidating_reclaim,
        usage_factor=entry.time_based_fair_share.k,
    )


def unique(problems: Problems, kind: str, named: Iterable[tuple[str, str]]) -> None:
    """Note names that stand twice; `named` are paths and names."""
    seen: dict[str, str] = {}
    for path, name in named:
        if name in seen:
            problems.add(path, name, f"every {kind} has a name of its own; {seen[name]} has this one")
        seen.setdefault(name, path)


def nodes_of(problems: Problems, entries: Sequence[NodeEntry]) -> tuple[Node, ...]:
    """The nodes."""
    unique(problems, "node", ((f"nodes[{number}].name", entry.name) for number, entry in enumerate(entries)))
    return tuple(_node(problems, f"nodes[{number}]", entry) for number, entry in enumerate(entries))


def _node(problems: Problems, path: str, entry: NodeEntry) -> Node:
    return Node(
        name=entry.name,
        pool=POOL,
        allocatable=Vector(
            entry.gpus * PERCENT_PER_DEVICE,
            milli_cpu(problems, at(path, "cpu"), entry.cpu),
            in_bytes(problems, at(path, "memory"), entry.memory),
            entry.pods,
        ),
        labels=entry.labels,
        taints=tuple(Taint(taint.key, taint.value, taint.effect) for taint in entry.taints),
        ready=entry.ready,
        device_memory_mib=entry.gpu_memory_mib or 0,
        extended=extended(problems, path, entry.mig.devices, entry.extended, mig_at="mig.devices"),
        mig=entry.mig.strategy,
        broken=entry.broken_gpus,
        closed=frozenset(entry.closed_devices),
    )


def extended(
    problems: Problems, path: str, mig: Mapping[str, int], others: Mapping[str, int], *, mig_at: str
) -> dict[str, int]:
    """MIG devices by profile and other resources by name, all as resources by name; none of which there are 0."""
    for name in others:
        if name.startswith(MIG_PREFIX):
            problems.add(at(f"{path}.extended", name), name, f"MIG devices belong to {mig_at}")
    found = {MIG_PREFIX + profile: count for profile, count in mig.items()} | dict(others)
    return {name: count for name, count in sorted(found.items()) if count}


def queues_of(problems: Problems, entries: Sequence[QueueEntry]) -> tuple[Queue, ...]:
    """The queues."""
    unique(problems, "queue", ((f"queues[{number}].name", entry.name) for number, entry in enumerate(entries)))
    parents = {entry.name: entry.parent for entry in entries}
    for number, entry in enumerate(entries):
        if entry.parent is not None and entry.parent not in parents:
            problems.add(f"queues[{number}].parent", entry.parent, "null, or the name of another queue")
            continue
        above = _above(entry.name, parents)
        if above[-1] == entry.name:
            shown = " in ".join([entry.name, *above[:6], *(["…"] if len(above) > 6 else [])])
            problems.add(f"queues[{number}].parent", entry.parent, f"a queue is not a part of itself: {shown}")
        elif len(above) > MOST_LEVELS:
            problems.add(f"queues[{number}].parent", entry.parent, f"queues are nested {MOST_LEVELS} deep at most")
    return tuple(_queue(problems, f"queues[{number}]", entry) for number, entry in enumerate(entries))


def _above(name: str, parents: Mapping[str, str | None]) -> list[str]:
    """The queues above one, as far as it makes a difference; where they come back to it, it is the last of them."""
    chain: list[str] = []
    above = parents.get(name)
    while above is not None and len(chain) <= MOST_LEVELS:
        chain.append(above)
        if above == name:
            break
        above = parents.get(above)
    return chain or [""]


def _queue(problems: Problems, path: str, entry: QueueEntry) -> Queue:
    return Queue(
        name=entry.name,
        pool=POOL,
        parent=entry.parent,
        gpu=_gpu_share(entry.gpu),
        cpu=_share(problems, at(path, "cpu"), entry.cpu, cpu=True),
        memory=_share(problems, at(path, "memory"), entry.memory, cpu=False),
        created=entry.created,
        priority=entry.priority,
        preempt_min_runtime_seconds=entry.preempt_min_runtime_seconds,
        reclaim_min_runtime_seconds=entry.reclaim_min_runtime_seconds,
    )


def _gpu_share(entry: GpuShareEntry) -> Share:
    return Share(gpu_percent(entry.deserved), gpu_percent(entry.limit), entry.over_quota_weight, entry.usage)


def _share(problems: Problems, path: str, entry: ShareEntry, *, cpu: bool) -> Share:
    def read(key: str, value: str | int | float | None) -> int:
        if value is None:
            return UNLIMITED
        if cpu:
            return milli_cpu(problems, at(path, key), value, MOST_CORES_OF_A_QUEUE)
        return in_bytes(problems, at(path, key), value, MOST_BYTES_OF_A_QUEUE)

    deserved, limit = read("deserved", entry.deserved), read("limit", entry.limit)
    return Share(deserved, limit, entry.over_quota_weight, entry.usage)


def topologies_of(problems: Problems, entries: Sequence[TopologyEntry]) -> dict[str, tuple[str, ...]]:
    """The levels of the topologies, by name."""
    unique(problems, "topology", ((f"topologies[{number}].name", entry.name) for number, entry in enumerate(entries)))
    for number, entry in enumerate(entries):
        if len(set(entry.levels)) < len(entry.levels):
            problems.add(f"topologies[{number}].levels", ", ".join(entry.levels), "each level only once")
    return {entry.name: tuple(entry.levels) for entry in entries}
