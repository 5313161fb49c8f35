"""Of several agents on a node only one writes: two that see different things would each undo what the other wrote."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from aliquot import log

_log = log.get(__name__)


class OnlyOne:
    """A lock on a folder of the node, which ends with the process whatever becomes of it.

    Args:
        folder: that of the kubelet's socket: all agents of a node see it, and it need not be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None
        self._waiting = False

    def is_ours(self) -> bool:
        """Whether this process is the one; tries to become it. Where there is no such folder everybody is."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            if not self._waiting:
                _log.warning("another agent of this node writes to the API server", folder=str(self._folder))
            self._waiting = True
            return False
        if self._waiting:
            _log.info("this agent writes to the API server now")
        self._waiting = False
        self._descriptor = descriptor
        return True

    def close(self) -> None:
        """Let another one write."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None
