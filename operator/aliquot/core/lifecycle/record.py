"""What must survive the loss of pods: read from the workload's own status.

Finished pods go with their node, or when somebody deletes them. What they achieved and how often they failed must not
be forgotten with them, or work would be done twice and retries would never end.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.core.lifecycle.limits import Timing, timing_of
from aliquot.core.lifecycle.preemptions import NEVER, Preemptions

Outcome = Literal["Completed", "Failed"]

COMPLETED: Final = "Completed"
FAILED: Final = "Failed"
TIMED_OUT: Final = "TimedOut"
"""Reason of a workload whose time was over (cluster-api.md 6.1); whatever its kind, it stays ended."""
PREEMPTED: Final = "Preempted"
"""Reason of a workload that has lost its GPUs to others once too often; whatever its kind, it stays ended."""
INVALID_SPEC: Final = "InvalidSpec"
"""Reason of a workload that cannot be carried out as it is written. Unlike other failures it is curable."""
_MOST_INDEXES: Final = 100_000
"""As many completions as a workload may have (contracts.kinds.parameters); no more are read."""
_RANGE: Final = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Record:
    """What a workload's status remembers.

    Attributes:
        completed: indexes that have succeeded.
        failed: pods that failed by themselves; never falls.
        finished: how it ended, for good; None: it has not.
        completed_at: when it ended, in Unix seconds.
        timing: how long it has run, and may run; None: no limit holds.
        timed_out: it ended because its time was over.
        preempted: it ended because others took its GPUs.
        preemptions: how often they did.
    """

    completed: frozenset[int] = frozenset()
    failed: int = 0
    finished: Outcome | None = None
    completed_at: float | None = None
    timing: Timing | None = None
    timed_out: bool = False
    preempted: bool = False
    preemptions: Preemptions = NEVER


def record_of(status: WorkloadStatus) -> Record:
    """Read the record. What it holds that cannot be read is skipped: people can edit a status."""
    return Record(
        completed=read_indexes(status.completed_indexes or ""),
        failed=max(0, status.failed_pods or 0),
        finished=_finished(status),
        completed_at=status.completion_time.timestamp() if status.completion_time else None,
        timing=timing_of(status.time_limits),
        timed_out=_failed_as(status, TIMED_OUT),
        preempted=_failed_as(status, PREEMPTED),
        preemptions=Preemptions(max(0, status.preemptions or 0), status.counted_pods),
    )


def _failed_as(status: WorkloadStatus, reason: str) -> bool:
    return any(
        (condition.type, condition.status, condition.reason) == (FAILED, "True", reason)
        for condition in status.conditions
    )


def _finished(status: WorkloadStatus) -> Outcome | None:
    """Read the outcome from the conditions: the phase is `Terminating` while a finished workload is deleted."""
    for condition in status.conditions:
        if condition.status == "True" and condition.reason != INVALID_SPEC:
            if condition.type == COMPLETED:
                return "Completed"
            if condition.type == FAILED:
                return "Failed"
    return None


def read_indexes(written: str) -> frozenset[int]:
    """Read indexes as batch/v1 Jobs write them, such as `0-3,5`."""
    if not written:
        return frozenset()
    indexes: set[int] = set()
    for part in written.split(","):
        found = _RANGE.fullmatch(part.strip())
        if found:
            first = int(found[1])
            indexes.update(range(first, min(int(found[2] or first) + 1, _MOST_INDEXES)))
    return frozenset(indexes)


def write_indexes(indexes: Iterable[int]) -> str:
    """Write indexes in order, neighbours as a range: `0-3,5`."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in _ranges(sorted(indexes)))


def _ranges(indexes: list[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for position, index in enumerate(indexes):
        if position + 1 == len(indexes) or indexes[position + 1] != index + 1:
            yield indexes[start], index
            start = position + 1
