"""Whatever happens in whatever order: in the end no GPU is over-committed, and reservations and sharers go together.

A node with two GPUs, its kubelet, a scheduler that gives parts where there is room by its books, and an operator that
does the next step for one GPU after the other, dies now and then, and starts again with what is on the pods.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from aliquot.core.grants import Card, Hold, Reservation, Sharer, Step, device_of, is_idle, next_step

DEVICES = ("GPU-a", "GPU-b")
IDS = ("n-shared-1", "n-shared-2", "n-shared-3")


@dataclass
class World:
    """The node and what runs on it.

    Attributes:
        reservations: by the scheduler's id of the GPU.
        holds: devices that the kubelet has given to reservations, by that id.
        sharers: by uid, with the id of the GPU and the part.
        decided: by uid, likewise: what the operator knows and no pod says.
    """

    reservations: dict[str, Reservation] = field(default_factory=dict[str, Reservation])
    holds: dict[str, str] = field(default_factory=dict[str, str])
    sharers: dict[str, tuple[str, int, Sharer]] = field(default_factory=dict[str, tuple[str, int, Sharer]])
    decided: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    born: int = 0

    def card(self, gpu: str) -> Card:
        sharers = tuple(sharer for held, _, sharer in self.sharers.values() if held == gpu)
        decided = tuple(uid for uid, (held, _) in self.decided.items() if held == gpu)
        return Card(self.reservations.get(gpu), sharers, decided)

    # What others do

    def decide(self, percent: int) -> None:
        """The scheduler gives a part on the first GPU with room, or on one that is whole by its books."""
        held = Counter[str]()
        for gpu, part, _ in self.sharers.values():
            held[gpu] += part
        for gpu, part in self.decided.values():
            held[gpu] += part
        idle = [gpu for gpu in self.reservations if is_idle(self.card(gpu))]
        taken = {*held, *idle}
        shared = [gpu for gpu in held if held[gpu] + percent <= 100]
        fresh = [gpu for gpu in IDS if gpu not in taken] if len(taken) < len(DEVICES) else []
        for gpu in (shared + fresh)[:1]:
            self.born += 1
            self.decided[f"pod-{self.born}"] = (gpu, percent)

    def kubelet(self, number: int) -> None:
        """A reservation gets a device that nobody has, or is refused; one that is being deleted is gone."""
        for gpu, there in sorted(self.reservations.items())[number % 3 :][:1]:
            free = [device for device in DEVICES if device not in self.holds.values()]
            if there.hold is Hold.ENDING:
                del self.reservations[gpu]
                self.holds.pop(gpu, None)
            elif there.hold is Hold.ASKED and free:
                self.holds[gpu] = free[0]
                self.reservations[gpu] = Reservation(Hold.HELD, free[0])
            elif there.hold is Hold.ASKED:
                self.reservations[gpu] = Reservation(Hold.REFUSED)

    def end(self, number: int) -> None:
        """A sharer ends."""
        for uid in sorted(self.sharers)[number % 3 :][:1]:
            del self.sharers[uid]

    def meddle(self, number: int) -> None:
        """Somebody deletes a reservation, or the kubelet loses it after a reboot."""
        for gpu in sorted(self.reservations)[number % 3 :][:1]:
            if number % 2:
                self.reservations[gpu] = Reservation(Hold.ENDING)
            elif self.reservations[gpu].hold is Hold.HELD:
                self.reservations[gpu] = Reservation(Hold.REFUSED)
                self.holds.pop(gpu, None)

    # What the operator does

    def die(self, _: int) -> None:
        """What was decided and not done is forgotten with it; what it was making is there or not."""
        self.decided.clear()
        for gpu in [gpu for gpu, there in self.reservations.items() if there.hold is Hold.MAKING]:
            del self.reservations[gpu]

    def tend(self, gpu: str) -> bool:
        """Do the next step for a GPU; returns whether there was one."""
        card = self.card(gpu)
        following = next_step(card)
        match following.step:
            case Step.NOTHING:
                return False
            case Step.MAKE if card.reservation is None:
                self.reservations[gpu] = Reservation(Hold.MAKING)
            case Step.MAKE:
                self.reservations[gpu] = Reservation(Hold.ASKED)
            case Step.GIVE:
                uid = min(card.decided)
                self.sharers[uid] = (*self.decided.pop(uid), Sharer(uid, device_of(card)))
            case Step.REFUSE:
                for uid in card.decided:
                    del self.decided[uid]
            case Step.WITHDRAW:
                for uid in following.whom:
                    held, part, sharer = self.sharers[uid]
                    self.sharers[uid] = (held, part, replace(sharer, stopping=True))
            case Step.REMOVE | Step.REMOVE_LATER:
                self.reservations[gpu] = Reservation(Hold.ENDING)
        return True

    def pause(self, _: int) -> None:
        """Nothing happens for a moment, so that all do what they have to."""
        for gpu in IDS:
            self.tend(gpu)
        for number in range(3):
            self.kubelet(number)
        for gpu in IDS:
            self.tend(gpu)

    def settle(self) -> None:
        """Let everybody finish what is under way; pods that are being stopped end."""
        for _ in range(100):
            busy = sum(self.tend(gpu) for gpu in IDS)
            stopping = [uid for uid, (_, _, sharer) in self.sharers.items() if sharer.stopping]
            for uid in stopping:
                del self.sharers[uid]
            before = dict(self.reservations)
            for number in range(3):
                self.kubelet(number)
            if not (busy or stopping or before != self.reservations):
                return
        raise AssertionError(f"it never comes to rest: {self}")


EVENTS = st.one_of(
    st.tuples(st.just("decide"), st.sampled_from([10, 33, 50, 66, 99])),
    st.tuples(st.just("tend"), st.integers(0, 2)),
    st.tuples(st.sampled_from(["pause", "kubelet"]), st.integers(0, 2)),
    st.tuples(st.sampled_from(["end", "meddle", "die"]), st.integers(0, 5)),
)


@given(st.lists(EVENTS, min_size=20, max_size=60))
@settings(max_examples=200)
def test_in_the_end_everything_fits(events: list[tuple[str, int]]) -> None:
    world = World()
    for what, number in events:
        if what == "tend":
            world.tend(IDS[number])
        else:
            getattr(world, what)(number)
    world.settle()
    shares, homes = Counter[str](), dict[str, set[str]]()
    for gpu, percent, sharer in world.sharers.values():
        assert sharer.device == world.reservations[gpu].device, "a sharer has what its reservation holds"
        shares[sharer.device] += percent
        homes.setdefault(sharer.device, set()).add(gpu)
    assert all(total <= 100 for total in shares.values()), shares
    assert all(len(gpus) == 1 for gpus in homes.values()), "a device has one name"
    assert {gpu for gpu, _, _ in world.sharers.values()} == {*world.reservations}, "no reservation without a sharer"
    assert not world.decided
