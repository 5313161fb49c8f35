"""When a status may be written: not while GPUs are being granted, and not for ever later.

    wanted ──▶ granting now? ──no──▶ written
                    │ yes, and it waits for less than its longest wait
                    └──▶ held ──▶ due ──▶ wanted again

A status write costs the API server more than creating a pod and binding it together (notes/lab.md 5), and while many
workloads start at once each write of a status makes somebody else wait for a GPU. What says that a workload has ended,
or was refused, is never held back.
"""

from collections.abc import Hashable
from itertools import takewhile
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Pace(Generic[K]):
    """Says which statuses may be written now. Times are seconds on any clock that does not go back.

    Args:
        calm_seconds: granting is over when nothing was granted for so long.
        longest_seconds: a status waits no longer than this.
    """

    def __init__(self, calm_seconds: float, longest_seconds: float) -> None:
        self._calm_seconds = calm_seconds
        self._longest_seconds = longest_seconds
        self._granted_at = float("-inf")
        self._wanted_since: dict[K, float] = {}
        self._urgent: set[K] = set()

    def granted(self, now: float) -> None:
        """Somebody has just got GPUs."""
        self._granted_at = now

    def hurry(self, key: K) -> None:
        """The status of the key must not wait."""
        self._urgent.add(key)

    def may_write(self, key: K, now: float) -> bool:
        """Whether the status may be written now; False: it is held until it is `due`."""
        since = self._wanted_since.setdefault(key, now)
        if key in self._urgent or self._calm(now) or now - since >= self._longest_seconds:
            self._urgent.discard(key)
            del self._wanted_since[key]
            return True
        return False

    def due(self, now: float) -> list[K]:
        """Keys whose statuses are held and may be written now; those that have waited longest first."""
        if self._calm(now):
            return list(self._wanted_since)
        # They are in the order in which they began to wait.
        waited = takewhile(lambda held: now - held[1] >= self._longest_seconds, self._wanted_since.items())
        return [key for key, _ in waited]

    def _calm(self, now: float) -> bool:
        return now - self._granted_at >= self._calm_seconds
