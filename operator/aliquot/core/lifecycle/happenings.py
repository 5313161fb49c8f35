"""What is told of a workload as Events: one for each change for which there is a reason, none for the ordinary."""

from dataclasses import dataclass
from typing import Final, Literal

from aliquot import names
from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.core.lifecycle.phase import BACK_OFF, BACKOFF_LIMIT_EXCEEDED, EVICTED, SUSPENDED
from aliquot.core.lifecycle.pods import CRASH_LOOP
from aliquot.core.lifecycle.record import INVALID_SPEC, PREEMPTED, TIMED_OUT

RESUMED: Final = "Resumed"
POD_FAILED: Final = "PodFailed"

_ONE_TROUBLE: Final = {"ErrImagePull": "ImagePullBackOff"}
"""Reasons between which the kubelet goes to and fro: the same thing to a person."""

_SERIOUS: Final = frozenset(
    {
        BACK_OFF,
        BACKOFF_LIMIT_EXCEEDED,
        CRASH_LOOP,
        EVICTED,
        INVALID_SPEC,
        PREEMPTED,
        TIMED_OUT,
        names.DISRUPTION_TARGET_CONDITION,
        # Who ends pods, from their DisruptionTarget conditions
        "DeletionByPodGC",
        "DeletionByTaintManager",
        "EvictionByEvictionAPI",
        "PreemptionByScheduler",
        "TerminationByKubelet",
        # What keeps containers from starting, from the kubelet
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
        "SignatureValidationFailed",
    }
)


@dataclass(frozen=True, slots=True)
class Happening:
    """An Event on the workload.

    Attributes:
        type: Warning if somebody may have to do something.
        reason: one word for programs.
        message: a sentence for people.
    """

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def happenings(before: WorkloadStatus, after: WorkloadStatus) -> tuple[Happening, ...]:
    """Tell what changed between two statuses of a workload.

    A sentence that changes while its reason stays is no happening. That a pod failed is one each time.
    """
    message = after.phase_message or ""
    failed_again = (after.failed_pods or 0) > (before.failed_pods or 0)
    if after.reason is not None:
        changed = _ONE_TROUBLE.get(after.reason, after.reason) != _ONE_TROUBLE.get(before.reason or "", before.reason)
        if changed or (after.reason == BACK_OFF and failed_again):
            return (Happening("Warning" if _serious(after) else "Normal", after.reason, message),)
    if failed_again and after.phase != "Terminating":
        return (Happening("Warning", POD_FAILED, f"pods that failed so far: {after.failed_pods}; {message}"),)
    if before.reason == SUSPENDED and after.reason is None and after.phase not in ("Terminating", "Completed"):
        return (Happening("Normal", RESUMED, "active is no longer false"),)
    return ()


def _serious(status: WorkloadStatus) -> bool:
    return status.reason in _SERIOUS or status.phase == "Degraded" or status.creation_status == "Failed"
