"""Why pods wait, in words: what the scheduler says of their jobs, or what is wrong with how they ask."""

from collections.abc import Callable
from typing import Final

from aliquot import names
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.reconcilers.pod_conditions import INVALID_REQUEST, problems_of
from aliquot.core.lifecycle import Wait
from aliquot.core.scheduling import Reason, WaitCode, explain

NO_RESERVATION: Final = "NoReservation"
"""Why a pod waits that is to get a part of a GPU: nobody can hold the GPU for it."""


class Verdicts:
    """Answers why a pod waits.

    Args:
        mirror: knows the pods.
        job_of: the job of a pod, by its uid.
        waiting: why a job waits, as of the last round.
        held_up: why a pod waits for which a place was found, by its uid; empty: nothing is known to be wrong.
    """

    def __init__(
        self,
        mirror: Mirror,
        job_of: Callable[[str], str],
        waiting: Callable[[str], Reason | None],
        held_up: Callable[[str], str],
    ) -> None:
        self._held_up = held_up
        self._mirror = mirror
        self._job_of = job_of
        self._waiting = waiting

    def of(self, uid: str) -> Wait | None:
        """Why the pod waits; None: it does not, or no round has seen it."""
        reason = self._waiting(self._job_of(uid))
        if reason is None:
            trouble = self._held_up(uid)
            return Wait(NO_RESERVATION, trouble) if trouble else None
        if reason.code is WaitCode.NO_SUCH_NODE and reason.details.get("resource") == names.UNREADABLE_RESOURCE:
            pod = self._mirror.pod(uid)
            return Wait(INVALID_REQUEST, problems_of(pod) if pod is not None else "")
        return Wait(reason.code.value, explain(reason))
