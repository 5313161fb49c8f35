"""What is believed of the kubelet's answers."""

from dataclasses import dataclass
from typing import Final

_EMPTY_SECONDS: Final = 10
"""A kubelet that has just started lists no devices until it has read its pods: 0.7 s where nothing else is to do."""
_SILENCE_SECONDS: Final = 300
"""Without an answer for so long, nothing is known any more."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Devices of one resource that a container holds; `device_ids` are the device plugin's, for GPUs their UUIDs."""

    namespace: str
    pod: str
    container: str
    resource: str
    device_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Who holds what, by all that was heard.

    Attributes:
        assignments: by namespace, pod, container and resource.
        answering: whether the kubelet answered the last time.
        doubted_since: monotonic seconds since which it has said nothing, or that nobody holds anything; None: it said
            what is in `assignments` the last time.
    """

    assignments: tuple[Assignment, ...] = ()
    answering: bool = False
    doubted_since: float | None = None

    def heard(self, answer: tuple[Assignment, ...] | None, monotonic: float) -> "Listing":
        """What is known after another answer; None: there was none.

        That nobody holds anything any more is believed when it has been said for a while.
        """
        if answer or not self.assignments:
            return Listing(answer or (), answer is not None)
        doubted = monotonic if self.doubted_since is None else self.doubted_since
        patience = _SILENCE_SECONDS if answer is None else _EMPTY_SECONDS
        kept = self.assignments if monotonic - doubted < patience else ()
        return Listing(kept, answer is not None, doubted if kept else None)
