"""Which containers processes run in: what the kernel says under /proc."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aliquot.agent.attribution import Container, container_of

_LONGEST_CGROUP: Final = 16 << 10
"""Bytes of one /proc/PID/cgroup: some dozen lines of at most a path's length."""


def owners(pids: Iterable[int], proc: Path) -> dict[int, Container]:
    """The container of each process that runs in one. Who has ended meanwhile, or may not be looked at, has none.

    Args:
        pids: in the pid namespace that `proc` shows; NVML's are the host's.
        proc: where that is mounted.
    """
    found: dict[int, Container] = {}
    for pid in pids:
        try:
            with (proc / str(pid) / "cgroup").open("rb") as file:
                text = file.read(_LONGEST_CGROUP)
        except OSError:
            continue
        container = container_of(text.decode(errors="replace"))
        if container is not None:
            found[pid] = container
    return found
