"""Last step of a round: a reason for everybody who still waits, with the numbers that it follows from.

Jobs of equal shape share a verdict; only their place in the queue is their own. A job that may use several pools waits
for the one that is nearest to having it, so the least definite verdict is its reason; among equals that of the pool
that it likes best.
"""

from collections.abc import Iterable
from operator import itemgetter

import numpy as np

from aliquot.core.quantities import PERCENT_PER_DEVICE, quantify
from aliquot.core.scheduling.facts import Queue
from aliquot.core.scheduling.fairness.capacity import (
    dominant_share,
    excess,
    is_over_deserved,
    within_deserved,
)
from aliquot.core.scheduling.plan import Waiting
from aliquot.core.scheduling.reasons import Answer, Reason, WaitCode
from aliquot.core.scheduling.round.allocate import PoolRound
from aliquot.core.scheduling.round.turns import given_room
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.jobs import Ask, Entry, GroupKey, Line
from aliquot.core.scheduling.state.nodes import Amounts, Mask, NodeTable
from aliquot.core.scheduling.state.queues import RESOURCES, shares
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.scheduling.wording import UNITS, queue_label, short_name

Details = dict[str, int | str]

Verdict = tuple[Answer, int]
"""The answer, and how far down the pool is in the job's list."""

_DEFINITE = {code: place for place, code in enumerate(WaitCode)}


def reasons(state: ClusterState, line: Line, rounds: dict[str, PoolRound]) -> tuple[Waiting, ...]:
    """Why each job that is in line still waits, oldest first."""
    found: dict[str, tuple[int, int, Reason]] = {}
    for job_id, wanted in line.blocked.items():
        assert wanted.blocked is not None, "a job is held back without a reason"
        found[job_id] = (0, 0, wanted.blocked)
    served = given_room(rounds)
    for done in rounds.values():
        for waiting in _by_queue(_Verdicts(state, done), done, line, served).values():
            waiting.sort(key=itemgetter(0))
            count = len(waiting)
            for position, (_, job_id, (answer, choice)) in enumerate(waiting, 1):
                definite = -_DEFINITE[answer.code]
                before = found.get(job_id)
                if before is None or (definite, choice) < before[:2]:
                    found[job_id] = (definite, choice, Reason(answer, (position, count)))
    order = sorted(found, key=lambda job_id: line.asks[job_id].entry)
    return tuple(Waiting(job_id, found[job_id][2]) for job_id in order)


def _by_queue(
    verdicts: "_Verdicts", done: PoolRound, line: Line, served: set[str]
) -> dict[str, list[tuple[tuple[int, bool, Entry], str, Verdict]]]:
    """Place, id and verdict of those who wait in a pool, by queue."""
    queues: dict[str, list[tuple[tuple[int, bool, Entry], str, Verdict]]] = {}
    for row in done.left:
        verdict, (priority, growing) = verdicts.refused(row.key), row.key.place()
        queues.setdefault(row.key.queue, []).extend(
            ((priority, growing, entry), entry[2], verdict)
            for entry in row.left
            if entry[2] not in done.promised and (row.tied or entry[2] not in served)
        )
    for job_id in done.promised:
        wanted = line.asks[job_id]
        place = (-wanted.job.priority, False, wanted.entry)
        queues.setdefault(wanted.job.queue or "", []).append((place, job_id, verdicts.promised(wanted)))
    return queues


class _Verdicts:
    """What one pool has to say, once per shape."""

    def __init__(self, state: ClusterState, done: PoolRound) -> None:
        self._state = state
        self._done = done
        self._refused: dict[GroupKey, Verdict] = {}
        self._stopping: dict[str, int] = {}
        for evict in done.evictions:
            self._stopping[evict.for_job] = self._stopping.get(evict.for_job, 0) + 1
        for job_id, records in state.making_room().items():
            self._stopping[job_id] = self._stopping.get(job_id, 0) + len(records)

    def promised(self, wanted: Ask) -> Verdict:
        """For one whose place is known."""
        nominations = self._done.promised[wanted.job.id]
        nodes = sorted({nominate.node for nominate in nominations})
        details: Details = {"pool": self._done.name, "node": nodes[0], "nodes": len(nodes)}
        if (stopping := self._stopping.get(wanted.job.id, 0)) > 0:
            details["stopping_pods"] = stopping
        return Answer(WaitCode.WAITING_FOR_EVICTION, details), 0

    def refused(self, key: GroupKey) -> Verdict:
        """For those without."""
        verdict = self._refused.get(key)
        if verdict is None:
            code, details = self._verdict(key)
            verdict = self._refused[key] = (Answer(code, details), key.pools.index(self._done.name))
        return verdict

    def _verdict(self, key: GroupKey) -> tuple[WaitCode, Details]:
        draft = self._done.draft
        chain = draft.tree.chain(key.queue)
        if not chain:
            return WaitCode.NO_QUEUE, {"queue": key.queue, "pool": self._done.name}
        for shape, _ in key.demand.runs:
            impossible = self._impossible(shape)
            if impossible is not None:
                return WaitCode.NO_SUCH_NODE, impossible
        over = excess(draft, key.queue, key.demand.total, preemptible=key.preemptible)
        if over is not None:
            bound = "limit" if over.code is WaitCode.OVER_LIMIT else "deserved"
            unit = UNITS[over.axis]
            return over.code, {
                "queue": queue_label(over.queue),
                "pool": self._done.name,
                "resource": RESOURCES[over.axis],
                f"needed_{unit}": key.demand.total[over.axis],
                f"{bound}_{unit}": over.bound,
                f"held_{unit}": over.held,
            }
        return WaitCode.NOT_ENOUGH_RESOURCES, self._occupied(key, chain)

    def _impossible(self, shape: TaskShape) -> Details | None:
        """What is wrong with a task that no node could hold if it were empty; None when one could."""
        nodes = self._done.draft.nodes
        there = nodes.allocatable.any(axis=1)
        matching = nodes.matching(shape.signature)
        allocatable = nodes.allocatable[matching]
        if _first_short(shape, allocatable) is None:
            special = _special_short(nodes, shape, matching)
            return None if special is None else {"pool": self._done.name, "nodes": len(nodes.row), **special}
        axis, rows = _first_short(shape, allocatable if len(allocatable) else nodes.allocatable[there]) or (0, None)
        details: Details = {
            "pool": self._done.name,
            "nodes": len(nodes.row),
            "matching_nodes": int(matching.sum()),
            **_needs(shape, nodes),
        }
        if shape.signature.node_terms:
            details["node_affinity"] = len(shape.signature.node_terms)
        if shape.signature.node_selector:
            details["node_selector"] = ", ".join(f"{label}={value}" for label, value in shape.signature.node_selector)
        if len(allocatable) and rows is not None:
            details["short_of"] = UNITS[axis]
            details["candidates"] = len(rows)
            details[f"largest_{UNITS[axis]}"] = int(rows[:, axis].max())
        return details

    def _occupied(self, key: GroupKey, chain: tuple[Queue, ...]) -> Details:
        draft, done = self._done.draft, self._done
        details: Details = {"pool": done.name}
        if key.demand.tasks > 1:
            details["pods"] = key.demand.tasks
        for shape, _ in key.demand.runs:
            usable = draft.nodes.matching(shape.signature) & draft.nodes.usable
            free = np.maximum(np.minimum(draft.free, draft.future)[usable], 0)
            short = _first_short(shape, free)
            if short is not None or shape is key.demand.runs[-1][0]:
                details |= {
                    **_needs(shape, draft.nodes),
                    "nodes": len(free),
                    "free_gpu_percent": int(free[:, 0].sum()),
                }
            if short is not None:
                axis, rows = short
                details["free_short_of"] = UNITS[axis]
                details["free_candidates"] = len(rows)
                if len(rows):
                    details[f"free_best_node_{UNITS[axis]}"] = int(rows[:, axis].max())
                break
        details |= self._standing(key, chain)
        return details

    def _standing(self, key: GroupKey, chain: tuple[Queue, ...]) -> Details:
        """Where the queue stands, and who has what it is owed."""
        draft, queue = self._done.draft, chain[0]
        axis = 0 if key.demand.total[0] > 0 else 1
        share, unit = shares(queue)[axis], UNITS[axis]
        details: Details = {
            "queue": queue_label(queue),
            f"held_{unit}": draft.held[queue.name][axis],
            f"deserved_{unit}": share.deserved,
        }
        if all(within_deserved(draft, level, key.demand.total) for level in chain):
            worst = self._most_over(key)
            if worst is not None:
                details["over_queue"] = queue_label(worst)
                details[f"over_held_{unit}"] = draft.held[worst.name][axis]
                details[f"over_deserved_{unit}"] = shares(worst)[axis].deserved
        return details

    def _most_over(self, key: GroupKey) -> Queue | None:
        draft = self._done.draft
        others: Iterable[Queue] = (
            draft.tree.queues[name] for name in draft.tree.direct if name in draft.tree.queues and name != key.queue
        )
        over = [queue for queue in others if is_over_deserved(draft, queue, key.demand.total)]
        over.sort(key=lambda queue: (-dominant_share(draft, queue), short_name(queue), queue.name))
        return over[0] if over else None


def _needs(shape: TaskShape, nodes: NodeTable) -> Details:
    """What one task needs, by unit."""
    counts = quantify(shape.request, nodes.smallest_device_mib()).as_tuple()
    return {f"needed_{unit}": amount for unit, amount in zip(UNITS[:3], counts, strict=False) if amount}


def _special_short(nodes: NodeTable, shape: TaskShape, matching: Mask) -> Details | None:
    """What no matching node has of other resources, or of one device; None when one has enough of each."""
    for name, needed in shape.request.extended:
        column = nodes.columns.get(name)
        largest = 0 if column is None else int(nodes.allocatable[matching, column].max(initial=0))
        if largest < needed:
            return {"resource": name, "needed": needed, "largest": largest}
    part = shape.request.part
    if part is None:
        return None
    rows = np.flatnonzero(matching & (nodes.allocatable[:, 0] >= PERCENT_PER_DEVICE * part.devices))
    if any(part.need(int(nodes.units[row])) <= nodes.units[row] for row in rows):
        return None
    largest = int(nodes.units[matching & (nodes.allocatable[:, 0] > 0)].max(initial=0))
    most = int(nodes.allocatable[matching, 0].max(initial=0)) // PERCENT_PER_DEVICE
    details: Details = {"part_devices": part.devices, "largest_devices": most}
    if part.memory_mib:
        details |= {"part_mib": part.memory_mib, "largest_mib": largest if largest > PERCENT_PER_DEVICE else 0}
    return details


def _first_short(shape: TaskShape, room: Amounts) -> tuple[int, Amounts] | None:
    """The first resource that no row has enough of, among those with enough of the ones before it; and these rows."""
    if not len(room):
        return (0 if shape.request.wants_gpu else 1), room
    for axis, need in enumerate(shape.request.base.as_tuple()):
        enough = room[:, axis] >= need
        if need > 0 and not enough.any():
            return axis, room
        room = room[enough] if need > 0 else room
    return None
