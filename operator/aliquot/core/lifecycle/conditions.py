"""The conditions in a status, for programs that wait for one aspect (`kubectl wait --for=condition=Completed`).

    PodsScheduled   every pod that is there to stay has a node
    Running         every pod that should be alive runs
    Submitted       everything was made that the workload needs      } only while they are true, as for batch/v1 Jobs
    Completed       the workload ended well                          }
    Failed          it ended badly, or cannot be carried out         }

    GpusHealthy     False: a pod has a GPU that cannot be used       } only while they are false, with a sentence
    GpuMemoryKept   False: a pod uses more of a GPU than its part    }

Sentences are in `phaseMessage` alone: a status is written often and must stay small. That of a workload that cannot be
carried out is written once, and its condition has the sentence too.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.status import CreationStatus, WorkloadStatus
from aliquot.core.lifecycle.account import Account
from aliquot.core.lifecycle.facts import Facts
from aliquot.core.lifecycle.phase import Stand, clip, standing, wanted_pods
from aliquot.core.lifecycle.pods import GPU_TROUBLES, PodPhase
from aliquot.core.lifecycle.record import COMPLETED, FAILED
from aliquot.core.lifecycle.times import moment

PODS_SCHEDULED: Final = "PodsScheduled"
RUNNING: Final = "Running"
SUBMITTED: Final = "Submitted"


def conditions(
    facts: Facts, account: Account, stands: Stand, before: WorkloadStatus, now: float
) -> tuple[Condition, ...]:
    """Return all conditions; a time changes only if its condition's status does."""
    earlier = {condition.type: condition for condition in before.conditions}
    why_not = stands.reason or stands.phase
    aspects: list[tuple[str, bool, str]] = []
    if facts.pods or RUNNING in earlier:
        staying = standing(facts.pods)
        scheduled = bool(staying) and all(pod.node for pod in staying)
        running = sum(pod.phase is PodPhase.RUNNING for pod in staying)
        runs = running > 0 and running >= wanted_pods(facts, account)
        aspects += [
            (PODS_SCHEDULED, scheduled, PODS_SCHEDULED if scheduled else why_not),
            (RUNNING, runs, RUNNING if runs else why_not),
        ]
    if account.outcome is not None:
        end = COMPLETED if account.outcome == "Completed" else FAILED
        known = earlier.get(end)
        why = known.reason if known and stands.phase != account.outcome else stands.reason
        aspects.append((end, True, why or end))
    elif stands.phase == "Failed":
        aspects.append((FAILED, True, why_not))
    made = (
        *_of_gpus(facts, earlier, now),
        *(_condition(*aspect, earlier.get(aspect[0]), now) for aspect in aspects),
    )
    if account.outcome is None and stands.phase == "Failed":
        return (*made[:-1], made[-1].model_copy(update={"message": stands.message}))
    return made


def _of_gpus(facts: Facts, earlier: Mapping[str, Condition], now: float) -> Iterator[Condition]:
    """What is wrong with GPUs of pods that are alive: of each kind the first pod's, by index."""
    pods = sorted(facts.alive, key=lambda pod: (pod.index, pod.attempt, pod.name))
    for kind in GPU_TROUBLES:
        told = ((pod, why, what) for pod in pods for which, why, what in pod.gpu_troubles if which == kind)
        first = next(told, None)
        if first is not None:
            pod, why, what = first
            name = kind.partition("/")[2]
            made = _condition(name, False, why, earlier.get(name), now)
            yield made.model_copy(update={"message": clip(f"pod {pod.name}: {what}")})


def submission(creation: CreationStatus | None, before: WorkloadStatus, now: float) -> tuple[Condition, ...]:
    """Return the condition that says that a workload of our own kinds is submitted, if it is (cluster-api.md 1.6).

    Args:
        creation: whether everything was made.
        before: the status so far.
        now: Unix seconds.
    """
    if creation != "Submitted":
        return ()
    earlier = next((each for each in before.conditions if each.type == SUBMITTED), None)
    return (_condition(SUBMITTED, True, SUBMITTED, earlier, now),)


def _condition(type_: str, holds: bool, reason: str, earlier: Condition | None, now: float) -> Condition:
    status = "True" if holds else "False"
    since = earlier.last_transition_time if earlier and earlier.status == status else None
    return Condition(type=type_, status=status, reason=reason, last_transition_time=since or moment(now))
