"""First step of a round: room that is free, or comes free anyway, goes to whoever's turn it is.

Pools are independent of one another but for jobs that may use several. Those are offered to the pool they like best;
a pool turns away whom it has no room for in its own order, and they go on to the next one, where that pool's turn order
is worked out anew with them. Nobody gets room in a pool past somebody with more right to it, and the outcome does not
depend on the order in which pools are looked at.

Before anybody's turn, promises are kept: room that tasks were stopped for goes to the job for whose sake they were
stopped. Otherwise another could get it, and they would have been stopped in vain.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from aliquot.core.scheduling.facts import Task
from aliquot.core.scheduling.fairness.capacity import excess
from aliquot.core.scheduling.fairness.fair_share import fair_shares
from aliquot.core.scheduling.fairness.queue_order import Row, Turns, WaitingQueue
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.placement.topology import place
from aliquot.core.scheduling.round.pool_round import PoolRound, write_down
from aliquot.core.scheduling.settings import SchedulingSettings
from aliquot.core.scheduling.state.cluster import ClusterState
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.jobs import Ask, GroupKey, Line
from aliquot.core.scheduling.state.queues import Amount
from aliquot.core.scheduling.waiters import Entry


def allocate(state: ClusterState, line: Line, settings: SchedulingSettings) -> dict[str, PoolRound]:
    """Give out the room of every pool that somebody waits for. Returns what was decided, by pool."""
    native: dict[str, list[Row]] = {}
    for (pool, _), groups in sorted(line.groups.items(), key=lambda item: item[0]):
        native.setdefault(pool, []).extend(Row(group.key, group.jobs) for group in groups.values())
    arrived: dict[str, dict[GroupKey, list[Entry]]] = {}
    rejected: dict[str, set[str]] = {}
    rounds: dict[str, PoolRound] = {}
    todo = sorted(native)
    while todo:
        for pool in todo:
            rows = [*native.get(pool, ()), *(Row(key, sorted(jobs)) for key, jobs in arrived.get(pool, {}).items())]
            rows = _without(rows, rejected.get(pool, set()))
            rounds[pool] = _allocate_pool(state, line, pool, rows, settings)
        todo = _turn_to_next_pools(rounds, todo, arrived, rejected)
    for pool, moved in rejected.items():
        _keep_in_sight(rounds[pool], native.get(pool, []), arrived.get(pool, {}), moved)
    return dict(sorted(rounds.items()))


def give_nothing(state: ClusterState, line: Line, settings: SchedulingSettings) -> dict[str, PoolRound]:
    """Rounds in which everybody is left, for whom the other steps are to be looked at without this one."""
    rows: dict[str, list[Row]] = {}
    for _, groups in sorted(line.groups.items(), key=lambda item: item[0]):
        for group in groups.values():
            for pool in group.key.pools:
                rows.setdefault(pool, []).append(Row(group.key, group.jobs))
    rounds: dict[str, PoolRound] = {}
    for pool, left in sorted(rows.items()):
        rounds[pool] = _begin(state, pool, left, settings)
        rounds[pool].left = left
    return rounds


def _without(rows: list[Row], moved: set[str]) -> list[Row]:
    """Fresh rows of those that have not turned to another pool."""
    fresh = [
        Row(row.key, [entry for entry in row.jobs if entry[2] not in moved] if moved else row.jobs) for row in rows
    ]
    return [row for row in fresh if row.jobs]


def _turn_to_next_pools(
    rounds: dict[str, PoolRound],
    done: list[str],
    arrived: dict[str, dict[GroupKey, list[Entry]]],
    rejected: dict[str, set[str]],
) -> list[str]:
    """Send those that a pool turned away to their next choice. Returns the pools that have newcomers."""
    changed: set[str] = set()
    for pool in done:
        for row in rounds[pool].left:
            if row.tied or row.key.pools[-1] == pool:
                continue
            following = row.key.pools[row.key.pools.index(pool) + 1]
            rejected.setdefault(pool, set()).update(entry[2] for entry in row.left)
            arrived.setdefault(following, {}).setdefault(row.key, []).extend(row.left)
            changed.add(following)
    return sorted(changed)


def _keep_in_sight(done: PoolRound, native: list[Row], arrived: dict[GroupKey, list[Entry]], moved: set[str]) -> None:
    """List those among `left` who were turned away before the pool's last run: the next steps may help them here."""
    seen = {entry[2] for row in done.left for entry in row.left}
    for row in [*native, *(Row(key, sorted(jobs)) for key, jobs in arrived.items())]:
        jobs = [entry for entry in row.jobs if entry[2] in moved and entry[2] not in seen]
        if jobs:
            done.left.append(Row(row.key, jobs))


def _allocate_pool(
    state: ClusterState, line: Line, name: str, rows: list[Row], settings: SchedulingSettings
) -> PoolRound:
    done = _begin(state, name, rows, settings)
    give_out(done, rows, line.asks, state.promises())
    return done


def give_out(done: PoolRound, rows: list[Row], asks: Mapping[str, Ask], promises: Mapping[str, Iterable[str]]) -> None:
    """Give the room of a pool to these jobs.

    Args:
        done: takes what comes of it.
        rows: who waits.
        asks: what each of them waits for, by job.
        promises: per job that others were stopped for, the nodes where they were.
    """
    draft = done.draft
    kept = _keep_promises(promises, asks, done, rows)
    rows = _without(rows, kept) if kept else rows
    rows, hopeless = _hopeful(done, rows)
    done.left.extend(hopeless)
    waiting, nowhere = waiting_queues(draft, rows)
    done.left.extend(nowhere)
    turns = Turns(draft, waiting, lambda demand: done.placer.might_fit(demand.runs))
    while (queue := turns.next()) is not None:
        row = queue.head()
        assert row is not None, "a queue without waiting jobs has no turn"
        entry = row.jobs[row.at]
        wanted = asks[entry[2]]
        tasks = done.tasks(row.key, wanted)
        if not _start(done, row.key, tasks):
            done.left.append(queue.give_up())
        else:
            queue.served()
            given = done.started[entry[2]]
            if entry[2] not in done.promised and given < len(wanted.pending):
                queue.join(key_of(done, wanted, row.key.pools, given, 1), entry)
        turns.put_back()
    done.left.extend(turns.hopeless)


def _begin(state: ClusterState, name: str, rows: list[Row], settings: SchedulingSettings) -> PoolRound:
    """A round of a pool in which nothing has been decided yet."""
    draft = Draft(state.pool(name), settings.of_pool(name))
    draft.fair = fair_shares(draft, settings.usage_factor, _newcomers(name, rows))
    return PoolRound(name, draft, Placer(draft))


def _newcomers(pool: str, rows: list[Row]) -> dict[str, Amount]:
    """What jobs ask for here that count as waiting in the pool that they like best, by queue."""
    more: dict[str, Amount] = {}
    for row in rows:
        if row.key.pools[0] != pool:
            (gpu, cpu, memory), each, jobs = more.get(row.key.queue, (0, 0, 0)), row.key.demand.total, len(row.left)
            more[row.key.queue] = (gpu + jobs * each[0], cpu + jobs * each[1], memory + jobs * each[2])
    return more


def _hopeful(done: PoolRound, rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Those that might be helped, and those whom nothing that happens while turns are taken can help.

    Room only shrinks meanwhile, and queues only fill up. The latter must not speak for their queue when it is compared
    with others.
    """
    hopeful: list[Row] = []
    hopeless: list[Row] = []
    for row in rows:
        key = row.key
        fits = done.placer.might_fit(key.demand.runs)
        helpful = fits and excess(done.draft, key.queue, key.demand.total, preemptible=key.preemptible) is None
        (hopeful if helpful else hopeless).append(row)
    return hopeful, hopeless


def waiting_queues(draft: Draft, rows: list[Row]) -> tuple[list[WaitingQueue], list[Row]]:
    """The rows by queue, and those whose queue is not there."""
    by_queue: dict[str, list[Row]] = {}
    for row in rows:
        by_queue.setdefault(row.key.queue, []).append(row)
    queues = draft.tree.queues
    waiting = [WaitingQueue(queues[name], theirs) for name, theirs in sorted(by_queue.items()) if name in queues]
    return waiting, [row for name, theirs in sorted(by_queue.items()) if name not in queues for row in theirs]


def _keep_promises(
    promises: Mapping[str, Iterable[str]], asks: Mapping[str, Ask], done: PoolRound, rows: list[Row]
) -> set[str]:
    """Promise room to those for whom tasks were stopped here, where they were, and start those who need not wait.

    Returns the jobs. First all are promised their room, then those start that fit elsewhere now: nobody's early start
    can break another's promise. Those who need one place go first, for theirs is known exactly; of several pods that
    start together, some may have been meant for room that was free. One whose bounds, nodes or queue have changed
    stands in line like everybody.
    """
    here: list[tuple[Row, Entry, list[int]]] = []
    row_of, queues = done.draft.nodes.row, done.draft.tree.queues
    for job_id, nodes in promises.items():
        wanted = asks.get(job_id)
        places = sorted(row_of[node] for node in nodes if node in row_of)
        if wanted is not None and places:
            here += [(row, wanted.entry, places) for row in rows if row.key.queue in queues and _has(row, wanted.entry)]
    kept: list[tuple[GroupKey, Ask, list[Spot]]] = []
    for row, entry, places in sorted(here, key=lambda item: (item[0].key.demand.tasks > 1, item[1])):
        demand = row.key.demand
        if excess(done.draft, row.key.queue, demand.total, preemptible=row.key.preemptible) is None:
            given = place(done.placer, demand, now=False, rather=places)
            if given is not None:
                done.draft.charge(row.key.queue, demand.total, 1, preemptible=row.key.preemptible)
                kept.append((row.key, asks[entry[2]], given))
    for key, wanted, given in kept:
        tasks = done.tasks(key, wanted)
        if not done.placer.might_start(key.demand.runs):
            write_down(done, key, tasks, given, now=False)
            continue
        lifted = done.draft.checkpoint()
        for task, spot in zip(tasks, given, strict=True):
            done.draft.give_back(spot, task.request, now=False)
        at_once = place(done.placer, key.demand, now=True)
        if at_once is not None:
            write_down(done, key, tasks, at_once, now=True)
            continue
        done.draft.rollback(lifted)
        write_down(done, key, tasks, given, now=False)
    return {wanted.job.id for _, wanted, _ in kept}


def _has(row: Row, entry: Entry) -> bool:
    at = bisect_left(row.jobs, entry)
    return at < len(row.jobs) and row.jobs[at] == entry


def _start(done: PoolRound, key: GroupKey, tasks: tuple[Task, ...]) -> bool:
    """Start the tasks now, all of them, or else promise all of them room that comes. Returns whether either works."""
    demand = key.demand
    if excess(done.draft, key.queue, demand.total, preemptible=key.preemptible) is not None:
        return False
    spots = place(done.placer, demand, now=True)
    now = spots is not None
    if spots is None:
        spots = place(done.placer, demand, now=False)
    if spots is None:
        return False
    done.draft.charge(key.queue, demand.total, 1, preemptible=key.preemptible)
    write_down(done, key, tasks, spots, now=now)
    return True


def _places(done: PoolRound, wanted: Ask) -> dict[str, list[str]]:
    """Where the job's tasks are, those included that start in this round, by pod set; nothing where it is no matter."""
    if wanted.job.group is None:
        return {}
    pod_set = {task.id: task.pod_set for task in wanted.pending}
    places = {name: list(there) for name, there in wanted.nodes.items()}
    for bind in done.binds:
        if bind.task in pod_set:
            places.setdefault(pod_set[bind.task], []).append(bind.node)
    return places


def key_of(done: PoolRound, wanted: Ask, pools: tuple[str, ...], first: int, count: int) -> GroupKey:
    """What so many of a job's waiting tasks from one on ask for here, when those before them have started."""
    draft = done.draft
    demand = wanted.demand(first, count, draft.nodes.smallest_device_mib(), _places(done, wanted), draft.shape)
    return wanted.key(pools, demand, growing=first > 0 or wanted.growing)
