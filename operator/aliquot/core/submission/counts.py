"""Whole numbers of a workload: how many pods, how many tries, how many seconds."""

from typing import Final

from aliquot.contracts.kinds.parameters import InteractiveParameters, PodParameters, TrainingParameters
from aliquot.contracts.kinds.shapes import INT32_MAX
from aliquot.core.submission.durations import parse_duration
from aliquot.core.submission.problems import Problems

MOST_PODS: Final = 100_000
"""Pods of one workload at most, as in the schema."""
DURATION_ALLOWED: Final = "a length of time, such as 5s, 2m or 3h"


def read_count(
    parameter: str, count: int | None, default: int, problems: Problems, least: int = 0, most: int = INT32_MAX
) -> int:
    """Read a number that has a default.

    Args:
        parameter: what it is called in an object, such as `backoffLimit`.
        count: as written.
        default: where nothing is, or something wrong.
        problems: takes what is wrong.
        least: smallest that is allowed.
        most: largest that is allowed.
    """
    if count is None:
        return default
    if not least <= count <= most:
        problems.add(f"spec.{parameter}.value", count, f"a whole number from {least} to {most}")
        return default
    return count


def read_seconds_to_deletion(spec: PodParameters, problems: Problems) -> int | None:
    """Read how many seconds after its end the workload goes; None: it stays."""
    seconds = spec.auto_deletion_time_after_completion_seconds.value
    older = spec.ttl_after_finish.value if isinstance(spec, TrainingParameters) else None
    if older is not None and seconds is not None:
        allowed = "left out, because spec.autoDeletionTimeAfterCompletionSeconds says it"
        problems.add("spec.ttlAfterFinish.value", older, allowed)
    elif older is not None:
        seconds = parse_duration(older)
        if seconds is None or seconds > INT32_MAX:
            problems.add("spec.ttlAfterFinish.value", older, DURATION_ALLOWED)
            return None
    if seconds is None:
        return None
    return read_count("autoDeletionTimeAfterCompletionSeconds", seconds, 0, problems)


def read_preemption_limit(spec: PodParameters, problems: Problems) -> int | None:
    """Read how many preemptions the workload bears: with `terminateAfterPreemption`, none; None: any number."""
    limit = spec.preemption_limit.value
    bears = None if limit is None else read_count("preemptionLimit", limit, 0, problems)
    ends = isinstance(spec, TrainingParameters | InteractiveParameters) and spec.terminate_after_preemption.value
    return 0 if ends else bears
