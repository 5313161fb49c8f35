"""Where a workload is in its life, and why: one phase, one reason, one sentence (cluster-api.md 6.2).

The first line that fits counts:

    phase         when
    Terminating   the workload is being deleted
    Completed     every index has succeeded             } for good
    Failed        more pods failed than backoffLimit    }
    Failed        TimedOut: a time limit was reached    }
    Failed        Preempted: others took its GPUs       }
    Failed        InvalidSpec; Degraded while pods of an earlier spec live
    Stopped       suspended
    Degraded      we cannot make what is missing, and pods live
    Pending       we cannot make what is missing; or pods wait for a node, or for a retry
    Creating      no pods yet
    Initializing  all pods have nodes, none runs
    Running       a pod runs; what the others wait for is the reason

A reason is there only if something is out of the ordinary: a workload that runs through never has one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.status import Phase, WorkloadStatus
from aliquot.core.lifecycle.account import Account
from aliquot.core.lifecycle.facts import Facts, Wait
from aliquot.core.lifecycle.pods import CRASH_LOOP, DELETED, ObservedPod, PodPhase
from aliquot.core.lifecycle.record import INVALID_SPEC, PREEMPTED, TIMED_OUT, Outcome
from aliquot.core.lifecycle.times import moment
from aliquot.errors import told

BACK_OFF: Final = "BackOff"
BACKOFF_LIMIT_EXCEEDED: Final = "BackoffLimitExceeded"
EVICTED: Final = "Evicted"
SUSPENDED: Final = "Suspended"

MOST_CHARACTERS: Final = 1024
"""Of one sentence from elsewhere; a status is written often and must stay small."""
_MOST_REASON_CHARACTERS: Final = 128


@dataclass(frozen=True, slots=True)
class Stand:
    """How a workload stands.

    Attributes:
        reason: one word; None: nothing is out of the ordinary.
        message: a sentence.
    """

    phase: Phase
    reason: str | None
    message: str


def stand(facts: Facts, account: Account, before: WorkloadStatus) -> Stand:
    """Find out how a workload stands.

    Args:
        facts: what is known of it.
        account: the balance of its pods.
        before: its status so far: what was said of a workload at its end stays.
    """
    alive = facts.alive
    if facts.deleting:
        return Stand("Terminating", None, f"is being deleted; {_pods(len(alive))} still to end")
    if account.outcome is not None:
        if before.phase == account.outcome and before.reason != INVALID_SPEC:
            return Stand(account.outcome, before.reason, before.phase_message or "")
        return _end(facts, account, account.outcome)
    if facts.errors:
        return Stand("Degraded" if alive else "Failed", INVALID_SPEC, told(facts.errors))
    if facts.course is not None and not facts.course.active:
        still = f"; {_pods(len(alive))} still to end" if alive else ""
        return Stand("Stopped", SUSPENDED, f"suspended: active is false{still}")
    if facts.trouble is not None:
        phase: Phase = "Degraded" if alive else "Pending"
        return Stand(phase, _word(facts.trouble.code), clip(facts.trouble.sentence))
    return _under_way(facts, account, before)


def wanted_pods(facts: Facts, account: Account) -> int:
    """Return how many pods should be alive now."""
    course = facts.course
    return 0 if course is None or not course.active or account.outcome is not None else course.wanted(account)


def standing(pods: Iterable[ObservedPod]) -> list[ObservedPod]:
    """Return the pods that are there to stay: alive, and nobody is ending them."""
    return [pod for pod in pods if pod.alive and not pod.deleting and not pod.disrupted]


def clip(text: str, characters: int = MOST_CHARACTERS) -> str:
    """Make one line of a text from elsewhere that terminals show as it is, and cut it to a length.

    Line breaks and tabs become spaces; what nobody sees, or what turns the direction of reading, becomes an escape.
    """
    if not text.isprintable():
        text = "".join(each if each.isprintable() else _shown(each) for each in text)
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _shown(character: str) -> str:
    return " " if character.isspace() else ascii(character)[1:-1]


def _end(facts: Facts, account: Account, outcome: Outcome) -> Stand:
    if outcome == "Completed":
        return Stand("Completed", None, f"{_pods(len(account.completed))} succeeded")
    if account.time_over is not None:
        return Stand("Failed", TIMED_OUT, account.time_over)
    if account.preempted is not None:
        return Stand("Failed", PREEMPTED, clip(account.preempted))
    last = max(account.last_failed.values(), key=lambda pod: (pod.finished_at or 0.0, pod.name), default=None)
    most = facts.course.backoff_limit if facts.course else None
    limit = f", backoffLimit: {most}" if most is not None else ""
    told = f"; {_failure(last)}" if last else ""
    return Stand("Failed", BACKOFF_LIMIT_EXCEEDED, f"failures: {account.failed}{limit}{told}")


def _under_way(facts: Facts, account: Account, before: WorkloadStatus) -> Stand:
    staying = standing(facts.pods)
    hindrance = _hindrance(facts, account, staying)
    reason = _word(hindrance.code) if hindrance else None
    sentence = clip(hindrance.sentence) if hindrance else None
    running = sum(pod.phase is PodPhase.RUNNING for pod in staying)
    if running:
        missing = max(wanted_pods(facts, account), len(staying)) - running
        return Stand("Running", reason, _running(running, missing, sentence))
    if staying:
        if all(pod.node for pod in staying):
            return Stand("Initializing", reason, sentence or f"{_pods(len(staying))} starting")
        without = sum(pod.node is None for pod in staying)
        return Stand("Pending", reason, sentence or f"{_pods(without)} without a node")
    if hindrance is None and not facts.pods and before.creation_status != "Submitted":
        return Stand("Creating", None, "pods are being created")
    leaving = len(facts.alive)
    what = f"{_pods(leaving)} still to end" if leaving else "the next pod is being created"
    return Stand("Pending", reason, sentence or what)


def _running(running: int, missing: int, sentence: str | None) -> str:
    if missing <= 0:
        return f"{_pods(running)} running" + (f"; {sentence}" if sentence else "")
    return f"{running} of {running + missing} pods running, {missing} not" + (f": {sentence}" if sentence else "")


def _hindrance(facts: Facts, account: Account, staying: list[ObservedPod]) -> Wait | None:
    """Return what is out of the ordinary; of several things, the one that explains most."""
    for pod in _sorted(facts.alive):
        if pod.disrupted and pod.reason not in ("", DELETED):
            by_us = pod.reason == names.EVICTED_BY_ALIQUOT_REASON
            why = f": {pod.message}" if pod.message else ""
            return Wait(EVICTED if by_us else pod.reason, f"pod {pod.name} is being stopped{why}")
    for pod in _sorted(staying):
        if pod.phase is PodPhase.STARTING and pod.reason:
            why = f": {pod.message}" if pod.message else ""
            what = "does not keep running" if pod.reason == CRASH_LOOP else "cannot start"
            return Wait(pod.reason, f"pod {pod.name} {what}: {pod.reason}{why}")
    some_wait = any(pod.node is None for pod in staying) or len(staying) < wanted_pods(facts, account)
    if facts.wait is not None and some_wait:
        return facts.wait
    return _back_off(facts, account)


def _back_off(facts: Facts, account: Account) -> Wait | None:
    """Return the failure that the next retry is for, of the indexes whose last pod failed."""
    newest: dict[int, ObservedPod] = {}
    for pod in facts.pods:
        if pod.index not in newest or pod.attempt > newest[pod.index].attempt:
            newest[pod.index] = pod
    waiting = [
        pod
        for pod in newest.values()
        if pod.own_failure
        and pod.index not in account.completed
        and (facts.course is None or facts.course.asks_for(pod.index))
    ]
    if not waiting:
        return None
    pod = min(waiting, key=lambda pod: (pod.finished_at or pod.created, pod.index))
    again = "to be tried again"
    if facts.retry is not None:
        due = moment(-int(-facts.retry.due(pod, account.failures.get(pod.index, 1)) // 1))
        again = f"next try at {due:%Y-%m-%dT%H:%M:%SZ} or later"
    most = facts.course.backoff_limit if facts.course else None
    allowed = f" of {most}" if most is not None else ""
    return Wait(BACK_OFF, f"{_failure(pod)}; {again}, retry {account.failed}{allowed}")


def _failure(pod: ObservedPod) -> str:
    if pod.reason == "OOMKilled":
        return f"pod {pod.name} ran out of memory and was killed (OOMKilled, exit code {pod.exit_code})"
    if pod.exit_code == 0 and not pod.reason:
        return f"pod {pod.name} ended with exit code 0"
    code = "" if pod.exit_code is None else f" with exit code {pod.exit_code}"
    word = f" ({pod.reason})" if pod.reason not in ("", "Error") else ""
    why = f": {clip(pod.message, MOST_CHARACTERS // 2)}" if pod.message else ""
    return f"pod {pod.name} failed{code}{word}{why}"


def _sorted(pods: Iterable[ObservedPod]) -> list[ObservedPod]:
    return sorted(pods, key=lambda pod: (pod.index, pod.attempt, pod.name))


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"


def _word(code: str) -> str:
    return clip(code, _MOST_REASON_CHARACTERS)
