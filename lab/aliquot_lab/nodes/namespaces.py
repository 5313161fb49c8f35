"""Network namespaces of this process, and the `ip` program in them."""

import ctypes
import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from aliquot_lab.errors import LabError

_CLONE_NEWNET: Final = 0x40000000
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def leave_network() -> None:
    """Leave the network of this process for a new one, which is empty."""
    _checked(_LIBC.unshare(_CLONE_NEWNET), "unshare")


def network_of(pid: int | None = None) -> int:
    """A file descriptor of the network of a process; None is this one."""
    return os.open(f"/proc/{pid or 'self'}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def enter(network: int) -> None:
    """Enter the network of a file descriptor."""
    _checked(_LIBC.setns(network, _CLONE_NEWNET), "setns")


@contextmanager
def inside(network: int) -> Generator[None]:
    """Be in a network for a while; sockets and processes that are made meanwhile stay there."""
    here = network_of()
    try:
        enter(network)
        yield
    finally:
        enter(here)
        os.close(here)


def ip(*arguments: str) -> str:
    """Run `ip` in the network of this process and return its output.

    Raises:
        LabError: it failed; the message has its error output.
    """
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"ip {' '.join(arguments)}: {done.stderr.strip()}"
        raise LabError(message)
    return done.stdout


def _checked(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
