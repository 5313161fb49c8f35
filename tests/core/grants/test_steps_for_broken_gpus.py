"""The next step for a shared GPU that cannot be used, row by row; and that nobody gets a part of one, in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.core.grants import Card, Hold, Next, Reservation, Sharer, Step, device_of, is_kept, next_step
from aliquot.core.grants.cards import NO_RESERVATION, OTHER_DEVICE, REFUSED

WHY = "it has GPUs of node n that cannot be used: GPU-1 (lost)"
HELD = Reservation(Hold.HELD, "GPU-1")
ONE, OTHER = Sharer("one", "GPU-1"), Sharer("other", "GPU-2")
NEW = ("new",)
ROWS: dict[str, tuple[Card, Next]] = {
    "wanted": (Card(HELD, (), NEW, WHY), Next(Step.REFUSE, WHY)),
    "shared and wanted": (Card(HELD, (ONE,), NEW, WHY), Next(Step.REFUSE, WHY)),
    "shared": (Card(HELD, (ONE,), (), WHY), Next(Step.NOTHING)),
    "shared, and its node gives it to others": (Card(HELD, (ONE,), (), WHY, offered=True), Next(Step.NOTHING)),
    "shared with a stranger": (Card(HELD, (ONE, OTHER), NEW, WHY), Next(Step.WITHDRAW, OTHER_DEVICE, ("other",))),
    "not wanted": (Card(HELD, (), (), WHY), Next(Step.REMOVE)),
    "not wanted, and its node gives it to others": (Card(HELD, (), (), WHY, offered=True), Next(Step.NOTHING)),
    "wanted, and its node gives it to others": (Card(HELD, (), NEW, WHY, offered=True), Next(Step.REFUSE, WHY)),
    "it is well again": (Card(HELD), Next(Step.REMOVE)),
    "its reservation is gone": (Card(None, (ONE,), (), WHY), Next(Step.WITHDRAW, NO_RESERVATION, ("one",))),
    "its reservation is refused": (Card(Reservation(Hold.REFUSED), (), NEW, WHY), Next(Step.REFUSE, REFUSED)),
}


@pytest.mark.parametrize(("card", "following"), ROWS.values(), ids=ROWS)
def test_the_next_step(card: Card, following: Next) -> None:
    assert next_step(card) == following


def test_only_a_reservation_for_nobody_is_kept() -> None:
    kept = {name for name, (card, _) in ROWS.items() if is_kept(card)}
    assert kept == {"not wanted, and its node gives it to others"}


RESERVATIONS = st.one_of(
    st.none(), st.sampled_from([Reservation(hold) for hold in (Hold.ASKED, Hold.REFUSED, Hold.ENDING)]), st.just(HELD)
)
SHARERS = st.lists(
    st.builds(Sharer, st.sampled_from("abc"), st.sampled_from(["GPU-1", "GPU-2"]), st.booleans()), max_size=3
).map(tuple)


@given(RESERVATIONS, SHARERS, st.sampled_from([(), NEW]), st.booleans())
def test_no_part_of_a_broken_gpu_is_given(
    reservation: Reservation | None, sharers: tuple[Sharer, ...], decided: tuple[str, ...], offered: bool
) -> None:
    card = Card(reservation, sharers, decided, WHY, offered)
    assert next_step(card).step is not Step.GIVE
    assert device_of(card) == ""
