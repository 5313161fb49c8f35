from random import Random

from hypothesis import given
from hypothesis import strategies as st

from aliquot.backoff import Backoff


def test_waits_double_up_to_the_cap() -> None:
    backoff = Backoff(base_seconds=0.5, cap_seconds=5)
    assert [backoff.seconds(failures) for failures in range(1, 7)] == [0.5, 1, 2, 4, 5, 5]


def test_a_million_failures_still_have_a_wait() -> None:
    assert Backoff(base_seconds=0.005, cap_seconds=960).seconds(1_000_000) == 960


@given(st.integers(1, 100), st.floats(0, 1), st.integers())
def test_chance_shortens_a_wait_by_no_more_than_its_share(failures: int, spread: float, seed: int) -> None:
    backoff = Backoff(base_seconds=0.2, cap_seconds=30, spread=spread)
    longest = backoff.seconds(failures)
    assert longest * (1 - spread) <= backoff.seconds(failures, Random(seed)) <= longest
