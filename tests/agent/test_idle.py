"""Since when pods do nothing."""

import pytest

from aliquot.agent.attribution import IdleTimes

A = "a"


def after(*looks: tuple[float, bool | None], begun: float | None = None) -> int | None:
    """What is said of one pod after these looks: seconds, and whether it worked."""
    times = IdleTimes[str]()
    for when, busy in looks:
        times.look({A: busy}, when, None if begun is None else {A: begun})
    return times.seconds(A)


CASES: dict[str, tuple[list[tuple[float, bool | None]], int]] = {
    "seen for the first time": ([(0, False)], 0),
    "less than a window": ([(0, False), (29, False)], 0),
    "a window": ([(0, False), (15, False), (30, False)], 30),
    "windows are whole": ([(0, False), (20, False), (40, False), (59, False)], 30),
    "any work begins anew": ([(0, False), (30, False), (45, True), (60, False)], 0),
    "it counts from the last work seen": ([(0, True), (15, False), (30, False)], 30),
    "what is not known counts as work": ([(0, False), (30, False), (40, None), (60, False)], 0),
    "nobody looked for longer than a window": ([(0, False), (30, False), (61, False)], 0),
}


@pytest.mark.parametrize(("looks", "seconds"), CASES.values(), ids=CASES)
def test_idleness_counts_in_windows_of_thirty_seconds(looks: list[tuple[float, bool | None]], seconds: int) -> None:
    assert after(*looks) == seconds


def test_what_was_written_before_this_process_began_counts_on() -> None:
    assert after((0, False), (10, False), begun=95) == 90


def test_what_was_written_does_not_count_against_work_that_is_seen() -> None:
    assert after((0, True), (30, False), begun=95) == 30


def test_who_is_gone_is_forgotten() -> None:
    times = IdleTimes[str]()
    times.look({A: False}, 0)
    times.look({}, 20)
    times.look({A: False}, 40)
    assert times.seconds(A) == 0
    assert times.seconds("nobody") is None
