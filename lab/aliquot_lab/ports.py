"""Ports for processes of labs: each is given to one process that asks, and to nobody else while that process lives.

That nothing listens at a port says little: what listened there may have been killed by a test that starts it again.
"""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from aliquot_lab.errors import LabError

HOST: Final = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing connections: a client that dials while the API server
# is down could otherwise be given that very port.
_PORTS: Final = range(20000, 30000)
_given: Final = set[int]()


def free_ports(count: int, among: Sequence[int] = _PORTS) -> list[int]:
    """Ports at which nothing listens, and which nobody else is given until this process ends.

    Args:
        count: how many.
        among: those that may be given.

    Raises:
        LabError: there are not that many.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(among, len(among)):
        if port in _given or not _nobody_listens(port) or not _take(port):
            continue
        _given.add(port)
        found.append(port)
        if len(found) == count:
            return found
    message = f"no {count} free ports between {min(among)} and {max(among)}"
    raise LabError(message)


def _nobody_listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _take(port: int) -> bool:
    """Lock the port's byte of a file that this user's processes share; the kernel unlocks it when this one ends."""
    try:
        fcntl.lockf(_shared_file(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _shared_file() -> int:
    path = Path(tempfile.gettempdir()) / f"aliquot-ports-{os.getuid()}.lock"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
