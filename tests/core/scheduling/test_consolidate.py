"""Moving jobs together so that a larger one fits (scheduling.md 2.9, cluster-api.md S45)."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import ACTIONS, JobChanged, Plan, SchedulingSettings, TaskChanged, check, decide
from aliquot.core.scheduling.facts import Job, Task, TaskState
from aliquot.core.scheduling.state.cluster import ClusterState
from tests.core.scheduling.world import GIB, World, carry_out, outline, running, until_settled

slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

PIECES = World().node("n1", "n2", "n3", gpus=2).queue("a", 6).job("a1", "a", on="n1").job("a2", "a", on="n2")
HALVES = World().node("n1", "n2", gpus=4).queue("a", 8)
A = HALVES.job("a1", "a", 2, on="n1").job("a2", "a", 1, on="n2", created=1)


def cases() -> list[tuple[str, World, str]]:
    full = PIECES.job("a3", "a", on="n3")
    whole = full.job("x", "a", 2, created=9)
    return [
        (
            "one moves, of the first node by name where all have as little to move",
            whole,
            "evict a1 for x; nominate x on n1; wait x: WaitingForEviction",
        ),
        (
            "a node where less has to move goes first",
            A.job("x", "a", 4, created=9),
            "evict a2 for x; nominate x on n2; wait x: WaitingForEviction",
        ),
        (
            "nobody moves for what has room",
            PIECES.job("x", "a", 2, created=9),
            "bind x on n3",
        ),
        (
            "nobody moves when there is not enough in all",
            full.job("b1", "a", 1, on="n1").job("b2", "a", 1, on="n2").job("x", "a", 2, created=9),
            "wait x: NotEnoughResources",
        ),
        (
            "nobody moves for what may not be stopped",
            full.job("x", "a", 2, preemptible=False, created=9),
            "wait x: NotEnoughResources",
        ),
        (
            "nobody moves for a queue at its limit",
            World().node("n1", "n2", gpus=2).queue("a", 2, limit=3).queue("b", 1).job("a1", "a", on="n1")
            .job("a2", "a", on="n2").job("x", "a", 2, created=9),
            "wait x: OverLimit",
        ),
        (
            "what may not be stopped does not move",
            World().node("n1", "n2", gpus=2).queue("a", 4).job("a1", "a", on="n1", priority=100)
            .job("a2", "a", on="n2", created=1).job("x", "a", 2, created=9),
            "evict a2 for x; nominate x on n2; wait x: WaitingForEviction",
        ),
        (
            "a gang moves whole",
            World().node("n1", "n2", "n3", gpus=4).queue("a", 12).job("g", "a", 1, on="n1", pods=2, together=2)
            .job("a2", "a", 3, on="n2").job("a3", "a", 3, on="n3").job("x", "a", 4, created=9),
            "evict g-0 for x; evict g-1 for x; nominate x on n1; wait x: WaitingForEviction",
        ),
        (
            "a gang does not move when not all of it fits elsewhere",
            World().node("n1", gpus=6).node("n2", "n3", gpus=2).queue("a", 10).job("a2", "a", 1, on="n2")
            .job("a3", "a", 1, on="n3").job("g", "a", 2, on="n1", pods=2, together=2).job("x", "a", 4, created=9),
            "wait x: NotEnoughResources",
        ),
        (
            "of a job beyond its minimum only as much moves as is needed",
            World().node("n1", "n2", gpus=3).queue("a", 6).job("e", "a", 1, on="n1", pods=2, together=1)
            .job("a2", "a", 2, on="n2").job("x", "a", 2, created=9),
            "evict e-1 for x; nominate x on n1; wait x: WaitingForEviction",
        ),
        (
            "jobs of other queues move, too, and so nobody of them is stopped for good",
            World().node("n1", "n2", gpus=2).queue("a", 2).queue("b", 0).job("b1", "b", on="n1")
            .job("b2", "b", on="n2").job("x", "a", 2, created=9),
            "evict b1 for x; nominate x on n1; wait x: WaitingForEviction",
        ),
        (
            "large jobs that fit nowhere else stay, and small ones move",
            World().node("n1", "n2", "n3", gpus=4).queue("a", 12).job("big", "a", 2, on="n1")
            .job("s1", "a", 1, on="n1", created=1).job("s2", "a", 1, on="n1", created=2)
            .job("a2", "a", 3, on="n2").job("a3", "a", 3, on="n3").job("x", "a", 2, created=9),
            "evict s1 for x; evict s2 for x; nominate x on n1; wait x: WaitingForEviction",
        ),
        (
            "a gang has room made on several nodes",
            World().node("n1", "n2", "n3", "n4", gpus=2).queue("a", 8).job("a1", "a", on="n1").job("a2", "a", on="n2")
            .job("a3", "a", on="n3").job("a4", "a", on="n4").job("x", "a", 2, pods=2, together=2, created=9),
            "evict a1 for x; evict a3 for x; nominate x-0 on n1; nominate x-1 on n3; wait x: WaitingForEviction",
        ),
        (
            "nobody moves who would find an older one of his queue in his place",
            World().node("n1", "n2", gpus=2).queue("a", 2).queue("b", 2, limit=2).job("b1", "b", on="n1")
            .job("b2", "b", on="n2").job("b3", "b", created=3).job("x", "a", 2, created=9),
            "wait b3: OverLimit; wait x: NotEnoughResources",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), [case[1:] for case in cases()], ids=[case[0] for case in cases()])
def test_who_moves(given: World, wanted: str) -> None:
    assert outline(given.state()) == wanted


def plan_of(world: World, **changed: object) -> Plan:
    state = world.state()
    plan = decide(state, 0.0, replace(SchedulingSettings(), **changed))  # pyright: ignore[reportArgumentType] - fields by name
    assert check(state, plan) == []
    return plan


WHOLE = PIECES.job("a3", "a", on="n3").job("x", "a", 2, created=9)


def test_who_moves_is_told_for_whom_and_why() -> None:
    [evict] = plan_of(WHOLE).evictions
    assert (evict.action, evict.moves) == ("consolidate", True)
    assert evict.why == (
        "moved for a/x: it needs 2 GPUs, free only in pieces, and there is room for this pod on another node"
    )


def test_the_step_can_be_left_out() -> None:
    without = tuple(action for action in ACTIONS if action != "consolidate")
    assert plan_of(WHOLE, actions=without).outline() == "wait x: NotEnoughResources"


def two_jobs_to_move() -> World:
    world = World().node("n1", "n2", "n3", gpus=4).queue("a", 12)
    for number, node in enumerate(("n1", "n1", "n2", "n2", "n2", "n3", "n3", "n3")):
        world = world.job(f"a{number}", "a", on=node, created=number)
    return world.job("x", "a", 4, created=9)


@pytest.mark.parametrize(("most", "moved"), [(None, 2), (3, 2), (2, 2), (1, 0), (0, 0)])
def test_at_most_so_many_jobs_move_for_one(most: int | None, moved: int) -> None:
    assert len(plan_of(two_jobs_to_move(), max_consolidation_victims=most).evictions) == moved


def half(name: str, node: str, device: str) -> tuple[JobChanged, TaskChanged]:
    request = Request(Vector(0, 1000, GIB, 1), GpuPart(percent=50))
    task = Task(name, name, "here", name, request, TaskState.RUNNING, node, devices=(device,))
    return JobChanged(Job(name, "here", name, "a")), TaskChanged(task)


def test_parts_of_devices_move_together_on_one_device() -> None:
    world = World().node("n1", gpus=2).node("n2", gpus=1).queue("a", 3)
    facts = (*world.facts, *half("h1", "n1", "d1"), *half("h2", "n1", "d2"), *half("h3", "n2", "d3"))
    plan = decide(World(*facts).job("x", "a", 1, created=9).state(), 0.0)
    assert plan.outline() == "evict h1 for x; nominate x on n1; wait x: WaitingForEviction"


OWNER = (
    World().node("n1", gpus=2, labels={"run.ai/type": "dgx"}).node("n2", gpus=2).queue("a", 2).queue("b", 0)
    .job("b1", "b", on="n1").job("b2", "b", on="n1", created=1)
    .job("x", "a", 1, priority=100, selector={"run.ai/type": "dgx"}, created=9)
)  # fmt: skip


@pytest.mark.parametrize(
    ("world", "may_move", "moves"),
    [
        (OWNER, True, True),
        (OWNER, False, False),
        (OWNER.job("b3", "b", 2, on="n2"), True, False),
        (OWNER.job("b3", "b", 1, on="n2"), True, True),
    ],
)
def test_who_is_stopped_by_reclaiming_moves_where_it_fits_elsewhere(world: World, may_move: bool, moves: bool) -> None:
    [evict] = plan_of(world, consolidating_reclaim=may_move).evictions
    assert (evict.task, evict.action, evict.moves) == ("b2", "reclaim", moves)


def test_a_job_that_lost_pods_to_another_has_none_moved_for_it_to_grow() -> None:
    world = World().node("n1", "n2", gpus=2).queue("a", 4).job("a2", "a", on="n2")
    growing = world.job("e", "a", 1, on="n1", together=1)
    more = Task("e-1", "e", "here", "e-1", Request(Vector(200, 1000, GIB, 1)))
    assert plan_of(World(*growing.facts, TaskChanged(more))).outline() == "wait e: NotEnoughResources"


def fragments(seed: int) -> World:
    """Single pods here and there on nodes of two to four GPUs, and larger ones that wait; nobody over a quota."""
    luck = random.Random(seed)
    world, free = World().queue("a", 40).queue("b", 40), dict[str, int]()
    for number in range(luck.randint(2, 5)):
        free[f"n{number}"] = luck.randint(2, 4)
        world = world.node(f"n{number}", gpus=free[f"n{number}"])
    for number in range(luck.randint(2, 10)):
        gpus, pods = luck.choice([(1, 1), (1, 1), (2, 1), (1, 2)])
        fitting = [name for name, room in sorted(free.items()) if room >= gpus * pods]
        if fitting:
            on = luck.choice(fitting)
            free[on] -= gpus * pods
            together = luck.randint(1, pods)
            world = world.job(
                f"r{number}", luck.choice("ab"), gpus, on=on, pods=pods, together=together, created=number,
                priority=luck.choice([50, 50, 100]),
            )  # fmt: skip
    for number in range(luck.randint(1, 3)):
        gpus, pods = luck.choice([(2, 1), (3, 1), (4, 1), (2, 2)])
        world = world.job(f"w{number}", luck.choice("ab"), gpus, pods=pods, together=pods, created=20 + number)
    return world


def held(state: ClusterState) -> int:
    return sum(record.fact.request.base.gpu_percent for record in state.tasks().values() if record.state.active)


@slow
@given(st.integers(0, 1 << 32))
@example(6812)
@example(7956)
@example(277333)
def test_everybody_who_moved_runs_again_at_once_and_so_does_whom_they_moved_for(seed: int) -> None:
    state = fragments(seed).state()
    carry_out(state, decide(state, 0.0, SchedulingSettings(actions=("allocate",))))
    plan = decide(state, 0.0)
    assert check(state, plan) == []
    assert not plan.binds
    before = Counter(running(state))
    helped = Counter({evict.for_job for evict in plan.evictions})
    carry_out(state, plan)
    again = decide(state, 0.0)
    assert not again.evictions
    carry_out(state, again)
    assert before + helped <= Counter(running(state))


@slow
@given(st.integers(0, 1 << 32))
def test_moving_comes_to_an_end_and_more_is_in_use_after_it(seed: int) -> None:
    state = fragments(seed).state()
    before = held(state)
    plans = until_settled(state)
    assert held(state) > before or not plans


def test_the_worlds_above_have_moves_in_them() -> None:
    """Guards the properties against passing because nothing ever happens."""
    moves = [evict.moves for seed in range(200) for evict in decide(fragments(seed).state(), 0.0).evictions]
    assert moves.count(True) > 30
