from hypothesis import given
from hypothesis import strategies as st

from aliquot.kube.token_bucket import TokenBucket


def test_so_many_at_once_then_so_many_a_second() -> None:
    bucket = TokenBucket(per_second=2, burst=3, now=100)
    assert [bucket.take(100) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(100.5), bucket.take(100.5)] == [True, False]
    assert [bucket.take(1000) for _ in range(4)] == [True, True, True, False]


def test_a_reservation_says_how_long_to_wait() -> None:
    bucket = TokenBucket(per_second=2, burst=1, now=0)
    assert [bucket.reserve(0) for _ in range(4)] == [0, 0.5, 1, 1.5]
    assert bucket.reserve(1.5) == 0.5


def test_it_is_full_again_when_all_tokens_are_back() -> None:
    bucket = TokenBucket(per_second=1, burst=2, now=0)
    assert bucket.is_full(0)
    bucket.take(0)
    assert not bucket.is_full(0.5)
    assert bucket.is_full(1)


@given(st.lists(st.floats(0, 5), max_size=50), st.floats(0.1, 10), st.integers(1, 5))
def test_never_more_than_burst_and_rate_allow(pauses: list[float], per_second: float, burst: int) -> None:
    bucket = TokenBucket(per_second, burst, 0)
    now, taken = 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
        assert taken <= burst + now * per_second + 1e-6


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(per_second=1, burst=1, now=100)
    assert bucket.take(100)
    assert not bucket.take(50)
    assert not bucket.take(100.5)
