"""What holds in every cluster, whatever happens in it. `ALIQUOT_CLUSTERS=10000` looks at so many for each sentence."""

import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling import (
    ClusterState,
    Event,
    EvictionFailed,
    EvictionStarted,
    Granted,
    GrantFailed,
    JobRemoved,
    NodeRemoved,
    Plan,
    QueueRemoved,
    TaskChanged,
    TaskRemoved,
    check,
    decide,
    explain,
)
from aliquot.core.scheduling.facts import Task, TaskState
from tests.core.scheduling.world import GPU, World, begun, carry_out, confirmed, running, until_settled

POOLS = ("default", "other")
QUEUES = ("a", "b", "c", "d")
NODES = ("n1", "n2", "n3", "n4")
DGX = {"run.ai/type": "dgx"}

CLUSTERS = int(os.environ.get("ALIQUOT_CLUSTERS", "100"))

slow = settings(
    deadline=None, max_examples=CLUSTERS, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
pytestmark = pytest.mark.timeout(300 if CLUSTERS <= 100 else 0)


def world_of(seed: int, nodes: int, jobs: int, *, foreign: bool = False, elastic: bool = True) -> World:
    """A cluster that can exist: nobody is placed where there is no room. Mostly full, and lent out unevenly."""
    luck, world, room = random.Random(seed), World(), dict[str, int]()
    pools = luck.choice([("default",), POOLS])
    for name in NODES[:nodes]:
        room[name] = luck.randint(1, 4)
        world = world.node(
            name,
            gpus=room[name],
            pool=luck.choice(pools),
            labels=luck.choice([None, DGX]),
            taint=luck.choice(["", "", "", "", "special"]),
            schedulable=luck.random() < 0.95,
        )
    departments, queues = luck.choice([0, 0, 2]), QUEUES[: luck.randint(2, 4)]
    for pool in POOLS:
        for number in range(departments):
            world = world.queue(f"department/d{number}", luck.randint(0, 5), pool=pool)
        for queue in queues:
            world = world.queue(
                queue,
                luck.randint(0, 3),
                limit=luck.choice([None, None, None, luck.randint(1, 6)]),
                parent=f"d{luck.randrange(departments)}" if departments else None,
                pool=pool,
                weight=luck.choice([1.0, 1.0, 1.0, 0.0]),
                created=luck.randint(0, 1),
            )
    borrower, owners = luck.choice(queues), [*queues, None] if foreign else queues
    for number in range(jobs):
        gpus, pods = luck.choice([0, 1, 1, 1, 2, 3]), luck.choice([1, 1, 1, 2, 3])
        fitting = [name for name, free in sorted(room.items()) if free >= gpus * pods]
        on = luck.choice(fitting) if fitting and luck.random() < 0.7 else None
        if on is not None:
            room[on] -= gpus * pods
        world = world.job(
            f"j{number}",
            luck.choice([borrower, *owners]) if on is not None else luck.choice(owners),
            gpus,
            on=on,
            created=luck.randint(0, 3),
            priority=luck.choice([50, 50, 75, 100]),
            pods=pods,
            together=luck.randint(1, pods) if elastic else pods,
            selector=luck.choice([None, None, None, DGX]),
            tolerates=luck.choice(["", "special"]),
            pools=luck.choice([("default",), ("default",), ("other",), ("other", "default")])
            if len(pools) > 1
            else ("default",),
        )
    return world


def worlds(*, foreign: bool = False, elastic: bool = True) -> st.SearchStrategy[World]:
    """Clusters that can exist; smaller ones first."""
    sizes = (st.integers(0, 1 << 32), st.integers(1, 4), st.integers(0, 14))
    return st.builds(world_of, *sizes, foreign=st.just(foreign), elastic=st.just(elastic))


def _becomes(task: Task, state: TaskState, node: str | None) -> Event:
    return TaskChanged(replace(task, state=state, node=node))


@st.composite
def happenings(draw: st.DrawFn, world: World) -> list[Event]:
    """Things that may happen, in any order, to what is there and to what is not."""
    jobs = st.sampled_from([f"j{number}" for number in range(14)])
    nodes = st.sampled_from(NODES)
    tasks = [event.task for event in world.facts if isinstance(event, TaskChanged)]
    kinds: list[st.SearchStrategy[Event]] = [
        jobs.map(TaskRemoved),
        jobs.map(JobRemoved),
        st.builds(Granted, jobs, nodes),
        jobs.map(GrantFailed),
        st.builds(EvictionStarted, jobs, jobs),
        jobs.map(EvictionFailed),
        nodes.map(NodeRemoved),
        st.builds(QueueRemoved, st.sampled_from(POOLS), st.sampled_from([*QUEUES, "department/d0"])),
        st.sampled_from(world.facts),
    ]
    if tasks:
        kinds.append(st.builds(_becomes, st.sampled_from(tasks), st.sampled_from(TaskState), st.none() | nodes))
    event = st.one_of(kinds)
    return draw(st.lists(event, max_size=20))


def as_plain(state: ClusterState) -> tuple[object, ...]:
    """Everything that deciding could have changed."""
    return (
        list(state.facts()),
        [(pool, table.nodes.free.tolist(), table.nodes.releasing.tolist()) for pool, table in state.pools.items()],
        [(pool, name, state.usage(pool, name)) for pool, name in state.queue_names()],
    )


@slow
@given(st.data())
def test_whatever_happens_the_books_are_right(data: st.DataObject) -> None:
    world = data.draw(worlds(foreign=True))
    state = ClusterState()
    for event in [*world.facts, *data.draw(happenings(world))]:
        state.apply(event)
        assert check(state) == [], event
        state.apply(event)
        assert check(state) == [], f"{event} twice"


@slow
@given(st.data())
def test_every_round_is_sound_and_changes_nothing_and_is_the_same_again(data: st.DataObject) -> None:
    world = data.draw(worlds(foreign=True))
    state = world.state()
    for event in data.draw(happenings(world)):
        state.apply(event)
    before = as_plain(state)
    plan = decide(state, 0.0)
    assert check(state, plan) == []
    assert as_plain(state) == before
    assert decide(state, 0.0) == plan
    assert decide(ClusterState.rebuild(state.facts()), 0.0) == plan


@slow
@given(st.data(), st.integers(0, 10))
def test_the_order_of_the_facts_makes_no_difference(data: st.DataObject, seed: int) -> None:
    world = data.draw(worlds())
    facts = list(world.facts)
    random.Random(seed).shuffle(facts)
    assert decide(ClusterState.rebuild(facts), 0.0) == decide(world.state(), 0.0)


@slow
@given(worlds())
def test_everybody_who_waits_and_only_they_have_a_reason_with_a_sentence(world: World) -> None:
    state = world.state()
    plan = decide(state, 0.0)
    started = {bind.task for bind in plan.binds}
    waits = {
        record.fact.job
        for task_id, record in state.tasks().items()
        if record.state is TaskState.PENDING and task_id not in started
    }
    assert {waiting.job for waiting in plan.waiting} == waits
    assert all(explain(waiting.reason) for waiting in plan.waiting)


@slow
@given(worlds())
def test_nothing_that_starts_takes_a_queue_over_its_limit_or_a_guarantee_from_what_may_not_be_stopped(
    world: World,
) -> None:
    state = world.state()
    before = {key: state.usage(*key) for key in state.queue_names()}
    for event in begun(decide(state, 0.0)):
        state.apply(event)
    for (pool, name), was in before.items():
        queue, now = state.pools[pool].queues.queues[name], state.usage(pool, name)
        assert now.allocated.gpu_percent <= max(queue.gpu.limit, was.allocated.gpu_percent)
        fixed, fixed_before = now.allocated_non_preemptible, was.allocated_non_preemptible
        assert fixed.gpu_percent <= max(queue.gpu.deserved, fixed_before.gpu_percent)


@slow
@given(worlds())
def test_only_who_may_be_stopped_is_stopped_and_only_for_a_right(world: World) -> None:
    """Within a project by priority; otherwise from a branch that is over its quota where it meets the other."""
    state = world.state()
    plan = decide(state, 0.0)
    for evict in plan.evictions:
        record = state.task(evict.task)
        taker = state.job(evict.for_job)
        assert record is not None
        assert taker is not None
        victim, pool = state.job(record.fact.job), state.pool_of(record)
        assert victim is not None
        assert pool is not None
        assert victim.preemptible
        if evict.action == "consolidate":
            assert evict.moves
            continue
        if victim.queue == taker.queue:
            assert victim.priority < taker.priority
            continue
        tree = state.pools[pool].queues
        above = {queue.name for queue in tree.chain(taker.queue or "")}
        branch = [queue for queue in tree.chain(victim.queue or "") if queue.name not in above][-1]
        held = {name: state.usage(pool, name).allocated.gpu_percent for name in tree.queues}
        # What the round itself starts counts, too.
        for bind in plan.binds:
            bound = state.task(bind.task)
            assert bound is not None
            job = state.job(bound.fact.job)
            node = state.node(bind.node)
            if job is not None and node is not None and node.pool == pool:
                for queue in tree.chain(job.queue or ""):
                    held[queue.name] += bound.fact.request.base.gpu_percent
        gains = sum(
            needed.fact.request.base.gpu_percent
            for nominate in plan.nominations
            if (needed := state.task(nominate.task)) is not None
            and (job := state.job(needed.fact.job)) is not None
            and branch.name in {queue.name for queue in tree.chain(job.queue or "")}
        )
        assert held[branch.name] + gains > min(branch.gpu.deserved, branch.gpu.limit) < UNLIMITED, evict


@slow
@given(worlds())
def test_nobody_is_stopped_in_vain(world: World) -> None:
    """Every victim is needed: with it left where it is, what was promised would not fit, or not be allowed."""
    state = world.state()
    plan = decide(state, 0.0)
    for spared in plan.evictions:
        record = state.task(spared.task)
        assert record is not None
        job = state.job(record.fact.job)
        assert job is not None
        unit = {
            evict.task for evict in plan.evictions if (other := state.task(evict.task)) and other.fact.job == job.id
        }
        if len(unit) > 1 or spared.action == "consolidate":
            continue  # tasks that go together are needed together; who moves may have to for another who moves
        evictions = tuple(evict for evict in plan.evictions if evict.task != spared.task)
        without = replace(plan, evictions=evictions)
        assert check(state, without) != [] or _passes_a_limit(state, without), spared


def _passes_a_limit(state: ClusterState, plan: Plan) -> bool:
    after = ClusterState.rebuild(state.facts())
    for event in begun(plan):
        after.apply(event)
    for nominate in plan.nominations:
        after.apply(Granted(nominate.task, nominate.node))
    return any(
        after.usage(*key).allocated.gpu_percent > after.pools[key[0]].queues.queues[key[1]].gpu.limit
        for key in after.queue_names()
    )


def _asks_for_one(state: ClusterState, job_id: str) -> bool:
    """Whether the job asks for one place at a time; where several are needed together, their places are not kept."""
    job = state.job(job_id)
    return job is not None and job.min_member == 1


@slow
@given(worlds())
def test_what_is_being_stopped_is_enough_nobody_else_is_stopped_for_the_same_need(world: World) -> None:
    state = world.state()
    plan = decide(state, 0.0)
    for event in begun(plan):
        state.apply(event)
    again = decide(state, 0.0)
    helped = {evict.for_job for evict in plan.evictions if _asks_for_one(state, evict.for_job)}
    assert not helped & {evict.for_job for evict in again.evictions}


@slow
@given(worlds())
def test_whoever_was_promised_room_gets_it(world: World) -> None:
    state = world.state()
    plan = decide(state, 0.0)
    helped = {evict.for_job for evict in plan.evictions if _asks_for_one(state, evict.for_job)}
    promised = {
        nominate.task
        for nominate in plan.nominations
        if (record := state.task(nominate.task)) is not None and record.fact.job in helped
    }
    for event in begun(plan):
        state.apply(event)
    again = decide(state, 0.0)
    still = {*(nominate.task for nominate in again.nominations), *(bind.task for bind in again.binds)}
    assert promised <= still


@slow
@given(st.integers(0, 1 << 32))
@example(64)  # one that could not come back to the pool where it was
@example(149)  # one in whose place another grew first
@example(4898)  # one whose place went to somebody stopped in another pool
@example(104761)  # one who came back young behind a gang that kept its age
def test_whoever_is_said_to_move_runs_again_at_once_and_so_does_whom_he_moved_for(seed: int) -> None:
    state = world_of(seed, 4, 14).state()
    for _ in range(3):
        plan = decide(state, 0.0)
        records = [state.task(evict.task) for evict in plan.evictions if evict.moves]
        moved = {record.fact.job.rstrip("'") for record in records if record is not None}
        helped = {evict.for_job.rstrip("'") for evict in plan.evictions if evict.action == "consolidate"}
        before = Counter(running(state))
        carry_out(state, plan)
        after = ClusterState.rebuild(state.facts())
        carry_out(after, decide(after, 0.0))
        again = Counter(running(after))
        assert all(again[job] >= before[job] for job in moved)
        assert all(again[job] for job in helped)


@slow
@given(worlds(elastic=False))
def test_rounds_come_to_an_end(world: World) -> None:
    """Nobody takes a place back and forth.

    Jobs that grow beyond their minimum are left out. With them three rules can chase one another: growing on idle GPUs
    takes a queue over its quota, and the whole job with it within the reach of an owner.
    """
    until_settled(world.state())


@slow
@given(worlds(elastic=False), st.integers(0, 1_000_000), st.floats(0, 1e9))
def test_a_settled_cluster_stays_quiet_whatever_it_is_told_again_and_however_late_it_gets(
    world: World, seed: int, later: float
) -> None:
    state, luck = world.state(), random.Random(seed)
    until_settled(state)
    waiting = decide(state, 0.0).waiting
    for event in luck.choices(list(state.facts()), k=10):
        state.apply(event)
        state.apply(GrantFailed("nobody"))
        assert check(state) == []
    plan = decide(state, later)
    assert (plan.binds, plan.nominations, plan.evictions, plan.waiting) == ((), (), (), waiting), plan.outline()


@slow
@given(worlds(elastic=False), st.integers(0, 1_000_000))
def test_rounds_come_to_an_end_though_refusals_and_echoes_come_in_any_order(world: World, seed: int) -> None:
    state, luck = world.state(), random.Random(seed)
    for _ in range(6):
        plan = decide(state, 0.0)
        assert check(state, plan) == []
        for event in _shuffled(list(begun(plan)), luck):
            state.apply(event)
            if isinstance(event, Granted) and luck.random() < 0.2:
                state.apply(GrantFailed(event.task))
            if isinstance(event, EvictionStarted) and luck.random() < 0.2:
                state.apply(EvictionFailed(event.task))
        for event in _shuffled(list(confirmed(state)), luck)[: luck.randint(0, 8)]:
            if isinstance(event, TaskChanged) and state.job(event.task.job) is None:
                continue
            state.apply(event)
    until_settled(state)


def _shuffled(events: Sequence[Event], luck: random.Random) -> list[Event]:
    return luck.sample(events, len(events))


@slow
@given(worlds(elastic=False))
def test_settled_means_that_nobody_owed_room_could_have_had_it_for_the_asking(world: World) -> None:
    """After the last round no single-pod job that is within its quotas waits beside enough surplus on one node."""
    state = world.state()
    until_settled(state)
    plan = decide(state, 0.0)
    for waiting in plan.waiting:
        job = state.job(waiting.job)
        [*tasks] = state.tasks_of(waiting.job).values()
        if job is None or len(tasks) != 1 or len(job.pools) != 1 or tasks[0].fact.request.base.gpu_percent == 0:
            continue
        tree = state.pool(job.pools[0]).queues
        chain = tree.chain(job.queue or "")
        need = tasks[0].fact.request.base.gpu_percent
        usage = {name: state.usage(job.pools[0], name).allocated.gpu_percent for name in tree.queues}
        if any(usage[queue.name] + need > min(queue.gpu.deserved, queue.gpu.limit) for queue in chain) or not chain:
            continue
        if not job.preemptible and need > 0:
            continue
        for name, node in state.pool(job.pools[0]).nodes.nodes.items():
            row = state.pool(job.pools[0]).nodes.row[name]
            if node.taints or not node.schedulable or (tasks[0].fact.node_selector and not node.labels):
                continue
            free = int(state.pool(job.pools[0]).nodes.free[row, 0])
            for record in state.tasks().values():
                other = state.job(record.fact.job)
                if record.node != name or other is None or not other.preemptible or other.queue is None:
                    continue
                theirs = tree.chain(other.queue)
                if len(state.tasks_of(other.id)) != 1 or not theirs or other.queue == job.queue:
                    continue
                one = record.fact.request.base.gpu_percent
                surplus = all(usage[queue.name] - one >= queue.gpu.deserved for queue in theirs if queue not in chain)
                assert not (surplus and one > 0 and free + one >= need), (waiting, record.fact)


def test_the_strategy_makes_worlds_in_which_something_is_stopped() -> None:
    """Guards the properties above against passing because nothing ever happens."""
    seen = {"evictions": 0, "binds": 0, "waiting": 0}

    @settings(slow, max_examples=200, derandomize=True, database=None)
    @given(worlds())
    def look(world: World) -> None:
        plan = decide(world.state(), 0.0)
        seen["evictions"] += bool(plan.evictions)
        seen["binds"] += bool(plan.binds)
        seen["waiting"] += bool(plan.waiting)

    look()
    assert min(seen.values()) >= 10, seen


def test_carrying_out_the_same_plan_twice_is_no_harm() -> None:
    state = World().node("n1", gpus=2).queue("a", 2).job("x", "a", 2).state()
    plan = decide(state, 0.0)
    carry_out(state, plan)
    for event in begun(plan):
        state.apply(event)
    assert check(state) == []
    assert state.usage("default", "a").allocated.gpu_percent == 2 * GPU
