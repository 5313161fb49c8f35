"""Since when a pod's GPUs have had no work, and when that was last seen, as its annotations are to say it."""

from typing import Final

from aliquot import names
from aliquot.agent.pods import idle_since, time_in
from aliquot.clock import timestamp
from aliquot.contracts.agent_reports import IDLE_RENEWAL_SECONDS
from aliquot.contracts.kubernetes import Pod

_NEAR_SECONDS: Final = 60
"""What stands on a pod is right when it is as near as this: clocks are put right by some seconds now and then."""


def idle_annotations(since: float | None, pod: Pod, now: float, least_seconds: float) -> dict[str, str | None]:
    """What the annotations are to say; None: they are not to be there. Arguments as of `idle_text`."""
    text = idle_text(since, pod, now, least_seconds)
    return {
        names.GPU_IDLE_SINCE_ANNOTATION: text,
        names.GPU_IDLE_SEEN_ANNOTATION: None if text is None else _seen(pod, now),
    }


def _seen(pod: Pod, now: float) -> str:
    written = time_in(pod, names.GPU_IDLE_SEEN_ANNOTATION)
    if written is not None and 0 <= now - written < IDLE_RENEWAL_SECONDS:
        return pod.metadata.annotations[names.GPU_IDLE_SEEN_ANNOTATION]
    return timestamp(now // _NEAR_SECONDS * _NEAR_SECONDS)  # so that it is the same while a write is under way


def idle_text(since: float | None, pod: Pod, now: float, least_seconds: float) -> str | None:
    """What the annotation is to say; None: it is not to be there.

    Args:
        since: when its GPUs last had work, in Unix seconds; None: they have, or it is not known.
        pod: it, with what it says now.
        now: Unix seconds.
        least_seconds: shorter idleness is not told, so that a pod that works costs no writes.
    """
    if since is None or now - since < least_seconds:
        return None
    written = idle_since(pod)
    if written is not None and abs(written - since) <= _NEAR_SECONDS:
        return pod.metadata.annotations[names.GPU_IDLE_SINCE_ANNOTATION]
    return timestamp(max(since, 0))
