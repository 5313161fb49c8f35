"""Fair shares: one resource among siblings as tables, then the tree, then what holds for any numbers."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling import ClusterState, QueueChanged
from aliquot.core.scheduling.facts import Queue, Share
from aliquot.core.scheduling.fairness.fair_share import Claim, divide, fair_shares
from aliquot.core.scheduling.state.draft import Draft
from tests.core.scheduling.world import GPU, World


def claim(
    name: str,
    requested: float,
    deserved: float | None = 0,
    *,
    limit: float | None = None,
    weight: float = 1,
    usage: float = 0,
    priority: int = 100,
    created: float = 0,
) -> Claim:
    """What a queue wants, in whole devices; None is unlimited."""
    bounds = [UNLIMITED if bound is None else round(bound * GPU) for bound in (deserved, limit)]
    return Claim(name, Share(bounds[0], bounds[1], weight, usage), round(requested * GPU), priority, created)


def gpus(total: float, *claims: Claim, k: float = 0) -> dict[str, float]:
    """The fair shares, in devices."""
    fair = divide(round(total * GPU), claims, unit=GPU, usage_factor=k)
    return {name: share / GPU for name, share in sorted(fair.items())}


QUOTA = {
    "a quota counts only as far as it is requested; the rest is lent": (
        (10, claim("a", 2, 6), claim("b", 20, 4)),
        {"a": 2, "b": 8},
    ),
    "a quota that is requested exactly": ((10, claim("a", 6, 6), claim("b", 20, 4)), {"a": 6, "b": 4}),
    "nobody gets more than is requested, though there is more": ((10, claim("a", 3), claim("b", 4)), {"a": 3, "b": 4}),
    "a limit below the quota wins": ((10, claim("a", 9, 6, limit=2), claim("b", 20)), {"a": 2, "b": 8}),
    "a limit above the quota ends what is lent": ((10, claim("a", 9, 1, limit=3), claim("b", 20)), {"a": 3, "b": 7}),
    "quotas that sum to more than there is are not scaled down": (
        (4, claim("a", 9, 3), claim("b", 9, 3), claim("c", 9)),
        {"a": 3, "b": 3, "c": 0},
    ),
    "quotas that sum to all there is leave nothing": (
        (6, claim("a", 9, 3), claim("b", 9, 3), claim("c", 9)),
        {"a": 3, "b": 3, "c": 0},
    ),
    "unlimited quota: all that is requested": ((10, claim("a", 7, None), claim("b", 9, 1)), {"a": 7, "b": 3}),
    "unlimited quota: never more than there is": ((10, claim("a", 70, None), claim("b", 9, 1)), {"a": 10, "b": 1}),
    "nothing requested, nothing fair": ((10, claim("a", 0, 5), claim("b", 0, None)), {"a": 0, "b": 0}),
    "nothing there": ((0, claim("a", 5, 2), claim("b", 5)), {"a": 2, "b": 0}),
}

WEIGHT = {
    "S47: the surplus by weights 3 to 1": (
        (8, claim("a", 99, 3, weight=3), claim("b", 99, 1, weight=1)),
        {"a": 6, "b": 2},
    ),
    "S47: low to high, whatever the quotas": (
        (8, claim("a", 99, 3, weight=1), claim("b", 99, 1, weight=3)),
        {"a": 4, "b": 4},
    ),
    "S47: a weight of none gets nothing of the surplus": (
        (8, claim("a", 99, 3, weight=0), claim("b", 99, 1, weight=1)),
        {"a": 3, "b": 5},
    ),
    "with no weights at all the surplus is nobody's": (
        (8, claim("a", 99, 3, weight=0), claim("b", 99, 1, weight=0)),
        {"a": 3, "b": 1},
    ),
    "S48: 36 GPUs, 20 of them nobody's quota, weights 2, 3, 1": (
        (36, claim("p1", 99, 10, weight=2), claim("p2", 99, 6, weight=3), claim("p3", 99, 0, weight=1)),
        {"p1": 17, "p2": 16, "p3": 3},
    ),
    "who needs less than its part leaves it to the others": (
        (12, claim("a", 1), claim("b", 99), claim("c", 99, weight=2)),
        {"a": 1, "b": 4, "c": 7},
    ),
    "who needs exactly its part leaves nothing": (
        (12, claim("a", 4), claim("b", 99), claim("c", 99)),
        dict.fromkeys("abc", 4),
    ),
    "weights are no whole numbers": ((6, claim("a", 99, weight=0.5), claim("b", 99, weight=0.25)), {"a": 4, "b": 2}),
}

REMAINDER = {
    "parts are whole devices; the larger remainder goes first": (
        (5, claim("a", 99, weight=1), claim("b", 99, weight=2)),  # 1.67 and 3.33
        {"a": 2, "b": 3},
    ),
    "equal remainders: the older first": ((3, claim("a", 99, created=2), claim("b", 99, created=1)), {"a": 1, "b": 2}),
    "equal remainders and age: by name": ((3, claim("b", 99), claim("a", 99)), {"a": 2, "b": 1}),
    "one device among three": ((1, claim("c", 9), claim("b", 9), claim("a", 9)), {"a": 1, "b": 0, "c": 0}),
    "a share that somebody asks for is not rounded": ((3, claim("a", 0.5), claim("b", 99)), {"a": 0.5, "b": 2.5}),
    "a remainder is not more than is requested": (
        (3, claim("a", 1.7, created=1), claim("b", 99, created=2)),
        {"a": 1.7, "b": 1.3},
    ),
    "what there is is no whole number": ((2.5, claim("a", 99), claim("b", 99)), {"a": 1.5, "b": 1}),
}

PRIORITY = {
    "beyond quotas a higher priority is satisfied first": (
        (10, claim("high", 6, 1, priority=200), claim("low", 99, 1)),
        {"high": 6, "low": 4},
    ),
    "a higher priority that wants all gets all but the quotas": (
        (10, claim("high", 99, 1, priority=200), claim("low", 99, 1)),
        {"high": 9, "low": 1},
    ),
    "equal priorities share": ((10, claim("high", 99, 1), claim("low", 99, 1)), {"high": 5, "low": 5}),
    "a higher priority without weight borrows nothing": (
        (10, claim("high", 99, 1, priority=200, weight=0), claim("low", 99, 1)),
        {"high": 1, "low": 9},
    ),
    "what the higher priority's parts are rounded down by goes on": (
        (3, claim("a", 99, priority=200), claim("b", 99, priority=200), claim("low", 99)),
        {"a": 1, "b": 1, "low": 1},
    ),
    "nobody of lower priority wants it: the remainder is the higher's": (
        (3, claim("a", 99, priority=200), claim("b", 99, priority=200), claim("low", 0)),
        {"a": 2, "b": 1, "low": 0},
    ),
}

USAGE = {
    "what was used before bends the surplus": (  # 1/2 + (1/2 - 1/2) to 1/2 + 1/2
        (9, claim("a", 99, usage=0.5), claim("b", 99), 1),
        {"a": 3, "b": 6},
    ),
    "with k of 0 it does not": ((9, claim("a", 99, usage=0.5, created=1), claim("b", 99), 0), {"a": 4, "b": 5}),
    "usage in proportion changes nothing": (
        (8, claim("a", 99, usage=0.75, weight=3), claim("b", 99, usage=0.25), 1),
        {"a": 6, "b": 2},
    ),
    "nobody used anything, nothing changes": ((8, claim("a", 99, weight=3), claim("b", 99), 1), {"a": 6, "b": 2}),
    "who used far too much gets nothing beyond its quota": (
        (8, claim("a", 99, 1, usage=1), claim("b", 99), 1),
        {"a": 1, "b": 7},
    ),
    "quota is not touched": ((8, claim("a", 99, 6, usage=1), claim("b", 99), 9), {"a": 6, "b": 2}),
    "everybody used far too much: the surplus is nobody's": (
        (8, claim("a", 99, 1, usage=1), claim("b", 99, usage=1), 1),
        {"a": 1, "b": 0},
    ),
}


@pytest.mark.parametrize(("given", "wanted"), QUOTA.values(), ids=QUOTA)
def test_quota_first(given: tuple[float, Claim, Claim], wanted: dict[str, float]) -> None:
    assert gpus(*given) == wanted


@pytest.mark.parametrize(("given", "wanted"), WEIGHT.values(), ids=WEIGHT)
def test_what_nobody_deserves_goes_by_weight(given: tuple[float, Claim, Claim], wanted: dict[str, float]) -> None:
    assert gpus(*given) == wanted


@pytest.mark.parametrize(("given", "wanted"), REMAINDER.values(), ids=REMAINDER)
def test_whole_devices_as_far_as_possible(given: tuple[float, Claim, Claim], wanted: dict[str, float]) -> None:
    assert gpus(*given) == wanted


@pytest.mark.parametrize(("given", "wanted"), PRIORITY.values(), ids=PRIORITY)
def test_priority_of_queues(given: tuple[float, Claim, Claim], wanted: dict[str, float]) -> None:
    assert gpus(*given) == wanted


@pytest.mark.parametrize(("given", "wanted"), USAGE.values(), ids=USAGE)
def test_time_based_fair_share(given: tuple[float, Claim, Claim, float], wanted: dict[str, float]) -> None:
    total, left, right, k = given
    assert gpus(total, left, right, k=k) == wanted


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0])
def test_a_weight_that_is_none_is_no_weight(bad: float) -> None:
    assert gpus(8, claim("a", 99, 1, weight=bad), claim("b", 99)) == {"a": 1, "b": 7}


def tree(world: World) -> dict[str, float]:
    """The fair GPUs of all queues."""
    state = world.state()
    pool = state.pool("default")
    shares = fair_shares(pool)
    assert fair_shares(Draft(pool)) == shares
    return {name: share[0] / GPU for name, share in sorted(shares.items())}


def test_children_divide_what_is_their_parents() -> None:
    world = World().node("n1", gpus=8).department("d", 2).department("e", 2)
    world = world.queue("d1", 1, parent="d").queue("d2", 1, parent="d").queue("e1", 0, parent="e")
    world = world.job("x", "d1", 9).job("y", "d2", 9).job("z", "e1", 9)
    assert tree(world) == {"department/d": 4, "department/e": 4, "d1": 2, "d2": 2, "e1": 4}


def test_quotas_below_that_sum_to_more_than_the_parents_share_are_given() -> None:
    world = World().node("n1", gpus=4).department("d", 2).department("e", 2)
    world = world.queue("d1", 2, parent="d").queue("d2", 2, parent="d").queue("e1", 0, parent="e")
    world = world.job("x", "d1", 2).job("y", "d2", 2).job("z", "e1", 9)
    assert tree(world) == {"department/d": 2, "department/e": 2, "d1": 2, "d2": 2, "e1": 2}


def test_held_and_waiting_count_and_a_tree_may_be_deep() -> None:
    world = World().node("n1", gpus=8)
    for name, above in (("department/a", None), ("department/b", "a"), ("department/c", "b"), ("leaf", "c")):
        world = world.queue(name, 0, parent=above)
    world = world.job("runs", "leaf", 2, on="n1").job("waits", "leaf", 3)
    assert set(tree(world).values()) == {5}


def test_a_parent_that_is_not_there_makes_a_top_queue() -> None:
    assert tree(World().node("n1").queue("a", 1, parent="nobody").job("x", "a", 3)) == {"a": 3}


def test_a_ring_of_parents_gets_what_it_deserves_and_others_share_the_rest() -> None:
    world = World().node("n1").queue("department/a", 2, parent="b").queue("department/b", 1, parent="a")
    world = world.queue("below", 9, parent="a").queue("sound", 1).job("x", "below", 4).job("y", "sound", 6)
    assert tree(world) == {"below": 4, "department/a": 2, "department/b": 1, "sound": 6}


def test_cpu_and_memory_are_divided_on_their_own_and_to_the_last_unit() -> None:
    world = World().node("n1", cpus=1).queue("a", 9, cpu=Share(0)).queue("b", 0, cpu=Share(0)).queue("c", cpu=Share(0))
    for name in "abc":
        world = world.job(name, name, 4, cpu_milli=2000)
    shares = fair_shares(world.state().pool("default"))
    assert [shares[name][0] for name in "abc"] == [4 * GPU, 2 * GPU, 2 * GPU]
    assert [shares[name][1] for name in "abc"] == [334, 333, 333]


def test_newcomers_from_another_pool_count_at_every_level() -> None:
    state = World().node("n1").department("d", 2).queue("a", 2, parent="d").state()
    shares = fair_shares(state.pool("default"), newcomers={"a": (3 * GPU, 0, 0), "nobody": (GPU, 0, 0)})
    assert shares == {"a": (3 * GPU, 0, 0), "department/d": (3 * GPU, 0, 0)}


def test_usage_of_the_queues_counts() -> None:
    state = ClusterState.rebuild(
        [
            *World().node("n1", gpus=9).facts,
            QueueChanged(Queue("a", "default", gpu=Share(usage=0.5))),
            QueueChanged(Queue("b", "default", gpu=Share())),
            *World().job("x", "a", 9).job("y", "b", 9).facts,
        ]
    )
    pool = state.pool("default")
    assert fair_shares(pool, 1) == {
        "a": (3 * GPU, 1000, 1 << 30),
        "b": (6 * GPU, 1000, 1 << 30),
    }


amounts = st.integers(0, 1200)
weights = st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 3.0])


@st.composite
def families(draw: st.DrawFn) -> list[Claim]:
    return [
        Claim(
            f"q{number}",
            Share(
                draw(amounts | st.just(UNLIMITED)),
                draw(amounts | st.just(UNLIMITED)),
                draw(weights),
                draw(st.floats(0, 1)),
            ),
            draw(amounts),
            draw(st.sampled_from([100, 100, 200])),
            draw(st.integers(0, 2)),
        )
        for number in range(draw(st.integers(1, 5)))
    ]


def quota(one: Claim, total: int) -> int:
    deserved = one.share.deserved
    return min(total if deserved >= UNLIMITED else deserved, one.requestable)


factors = st.sampled_from([0.0, 0.3, 1.0])


@given(families(), amounts, st.sampled_from([1, GPU]), factors)
def test_nobody_gets_more_than_it_may_or_less_than_its_quota(
    claims: list[Claim], total: int, unit: int, k: float
) -> None:
    fair = divide(total, claims, unit=unit, usage_factor=k)
    assert set(fair) == {one.name for one in claims}
    for one in claims:
        assert quota(one, total) <= fair[one.name] <= one.requestable, one


@given(families(), amounts, st.sampled_from([1, GPU]), factors)
def test_beyond_quotas_no_more_is_given_than_there_is_and_all_that_is_wanted(
    claims: list[Claim], total: int, unit: int, k: float
) -> None:
    fair = divide(total, claims, unit=unit, usage_factor=k)
    quotas = sum(quota(one, total) for one in claims)
    given_out = sum(fair.values())
    assert given_out <= max(total, quotas)
    if k == 0 and any(fair[one.name] < one.requestable and one.share.over_quota_weight > 0 for one in claims):
        assert given_out == max(total, quotas)


@given(families(), amounts, st.sampled_from([1, GPU]), factors, st.randoms(use_true_random=False))
def test_the_order_of_the_queues_makes_no_difference(
    claims: list[Claim], total: int, unit: int, k: float, luck: random.Random
) -> None:
    shuffled = list(claims)
    luck.shuffle(shuffled)
    assert divide(total, shuffled, unit=unit, usage_factor=k) == divide(total, claims, unit=unit, usage_factor=k)


@given(families(), amounts, st.sampled_from([1, GPU]), st.integers(0, 4), st.sampled_from([0.5, 1.0, 7.0]))
def test_more_weight_never_makes_it_less_but_for_rounding(
    claims: list[Claim], total: int, unit: int, which: int, more: float
) -> None:
    """Within one priority: beyond it, what is rounded goes on to the next, whose weights are other ones."""
    claims = [replace(one, priority=100) for one in claims]
    one = claims[which % len(claims)]
    heavier = replace(one, share=replace(one.share, over_quota_weight=one.share.over_quota_weight + more))
    before = divide(total, claims, unit=unit)
    after = divide(total, [heavier if other is one else other for other in claims], unit=unit)
    assert after[one.name] > before[one.name] - unit


@given(families(), amounts, amounts, st.sampled_from([1, GPU]))
def test_a_higher_quota_never_makes_it_less_but_for_rounding(
    claims: list[Claim], total: int, more: int, unit: int
) -> None:
    one = claims[0]
    if one.share.deserved >= UNLIMITED:
        return
    richer = replace(one, share=replace(one.share, deserved=one.share.deserved + more))
    before = divide(total, claims, unit=unit)
    after = divide(total, [richer, *claims[1:]], unit=unit)
    assert after[one.name] > before[one.name] - unit
