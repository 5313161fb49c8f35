"""When the agent looked last, and at which GPUs: in a file that outlives its process, for the one that comes after it.

What a process has not seen counts as work, and a GPU that is lost does not say any more which one it is.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from aliquot import log
from aliquot.clock import Clock

_log = log.get(__name__)
_LONGEST: Final = 256 << 10
_BOOT_ID: Final = "sys/kernel/random/boot_id"

Devices = Mapping[str, tuple[str, ...]]
"""Of each GPU what the device plugin offers: itself, or its MIG devices."""


class _Note(msgspec.Struct, frozen=True):
    boot: str
    monotonic: float
    devices: dict[str, tuple[str, ...]]


class LastLook:
    """Remembers across processes, until the machine starts anew.

    Args:
        path: of the file; its folder is there.
        proc: where the kernel says which start of the machine this is.
        clock: the machine's; its monotonic time is the same for all processes.
        gap_seconds: a gap up to which a process goes on where another stopped.
    """

    def __init__(self, path: Path, proc: Path, clock: Clock, gap_seconds: float) -> None:
        self._path = path
        self._clock = clock
        self._gap_seconds = gap_seconds
        self._told = False
        try:
            self._boot = (proc / _BOOT_ID).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            self._boot = ""
        self._before = self._read()

    @property
    def devices(self) -> Devices:
        """What an earlier process saw since the machine started; empty: none did."""
        return {} if self._before is None else self._before.devices

    def is_recent(self) -> bool:
        """Whether the process before this one looked a moment ago."""
        if self._before is None:
            return False
        gap = self._clock.monotonic() - self._before.monotonic
        return math.isfinite(gap) and 0 <= gap <= self._gap_seconds

    def note(self, devices: Devices) -> None:
        """This process has looked. A file that cannot be written makes the next one begin anew, and is told once."""
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            beside.write_bytes(msgspec.json.encode(_Note(self._boot, self._clock.monotonic(), dict(devices))))
            beside.replace(self._path)
        except OSError as error:
            if not self._told:
                self._told = True
                _log.warning("no note of the last look", file=str(self._path), reason=str(error))

    def _read(self) -> _Note | None:
        try:
            with self._path.open("rb") as file:
                note = msgspec.json.decode(file.read(_LONGEST), type=_Note)
        except (OSError, msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        return note if note.boot == self._boot else None
