"""Whether nodes hold what the tasks say, and whether what a plan gives out is there; see `check`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from aliquot.core.quantities import AXES, PERCENT_PER_DEVICE, GpuPart, Request, on_every_node, quantify
from aliquot.core.scheduling.facts import Node, PodTerm, Task, TaskState
from aliquot.core.scheduling.plan import Plan
from aliquot.core.scheduling.state.affinity import far_terms
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.crowd import Crowd
from aliquot.core.scheduling.state.devices import Held, devices_held
from aliquot.core.scheduling.state.nodes import NodeTable

_GPU: Final = AXES[0]
_OPEN: Final = {_GPU: PERCENT_PER_DEVICE, "pods": 1}

Sums = dict[str, int]


def _units(node: Node) -> int:
    """How large a device counts (scheduling.md 1.3); 100 where that is not known."""
    return max(node.device_memory_mib // 100, 1) * 100


def _hundredths(part: GpuPart, units: int) -> int:
    """What a part takes of one device of so many units, in hundredths of a unit; where that is not known, all of it."""
    if part.percent:
        return part.percent * units
    return part.memory_mib * 100 if units > PERCENT_PER_DEVICE else units * 100


@dataclass(slots=True)
class _Load:
    """What the tasks of one node have, by the name of the resource, and by device in hundredths of its units."""

    units: int
    amounts: Sums = field(default_factory=Sums)
    devices: Sums = field(default_factory=Sums)

    def add(self, task: Task, sign: int = 1) -> None:
        self.add_amounts(task.request, sign)
        if task.request.part is not None:
            for device in devices_held(task):
                more = _hundredths(task.request.part, self.units)
                self.devices[device] = self.devices.get(device, 0) + sign * more

    def add_amounts(self, request: Request, sign: int = 1) -> None:
        named = [*zip(AXES, request.base.as_tuple(), strict=True), *request.extended]
        for name, amount in named:
            self.amounts[name] = self.amounts.get(name, 0) + sign * amount

    def open(self) -> set[str]:
        return {device for device, held in self.devices.items() if held > 0}

    def column(self, name: str) -> int:
        """What it takes of a resource; a device with parts is a whole one less, and a pod holds it."""
        return self.amounts.get(name, 0) + _OPEN.get(name, 0) * len(self.open())


def _loads(state: ClusterState, *, later: bool) -> dict[str, _Load]:
    """What tasks have of each known node: now, or when all that is stopping has gone."""
    loads = {name: _Load(_units(node)) for pool in state.pools.values() for name, node in pool.nodes.nodes.items()}
    for record in state.tasks().values():
        if record.node in loads and record.state.uses_node and not (later and record.state is TaskState.TERMINATING):
            loads[record.node].add(record.task)
    return loads


def nodes(state: ClusterState) -> Iterator[str]:
    """What is wrong with the nodes."""
    now, later = _loads(state, later=False), _loads(state, later=True)
    homes: dict[str, str] = {}
    for pool_name, pool in sorted(state.pools.items()):
        table = pool.nodes
        for name, node in sorted(table.nodes.items()):
            if name in homes:
                yield f"node {name} is in pools {homes[name]} and {pool_name}"
            homes[name] = pool_name
            yield from _columns(table, node, now[name], later[name])
            yield from _devices(table, node, now[name], later[name])
            if bool(table.usable[table.row[name]]) != (node.ready and node.schedulable):
                yield f"node {name}: usable is {bool(table.usable[table.row[name]])}"
        yield from _others(state, pool_name, table)
        empty = [row for row in range(len(table.usable)) if row not in set(table.row.values())]
        if np.any(table.allocatable[empty]) or np.any(table.free[empty]) or np.any(table.usable[empty]):
            yield f"pool {pool_name}: a row without a node has room"
        yield from _crowd(state, pool_name, table)


def _columns(table: NodeTable, node: Node, now: _Load, later: _Load) -> Iterator[str]:
    row, name = table.row[node.name], node.name
    offered = {**dict(zip(AXES, node.allocatable.as_tuple(), strict=True)), **node.extended}
    columns = {**{axis: number for number, axis in enumerate(AXES)}, **table.columns}
    for resource in sorted({*offered, *now.amounts} - columns.keys()):
        yield f"node {name}: nobody counts {resource}"
    for resource, column in columns.items():
        free = offered.get(resource, on_every_node(resource)) - now.column(resource)
        if table.free[row, column] != free:
            yield f"node {name}: free {resource} is {table.free[row, column]}, by its tasks {free}"
        releasing = now.column(resource) - later.column(resource)
        if table.releasing[row, column] != releasing:
            yield f"node {name}: releasing {resource} is {table.releasing[row, column]}, by its tasks {releasing}"


def _devices(table: NodeTable, node: Node, now: _Load, later: _Load) -> Iterator[str]:
    shared: Mapping[str, Held] = table.shared.get(table.row[node.name], {})
    for device in sorted({*shared, *now.open()}):
        counted, held = shared.get(device, Held()), now.devices.get(device, 0)
        should = Held(held // 100, later.devices.get(device, 0) // 100)
        if held > now.units * 100:
            yield f"node {node.name}: device {device} is held to {held / now.units:.4g} %"
        elif counted != should:
            yield f"node {node.name}: of device {device} is held {counted}, by its tasks {should}"


def _others(state: ClusterState, pool_name: str, table: NodeTable) -> Iterator[str]:
    """What is counted as held by tasks that no queue pays for."""
    wanted: dict[str, list[int]] = {name: [0, 0, 0] for name in table.row}
    for record in state.tasks().values():
        job, node = state.job(record.fact.job), record.node
        if node not in wanted or not record.state.active:
            continue
        if job is None or job.queue not in state.pools[pool_name].queues.queues:
            counts = quantify(record.fact.request, table.device_memory_mib(table.row[node]))
            for axis, held in enumerate((counts.gpu_percent, counts.cpu_milli, counts.memory_bytes)):
                wanted[node][axis] += held
    for name, should in sorted(wanted.items()):
        counted: list[int] = table.others[table.row[name]].tolist()
        if counted != should:
            yield f"node {name}: others hold {counted}, by their tasks {should}"


def _crowd(state: ClusterState, pool_name: str, table: NodeTable) -> Iterator[str]:
    crowd = Crowd()
    terms: set[PodTerm] = set()
    for record in state.tasks().values():
        if record.node is not None and record.state.uses_node and state.pool_of(record) == pool_name:
            stopping = record.state is TaskState.TERMINATING
            crowd.count(table.row[record.node], record.task, 1, stopping=stopping)
            terms.update(far_terms(record.task))
    if crowd.repelling != table.crowd.repelling or terms != table.crowd.repelling.keys():
        yield f"pool {pool_name}: who keeps others off is not what its tasks say"
    for asked in table.crowd.views():
        if crowd.view(asked) != table.crowd.view(asked):
            yield f"pool {pool_name}: where {asked} are is not what its tasks say"


def room(state: ClusterState, plan: Plan) -> Iterator[str]:
    """Where a plan gives or promises what is not there."""
    now, later = _loads(state, later=False), _loads(state, later=True)
    before = _loads(state, later=False)
    for evict in plan.evictions:
        record = state.task(evict.task)
        if record is not None and record.node in later and record.state.active:
            later[record.node].add(record.task, -1)
    given: set[str] = set()
    for bind in plan.binds:
        record = state.task(bind.task)
        if record is None:
            continue
        part = record.fact.request.part
        if len(set(bind.devices)) != len(bind.devices) or len(bind.devices) != (part.devices if part else 0):
            yield f"bind {bind.task}: it gets parts of the devices {bind.devices}"
        task = Task(bind.task, "", "", "", record.fact.request, devices=bind.devices)
        if bind.node in now:
            given.add(bind.node)
            now[bind.node].add(task)
            later[bind.node].add(task)
    promised: dict[str, list[Request]] = {}
    for nominate in plan.nominations:
        record = state.task(nominate.task)
        if record is not None:
            promised.setdefault(nominate.node, []).append(record.fact.request)
    for name in sorted({*given, *promised}):
        node = state.node(name)
        if node is None or not (node.ready and node.schedulable):
            yield f"node {name} is given out, but is not ready and open"
            continue
        yield from _room_on(node, before[name], now[name], later[name], promised.get(name, []))


def _room_on(node: Node, before: _Load, now: _Load, later: _Load, promised: list[Request]) -> Iterator[str]:
    for device, held in sorted(now.devices.items()):
        if held > before.devices.get(device, 0) and device in node.closed:
            yield f"node {node.name}: a part of device {device} would be given, which cannot be used"
        if held > before.devices.get(device, 0) and held > now.units * 100:
            yield f"node {node.name}: device {device} would be held to {held / now.units:.4g} %"
    offered = {**dict(zip(AXES, node.allocatable.as_tuple(), strict=True)), **node.extended}
    in_time = _Load(later.units, dict(later.amounts), dict(later.devices))
    for request in promised:
        in_time.add_amounts(request)
    for resource in sorted({*now.amounts, *in_time.amounts}):
        there = offered.get(resource, on_every_node(resource))
        if now.column(resource) > max(there, before.column(resource)):
            yield f"node {node.name}: {now.column(resource)} of {there} {resource} would be used"
        asked = [request for request in promised if _asks(request, resource)]
        if asked and in_time.column(resource) > there:
            yield f"node {node.name}: {in_time.column(resource)} of {there} {resource} is promised"
    parts = [request.part for request in promised if request.part is not None]
    whole = (node.allocatable.gpu_percent - in_time.column(_GPU)) // PERCENT_PER_DEVICE
    left = whole * later.units * 100 + sum(later.units * 100 - held for held in later.devices.values() if held > 0)
    if parts and sum(_hundredths(part, later.units) * part.devices for part in parts) > left:
        yield f"node {node.name}: more parts of devices are promised than come free"


def _asks(request: Request, resource: str) -> bool:
    return dict([*zip(AXES, request.base.as_tuple(), strict=True), *request.extended]).get(resource, 0) > 0
