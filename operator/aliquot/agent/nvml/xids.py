"""XID errors: what the driver reports of its own accord, kept in a queue that is emptied at each reading."""

from collections.abc import Iterable
from typing import Final

from aliquot.agent.nvml import library as nvml
from aliquot.agent.nvml.calls import LACKING, Calls, DeviceGoneError
from aliquot.agent.nvml.library import Handle, Library

OF_APPLICATIONS: Final = frozenset({13, 31, 43, 45, 68, 109})
"""What a program did wrong, by NVIDIA's catalogue of XIDs; the GPU is well. All others say that it may not be."""
_MOST_EVENTS: Final = 1_000
"""At one reading so many are taken from the queue: a reading has to end."""
_MOST_XID: Final = 1 << 16


class Xids:
    """XID errors of all GPUs, counted since the process began."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, int]] = {}
        self._last: dict[str, int] = {}
        self._failed: set[str] = set()
        self._events: Handle | None = None
        self._reporting: set[str] = set()

    def watch(self, library: Library, devices: Iterable[tuple[str, Handle]], calls: Calls) -> None:
        """Ask the driver to report, for GPUs that can; after the library was opened.

        Args:
            library: it is open.
            devices: UUID and handle of each.
            calls: how they are called.
        """
        self._reporting.clear()
        self._failed.clear()
        self._events = calls.ask(library.nvmlEventSetCreate)
        if self._events is None:
            return
        for uuid, handle in devices:
            try:
                offered = calls.ask(library.nvmlDeviceGetSupportedEventTypes, handle) or 0
                if offered & nvml.XID_EVENT:
                    answer = calls.attempt(library.nvmlDeviceRegisterEvents, handle, nvml.XID_EVENT, self._events)
                    if answer is not LACKING:
                        self._reporting.add(uuid)
            except DeviceGoneError:
                continue

    def take(self, library: Library, calls: Calls) -> None:
        """Count what was reported since the last time."""
        if self._events is None or not self._reporting:
            return
        for _ in range(_MOST_EVENTS):
            try:
                event = calls.ask(library.nvmlEventSetWait_v2, self._events, 0)
                if event is None:
                    return
                uuid = calls.text(library.nvmlDeviceGetUUID, event.device)
            except DeviceGoneError:
                return
            xid = calls.plausible(_MOST_XID, "nvmlEventSetWait_v2", event.eventData)
            if xid is not None and event.eventType == nvml.XID_EVENT:
                self._count(uuid, xid)

    def forget_queue(self) -> None:
        """The library was closed, and the queue with it; what was counted stays."""
        self._events = None
        self._reporting.clear()

    def _count(self, uuid: str, xid: int) -> None:
        counts = self._counts.setdefault(uuid, {})
        counts[xid] = counts.get(xid, 0) + 1
        self._last[uuid] = xid
        if xid not in OF_APPLICATIONS:
            self._failed.add(uuid)

    def of(self, uuid: str) -> tuple[tuple[tuple[int, int], ...], int | None]:
        """How often each came on a GPU, and the last one: 0 if none came, None if the GPU does not report any."""
        last = self._last.get(uuid, 0 if uuid in self._reporting else None)
        return tuple(sorted(self._counts.get(uuid, {}).items())), last

    def failed(self, uuid: str) -> bool:
        """Whether a GPU reported one that is not a program's fault since the library was opened."""
        return uuid in self._failed
