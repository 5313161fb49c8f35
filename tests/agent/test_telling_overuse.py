"""Which pods are told to use more of a GPU's memory than they were given."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.agent.attribution import Grant, PodRef, PodUse
from aliquot.agent.nvml import Device, Memory
from aliquot.agent.publishing.overuse import Excess, Place, Tolerance, follow
from aliquot.contracts.agent_reports import Overuse

POD = PodRef("team", "a", "u")
PLACE = (POD, "GPU-a")
LIMIT = 1_000
TOLERANCE = Tolerance(percent=10, mib=50, seconds=30)
MIB = 1 << 20
NOW = 5_000.0


def use(used_mib: int | None, *, limit_mib: int | None = LIMIT, grant: Grant | None = Grant("GPU-a", 50)) -> PodUse:
    used = None if used_mib is None else used_mib * MIB
    limit = None if limit_mib is None else limit_mib * MIB
    return PodUse(POD, Device(0, "GPU-a", "H100", "", "ok"), "GPU-a", grant, limit, used, 0.0, 1)


def after(*used: tuple[float, int | None], tolerance: Tolerance = TOLERANCE) -> Overuse | None:
    """What is told after these readings: when, and MiB in use."""
    known: dict[Place, Excess] = {}
    for when, mib in used:
        known = follow(known, [use(mib)], NOW + when, when, tolerance)
    return known[PLACE].told if PLACE in known else None


CASES: dict[str, tuple[list[tuple[float, int | None]], Overuse | None]] = {
    "within": ([(0, 900), (60, 1_000)], None),
    "within the tolerance": ([(0, 1_100), (60, 1_100)], None),
    "beyond, not for long": ([(0, 1_101), (29, 1_101)], None),
    "beyond for a while": ([(0, 1_101), (30, 1_200)], Overuse(1_200, LIMIT, NOW)),
    "a moment within the tolerance begins anew": ([(0, 1_200), (20, 1_050), (30, 1_200), (59, 1_200)], None),
    "told until it is within": ([(0, 1_200), (30, 1_200), (40, 1_001)], Overuse(1_001, LIMIT, NOW)),
    "within again": ([(0, 1_200), (30, 1_200), (40, 1_000)], None),
    "figures stay while they are near": ([(0, 1_200), (30, 1_200), (40, 1_299)], Overuse(1_200, LIMIT, NOW)),
    "figures follow": ([(0, 1_200), (30, 1_200), (40, 1_300)], Overuse(1_300, LIMIT, NOW)),
    "what is not known is within": ([(0, 1_200), (30, 1_200), (40, None)], None),
}


@pytest.mark.parametrize(("used", "told"), CASES.values(), ids=CASES)
def test_what_is_told_after_these_readings(used: list[tuple[float, int | None]], told: Overuse | None) -> None:
    assert after(*used) == told


@pytest.mark.parametrize(("percent", "mib", "room"), [(10, 50, 100), (1, 50, 50), (0, 0, 0)])
def test_the_tolerance_is_the_larger_of_two(percent: float, mib: int, room: int) -> None:
    assert Tolerance(percent, mib, 0).of(LIMIT) == room


@pytest.mark.parametrize(
    "other",
    [use(9_000, grant=None), use(9_000, grant=Grant("MIG-a", None)), use(9_000, limit_mib=None)],
    ids=["a stray", "a MIG device", "a limit that is not known"],
)
def test_only_who_has_a_part_can_go_beyond_it(other: PodUse) -> None:
    assert follow({}, [other], NOW, 0, Tolerance(0, 0, 0)) == {}


def test_figures_that_cannot_be_true_are_cut() -> None:
    known = follow({}, [use(1 << 40)], NOW, 0, Tolerance(0, 0, 0))
    assert known[PLACE].told == Overuse(1 << 30, LIMIT, NOW)


BURST = 1_500
CARD_MIB = 4_000


def sharing(used_mib: int, free_mib: int | None, *, alone: bool = False) -> list[PodUse]:
    """A pod that may use more than its part while nobody needs it, and one that shares its GPU unless it is alone."""
    memory = None if free_mib is None else Memory(CARD_MIB * MIB, (CARD_MIB - free_mib) * MIB, free_mib * MIB, 0)
    card = Device(0, "GPU-a", "H100", "", "ok", memory=memory)
    mine = replace(use(used_mib), device=card, burst_bytes=BURST * MIB)
    other = replace(use(10), pod=PodRef("team", "b", "v"), device=card)
    return [mine] if alone else [mine, other]


LENT: dict[str, tuple[list[PodUse], Overuse | None]] = {
    "while there is room": (sharing(1_400, 200), None),
    "no room": (sharing(1_400, 199), Overuse(1_400, LIMIT, NOW, BURST)),
    "no room, but nobody else": (sharing(1_400, 0, alone=True), None),
    "nobody knows whether there is room": (sharing(1_400, None), None),
    "beyond its limit": (sharing(1_800, 3_000), Overuse(1_800, BURST, NOW)),
    "beyond its limit, alone": (sharing(1_800, 3_000, alone=True), Overuse(1_800, BURST, NOW)),
    "beyond its limit, no room": (sharing(1_800, 0), Overuse(1_800, LIMIT, NOW, BURST)),
    "within its part, no room": (sharing(1_000, 0), None),
}


@pytest.mark.parametrize(("uses", "told"), LENT.values(), ids=LENT)
def test_memory_is_lent_while_nobody_else_needs_it(uses: list[PodUse], told: Overuse | None) -> None:
    known = follow({}, uses, NOW, 0, Tolerance(10, 50, 0))
    assert (known[PLACE].told if PLACE in known else None) == told
    assert all(pod.name == "a" for pod, _ in known)


def test_memory_that_was_lent_is_forgiven_once_there_is_room_again() -> None:
    tolerance = Tolerance(10, 50, 0)
    known = follow({}, sharing(1_400, 0), NOW, 0, tolerance)
    assert follow(known, sharing(1_400, 300), NOW + 10, 10, tolerance) == {}


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=30))
def test_it_is_told_only_after_all_of_the_time_beyond_and_never_within(used: list[int]) -> None:
    readings = [(10.0 * number, mib) for number, mib in enumerate(used)]
    told = after(*readings)
    if used[-1] <= LIMIT:
        assert told is None
    if len(used) >= 4 and min(used[-4:]) > LIMIT + TOLERANCE.of(LIMIT):
        assert told is not None
    if told is not None:
        assert any(min(used[first : first + 4]) > LIMIT + 100 for first in range(len(used) - 3))
        assert abs(told.used_mib - used[-1]) < 100


@given(st.lists(st.integers(1_500, 1_540), min_size=10, max_size=30))
def test_use_that_wavers_costs_one_write(used: list[int]) -> None:
    readings = [(10.0 * number, mib) for number, mib in enumerate(used)]
    told = [after(*readings[:end]) for end in range(1, len(readings) + 1)]
    assert len({each for each in told if each is not None}) == 1
