"""What is free for those who wait, and what of it is too little: numbers for the reasons of `waiting`.

Which node has most free, and which domain, is told by names that begin as `reasons.PASSING` says: they change with
every other job's luck, and who writes reasons down does not write again for them alone.
"""

import numpy as np

from aliquot.core.quantities import quantify
from aliquot.core.scheduling.placement.topology import Closeness, Copies
from aliquot.core.scheduling.round.pool_round import PoolRound
from aliquot.core.scheduling.state.gangs import Part
from aliquot.core.scheduling.state.jobs import Demand
from aliquot.core.scheduling.state.nodes import Amounts, NodeTable
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.scheduling.wording import UNITS

Details = dict[str, int | str]


def shortage(done: PoolRound, demand: Demand) -> Details:
    """What is free for tasks that start together, and what the first of them lacks that fits nowhere."""
    draft = done.draft
    nodes = draft.nodes
    details: Details = {"pool": done.name}
    if demand.tasks > 1:
        details["pods"] = demand.tasks
    for shape, _ in demand.runs:
        usable = np.flatnonzero(nodes.matching(shape.signature) & nodes.usable)
        free = np.maximum(np.minimum(draft.free, draft.future)[usable], 0)
        short = first_short(shape, free)
        if short is not None or shape is demand.runs[-1][0]:
            details |= {**needs(shape, nodes), "nodes": len(free), "free_gpu_percent": int(free[:, 0].sum())}
        if short is not None:
            axis, rows = short
            details["free_short_of"] = UNITS[axis]
            details["free_candidates"] = len(rows)
            if len(rows):
                details |= _freest(nodes, axis, usable[rows], free[rows, axis])
            return details
    tied = None if demand.part is None else _tied(demand.part)
    return details if tied is None else details | _apart(done, tied)


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
