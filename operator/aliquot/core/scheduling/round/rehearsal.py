"""The next round, as it will be when a pool's plan has been carried out: who of those that are stopped runs again.

What a round finds for those who move is in its own draft. When they come back, `allocate` places them in its order and
where it likes best, together with everybody else who waits. So that is done in advance, by the same code: what was
bound runs, what is stopped has gone and waits, and nothing is remembered but what a state remembers, the promises to
those for whom others were stopped.
"""

from collections import ChainMap, Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

from aliquot.core.scheduling.fairness.queue_order import Row
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.round.allocate import PoolRound, give_out, key_of
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.devices import devices_held
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.jobs import Ask, Entry, GroupKey, Line
from aliquot.core.scheduling.state.queues import amount
from aliquot.core.scheduling.state.units import Unit


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a round decides in a pool beside who starts.

    Attributes:
        stopped: who is stopped, and for which job.
        elsewhere: who is stopped in other pools; they may come here.
        promised: how many tasks of a job were promised room.
        movers: ids of the jobs that move for others, and of these others.
    """

    stopped: Mapping[Unit, str]
    elsewhere: tuple[Unit, ...]
    promised: Mapping[str, int]
    movers: frozenset[str]

    @staticmethod
    def of(done: PoolRound, rounds: Iterable[PoolRound]) -> "Outlook":
        """By what has been decided in the pool, and in all of them."""
        return Outlook(
            {unit: evicts[0].for_job for unit, evicts in done.stopped},
            tuple(unit for other in rounds if other is not done for unit, _ in other.stopped),
            {job_id: len(nominations) for job_id, nominations in done.promised.items()},
            frozenset(
                job_id
                for unit, evicts in done.stopped
                if evicts[0].action == "consolidate"
                for job_id in (unit.job.id, evicts[0].for_job)
            ),
        )

    def plus(self, units: Iterable[Unit], job_id: str, tasks: int) -> "Outlook":
        """When these move for a job, too, so many tasks of which are promised room."""
        more = dict.fromkeys(units, job_id)
        movers = self.movers | {job_id, *(unit.job.id for unit in more)}
        return Outlook({**self.stopped, **more}, self.elsewhere, {**self.promised, job_id: tasks}, movers)


def run_again(state: ClusterState, line: Line, done: PoolRound, outlook: Outlook) -> set[str]:
    """The jobs that get all in the next round that was stopped of them or that they were promised.

    A pod that comes back is a new one, and so the youngest, if it is alone; a gang may be as old as its owner. In a
    simulation all keep their age. Every way has to do.
    """
    needed = Counter(outlook.promised)
    for unit in outlook.stopped:
        needed[unit.job.id] += len(unit.tasks)
    draft, started = _carried_out(state, done, outlook, line.asks)
    placer, mark = Placer(draft), draft.checkpoint()
    promises = _promises(state, done.name, outlook, started)
    again = _asks_again(state, done.name, outlook)
    served = set(needed)
    for coming_back in _ages(again):
        after = PoolRound(done.name, draft, placer, binds=list(done.binds), started=dict(started))
        asks = ChainMap(coming_back, line.asks)
        give_out(after, _rows(done, after, outlook, again, asks), asks, promises)
        draft.rollback(mark)
        served = {job_id for job_id in served if after.started.get(job_id, 0) - started[job_id] >= needed[job_id]}
        if not outlook.movers <= served:
            break
    return served


def _rows(
    done: PoolRound, after: PoolRound, outlook: Outlook, again: Collection[str], asks: Mapping[str, Ask]
) -> list[Row]:
    """Who waits then: who was promised room, who was stopped, who grows, and who was left."""
    wants = {job_id: asks[job_id].next for job_id in again}
    wants |= {job_id: 1 for job_id, many in after.started.items() if many < len(asks[job_id].pending)}
    wants |= outlook.promised
    waiting: dict[GroupKey, list[Entry]] = {}
    for job_id, count in wants.items():
        key = key_of(after, asks[job_id], (done.name,), after.started.get(job_id, 0), count)
        waiting.setdefault(key, []).append(asks[job_id].entry)
    rows = [Row(key, sorted(entries)) for key, entries in waiting.items()]
    others = (Row(row.key, [entry for entry in row.left if entry[2] not in wants]) for row in done.left)
    return [*rows, *(row for row in others if row.jobs)]


def _carried_out(
    state: ClusterState, done: PoolRound, outlook: Outlook, asks: Mapping[str, Ask]
) -> tuple[Draft, Counter[str]]:
    """The beginning of the next round, and how many tasks of each job have started until then."""
    pool = state.pool(done.name)
    draft = Draft(pool, done.draft.settings)
    draft.fair = done.draft.fair
    started: Counter[str] = Counter()
    for bind in done.binds:
        record = state.task(bind.task)
        assert record is not None, "a task starts that nobody knows"
        job = state.job(record.fact.job)
        assert job is not None, "a task starts whose job nobody knows"
        assert job.queue is not None, "a task starts that no queue pays for"
        row, request = draft.nodes.row[bind.node], record.fact.request
        draft.put(Spot(row, bind.devices, draft.shape(record.fact).company), request, now=True)
        paid = amount(request, draft.nodes.device_memory_mib(row))
        wanted = asks[job.id]
        surplus = job.surplus_preemptible and (wanted.growing or started[job.id] >= wanted.next)
        draft.charge(job.queue, paid, 1, preemptible=job.preemptible or surplus)
        started[job.id] += 1
    for unit in outlook.stopped:
        for task, row in zip(unit.tasks, unit.rows, strict=True):
            there = Spot(row, devices_held(task), draft.shape(task).company)
            draft.give_back(there, task.request, now=True)
        draft.charge(unit.queue, unit.total, -1, preemptible=True)
    return draft, started


def _asks_again(state: ClusterState, pool: str, outlook: Outlook) -> dict[str, Ask]:
    """What those ask for in the pool that were stopped, by job."""
    gone: dict[str, set[str]] = {}
    for unit in (*outlook.stopped, *outlook.elsewhere):
        gone.setdefault(unit.job.id, set()).update(task.id for task in unit.tasks)
    jobs = [(state.job(job_id), tasks) for job_id, tasks in gone.items()]
    asks = [state.next_of(job, tasks) for job, tasks in jobs if job is not None and pool in job.pools]
    return {wanted.job.id: wanted for wanted in asks if wanted is not None and wanted.blocked is None}


def _ages(asks: dict[str, Ask]) -> list[dict[str, Ask]]:
    """The same, as if all had been made only now, with their own age, and as if lone pods alone were new."""
    new = {job_id: replace(wanted, entry=(inf, *wanted.entry[1:])) for job_id, wanted in asks.items()}
    alone = {job_id: wanted for job_id, wanted in new.items() if len(wanted.pending) == 1}
    return [new, asks, asks | alone] if 0 < len(alone) < len(new) else [new, asks]


def _promises(state: ClusterState, pool: str, outlook: Outlook, started: Mapping[str, int]) -> dict[str, set[str]]:
    """Per job, the nodes where others were stopped for it; as a state remembers it (see `Promised`)."""
    promises = {job_id: set(nodes) for job_id, nodes in state.promises().items()}
    for job_id in {*outlook.stopped.values()} - state.making_room().keys():
        promises[job_id] = set()
    for unit, job_id in outlook.stopped.items():
        promises[job_id].update(state.pool(pool).nodes.name(row) for row in unit.on)
    over = {unit.job.id for unit in outlook.stopped} | (started.keys() - outlook.promised.keys())
    return {job_id: nodes for job_id, nodes in promises.items() if job_id not in over}
