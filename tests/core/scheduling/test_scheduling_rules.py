"""Who runs, who is stopped and who waits: the rules as tables. Each case ends with the round that it describes."""

import pytest

from aliquot.core.scheduling import NodeChanged, NodeRemoved, QueueRemoved, decide
from aliquot.core.scheduling.facts import Node
from tests.core.scheduling.rules_of_free_room import ALLOCATE, HALVES, TWO_BY_TWO
from tests.core.scheduling.rules_of_preemption import PREEMPT
from tests.core.scheduling.rules_of_reclaiming import RECLAIM
from tests.core.scheduling.world import World, begun, carry_out, confirmed, outline, running, until_settled


@pytest.mark.parametrize(("given", "wanted"), ALLOCATE.values(), ids=ALLOCATE)
def test_free_room_goes_to_whoever_is_next(given: World, wanted: str) -> None:
    assert outline(given.state()) == wanted


@pytest.mark.parametrize(("given", "wanted"), RECLAIM.values(), ids=RECLAIM)
def test_owners_take_back_what_others_have_too_much(given: World, wanted: str) -> None:
    assert outline(given.state()) == wanted


@pytest.mark.parametrize(("given", "wanted"), PREEMPT.values(), ids=PREEMPT)
def test_within_a_project_priority_decides(given: World, wanted: str) -> None:
    assert outline(given.state()) == wanted


@pytest.mark.parametrize(
    "given", [case[0] for case in (*RECLAIM.values(), *PREEMPT.values())], ids=[*RECLAIM, *PREEMPT]
)
def test_while_the_stopped_are_stopping_nobody_else_is_stopped(given: World) -> None:
    state = given.state()
    plan = decide(state, 0.0)
    for event in begun(plan):
        state.apply(event)
    again = decide(state, 0.0)
    assert again.evictions == ()
    given_room = {*(bind.task for bind in again.binds), *(nominate.task for nominate in again.nominations)}
    assert {nominate.task for nominate in plan.nominations} <= given_room


@pytest.mark.parametrize(
    "given",
    [case[0] for case in (*ALLOCATE.values(), *RECLAIM.values(), *PREEMPT.values())],
    ids=[*ALLOCATE, *RECLAIM, *PREEMPT],
)
def test_a_settled_cluster_has_nothing_to_do(given: World) -> None:
    state = given.state()
    promised = {nominate.task for nominate in decide(state, 0.0).nominations}
    until_settled(state)
    for task in promised:
        record = state.task(task)
        assert record is not None
        assert record.state.active, f"{task} was promised room and has none"


def test_s43_over_quota_then_s44_the_loan_comes_back_and_the_stopped_waits() -> None:
    cluster = TWO_BY_TWO.queue("team-a", 2).queue("team-b", 2)
    state = (
        cluster.job("a2", "team-a", 2, created=1).job("a1", "team-a", created=2).job("b1", "team-b", created=3).state()
    )
    until_settled(state)
    assert running(state) == ["a1", "a2", "b1"]
    for event in World().job("b2", "team-b", created=4).facts:
        state.apply(event)
    until_settled(state)
    assert running(state) == ["a2", "b1", "b2"]
    assert outline(state) == "wait a1': NotEnoughResources"


def test_s46_two_projects_of_equal_quota_end_with_equal_parts() -> None:
    cluster = World().node("n1", gpus=4).queue("a", 1).queue("b", 1)
    state = cluster.job("a1", "a").job("a2", "a").job("a3", "a").job("a4", "a").state()
    until_settled(state)
    for event in World().job("b1", "b").job("b2", "b").job("b3", "b").job("b4", "b").facts:
        state.apply(event)
    until_settled(state)
    assert running(state) == ["a1", "a2", "b1", "b2"]


def test_the_stopped_are_told_for_whom_and_with_which_numbers() -> None:
    owner, _ = RECLAIM["S44: an owner takes back what was lent, the youngest loan first"]
    assert [evict.why for evict in decide(owner.state(), 0.0).evictions] == [
        "stopped for team-b/b2: project team-b is owed 1 of its 2 GPUs, project team-a holds 3 of the 2 it deserves"
    ]
    shared, _ = RECLAIM["S46: beyond quotas, idle GPUs are shared in proportion"]
    assert [evict.why for evict in decide(shared.state(), 0.0).evictions][1] == (
        "stopped for b/b2: project b holds 1 of its fair share of 2 GPUs, project a holds 3 of its fair share of 2"
    )
    department, _ = RECLAIM["S65: a department over its quota gives to another, though its projects are within theirs"]
    assert [evict.why for evict in decide(department.state(), 0.0).evictions] == [
        "stopped for e1/z: department e is owed 2 of its 2 GPUs, department d holds 4 of the 2 it deserves"
    ]
    priority, _ = PREEMPT["S49: interactive work takes the place of training in its project"]
    assert [evict.why for evict in decide(priority.state(), 0.0).evictions] == [
        "stopped for a/build: in project a, its priority 100 goes before priority 50"
    ]


def test_room_of_the_stopped_goes_to_whom_they_were_stopped_for_though_another_is_next_now() -> None:
    given = World().node("n1", gpus=4).queue("a", 1, created=2).queue("b", 1, created=1).queue("c", 2)
    given = given.job("a1", "a", on="n1", priority=60).job("a2", "a", on="n1")
    given = given.job("b1", "b", on="n1").job("b2", "b", on="n1")
    state = given.job("high", "a", priority=75, created=1).state()
    plan = decide(state, 0.0)
    assert [(evict.task, evict.for_job) for evict in plan.evictions] == [("a2", "high")]
    for event in begun(plan):
        state.apply(event)
    for event in World().job("c1", "c", created=2).job("b3", "b", created=0).facts:
        state.apply(event)
    assert [nominate.task for nominate in decide(state, 0.0).nominations] == ["high", "c1"]
    for event in list(confirmed(state)):
        state.apply(event)
    assert "high" in {bind.task for bind in decide(state, 0.0).binds}, "also when those who were stopped have gone"


def test_a_promised_job_starts_at_once_where_other_room_comes_free() -> None:
    state = RECLAIM["free room counts: only what is missing is taken"][0].state()
    for event in begun(decide(state, 0.0)):
        state.apply(event)
    for event in World().node("n9", gpus=2).facts:
        state.apply(event)
    assert outline(state) == "bind b1 on n9"


def test_a_removed_project_starts_nothing_and_goes_on_running() -> None:
    state = HALVES.job("there", "a", on="n1").job("x", "a").state()
    state.apply(QueueRemoved("default", "a"))
    assert outline(state) == "wait x: NoQueue"
    assert running(state) == ["there"]


def test_a_node_that_goes_takes_its_room_with_it() -> None:
    state = HALVES.state()
    state.apply(NodeRemoved("n1"))
    for event in World().job("x", "a").facts:
        state.apply(event)
    assert outline(state) == "wait x: NoSuchNode"


def test_a_node_that_moves_to_another_pool_serves_that_pool() -> None:
    state = HALVES.queue("a", 1, pool="p2").job("x", "a", pools=("p2",)).state()
    node = state.node("n1")
    assert node is not None
    state.apply(NodeChanged(Node("n1", "p2", node.allocatable)))
    assert outline(state) == "bind x on n1"


def test_a_settled_cluster_stays_settled_when_the_same_facts_come_again() -> None:
    state = RECLAIM["S46: beyond quotas, idle GPUs are shared in proportion"][0].state()
    carry_out(state, decide(state, 0.0))
    until_settled(state)
    before = decide(state, 0.0)
    for event in list(state.facts()):
        state.apply(event)
    assert decide(state, 0.0) == before
