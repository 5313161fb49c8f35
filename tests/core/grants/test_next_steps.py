"""From what there is of a shared GPU to the next step: the table of `core.grants.cards`, row by row."""

from itertools import product

import pytest

from aliquot.core.grants import Card, Hold, Next, Reservation, Sharer, Step, device_of, is_idle, next_step
from aliquot.core.grants.cards import NO_RESERVATION, OTHER_DEVICE, REFUSED

MAKING = Reservation(Hold.MAKING)
ASKED, ENDING, NO_GPU = Reservation(Hold.ASKED), Reservation(Hold.ENDING), Reservation(Hold.REFUSED)
HELD = Reservation(Hold.HELD, "GPU-1")
ONE, OTHER = Sharer("one", "GPU-1"), Sharer("other", "GPU-2")
STOPPING = Sharer("stopping", "GPU-2", stopping=True)
NEW = ("new",)

ROWS: dict[str, tuple[Card, Next]] = {
    "nothing at all": (Card(), Next(Step.NOTHING)),
    "the first part is decided": (Card(None, (), NEW), Next(Step.MAKE)),
    "being made, and wanted": (Card(MAKING, (), NEW), Next(Step.MAKE)),
    "being made, and no longer wanted": (Card(MAKING), Next(Step.MAKE)),
    "being made under sharers": (Card(MAKING, (ONE,)), Next(Step.WITHDRAW, NO_RESERVATION, ("one",))),
    "sharers without a reservation": (Card(None, (ONE,), NEW), Next(Step.WITHDRAW, NO_RESERVATION, ("one",))),
    "sharers without one that stop": (Card(None, (STOPPING,), NEW), Next(Step.NOTHING)),
    "asked, and wanted": (Card(ASKED, (), NEW), Next(Step.NOTHING)),
    "asked, and not wanted": (Card(ASKED), Next(Step.REMOVE)),
    "its kubelet starts anew": (Card(ASKED, (ONE, OTHER), NEW), Next(Step.NOTHING)),
    "held, and wanted": (Card(HELD, (), NEW), Next(Step.GIVE)),
    "held, shared and wanted": (Card(HELD, (ONE,), NEW), Next(Step.GIVE)),
    "held and shared": (Card(HELD, (ONE,)), Next(Step.NOTHING)),
    "held, and not wanted": (Card(HELD), Next(Step.REMOVE)),
    "held, shared with a stranger": (Card(HELD, (ONE, OTHER), NEW), Next(Step.WITHDRAW, OTHER_DEVICE, ("other",))),
    "held, and a stranger stops": (Card(HELD, (ONE, STOPPING), NEW), Next(Step.NOTHING)),
    "refused, and wanted": (Card(NO_GPU, (), NEW), Next(Step.REFUSE, REFUSED)),
    "refused under sharers": (Card(NO_GPU, (ONE,), NEW), Next(Step.WITHDRAW, REFUSED, ("one",))),
    "refused, and not wanted": (Card(NO_GPU), Next(Step.REMOVE_LATER)),
    "ending, and wanted": (Card(ENDING, (), NEW), Next(Step.NOTHING)),
    "ending under sharers": (Card(ENDING, (ONE,)), Next(Step.WITHDRAW, NO_RESERVATION, ("one",))),
    "ending": (Card(ENDING), Next(Step.NOTHING)),
}


@pytest.mark.parametrize(("card", "following"), ROWS.values(), ids=ROWS.keys())
def test_the_next_step(card: Card, following: Next) -> None:
    assert next_step(card) == following


def test_every_row_of_the_table_is_tested() -> None:
    holds = {None, *Hold}
    seen = {
        (card.reservation.hold if card.reservation else None, bool(card.sharers), bool(card.decided))
        for card, _ in ROWS.values()
    }
    assert {(hold, shared) for hold, shared, _ in seen} == {*product(holds, (False, True))}
    assert {(hold, wanted) for hold, shared, wanted in seen if not shared} == {*product(holds, (False, True))}


def test_a_device_is_told_only_while_it_is_given() -> None:
    told = {name: device_of(card) for name, (card, _) in ROWS.items()}
    assert {name for name, device in told.items() if device} == {"held, and wanted", "held, shared and wanted"}
    assert told["held, and wanted"] == "GPU-1"


def test_a_gpu_is_idle_when_nobody_has_a_part_of_it_or_is_to_get_one() -> None:
    idle = {name for name, (card, _) in ROWS.items() if is_idle(card)}
    assert idle == {
        "nothing at all",
        "being made, and no longer wanted",
        "asked, and not wanted",
        "held, and not wanted",
        "refused, and not wanted",
        "ending",
    }
