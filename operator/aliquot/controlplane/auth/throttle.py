"""How long somebody who guesses has to wait. Pure: counts and times in, counts and times out.

    attempts      1 … n        n + 1            n + 2             …
    wait before   none         wait_seconds     twice as long     … longest_wait_seconds

A success forgets the failures; so does time.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

_MOST_DOUBLINGS: Final = 30
_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Failures:
    """What is known of one name, or of one name from one address.

    Attributes:
        count: failures in a row.
        waits_until_ms: when the next attempt is looked at.
    """

    count: int = 0
    waits_until_ms: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """The settings of it, in seconds."""

    attempts: int
    wait_seconds: float
    longest_wait_seconds: float

    def after_failure(self, before: Failures, now_ms: int) -> Failures:
        """What is known after one more failure."""
        count = 1 if self.is_forgotten(before, now_ms) else before.count + 1
        doublings = min(count - self.attempts, _MOST_DOUBLINGS)
        wait = 0.0 if doublings < 0 else min(self.wait_seconds * 2**doublings, self.longest_wait_seconds)
        return Failures(count, now_ms + int(wait * _MS))

    def is_forgotten(self, failures: Failures, now_ms: int) -> bool:
        """Whether the last one is so long ago that they do not count any more."""
        return now_ms >= failures.waits_until_ms + int(self.longest_wait_seconds * _MS)


def seconds_to_wait(failures: Failures, now_ms: int) -> int:
    """How long until the next attempt is looked at; 0: it is looked at now."""
    return max(0, -(-(failures.waits_until_ms - now_ms) // _MS))


def key(*parts: str) -> str:
    """Under which failures are kept: of fixed length, whatever somebody types."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()
