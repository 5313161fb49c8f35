"""Which GPUs are told to be unusable, and from when to when."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.agent.nvml import Device, DeviceState, MigInstance, Snapshot
from aliquot.agent.publishing import health
from aliquot.agent.publishing.health import Health
from aliquot.contracts.agent_reports import DeviceTrouble, health_text, read_health

BOOTED = 1_000.0
NOW = 2_000.0
MIG = tuple(MigInstance(f"MIG-{number}", "1g.10gb", number, None, ()) for number in (1, 2))

Told = Mapping[str, tuple[str, float]]
"""Reason and since when, by device."""


def gpu(state: DeviceState, uuid: str = "GPU-a", *, mig: tuple[MigInstance, ...] | None = None) -> Device:
    return Device(0, uuid, "H100", "", state, mig=mig)


class Node:
    """What an agent knows of a node, from reading to reading, ten seconds apart; and what it wrote."""

    def __init__(self, written: Mapping[str, DeviceTrouble] | None = None, *, resumed: bool = False) -> None:
        self.now = NOW
        self.devices: dict[str, tuple[str, ...]] = {}
        self.health = health.before_first_look(written or {}, resumed=resumed)

    def reads(self, *gpus: Device) -> None:
        told = {each.uuid: tuple(mig.uuid for mig in each.mig or ()) or (each.uuid,) for each in gpus if each.is_told}
        self.devices |= told
        self.health = health.look(self.health, Snapshot("1", gpus), self.devices, self.now, BOOTED)
        self.now += 10

    def starts_anew(self, *, resumed: bool) -> None:
        """Another process takes over; only one that resumes is sure to find the file."""
        self.health = health.before_first_look(read_health(health_text(self.health.troubles)), resumed=resumed)
        if not resumed:
            self.devices = {}

    @property
    def told(self) -> Told:
        return {unit: (trouble.reason, trouble.since) for unit, trouble in self.health.troubles.items()}


def after(*readings: Sequence[Device]) -> Told:
    node = Node()
    for gpus in readings:
        node.reads(*gpus)
    return node.told


CASES: dict[str, tuple[list[list[Device]], Told]] = {
    "all well": ([[gpu("ok")]], {}),
    "lost": ([[gpu("ok")], [gpu("lost")]], {"GPU-a": ("lost", NOW + 10)}),
    "a reset needed": ([[gpu("reset_required")]], {"GPU-a": ("reset_required", NOW)}),
    "failed": ([[gpu("failed")]], {"GPU-a": ("failed", NOW)}),
    "since the first of its troubles": ([[gpu("failed")], [gpu("lost")]], {"GPU-a": ("lost", NOW)}),
    "back": ([[gpu("lost")], [gpu("ok")]], {}),
    "unreadable, and was well": ([[gpu("ok")], [gpu("unreadable")]], {}),
    "unreadable, and was lost": ([[gpu("lost")], [gpu("unreadable")]], {"GPU-a": ("lost", NOW)}),
    "not there any more": (
        [[gpu("ok"), gpu("ok", "GPU-b")], [gpu("ok")], [gpu("ok")]],
        {"GPU-b": ("lost", NOW + 10)},
    ),
    "there again": ([[gpu("ok"), gpu("ok", "GPU-b")], [gpu("ok")], [gpu("ok"), gpu("ok", "GPU-b")]], {}),
    "does not say its name": ([[gpu("ok")], [gpu("unreadable", "")]], {}),
    "lost, and does not say its name": ([[gpu("ok")], [gpu("lost", "")]], {"GPU-a": ("lost", NOW + 10)}),
    "MIG devices in the place of the GPU": (
        [[gpu("ok", mig=MIG)], [gpu("lost")]],
        {"MIG-1": ("lost", NOW + 10), "MIG-2": ("lost", NOW + 10)},
    ),
    "other MIG devices when it is back": ([[gpu("ok", mig=MIG)], [gpu("lost")], [gpu("ok", mig=MIG[1:])]], {}),
    "never said its name": ([[gpu("lost", "")]], {}),
}


@pytest.mark.parametrize(("readings", "told"), CASES.values(), ids=CASES)
def test_what_is_told_after_these_readings(readings: list[list[Device]], told: Told) -> None:
    assert after(*readings) == told


LOST = DeviceTrouble("lost", NOW - 100)
FAILED = DeviceTrouble("failed", NOW - 100)
BEFORE_BOOT = DeviceTrouble("lost", BOOTED - 1)

RESTARTS: dict[str, tuple[Mapping[str, DeviceTrouble], bool, list[Device], Told]] = {
    "lost still": ({"GPU-a": LOST}, False, [gpu("lost")], {"GPU-a": ("lost", NOW - 100)}),
    "lost still, without a name": ({"GPU-a": LOST}, False, [gpu("lost", "")], {"GPU-a": ("lost", NOW - 100)}),
    "lost still, and not even counted": ({"GPU-a": LOST}, False, [gpu("ok", "GPU-b")], {"GPU-a": ("lost", NOW - 100)}),
    "back": ({"GPU-a": LOST}, True, [gpu("ok")], {}),
    "the node was started anew without it": ({"GPU-a": BEFORE_BOOT}, False, [gpu("ok", "GPU-b")], {}),
    "failed a moment ago": ({"GPU-a": FAILED}, True, [gpu("ok")], {"GPU-a": ("failed", NOW - 100)}),
    "failed long ago": ({"GPU-a": FAILED}, False, [gpu("ok")], {}),
    "a MIG device that is gone": ({"MIG-1": LOST}, False, [gpu("ok", mig=MIG[1:])], {}),
    "a MIG device of a lost GPU": (
        {"MIG-1": LOST},
        False,
        [gpu("lost")],
        {"MIG-1": ("lost", NOW - 100)} | {"GPU-a": ("lost", NOW)},
    ),
}


@pytest.mark.parametrize(("written", "resumed", "gpus", "told"), RESTARTS.values(), ids=RESTARTS)
def test_what_a_new_process_makes_of_what_was_written(
    written: Mapping[str, DeviceTrouble], resumed: bool, gpus: list[Device], told: Told
) -> None:
    node = Node(written, resumed=resumed)
    node.reads(*gpus)
    assert node.told == told


def test_a_failure_that_was_remembered_ends_with_a_reset() -> None:
    node = Node({"GPU-a": FAILED}, resumed=True)
    node.reads(gpu("ok"))
    node.reads(gpu("lost"))
    node.reads(gpu("ok"))
    assert node.told == {}


states = st.sampled_from(["ok", "lost", "reset_required", "unreadable"])
readings = st.lists(st.tuples(states, states), min_size=1, max_size=12)


@given(readings, st.integers(0, 11))
def test_an_agent_that_is_killed_between_two_readings_tells_the_same_in_the_end(
    steps: list[tuple[DeviceState, DeviceState]], killed_after: int
) -> None:
    whole, broken = Node(), Node()
    for number, (first, second) in enumerate(steps):
        for node in (whole, broken):
            node.reads(gpu(first, "GPU-a"), gpu(second, "GPU-b"))
        if number == killed_after:
            broken.starts_anew(resumed=True)
    assert broken.told == whole.told


@given(readings)
def test_who_was_well_at_the_last_reading_is_told_to_be_so(steps: list[tuple[DeviceState, DeviceState]]) -> None:
    node = Node()
    for first, second in steps:
        node.reads(gpu(first, "GPU-a"), gpu(second, "GPU-b"))
    for uuid, state in zip(("GPU-a", "GPU-b"), steps[-1], strict=True):
        if state != "unreadable":
            assert (uuid in node.told) == (state != "ok")


def test_nothing_is_known_before_the_first_reading() -> None:
    assert health.before_first_look({}, resumed=True) == Health()
