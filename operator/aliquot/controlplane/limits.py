"""How many requests who may make: so many at once, then so many a second. Kept by each instance for itself.

    callers     users and applications, each one by itself
    strangers   who has no token that counts yet, by address: signing in, keys, documents
    clusters    each one by itself, once it has proved who it is: nobody else can use its share up

Of each there is one number: when what it has asked for so far would have been allowed at the even rate (the generic
cell rate algorithm). Of many, those that were not heard of for longest are forgotten, and begin anew.
"""

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from threading import Lock
from typing import Final

from aliquot.clock import Clock
from aliquot.controlplane.refusals import TooMany

MOST_KNOWN: Final = 20_000
"""Some 3 MB."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second, and so many at once after a pause; 0 a second: no limit."""

    per_second: float
    burst: int

    def after(self, reached: float, now: float) -> tuple[float, float]:
        """What is known after one more request.

        Args:
            reached: what was known before; any time in the past: nothing.
            now: the time, in the same seconds.

        Returns:
            What is known from now on, and how many seconds it would have to wait; 0: it is let in.
        """
        interval = 1 / self.per_second
        if reached > now + (self.burst + 1) * interval:
            reached = now  # more than anybody can have reached: the clock is another one
        following = max(reached, now) + interval
        waits = following - now - self.burst * interval
        return (reached, waits) if waits > 0 else (following, 0.0)


class Budgets:
    """What each of many has left.

    Args:
        rate: of each.
        clock: the time.
        most: so many are known at the same time.
    """

    def __init__(self, rate: Rate, clock: Clock, most: int = MOST_KNOWN) -> None:
        self._rate = rate
        self._clock = clock
        self._most = most
        self._lock = Lock()
        self._reached: OrderedDict[str, float] = OrderedDict()

    def take(self, who: str) -> None:
        """Let one request in.

        Raises:
            TooMany: there were too many of them.
        """
        if not self._rate.per_second:
            return
        now = self._clock.monotonic()
        with self._lock:
            reached, waits = self._rate.after(self._reached.pop(who, now), now)
            self._reached[who] = reached
            if len(self._reached) > self._most:
                self._reached.popitem(last=False)
        if waits:
            raise TooMany("Too many requests.", ceil(waits))
