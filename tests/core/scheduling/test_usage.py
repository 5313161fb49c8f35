"""What queues have used lately, fading with time (scheduling.md 2.7), and what that does to fair shares."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.core.scheduling import Holding, PoolUsage, QueueChanged, holding, used_until
from aliquot.core.scheduling.facts import Queue, Share
from aliquot.core.scheduling.fairness.fair_share import fair_shares
from tests.core.scheduling.world import GPU, World

HALF_LIFE = 100.0
EIGHT = (8 * GPU, 64_000, 0)


def held(**gpus: float) -> Holding:
    return Holding(EIGHT, {name: (round(amount * GPU), 0, 0) for name, amount in gpus.items()})


def history(*steps: tuple[float, Holding]) -> PoolUsage:
    """The usage after so many seconds of each."""
    usage = PoolUsage(0.0)
    for seconds, each in steps:
        usage = used_until(usage, usage.at + seconds, each, HALF_LIFE)
    return usage


def gpus(usage: PoolUsage) -> Mapping[str, float]:
    return {name: part[0] for name, part in usage.parts().items()}


HISTORIES: dict[str, tuple[list[tuple[float, Holding]], dict[str, float]]] = {
    "nothing has happened": ([], {}),
    "what is held all the time": ([(50, held(a=4, b=2))], {"a": 0.5, "b": 0.25}),
    "however long": ([(500, held(a=4)), (500, held(a=4))], {"a": 0.5}),
    "what is given back fades": ([(100, held(a=8)), (100, held())], {"a": 0.333}),
    "and comes to nothing": ([(100, held(a=8)), *[(500, held())] * 4], {}),
    "what is held now counts more than what was before": (
        [(100, held(a=8)), (100, held(b=8))],
        {"a": 0.333, "b": 0.667},
    ),
    "a queue that is gone fades, too": ([(100, held(a=8)), (100, held(b=1))], {"a": 0.333, "b": 0.083}),
    "nobody knows what happened during a long time": (
        [(100, held(a=8)), (100, held()), (601, held(b=8))],
        {"a": 0.333},
    ),
    "what there is changes": (
        [(100, held(a=4)), (100, Holding((16 * GPU, 0, 0), {"a": (4 * GPU, 0, 0)}))],
        {"a": 0.3},
    ),
    "there is nothing": ([(100, Holding((0, 0, 0), {"a": (100, 0, 0)}))], {}),
    "more is held than there is": ([(100, Holding((100, 0, 0), {"a": (200, 0, 0)}))], {"a": 1.0}),
}


@pytest.mark.parametrize(("steps", "wanted"), HISTORIES.values(), ids=HISTORIES)
def test_what_was_used(steps: list[tuple[float, Holding]], wanted: dict[str, float]) -> None:
    assert gpus(history(*steps)) == wanted


def test_a_clock_that_goes_back_adds_nothing() -> None:
    usage = history((100, held(a=4)))
    assert gpus(used_until(usage, 0.0, held(b=8), HALF_LIFE)) == {"a": 0.5}


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 300), st.dictionaries(st.sampled_from("abc"), st.integers(0, 8))), min_size=1, max_size=5
    ),
    cuts=st.lists(st.floats(0.01, 0.99), max_size=3),
)
def test_it_makes_no_difference_how_often_one_looks(
    steps: list[tuple[float, dict[str, int]]], cuts: list[float]
) -> None:
    """As long as nothing changes in between."""
    often = PoolUsage(0.0)
    for seconds, each in steps:
        begun = often.at
        for cut in [*sorted(cuts), 1.0]:
            often = used_until(often, begun + cut * seconds, held(**each), HALF_LIFE)
    once = history(*((seconds, held(**each)) for seconds, each in steps))
    for name in {*gpus(often), *gpus(once)}:
        assert gpus(often).get(name, 0.0) == pytest.approx(gpus(once).get(name, 0.0), abs=0.002)


def test_what_is_held_of_a_pool_is_that_of_all_levels() -> None:
    world = World().node("n1").queue("department/d", 4).queue("a", 2, parent="d").job("j", "a", 3, on="n1")
    found = holding(world.state().pool("default"))
    assert found.capacity[0] == 8 * GPU
    assert {name: amount[0] / GPU for name, amount in found.queues.items()} == {"department/d": 3, "a": 3}


def shares(k: float, **usage: float) -> dict[str, float]:
    """Fair shares of 8 GPUs, between queues without quotas that want all of them."""
    world = World().node("n1", gpus=8)
    for name, used in usage.items():
        world = World(*world.facts, QueueChanged(Queue(name, "default", gpu=Share(usage=used))))
        world = world.job(name, name, 8)
    fair = fair_shares(world.state().pool("default"), k)
    return {name: share[0] / GPU for name, share in fair.items()}


def test_who_has_used_more_than_its_part_gets_less_of_what_nobody_deserves() -> None:
    assert shares(1, a=0.0, b=0.0) == {"a": 4, "b": 4}
    assert shares(1, a=0.75, b=0.25) == {"a": 2, "b": 6}
    assert shares(0, a=0.75, b=0.25) == {"a": 4, "b": 4}
