"""Waiting for what processes of a lab bring about."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from aliquot_lab.cluster import Cluster
from aliquot_lab.errors import LabError
from aliquot_lab.supervision import tail

_READY_SECONDS: Final = 180.0


def wait_for(
    condition: Callable[[], bool], what: str, cluster: Cluster, *processes: str, restarting: Sequence[str] = ()
) -> None:
    """Wait for a condition, as long as the processes that bring it about run.

    Args:
        condition: What is waited for.
        what: The same in words.
        cluster: The lab.
        processes: Those of it that must not end.
        restarting: Those that may, as they are started again.

    Raises:
        LabError: one of them ended, or the condition did not come about in time; the message has the end of its log.
    """
    deadline = time.monotonic() + _READY_SECONDS
    while not condition():
        running = cluster.processes()
        for process in processes:
            if process not in running:
                message = f"waited for {what}, but {process} has ended:\n{tail(cluster.log(process))}"
                raise LabError(message)
        if time.monotonic() > deadline:
            logs = "\n".join(tail(cluster.log(process)) for process in (*processes, *restarting))
            message = f"waited {_READY_SECONDS:.0f} s for {what}:\n{logs}"
            raise LabError(message)
        time.sleep(0.1)
