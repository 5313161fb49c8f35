"""A token bucket: so many at once, then so many a second."""


class TokenBucket:
    """Counts what may still be done; the caller tells the time, so it is as virtual as the caller's clock.

    Args:
        per_second: tokens that come back each second.
        burst: tokens in a full bucket.
        now: monotonic seconds.
    """

    __slots__ = ("_burst", "_per_second", "_tokens", "_updated")

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = float(burst)
        self._updated = now

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._updated) * self._per_second)
        self._updated = max(now, self._updated)

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def reserve(self, now: float) -> float:
        """Take a token that may not be there yet; returns the seconds until it is."""
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_second)

    def is_full(self, now: float) -> bool:
        """Whether it is as good as new, and need not be remembered."""
        self._refill(now)
        return self._tokens >= self._burst
