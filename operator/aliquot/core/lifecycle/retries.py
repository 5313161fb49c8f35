"""How long an index whose pod failed waits for its next pod: longer each time, as for batch/v1 Jobs."""

from dataclasses import dataclass
from typing import Final

from aliquot.core.lifecycle.pods import ObservedPod

_MOST_DOUBLINGS: Final = 62
"""Beyond it every cap is reached, and a float would overflow at last."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How long a failed index waits.

    Attributes:
        base_seconds: after its first failure; doubles with each further one.
        cap_seconds: at most.
    """

    base_seconds: float
    cap_seconds: float

    def wait_seconds(self, failures: int) -> float:
        """Return how long an index waits after that many failures of its own."""
        if failures <= 0:
            return 0.0
        return min(self.cap_seconds, self.base_seconds * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))

    def due(self, last_failed: ObservedPod, failures: int) -> float:
        """Return when an index may have its next pod, in Unix seconds.

        Args:
            last_failed: its last pod that failed by itself.
            failures: how many did, with that one.
        """
        ended = last_failed.created if last_failed.finished_at is None else last_failed.finished_at
        return ended + self.wait_seconds(failures)
