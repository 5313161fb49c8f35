"""Last step of a round: a reason for everybody who still waits, with the numbers that it follows from.

Jobs of equal shape share a verdict, and so do queues, as far as it is about nodes. What is one job's own, its place in
its queue, is left to `WaitingJobs`.
"""

from collections.abc import Iterator
from math import ceil

import numpy as np

from aliquot.core.quantities import PERCENT_PER_DEVICE
from aliquot.core.scheduling.facts import Queue
from aliquot.core.scheduling.fairness.capacity import (
    dominant_share,
    excess,
    is_over_deserved,
    within_deserved,
)
from aliquot.core.scheduling.fairness.min_runtime import protected_for, reclaim_seconds
from aliquot.core.scheduling.reasons import Answer, WaitCode
from aliquot.core.scheduling.round.pool_round import PoolRound
from aliquot.core.scheduling.round.shortage import Details, first_short, needs, shortage
from aliquot.core.scheduling.round.turns import given_room, unserved
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.jobs import Ask, Demand, GroupKey, Line
from aliquot.core.scheduling.state.nodes import Mask, NodeTable
from aliquot.core.scheduling.state.queues import RESOURCES, Amount, shares
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.scheduling.waiters import Alike, Entry, WaitingJobs
from aliquot.core.scheduling.wording import UNITS, queue_label, short_name


def reasons(state: ClusterState, line: Line, rounds: dict[str, PoolRound], now: float) -> WaitingJobs:
    """Why each job that is in line still waits; `now` in Unix seconds."""
    served = given_room(rounds)
    entries = [line.asks[job_id].entry for job_id in served]
    alike = (
        each for done in rounds.values() for each in _alike(_Verdicts(state, done, now), done, line, served, entries)
    )
    return WaitingJobs(alike, [(each.entry, each.blocked) for each in line.blocked.values() if each.blocked])


def _alike(
    verdicts: "_Verdicts", done: PoolRound, line: Line, served: set[str], entries: list[Entry]
) -> Iterator[Alike]:
    """Those who wait in a pool. `served` are those who have been given room anywhere, `entries` their places."""
    left: dict[int, tuple[GroupKey, list[Entry]]] = {}
    for row in done.left:
        if row.tied:
            jobs = [entry for entry in row.left if entry[2] not in done.promised]
        else:
            jobs = unserved(row.left, served, entries)
        if jobs:
            left.setdefault(id(row.key), (row.key, []))[1].extend(jobs)
    for key, jobs in left.values():
        jobs.sort()
        yield Alike(done.name, key.queue, key, key.place(), key.pools.index(done.name), verdicts.refused(key), jobs)
    for job_id in done.promised:
        wanted = line.asks[job_id]
        answer = verdicts.promised(wanted)
        yield Alike(done.name, wanted.job.queue or "", answer, (-wanted.job.priority, False), 0, answer, [wanted.entry])


class _Verdicts:
    """What one pool has to say: once per shape what is about nodes, once per group of jobs what is about its queue."""

    def __init__(self, state: ClusterState, done: PoolRound, now: float) -> None:
        self._state = state
        self._done = done
        self._now = now
        self._refused: dict[GroupKey, Answer] = {}
        self._impossible: dict[TaskShape, Details | None] = {}
        self._shortages: dict[Demand, Details] = {}
        self._over: dict[tuple[bool, ...], list[Queue]] = {}
        self._stopping: dict[str, int] = {}
        for evict in done.evictions:
            self._stopping[evict.for_job] = self._stopping.get(evict.for_job, 0) + 1
        for job_id, records in state.making_room().items():
            self._stopping[job_id] = self._stopping.get(job_id, 0) + len(records)

    def promised(self, wanted: Ask) -> Answer:
        """For one whose place is known."""
        nominations = self._done.promised[wanted.job.id]
        nodes = sorted({nominate.node for nominate in nominations})
        details: Details = {"pool": self._done.name, "node": nodes[0], "nodes": len(nodes)}
        if (stopping := self._stopping.get(wanted.job.id, 0)) > 0:
            details["stopping_pods"] = stopping
        return Answer(WaitCode.WAITING_FOR_EVICTION, details)

    def refused(self, key: GroupKey) -> Answer:
        """For those without."""
        answer = self._refused.get(key)
        if answer is None:
            answer = self._refused[key] = Answer(*self._verdict(key))
        return answer

    def _verdict(self, key: GroupKey) -> tuple[WaitCode, Details]:
        draft = self._done.draft
        chain = draft.tree.chain(key.queue)
        if not chain:
            return WaitCode.NO_QUEUE, {"queue": key.queue, "pool": self._done.name}
        for shape, _ in key.demand.runs:
            if shape not in self._impossible:
                self._impossible[shape] = self._find_impossible(shape)
            if (impossible := self._impossible[shape]) is not None:
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

    def _find_impossible(self, shape: TaskShape) -> Details | None:
        """What is wrong with a task that no node could hold if it were empty; None when one could."""
        nodes = self._done.draft.nodes
        there = nodes.allocatable.any(axis=1)
        matching = nodes.matching(shape.signature)
        allocatable = nodes.allocatable[matching]
        if first_short(shape, allocatable) is None:
            special = _special_short(nodes, shape, matching)
            return None if special is None else {"pool": self._done.name, "nodes": len(nodes.row), **special}
        short = first_short(shape, allocatable if len(allocatable) else nodes.allocatable[there])
        details: Details = {
            "pool": self._done.name,
            "nodes": len(nodes.row),
            "matching_nodes": int(matching.sum()),
            **needs(shape, nodes),
        }
        if (role := shape.signature.role()) is not None:
            details["node_role"] = role
        if demands := shape.signature.demands():
            details["node_affinity"] = demands
        if shape.signature.node_selector:
            details["node_selector"] = ", ".join(f"{label}={value}" for label, value in shape.signature.node_selector)
        if (clash := shape.signature.clash()) is not None:
            details |= zip(("clashing_label", "clashing_wish", "clashing_bound"), clash, strict=True)
        if len(allocatable) and short is not None:
            axis, rows = short
            details["short_of"] = UNITS[axis]
            details["candidates"] = len(rows)
            details[f"largest_{UNITS[axis]}"] = int(allocatable[rows, axis].max())
        return details

    def _occupied(self, key: GroupKey, chain: tuple[Queue, ...]) -> Details:
        missing = self._shortages.get(key.demand)
        if missing is None:
            missing = self._shortages[key.demand] = shortage(self._done, key.demand)
        return missing | self._standing(key, chain)

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
            worst = self._most_over(queue.name, key.demand.total)
            if worst is not None:
                details["over_queue"] = queue_label(worst)
                details[f"over_held_{unit}"] = draft.held[worst.name][axis]
                details[f"over_deserved_{unit}"] = shares(worst)[axis].deserved
                if (left := self._protected_for(queue.name, worst.name)) is not None:
                    details["over_protected_seconds"] = ceil(left)
        return details

    def _protected_for(self, taker: str, victim: str) -> float | None:
        """For how long what began lately in a queue is left alone by another; None: it is not."""
        pool = self._state.pool(self._done.name)
        jobs = (self._state.job(job_id) for job_id in pool.stoppable.get(victim, ()))
        return protected_for(
            (job for job in jobs if job is not None), reclaim_seconds(pool.queues, taker, victim), self._now
        )

    def _most_over(self, queue: str, wanted: Amount) -> Queue | None:
        """The queue that is most over what it deserves of something that is wanted, another than the one that asks."""
        axes = tuple(part > 0 for part in wanted)
        if axes not in self._over:
            draft = self._done.draft
            others = (draft.tree.queues[name] for name in draft.tree.direct if name in draft.tree.queues)
            over = [other for other in others if is_over_deserved(draft, other, wanted)]
            over.sort(key=lambda other: (-dominant_share(draft, other), short_name(other), other.name))
            self._over[axes] = over
        return next((other for other in self._over[axes] if other.name != queue), None)


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
