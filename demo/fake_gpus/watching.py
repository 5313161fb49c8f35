"""Follows a state file that others replace."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from demo.fake_gpus import state
from demo.fake_gpus.model import NodeState

LOG = logging.getLogger("fake_gpus")


def identity(path: Path) -> tuple[int, ...] | None:
    """Tells a file from the one that replaced it; None: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class WatchedState:
    """The state file as it is now. A file that is not in order changes nothing; it is told in the log."""

    def __init__(self, path: Path) -> None:
        """Read it for the first time.

        Raises:
            StateError: it is not in order.
        """
        self._path = path
        self._seen = identity(path)
        self._changed = asyncio.Condition()
        self.version = 0
        self.node: NodeState = state.read(path)

    async def poll(self) -> None:
        """Look whether the file was replaced."""
        found = identity(self._path)
        if found == self._seen:
            return
        self._seen = found
        try:
            self.node = state.read(self._path)
        except state.StateError as problem:
            LOG.warning("the last state stays in force: %s", problem)
            return
        async with self._changed:
            self.version += 1
            self._changed.notify_all()

    async def change(self, since: int, over: Callable[[], bool]) -> None:
        """Wait until there is another version than `since`, or nobody wants to know any more; see `nudge`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.version != since or over())

    async def nudge(self) -> None:
        """Have those who wait for a change look whether they still want to know."""
        async with self._changed:
            self._changed.notify_all()
