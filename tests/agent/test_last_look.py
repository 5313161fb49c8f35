"""What one process of the agent leaves to the next."""

from pathlib import Path

import pytest

from aliquot.agent.last_look import LastLook
from tests.agent.manual_clock import ManualClock

DEVICES = {"GPU-a": ("GPU-a",), "GPU-b": ("MIG-1", "MIG-2")}


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    boots(tmp_path, "one")
    return tmp_path


def boots(proc: Path, name: str) -> None:
    (proc / "sys/kernel/random/boot_id").write_text(f"{name}\n")


def last_look(proc: Path, seconds: float = 1_000, *, wall_jump_seconds: float = 0) -> LastLook:
    clock = ManualClock()
    clock.seconds = seconds
    clock.wall_offset_seconds += wall_jump_seconds
    return LastLook(proc / "last", proc, clock, 120)


def test_the_next_process_knows_what_was_seen_and_when(proc: Path) -> None:
    assert (last_look(proc).is_recent(), last_look(proc).devices) == (False, {})
    last_look(proc).note(DEVICES)
    assert last_look(proc, 1_120).is_recent()
    assert not last_look(proc, 1_121).is_recent()
    assert last_look(proc, 9_000).devices == DEVICES


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_makes_a_gap_neither_longer_nor_shorter(proc: Path, jump: float) -> None:
    last_look(proc).note(DEVICES)
    assert last_look(proc, 1_100, wall_jump_seconds=jump).is_recent()
    assert not last_look(proc, 1_200, wall_jump_seconds=jump).is_recent()


def test_a_machine_that_started_anew_knows_nothing(proc: Path) -> None:
    last_look(proc).note(DEVICES)
    boots(proc, "two")
    assert (last_look(proc, 1_001).is_recent(), last_look(proc, 1_001).devices) == (False, {})


@pytest.mark.parametrize(
    "text",
    ["", "soon", '{"boot":"one"}', '{"boot":"one","monotonic":1e999,"devices":{}}', "[" * 100_000],
    ids=["empty", "no JSON", "half", "endless", "deep"],
)
def test_a_file_that_is_not_in_order_is_none(proc: Path, text: str) -> None:
    (proc / "last").write_text(text)
    assert not last_look(proc).is_recent()


def test_where_no_file_can_be_written_the_agent_goes_on(proc: Path) -> None:
    (proc / "last").mkdir()
    last_look(proc).note(DEVICES)
    assert not last_look(proc).is_recent()
