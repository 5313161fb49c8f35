"""How a workload of another kind is doing, in the phases, words and conditions of our own (cluster-api.md 6.2).

Whether it has ended it says itself, if its kind has words for that; else its pods do. While it goes on, its pods that
are alive are looked at as those of a workload of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.external import ChildId, ExternalCondition, ObservedStatus
from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.core.lifecycle.account import Account
from aliquot.core.lifecycle.conditions import conditions
from aliquot.core.lifecycle.facts import Facts, Wait
from aliquot.core.lifecycle.phase import SUSPENDED, Stand, clip, stand
from aliquot.core.lifecycle.pods import ObservedPod, PodPhase
from aliquot.core.lifecycle.record import Outcome
from aliquot.core.lifecycle.times import moment

MOST_CHILDREN: Final = 1000
"""Pods that a report names; each write carries them."""


@dataclass(frozen=True, slots=True)
class ForeignFacts:
    """What is known of a workload of another kind.

    Attributes:
        pods: all that exist, oldest first.
        latest: those of them that were scheduled together last.
        wait: why pods have no node, from the scheduler.
        problems: what it says and makes no sense, a sentence each.
        outcome: how it has ended, by its own account.
        tells_its_end: whether its kind has words for that.
        stopped: it is suspended.
        word: what it says of itself in one word.
        deleting: its deletion was asked for.
    """

    pods: tuple[ObservedPod, ...]
    latest: tuple[ObservedPod, ...] = ()
    wait: Wait | None = None
    problems: tuple[str, ...] = ()
    outcome: Outcome | None = None
    tells_its_end: bool = False
    stopped: bool = False
    word: str = ""
    deleting: bool = False


def observed_status(given: ForeignFacts, before: ObservedStatus | None, now: float) -> ObservedStatus:
    """Make the status.

    Args:
        given: what is known.
        before: the status so far.
        now: Unix seconds.

    Returns:
        `before` itself if there is nothing to write.
    """
    outcome = given.outcome or _outcome_of_pods(given)
    alive = tuple(pod for pod in given.pods if pod.alive)
    facts = Facts(
        generation=0,
        created=0.0,
        project=None,
        job_name=None,
        spec=None,
        errors=(),
        pods=alive,
        wait=given.wait,
        trouble=None,
        deleting=given.deleting,
    )
    account = Account(frozenset(), {}, 0, {}, outcome, None)
    known = _known(before)
    stands = _stand(given, facts, outcome) or stand(facts, _UNDER_WAY, known)
    message = "; ".join(clip(text) for text in (stands.message, *given.problems))
    found = conditions(facts, account, stands, known, now)
    after = ObservedStatus(
        phase=stands.phase,
        message=message or None,
        k8s_status=given.word or None,
        last_status_change_time=before.last_status_change_time if before is not None else None,
        child_ids=tuple(ChildId(type="Pod", uid=pod.uid) for pod in given.pods[:MOST_CHILDREN]),
        conditions=tuple(
            ExternalCondition(
                type=each.type,
                status=each.status,
                reason=each.reason,
                last_transition_time=each.last_transition_time,
            )
            for each in found
        ),
    )
    if before is not None and after == before:
        return before
    return after.model_copy(update={"last_status_change_time": moment(now)})


_UNDER_WAY: Final = Account(frozenset(), {}, 0, {}, None, None)


def _outcome_of_pods(given: ForeignFacts) -> Outcome | None:
    """How it has ended, where only its pods tell."""
    if given.tells_its_end or given.stopped or not given.latest or any(pod.alive for pod in given.pods):
        return None
    if any(pod.own_failure for pod in given.latest):
        return "Failed"
    return "Completed" if all(pod.phase is PodPhase.SUCCEEDED for pod in given.latest) else None


def _stand(given: ForeignFacts, facts: Facts, outcome: Outcome | None) -> Stand | None:
    """How it stands, where that does not follow from pods that are alive; None: it does."""
    if given.deleting:
        return None
    if outcome is not None:
        return Stand(outcome, None, _ended(given, outcome))
    if given.stopped:
        alive = len(facts.pods)
        return Stand("Stopped", SUSPENDED, f"suspended{f'; {_pods(alive)} still to end' if alive else ''}")
    if not facts.pods:
        return Stand("Pending", None, "it has no pods that run or wait")
    return None


def _ended(given: ForeignFacts, outcome: Outcome) -> str:
    if outcome == "Completed":
        succeeded = sum(pod.phase is PodPhase.SUCCEEDED for pod in given.pods)
        return f"{_pods(succeeded)} succeeded" if succeeded else "it has completed"
    last = _last_failed(given.pods)
    why = "" if last is None else f"; pod {last.name} failed" + (f" ({last.reason})" if last.reason else "")
    return f"it has failed{why}"


def _last_failed(pods: Sequence[ObservedPod]) -> ObservedPod | None:
    failed = [pod for pod in pods if pod.own_failure]
    return max(failed, key=lambda pod: (pod.finished_at or 0.0, pod.name), default=None)


def _known(before: ObservedStatus | None) -> WorkloadStatus:
    """What was written before, in the form of our own statuses."""
    if before is None:
        return WorkloadStatus()
    members = {"type", "status", "reason", "last_transition_time"}
    known = (Condition.model_validate(each.model_dump(include=members)) for each in before.conditions)
    return WorkloadStatus(conditions=tuple(known), creation_status="Submitted")


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"
