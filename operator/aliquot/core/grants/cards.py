"""A GPU of which pods have parts, and what is to be done for it next: a table, from what is there to one step.

    decided ─▶ MAKE ─▶ (the kubelet gives the reservation pod a device) ─▶ GIVE: sharers are bound with its id
                                                                             │
    REMOVE the reservation ◀─ the last sharer has ended ◀────────────────────┘

A reservation pod holds the whole GPU for those who have parts of it (design.md 4). Each step is idempotent, and follows
from what exists alone: whoever is killed between two of them does the same again, or what is right by then.

    reservation      sharers that hold it       decided         step
    ─────────────    ────────────────────────   ─────────────   ─────────────────────────────────────────────
    none             none                       none            nothing
    none             none                       some            MAKE
    being made       none                       whatever        MAKE, again if no answer came: then it is known
    gone or ending   some                       whatever        WITHDRAW them: the GPU may be given to others
    ending           none                       whatever        wait until it is gone
    refused          some                       whatever        WITHDRAW them
    refused          none                       some            REFUSE them
    refused          none                       none            REMOVE, but not at once
    asked for        some                       whatever        wait: its kubelet has told them, and starts anew
    asked for        none                       some            wait for the device
    any              none                       none            REMOVE
    holds a device   some, with another one     whatever        WITHDRAW those
    holds a device   none, or with this one     some            GIVE
    holds a device   some, with this one        none            nothing
    holds a broken   none, or with this one     some            REFUSE them
    holds a broken   none                       none            REMOVE, but not while the node would give it to others
    holds a broken   some, with this one        none            nothing: whoever is to be moved is told so elsewhere

A device is broken while the agent of its node says that it cannot be used. What has decided about it hears of that in a
moment, and gives no more parts of it. A device plugin that does not know of it would give it to the next pod: then the
reservation stays for nobody, so that the node has only good ones to give.

From the moment that a reservation is asked for its GPU is held: it may be there before the answer, and whoever it was
for may have gone by then.

A reservation is made only where nobody shares the GPU. One that sharers have, and whose kubelet does not say which
device it holds, has said so before: a kubelet that starts anew says nothing for a moment.

Sharers that end by themselves, or are being stopped, hold the GPU until their node has cleared up: the reservation
stays for so long, and nobody withdraws them a second time.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum

NO_RESERVATION = "the pod that held its GPU is gone"
OTHER_DEVICE = "the pod that holds its GPU was given another one"
REFUSED = "the node refused the pod that was to hold its GPU"


class Hold(Enum):
    """How a reservation pod is doing."""

    MAKING = "being made"
    """It has been asked for, and whether it is there is not known yet."""
    ASKED = "asked for"
    """It is there, and its kubelet has not said which device it has."""
    HELD = "holds a device"
    REFUSED = "refused"
    """It has ended, mostly as its kubelet had no device for it; or nobody says for too long which one it has."""
    ENDING = "ending"
    """It is being deleted."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A pod that holds a GPU.

    Attributes:
        hold: how it is doing.
        device: what the device plugin calls the GPU; empty unless it is held.
    """

    hold: Hold
    device: str = ""


@dataclass(frozen=True, slots=True)
class Sharer:
    """A pod that has a part of a GPU.

    Attributes:
        uid: of the pod.
        device: what it was told that the device plugin calls the GPU; empty: nothing that can be read.
        stopping: whether it is being stopped already.
    """

    uid: str
    device: str
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What there is of one GPU.

    Attributes:
        reservation: the pod that holds it; None: there is none.
        sharers: pods that have parts of it, and hold them: their phase is not final.
        decided: uids of pods that are to get parts of it and have no node yet.
        broken: why it cannot be used, for those who are to get parts of it; empty: it can.
        offered: whether its node would give it to others although it is broken.
    """

    reservation: Reservation | None = None
    sharers: tuple[Sharer, ...] = ()
    decided: Collection[str] = field(default_factory=tuple[str, ...])
    broken: str = ""
    offered: bool = False


class Step(Enum):
    """What is to be done next."""

    NOTHING = "nothing"
    MAKE = "make the reservation"
    GIVE = "bind those who were decided, with the device"
    REFUSE = "forget what was decided"
    WITHDRAW = "stop sharers"
    REMOVE = "delete the reservation"
    REMOVE_LATER = "delete the reservation, some time after it was refused"


@dataclass(frozen=True, slots=True)
class Next:
    """A step.

    Attributes:
        step: what to do.
        why: what those are told who are stopped or refused.
        whom: uids of the sharers that are to be stopped.
    """

    step: Step
    why: str = ""
    whom: tuple[str, ...] = ()


NOTHING = Next(Step.NOTHING)


def next_step(card: Card) -> Next:
    """Find the next step for a GPU; see the table above."""
    reservation = card.reservation
    if reservation is None:
        if card.sharers:
            return _withdraw(card.sharers, NO_RESERVATION)
        return Next(Step.MAKE) if card.decided else NOTHING
    match reservation.hold:
        case Hold.MAKING if not card.sharers:
            return Next(Step.MAKE)
        case Hold.MAKING | Hold.ENDING:
            return _withdraw(card.sharers, NO_RESERVATION)
        case Hold.REFUSED if card.sharers:
            return _withdraw(card.sharers, REFUSED)
        case Hold.REFUSED:
            return Next(Step.REFUSE, REFUSED) if card.decided else Next(Step.REMOVE_LATER)
        case Hold.ASKED:
            return NOTHING if card.sharers or card.decided else Next(Step.REMOVE)
        case Hold.HELD:
            strangers = tuple(sharer for sharer in card.sharers if sharer.device != reservation.device)
            if strangers:
                return _withdraw(strangers, OTHER_DEVICE)
            if card.decided:
                return Next(Step.REFUSE, card.broken) if card.broken else Next(Step.GIVE)
            return NOTHING if card.sharers or is_kept(card) else Next(Step.REMOVE)


def _withdraw(sharers: tuple[Sharer, ...], why: str) -> Next:
    """Stop those that are not being stopped yet; the rest is waited for."""
    whom = tuple(sorted(sharer.uid for sharer in sharers if not sharer.stopping))
    return Next(Step.WITHDRAW, why, whom) if whom else NOTHING


def device_of(card: Card) -> str:
    """What those are told who get a part of the GPU now; empty: they have to wait."""
    reservation = card.reservation
    return reservation.device if reservation is not None and next_step(card).step is Step.GIVE else ""


def is_idle(card: Card) -> bool:
    """Whether nobody has a part of the GPU or is to get one: its reservation holds all of it, for nobody."""
    return not card.sharers and not card.decided


def is_kept(card: Card) -> bool:
    """Whether the reservation of a GPU that nobody has a part of stays, as its node would give the broken GPU away."""
    held = card.reservation is not None and card.reservation.hold is Hold.HELD
    return held and bool(card.broken) and card.offered and is_idle(card)
