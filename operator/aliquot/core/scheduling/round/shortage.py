"""What is free for those who wait, and what of it is too little: numbers for the reasons of `waiting`.

Which node has most free, and which domain, is told by names that begin as `reasons.PASSING` says: they change with
every other job's luck, and who writes reasons down does not write again for them alone.
"""

import numpy as np

from aliquot.core.quantities import quantify
from aliquot.core.scheduling.placement.topology import Closeness, Copies
from aliquot.core.scheduling.round.part_shortage import part_needs, part_short
from aliquot.core.scheduling.round.pool_round import PoolRound
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.gangs import Part
from aliquot.core.scheduling.state.jobs import Demand
from aliquot.core.scheduling.state.nodes import Amounts, NodeTable
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.scheduling.wording import UNITS

Details = dict[str, int | str]


def shortage(done: PoolRound, demand: Demand) -> Details:
    """What is free for tasks that start together, and what the first of them lacks that fits nowhere."""
    draft = done.draft
    details: Details = {"pool": done.name}
    details |= _broken(draft.nodes, demand)
    if demand.tasks > 1:
        details["pods"] = demand.tasks
    for shape, _ in demand.runs:
        usable = np.flatnonzero(draft.nodes.matching(shape.signature) & draft.nodes.usable)
        free = np.maximum(np.minimum(draft.free, draft.future)[usable], 0)
        short = _short(draft, shape, usable, free)
        if short is not None or shape is demand.runs[-1][0]:
            details |= {**needs(shape, draft.nodes), "nodes": len(free), "free_gpu_percent": int(free[:, 0].sum())}
            details |= part_needs(shape.request.part) if shape.request.part is not None else {}
        if short is not None:
            return details | short
    last, _ = demand.runs[-1]
    if last.request.part is not None:
        details["free_part_room"] = int(done.placer.ranking(last, now=True).capacity(demand.tasks).sum())
    tied = None if demand.part is None else _tied(demand.part)
    return details if tied is None else details | _apart(done, tied)


def _broken(nodes: NodeTable, demand: Demand) -> Details:
    """How many devices of open nodes cannot be used, for those who want some; and of which node, if it is one."""
    if not nodes.broken or not any(shape.request.wants_gpu for shape, _ in demand.runs):
        return {}
    rows = [row for row in sorted(nodes.broken) if nodes.usable[row]]
    if not rows:
        return {}
    found: Details = {"broken_gpus": sum(nodes.broken[row] for row in rows), "broken_nodes": len(rows)}
    if len(rows) == 1:
        found["broken_node"] = nodes.name(rows[0])
    return found


def _short(draft: Draft, shape: TaskShape, usable: Amounts, free: Amounts) -> Details | None:
    """What no node has enough of for one such task; None: one has enough of everything."""
    short = first_short(shape, free)
    if short is not None:
        axis, rows = short
        found: Details = {"free_short_of": UNITS[axis], "free_candidates": len(rows)}
        return found | _freest(draft.nodes, axis, usable[rows], free[rows, axis]) if len(rows) else found
    part = shape.request.part
    if part is None:
        return None
    needed = np.array(shape.request.base.as_tuple(), np.int64)
    return part_short(draft, part, usable[(free[:, : len(needed)] >= needed).all(axis=1)])


def _freest(nodes: NodeTable, axis: int, rows: Amounts, free: Amounts) -> Details:
    """How much the node has that has most, and which it is, the first by name; it is not named where it has nothing."""
    best = int(free.max())
    found: Details = {f"free_best_node_{UNITS[axis]}": best}
    if best > 0:
        most = rows[free == best]
        found["free_best_node"] = nodes.name(int(most[nodes.rank()[most].argmin()]))
    return found


def _tied(part: Part) -> Part | None:
    """The first part of a gang that has to be close together, the whole first; None: none has."""
    if part.topology is not None and part.topology.required is not None:
        return part
    return next((found for each in part.parts if (found := _tied(each)) is not None), None)


def _apart(done: PoolRound, part: Part) -> Details:
    """How many domains there are for those who have to be in one, and how many of them fit into the roomiest."""
    nodes = done.draft.nodes
    close = Closeness.of(done.draft, part, np.ones(len(nodes.usable), np.bool_))
    assert close is not None, "somebody has to be close, and nobody says how"
    assert part.topology is not None
    level = part.topology.required or ""
    details: Details = {"close_level": level, "close_pods": part.tasks}
    inside = close.inside & nodes.usable
    ids = close.tables[close.depths[-1]]
    number, domains, pods = Copies(done.placer, part, now=True).roomiest(ids, inside)
    details["close_domains"] = domains
    if domains:
        details["free_domain"] = nodes.at(int((inside & (ids == number)).argmax())).labels[level]
        details["free_domain_pods"] = pods
    elif len(part.topology.levels) > 1:
        details["close_levels"] = ", ".join(part.topology.levels)
    return details


def needs(shape: TaskShape, nodes: NodeTable) -> Details:
    """What one task needs, by unit."""
    counts = quantify(shape.request, nodes.smallest_device_mib()).as_tuple()
    return {f"needed_{unit}": amount for unit, amount in zip(UNITS[:3], counts, strict=False) if amount}


def first_short(shape: TaskShape, room: Amounts) -> tuple[int, Amounts] | None:
    """The first resource that no row has enough of, and the rows with enough of those before it; None: none."""
    rows = np.arange(len(room))
    if not len(rows):
        return (0 if shape.request.wants_gpu else 1), rows
    for axis, need in enumerate(shape.request.base.as_tuple()):
        enough = rows[room[rows, axis] >= need]
        if need > 0 and not len(enough):
            return axis, rows
        rows = enough if need > 0 else rows
    return None
