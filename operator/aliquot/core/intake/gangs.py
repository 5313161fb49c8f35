"""Gangs: the pods of one namespace that name the same group are one job, all others are jobs of their own.

    pod-group-name: NAME              which gang
    aliquot.dev/min-member: "3"       it starts with so many of its pods, or not at all; left out: 1

What each pod says is a `PodFacts`; what only all of them together tell is worked out here: how many it needs, when it
began to run, and since when it has run with too few. Each of it comes from the pods themselves, so it is the same after
a restart: a pod knows when it got its node, and carries the mark of a gang that is short.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aliquot import names
from aliquot.core.intake.numbers import UnreadableError, whole_number
from aliquot.core.scheduling.facts import Job, Task
from aliquot.core.scheduling.state.gangs import short_of

MOST_MEMBERS: Final = 100_000
_GROUP: Final = names.POD_GROUP_ANNOTATION
_MINIMUM: Final = names.MIN_MEMBER_ANNOTATION


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What the scheduler knows of one pod.

    Attributes:
        job: the job that it belongs to, as this pod says it.
        task: the pod itself.
        started: since when it has its node, in Unix seconds; None: it has none, or is being stopped.
        succeeded: it has ended well.
        short_since: since when its gang has been short of pods, as the pod is marked; None: it is not marked.
    """

    job: Job
    task: Task
    started: float | None = None
    succeeded: bool = False
    short_since: float | None = None


def gang_of(annotations: Mapping[str, str]) -> tuple[str, int] | None:
    """The name of the gang that a pod with these annotations belongs to, and its minimum; None: it is on its own.

    Raises:
        UnreadableError: they make no sense.
    """
    group, minimum = annotations.get(_GROUP), annotations.get(_MINIMUM)
    if not group:
        if minimum is not None:
            raise UnreadableError(f"{_MINIMUM} is {minimum!r}: allowed only with {_GROUP}")
        return None
    return group, 1 if minimum is None else whole_number(_MINIMUM, minimum, MOST_MEMBERS)


def is_short(members: Collection[PodFacts]) -> bool:
    """Whether the gang runs, but with fewer pods than its minimum, in any of its parts (scheduling.md 2.12).

    One of which a pod has succeeded is at its end, and is not short of those that are done.
    """
    running = [each.task for each in members if each.started is not None]
    ends = any(each.succeeded for each in members)
    return bool(running) and not ends and short_of(_together(members), running) is not None


def job_of(members: Collection[PodFacts], noticed: float | None = None) -> Job:
    """The job that these pods make up, whatever their order.

    What it is beyond numbers and times, such as its priority, its oldest pod says.

    Args:
        members: its pods, at least one.
        noticed: since when it is known to be short of pods; what a pod is marked with is from before, and counts first.
    """
    begun = [each.started for each in members if each.started is not None]
    marked = [each.short_since for each in members if each.started is not None and each.short_since is not None]
    return replace(
        _together(members),
        last_started=min(begun, default=None),
        stale_since=min(marked, default=noticed) if is_short(members) else None,
    )


def _together(members: Collection[PodFacts]) -> Job:
    """What the oldest pod says, with the minimum of the one that needs most: rather wait than start with too few."""
    oldest = min(members, key=_age)
    most = min(members, key=lambda each: (-each.job.min_member, *_age(each)))
    return replace(oldest.job, min_member=most.job.min_member, group=most.job.group)


def _age(pod: PodFacts) -> tuple[float, str, str]:
    return (pod.task.created, pod.task.name, pod.task.id)
