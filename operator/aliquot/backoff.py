"""How long to wait before trying again: exponential, capped, spread so that many clients do not come back at once."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double with each failure.

    Attributes:
        base_seconds: wait after the first failure.
        cap_seconds: longest wait.
        spread: share of each wait that is left to chance, from 0 (none) to 1.
    """

    base_seconds: float
    cap_seconds: float
    spread: float = 0.0

    def seconds(self, failures: int, chance: Random | None = None) -> float:
        """Seconds to wait after so many failures in a row (at least 1); at most the cap.

        Args:
            failures: how often it failed in a row.
            chance: where the spread comes from; without it there is none.
        """
        # Past 2^40 the power only costs time: the cap has long been reached.
        wait = min(self.base_seconds * 2.0 ** min(failures - 1, 40), self.cap_seconds)
        return wait if chance is None else wait * (1 - self.spread * chance.random())
