"""Who may take from whom: the rules of reclaiming move by move, then as rounds, then what holds in every cluster."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aliquot.core.quantities import UNLIMITED, quantify
from aliquot.core.scheduling import ClusterState, Event, JobChanged, QueueChanged, decide
from aliquot.core.scheduling.facts import Group, Job, PodSet, Queue, Share, Task
from aliquot.core.scheduling.fairness.capacity import allocatable
from aliquot.core.scheduling.fairness.fair_share import fair_shares
from aliquot.core.scheduling.fairness.min_runtime import (
    is_protected,
    keeps_minimum,
    preempt_seconds,
    reclaim_seconds,
)
from aliquot.core.scheduling.round.reclaim import can_reclaim
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.queues import Amount, QueueTree, shares
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.branches import Meeting
from aliquot.core.scheduling.victims.rules import Clock, LowerPriority, Reclaim, Rule
from tests.core.scheduling.world import GPU, World, outline, until_settled


def unit(queue: str, gpus: float = 0, cpus: int = 0, *, job: Job | None = None, tasks: tuple[Task, ...] = ()) -> Unit:
    """Something of a queue that may be stopped; the rules look at nothing else of it."""
    whose = job or Job("j", "here", "j", queue)
    return Unit(whose, queue, tasks, (), (int(gpus * GPU), cpus * 1000, 0), {}, ())


def allows(rule: Rule, units: Sequence[Unit]) -> bool:
    """Whether all these may be stopped together, and what comes of it is allowed."""
    pushed: list[Unit] = []
    for one in units:
        if not rule.may_add(one):
            break
        rule.push(one)
        pushed.append(one)
    allowed = len(pushed) == len(units) and rule.accepts()
    for one in pushed:
        rule.pop(one)
    return allowed


class Tree:
    """Queues with what they hold and their fair shares, in devices: GPUs alone, or GPUs and CPUs."""

    def __init__(self) -> None:
        self.draft = Draft(ClusterState().pool("default"))
        self.fair: dict[str, Amount] = {}

    def queue(
        self,
        name: str,
        holds: float | tuple[float, int] = 0,
        *,
        deserved: float | None = 0,
        fair: float | tuple[float, int] = 0,
        parent: str | None = None,
        limit: float | None = None,
        cpu: Share | None = None,
        fixed: float = 0,
    ) -> "Tree":
        gpu = Share(*(UNLIMITED if bound is None else int(bound * GPU) for bound in (deserved, limit)))
        self.draft.tree.put(Queue(name, "default", parent, gpu, cpu or Share(UNLIMITED)))
        self.draft.held[name] = list(amount(holds))
        self.draft.held_non_preemptible[name] = list(amount(fixed))
        self.fair[name] = amount(fair)
        return self

    def reclaim(self, taker: str, gpus: float, *others: str, preemptible: bool = True, cpus: int = 0) -> Reclaim:
        wanted = amount((gpus, cpus))
        return Reclaim(self.draft, self.fair, taker, wanted, preemptible=preemptible, others=others)

    def gate(self, taker: str, gpus: float, *, preemptible: bool = True, cpus: int = 0) -> bool:
        self.draft.fair = self.fair
        return can_reclaim(self.draft, taker, amount((gpus, cpus)), preemptible=preemptible)


def amount(devices: float | tuple[float, int]) -> Amount:
    gpus, cpus = devices if isinstance(devices, tuple) else (devices, 0)
    return (int(gpus * GPU), cpus * 1000, 0)


GATE = {
    "up to its fair share": (Tree().queue("a", 1, fair=3).gate("a", 2), True),
    "not beyond it, though within its quota": (Tree().queue("a", 2, fair=3, deserved=9).gate("a", 2), False),
    "in every resource": (Tree().queue("a", (1, 2), fair=(3, 3)).gate("a", 2, cpus=2), False),
    "also one that it does not ask for": (Tree().queue("a", (1, 4), fair=(3, 3)).gate("a", 2), False),
    "what may not be stopped within its quota": (
        Tree().queue("a", 1, fair=3, deserved=3, fixed=1).gate("a", 2, preemptible=False),
        True,
    ),
    "what may not be stopped not beyond it": (
        Tree().queue("a", 1, fair=3, deserved=2, fixed=1).gate("a", 2, preemptible=False),
        False,
    ),
    "a queue that is not there takes nothing": (Tree().gate("a", 0), False),
}


@pytest.mark.parametrize(("may", "wanted"), GATE.values(), ids=GATE)
def test_who_may_take_anything_at_all(may: bool, wanted: bool) -> None:
    assert may is wanted


GIVES = {
    "over its fair share": (Tree().queue("a", fair=2).queue("b", 3, fair=2), True),
    "at its fair share": (Tree().queue("a", fair=2).queue("b", 2, fair=2), False),
    "over its fair share, but within its quota": (Tree().queue("a", fair=2).queue("b", 3, fair=2, deserved=3), False),
    "over its quota, to one within its own": (
        Tree().queue("a", fair=2, deserved=1).queue("b", 3, fair=3, deserved=2),
        True,
    ),
    "over its quota, to one that would be over its own": (
        Tree().queue("a", 1, fair=2, deserved=1).queue("b", 3, fair=3, deserved=2),
        False,
    ),
    "at its quota, to one within its own": (
        Tree().queue("a", fair=2, deserved=1).queue("b", 2, fair=3, deserved=2),
        False,
    ),
    "over its limit, though within its quota": (
        Tree().queue("a", fair=2).queue("b", 3, fair=2, deserved=9, limit=2),
        True,
    ),
    "over its fair share of CPUs alone": (
        Tree().queue("a", fair=2).queue("b", (2, 3), fair=(2, 2), cpu=Share(0)),
        True,
    ),
    "over its fair share of CPUs, of which it deserves as many as it likes": (
        Tree().queue("a", fair=2).queue("b", (2, 3), fair=(2, 2)),
        False,
    ),
    "a taker without bound is always within its quota": (
        Tree().queue("a", 7, fair=9, deserved=None).queue("b", 3, fair=3, deserved=2),
        True,
    ),
}


@pytest.mark.parametrize(("given", "wanted"), GIVES.values(), ids=GIVES)
def test_who_gives(given: Tree, wanted: bool) -> None:
    rule = given.reclaim("a", 1, "b")
    assert (list(rule.queues) == ["b"]) is wanted
    assert rule.may_add(unit("b", 1)) is wanted
    assert allows(rule, [unit("b", 1)]) is wanted


def test_nobody_takes_from_itself_from_above_or_from_nowhere() -> None:
    given = Tree().queue("d", 9, fair=2).queue("a", 9, parent="d", fair=2)
    rule = given.reclaim("a", 1, "a", "d", "nobody")
    assert list(rule.queues) == []
    assert not rule.may_add(unit("a", 1))


def test_a_branch_gives_while_it_holds_too_much_before_each_unit() -> None:
    rule = Tree().queue("a", fair=9).queue("b", 5, fair=2).reclaim("a", 5, "b")
    for _ in range(3):
        assert rule.may_add(unit("b", 1))
        rule.push(unit("b", 1))
    assert not rule.may_add(unit("b", 1))
    rule.pop(unit("b", 1))
    assert rule.may_add(unit("b", 1))


def test_the_last_unit_may_straddle_the_line_whichever_came_first() -> None:
    given = Tree().queue("a", fair=9).queue("b", 5, fair=2)
    assert given.reclaim("a", 5, "b").may_add(unit("b", 5))
    small, large = unit("b", 2), unit("b", 3)
    assert allows(given.reclaim("a", 5, "b"), [small, large])
    assert allows(given.reclaim("a", 5, "b"), [large, small])
    assert not allows(given.reclaim("a", 5, "b"), [unit("b", 2), unit("b", 2), unit("b", 1)])


def test_projects_of_a_department_give_as_one() -> None:
    given = Tree().queue("d", 4, fair=2).queue("d1", 3, parent="d", fair=1).queue("d2", 1, parent="d", fair=1)
    given = given.queue("e", 0, fair=2).queue("e1", 0, parent="e", fair=2)
    rule = given.reclaim("e1", 2, "d1", "d2")
    assert list(rule.queues) == ["d1", "d2"], "d2 is within its fair share, but its department is not"
    rule.push(unit("d2", 1))
    assert rule.may_add(unit("d1", 1))
    rule.push(unit("d1", 1))
    assert not rule.may_add(unit("d1", 1))


def test_beyond_its_department_a_project_takes_only_where_the_departments_balance_allows_it() -> None:
    """a1 is within its fair share of a department that is over its own."""
    given = Tree().queue("a", 3, fair=3).queue("a1", 0, parent="a", fair=2).queue("a2", 3, parent="a", fair=2)
    given = given.queue("b", 6, fair=3).queue("b1", 6, parent="b", fair=3)
    rule = given.reclaim("a1", 1, "b1", "a2")
    rule.push(unit("b1", 1))
    assert rule.accepts(), "4 of 3 against 5 of 3"
    rule.push(unit("b1", 1))
    assert not rule.accepts(), "4 of 3 against 4 of 3"
    rule.push(unit("a2", 1))
    assert rule.accepts(), "a loses one itself, so that it ends at its fair share"
    rule.pop(unit("a2", 1))
    rule.pop(unit("b1", 1))
    assert rule.accepts()


def test_balance_is_looked_at_in_what_is_asked_for_and_in_what_is_given() -> None:
    given = Tree().queue("a", (0, 4), fair=(3, 3), cpu=Share(0)).queue("a1", parent="a", fair=(1, 9))
    given = given.queue("b", (6, 3), fair=(3, 3), cpu=Share(0)).queue("b1", (6, 3), parent="b", fair=(3, 3))
    without = given.reclaim("a1", 1, "b1")
    without.push(unit("b1", 1))
    assert without.accepts(), "CPUs are neither asked for nor given"
    without.push(unit("b1", 1, 1))
    assert not without.accepts(), "a is further over its fair share of CPUs than b"
    assert not allows(given.reclaim("a1", 1, "b1", cpus=1), [unit("b1", 1)])


def test_a_queue_whose_fair_share_is_nothing_may_be_left_less_than_one_over_its_own() -> None:
    given = Tree().queue("a", 3, fair=3).queue("a1", 0, parent="a", fair=1).queue("b", 1, fair=0)
    given = given.queue("b1", 1, parent="b", fair=0)
    assert allows(given.reclaim("a1", 1, "b1"), [unit("b1", 1)])
    nothing = Tree().queue("a", 0, fair=0).queue("a1", parent="a", fair=1).queue("b", 9, fair=3).queue("b1", parent="b")
    assert not allows(nothing.reclaim("a1", 1, "b1"), [unit("b1", 1)])


def test_of_two_whose_fair_shares_are_nothing_the_one_that_holds_less_in_the_end_may_take() -> None:
    """Neither has a right to it; without this they would take it back and forth."""
    given = Tree().queue("a", 0, fair=0).queue("a1", parent="a", fair=1).queue("b", 3, fair=0).queue("b1", parent="b")
    assert allows(given.reclaim("a1", 1, "b1"), [unit("b1", 1)])
    assert not allows(given.reclaim("a1", 1, "b1"), [unit("b1", 1), unit("b1", 1)])


def test_what_may_not_be_stopped_ends_within_the_quota_at_every_level() -> None:
    given = Tree().queue("d", 1, deserved=1, fair=3, fixed=1).queue("b", 5, fair=2)
    given = given.queue("a", 0, deserved=3, fair=3, parent="d")
    assert allows(given.reclaim("a", 1, "b"), [unit("b", 1)])
    assert not allows(given.reclaim("a", 1, "b", preemptible=False), [unit("b", 1)])


def test_queues_in_a_ring_take_nothing_from_one_another() -> None:
    given = Tree().queue("a", 5, fair=9, parent="b").queue("b", 5, fair=0, parent="a").queue("c", 5, fair=1)
    assert list(given.reclaim("a", 1, "b", "c").queues) == ["c"]


moves = st.lists(st.tuples(st.sampled_from(["b1", "b2", "c1"]), st.integers(0, 3), st.integers(0, 2)), max_size=7)


@given(moves, st.randoms(use_true_random=False), st.integers(0, 3), st.booleans())
def test_the_order_of_the_moves_makes_no_difference_and_any_part_may_go_of_what_may_go(
    sizes: list[tuple[str, int, int]], luck: random.Random, wanted: int, deserves: bool
) -> None:
    given = Tree().queue("a", 1, fair=4, deserved=4 if deserves else 1).queue("b", (9, 6), deserved=2, fair=(4, 3))
    given = given.queue("b1", (6, 3), parent="b").queue("b2", (3, 3), parent="b").queue("c", 5, fair=3, deserved=1)
    given = given.queue("c1", 5, parent="c")
    units = [unit(queue, gpus, cpus) for queue, gpus, cpus in sizes]

    def outcome(order: list[Unit]) -> tuple[bool, bool]:
        rule = given.reclaim("a", wanted, "b1", "b2", "c1")
        for one in order:
            if not rule.may_add(one):
                return False, False
            rule.push(one)
        return True, rule.accepts()

    shuffled = luck.sample(units, len(units))
    assert outcome(shuffled) == outcome(units)
    if outcome(units)[0]:
        assert all(outcome(units[:at] + units[at + 1 :])[0] for at in range(len(units)))
        rule = given.reclaim("a", wanted, "b1", "b2", "c1")
        for one in units:
            rule.push(one)
        for one in shuffled:
            rule.pop(one)
        assert [rule.may_add(one) for one in units] == [
            given.reclaim("a", wanted, "b1", "b2", "c1").may_add(one) for one in units
        ]


# Min-runtime


def tree(**says: float | None) -> QueueTree:
    """Departments d and e; d1 and d2 below d, e1 below e; each with what it says."""
    found = QueueTree()
    for name, parent in {"d": None, "e": None, "d1": "d", "d2": "d", "e1": "e"}.items():
        seconds = says.get(name)
        found.put(
            Queue(
                name,
                "default",
                parent,
                preempt_min_runtime_seconds=seconds,
                reclaim_min_runtime_seconds=seconds,
            )
        )
    return found


def test_preempted_after_what_the_lowest_queue_says_that_says_anything() -> None:
    assert preempt_seconds(tree(d1=5, d=9), "d1") == 5
    assert preempt_seconds(tree(d1=0, d=9), "d1") == 0
    assert preempt_seconds(tree(d=9), "d1") == 9
    assert preempt_seconds(tree(), "d1") == 0


def test_reclaimed_after_what_is_said_from_where_the_branches_meet_upwards() -> None:
    assert reclaim_seconds(tree(d1=5, d=9), "d2", "d1") == 5, "within a department the project's word counts"
    assert reclaim_seconds(tree(d=9), "d2", "d1") == 9
    assert reclaim_seconds(tree(d1=5, d=9), "e1", "d1") == 9, "across departments the department's"
    assert reclaim_seconds(tree(d1=5), "e1", "d1") == 0
    assert reclaim_seconds(tree(d1=5), "e1", "nobody") == 0


@pytest.mark.parametrize(("started", "now", "left_alone"), [(100, 109, True), (100, 110, False), (None, 0, False)])
def test_left_alone_until_so_many_seconds_have_passed(started: float | None, now: float, left_alone: bool) -> None:
    assert is_protected(Job("j", "here", "j", "a", last_started=started), 10, now) is left_alone


def some(many: int, pod_set: str = "default") -> list[Task]:
    task = World().job("x", "a").state().tasks()["x"].fact
    return [replace(task, id=f"{pod_set}{number}", pod_set=pod_set) for number in range(many)]


def test_a_minimum_is_kept_in_each_part_of_a_gang() -> None:
    plain = Job("j", "here", "j", "a", min_member=2)
    three = some(3)
    assert keeps_minimum(plain, three, three[:1])
    assert not keeps_minimum(plain, three, three[:2])
    inner = Group("inner", pod_sets=(PodSet("workers", 2),))
    gang = replace(plain, group=Group(pod_sets=(PodSet("head", 1),), groups=(inner,)))
    head, workers = some(1, "head"), some(3, "workers")
    assert keeps_minimum(gang, head + workers, workers[:1])
    assert not keeps_minimum(gang, head + workers, workers[:2])
    assert not keeps_minimum(gang, head + workers, head)


def test_a_job_that_began_lately_is_left_alone_but_for_what_it_runs_beyond_its_minimum() -> None:
    tasks = some(3)
    job = Job("j", "here", "j", "b", priority=10, min_member=2, last_started=100)
    clock = Clock(105, lambda _: tasks)
    given = Tree().queue("a", fair=3).queue("b", 3, fair=0)
    given.draft.tree.put(
        replace(
            given.draft.tree.queues["b"],
            reclaim_min_runtime_seconds=10,
            preempt_min_runtime_seconds=10,
        )
    )
    one, two = unit("b", 1, job=job, tasks=tuple(tasks[:1])), unit("b", 2, job=job, tasks=tuple(tasks[:2]))
    reclaim = Reclaim(given.draft, given.fair, "a", amount(1), preemptible=True, others=["b"], clock=clock)
    preempt = LowerPriority("b", 50, given.draft.tree, clock)
    assert [rule.may_add(one) for rule in (reclaim, preempt)] == [True, True]
    assert [rule.may_add(two) for rule in (reclaim, preempt)] == [False, False]
    later = replace(clock, now=110)
    reclaim = Reclaim(given.draft, given.fair, "a", amount(1), preemptible=True, others=["b"], clock=later)
    assert reclaim.may_add(two)
    assert LowerPriority("b", 50, given.draft.tree, later).may_add(two)


def test_preemption_takes_strictly_lower_priorities_only() -> None:
    rule = LowerPriority("a", 50)
    assert [rule.may_add(unit("a", job=Job("j", "here", "j", "a", priority=at))) for at in (49, 50)] == [True, False]
    assert list(rule.queues) == ["a"]


# Rounds


def changed(world: World, job: str, started: float) -> list[Event]:
    """The facts, with a job that began to run at that time."""
    return [
        JobChanged(replace(event.job, last_started=started))
        if isinstance(event, JobChanged) and event.job.id == job
        else event
        for event in world.facts
    ]


def test_a_loan_comes_back_when_it_has_run_its_time() -> None:
    world = World().node("n1", gpus=2).queue("b", 2).job("a1", "a", 2, on="n1").job("b1", "b", 1)
    lender = QueueChanged(Queue("a", "default", reclaim_min_runtime_seconds=60))
    state = ClusterState.rebuild([lender, *changed(world, "a1", 1000)])
    assert decide(state, 1059).evictions == ()
    assert [evict.task for evict in decide(state, 1060).evictions] == ["a1"]


ROUNDS = {
    "a large waiting job takes nothing beyond the fair share": (
        World().node("n1", gpus=4).queue("a", 1).queue("b", 1).job("a1", "a", 4, on="n1").job("b1", "b", 3),
        "wait b1: NotEnoughResources",
    ),
    "the fair share is as large as what is asked for, where there is no more": (
        World().node("n1", gpus=4).queue("a", 1).queue("b", 1).job("a1", "a", 4, on="n1").job("b1", "b", 2),
        "evict a1 for b1; nominate b1 on n1; wait b1: WaitingForEviction",
    ),
    "weights say how much may be taken back": (
        World()
        .node("n1", gpus=4)
        .queue("a", 0, weight=1)
        .queue("b", 0, weight=3)
        .job("a1", "a", on="n1", created=1)
        .job("a2", "a", on="n1", created=2)
        .job("a3", "a", on="n1", created=3)
        .job("a4", "a", on="n1", created=4)
        .job("b1", "b", 3, created=5)
        .job("b2", "b", 1, created=6),
        (
            "evict a4 for b1; evict a3 for b1; evict a2 for b1; nominate b1 on n1; "
            "wait b1: WaitingForEviction; wait b2: NotEnoughResources"
        ),
    ),
    "who has no quota gives to who has one, beyond that one's quota, too": (
        World().node("n1", gpus=4).queue("a", 0).queue("b", 2).job("a1", "a", 1, on="n1").job("b1", "b", 4),
        "wait b1: NotEnoughResources",
    ),
    "a job that turned here from another pool has a fair share here": (
        World()
        .node("n1", gpus=1, pool="p1")
        .node("n2", gpus=2, pool="p2")
        .queue("a", 0, pool="p1")
        .queue("a", 0, pool="p2")
        .queue("b", 0, pool="p1")
        .queue("b", 1, pool="p2")
        .job("a1", "a", on="n1", pools=("p1",), preemptible=False)
        .job("a2", "a", on="n2", created=1, pools=("p2",))
        .job("a3", "a", on="n2", created=2, pools=("p2",))
        .job("b1", "b", pools=("p1", "p2")),
        "evict a3 for b1; nominate b1 on n2; wait b1: WaitingForEviction",
    ),
}


@pytest.mark.parametrize(("given", "wanted"), ROUNDS.values(), ids=ROUNDS)
def test_taking_back_as_rounds(given: World, wanted: str) -> None:
    assert outline(given.state()) == wanted
    until_settled(given.state())


def test_the_stopped_are_told_of_fair_shares_of_what_was_taken() -> None:
    world = World().node("n1", gpus=8, cpus=8).queue("a", 4, cpu=Share(0)).queue("b", 0, cpu=Share(0))
    world = world.job("a1", "a", 1, on="n1", cpu_milli=4000).job("a2", "a", 1, on="n1", cpu_milli=4000)
    [evict] = decide(world.job("b1", "b", 1, cpu_milli=3000).state(), 0).evictions
    assert evict.why == (
        "stopped for b/b1: project b holds 0 of its fair share of 3 CPUs, project a holds 8 of its fair share of 5"
    )


# Every cluster


def clusters(seed: int) -> list[Event]:
    """A full cluster with queues of all kinds: deep trees, priorities, weights, quotas of CPUs, unlimited ones."""
    luck = random.Random(seed)
    world, room = World(), dict[str, int]()
    for name in ("n1", "n2", "n3")[: luck.randint(1, 3)]:
        room[name] = luck.randint(1, 6)
        world = world.node(name, gpus=room[name], cpus=luck.choice([6, 64]))
    inner = luck.choice([[], ["d", "e"], ["d", "e", "f"]])
    queues: list[Queue] = []
    leaves = ["a", "b", "c", "g"][: luck.randint(2, 4)]
    for name in [*inner, *leaves]:
        above: list[str | None] = [None] if name in ("d", "e") or not inner else [*inner[: 2 if name == "f" else 3]]
        gpu = Share(
            luck.choice([0, GPU, 2 * GPU, 3 * GPU, UNLIMITED]),
            luck.choice([UNLIMITED, UNLIMITED, UNLIMITED, 2 * GPU, 4 * GPU]),
            luck.choice([0.0, 1.0, 1.0, 3.0, 0.1]),
            luck.choice([0.0, 0.0, 0.5]),
        )
        cpu = Share(luck.choice([UNLIMITED, UNLIMITED, 0, 2000]), over_quota_weight=luck.choice([0.0, 1.0, 1.0]))
        queues.append(
            Queue(
                name,
                "default",
                luck.choice(above),
                gpu,
                cpu,
                created=luck.randint(0, 1),
                priority=luck.choice([100, 100, 100, 200]),
            )
        )
    rich = luck.choice(leaves)
    for number in range(luck.randint(2, 14)):
        gpus, pods = luck.choice([0, 1, 1, 1, 2, 3, 4]), luck.choice([1, 1, 1, 2])
        fitting = [name for name, free in sorted(room.items()) if free >= gpus * pods]
        on = luck.choice(fitting) if fitting and luck.random() < 0.7 else None
        if on is not None:
            room[on] -= gpus * pods
        world = world.job(
            f"j{number}",
            luck.choice([rich, *leaves]) if on else luck.choice(leaves),
            gpus,
            on=on,
            created=luck.randint(0, 3),
            priority=luck.choice([50, 50, 75, 100]),
            cpu_milli=luck.choice([100, 500, 1500]),
            pods=pods,
            together=pods,
        )
    return [*map(QueueChanged, queues), *world.facts]


worlds = st.integers(0, 1 << 32).map(clusters)
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(worlds)
def test_no_ping_pong_between_queues_of_any_kind(facts: list[Event]) -> None:
    until_settled(ClusterState.rebuild(facts))


@slow
@given(worlds)
def test_whoever_takes_ends_within_its_fair_share_and_takes_from_who_held_too_much(facts: list[Event]) -> None:
    state = ClusterState.rebuild(facts)
    plan = decide(state, 0.0)
    if plan.binds or len({evict.for_job for evict in plan.evictions if evict.action == "reclaim"}) != 1:
        return  # where one helps another, what they hold changes within the round
    if len({state.tasks()[nominate.task].fact.job for nominate in plan.nominations}) != 1:
        return
    pool = state.pool("default")
    held = {name: usage.held for name, usage in pool.queues.usage.items()}
    fair = fair_shares(pool)
    taker = state.job(plan.evictions[0].for_job)
    assert taker is not None
    assert taker.queue is not None
    asks = [0, 0, 0]
    for nominate in plan.nominations:
        more = quantify(state.tasks()[nominate.task].fact.request, 0).as_tuple()
        asks = [have + one for have, one in zip(asks, more[:3], strict=True)]
    assert _within([*map(sum, zip(held[taker.queue], asks, strict=True))], fair[taker.queue])
    for evict in plan.evictions:
        victim = state.job(state.tasks()[evict.task].fact.job)
        assert victim is not None
        assert victim.queue is not None
        assert victim.preemptible
        if evict.action != "reclaim":
            continue
        meeting = Meeting.of(pool.queues, taker.queue, victim.queue)
        assert meeting is not None
        after = [*map(sum, zip(held[meeting.taker.name], asks, strict=True))]
        within_quota = _within(after, [share.deserved for share in shares(meeting.taker)])
        theirs, most = held[meeting.giver.name], allocatable(meeting.giver, fair[meeting.giver.name])
        quota = [share.deserved for share in shares(meeting.giver)]
        assert not _within(theirs, most) or (within_quota and not _within(theirs, quota)), evict


def _within(amounts: Sequence[int], bounds: Sequence[int]) -> bool:
    return all(has <= bound for has, bound in zip(amounts, bounds, strict=True))


def test_the_clusters_are_such_that_something_is_taken_back() -> None:
    taken = sum(
        any(evict.action == "reclaim" for evict in decide(ClusterState.rebuild(clusters(seed)), 0.0).evictions)
        for seed in range(200)
    )
    assert taken >= 20
