"""Gangs: the pods of one namespace that name the same group are one job, all others are jobs of their own.

    pod-group-name: NAME                          which gang
    aliquot.dev/min-member: "3"                   it starts with so many of its pods, or not at all; left out: 1
    aliquot.dev/min-member: "leader=1,worker=2"   … with so many of each part; the label `kai.scheduler/subgroup-name`
                                                  says to which part a pod belongs

What each pod says is a `PodFacts`; what only all of them together tell is worked out here: how many it needs, when it
began to run, and since when it has run with too few. Each of it comes from the pods themselves, so it is the same after
a restart: a pod knows when it got its node, and carries the mark of a gang that is short.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aliquot import names
from aliquot.core.intake.closeness import DEFAULT_POD_SET
from aliquot.core.intake.numbers import UnreadableError, whole_number
from aliquot.core.scheduling.facts import Group, Job, PodSet, Task
from aliquot.core.scheduling.state.gangs import short_of

MOST_MEMBERS: Final = 100_000
_GROUP: Final = names.POD_GROUP_ANNOTATION
_MINIMUM: Final = names.MIN_MEMBER_ANNOTATION
_PART: Final = names.SUBGROUP_LABEL
_LONGEST_MINIMUM: Final = 1024
_NOBODY: Final = Counter[str]()


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What the scheduler knows of one pod.

    Attributes:
        job: the job that it belongs to, as this pod says it.
        task: the pod itself.
        started: since when it has its node, in Unix seconds; None: it has none, or is being stopped.
        succeeded: it has ended well.
        attempt: how many pods there were before it for the same work, as our own pods say.
        short_since: since when its gang has been short of pods, as the pod is marked; None: it is not marked.
    """

    job: Job
    task: Task
    started: float | None = None
    succeeded: bool = False
    attempt: int = 0
    short_since: float | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """In which gang a pod is.

    Attributes:
        name: of the gang.
        pod_sets: the gang's parts, and how many pods of each it starts with at least.
        pod_set: the part that the pod belongs to.
    """

    name: str
    pod_sets: tuple[PodSet, ...]
    pod_set: str

    @property
    def minimum(self) -> int:
        """How many pods the gang starts with at least."""
        return sum(each.min_member for each in self.pod_sets)


def membership_of(annotations: Mapping[str, str], labels: Mapping[str, str]) -> Membership | None:
    """The gang that a pod with these annotations and labels belongs to; None: it is on its own.

    Raises:
        UnreadableError: they make no sense.
    """
    group, minimum = annotations.get(_GROUP), annotations.get(_MINIMUM)
    if not group:
        if minimum is not None:
            raise UnreadableError(f"{_MINIMUM} is {minimum!r}: allowed only with {_GROUP}")
        return None
    if minimum is None or "=" not in minimum:
        number = 1 if minimum is None else whole_number(_MINIMUM, minimum, MOST_MEMBERS)
        return Membership(group, (PodSet(DEFAULT_POD_SET, number),), DEFAULT_POD_SET)
    parts = _parts(minimum)
    part = labels.get(_PART, "")
    if part not in {each.name for each in parts}:
        known = ", ".join(each.name for each in parts)
        raise UnreadableError(f"{_MINIMUM} is {minimum!r}, and label {_PART} is {part!r}: allowed is one of {known}")
    return Membership(group, parts, part)


def _parts(written: str) -> tuple[PodSet, ...]:
    if len(written) > _LONGEST_MINIMUM:
        raise UnreadableError(f"{_MINIMUM} has {len(written)} characters: allowed are {_LONGEST_MINIMUM}")
    least: dict[str, int] = {}
    for entry in written.split(","):
        name, _, number = entry.partition("=")
        if not name or name in least:
            raise UnreadableError(f"{_MINIMUM} is {written!r}: allowed are parts as NAME=NUMBER, each once")
        least[name] = whole_number(f"{_MINIMUM} of {name}", number, MOST_MEMBERS, least=0)
    if not any(least.values()):
        raise UnreadableError(f"{_MINIMUM} is {written!r}: allowed are parts of which one at least needs a pod")
    return tuple(PodSet(name, number) for name, number in sorted(least.items()))


def is_short(members: Collection[PodFacts]) -> bool:
    """Whether the gang runs, but with fewer pods than its minimum, in any of its parts (scheduling.md 2.12).

    One of which a pod has succeeded is at its end, and is not short of those that are done.
    """
    return _is_short(members, _together(members))


def job_of(members: Collection[PodFacts], noticed: float | None = None, *, short: bool | None = None) -> Job:
    """The job that these pods make up, whatever their order.

    What it is beyond numbers and times, such as its priority, its oldest pod says. What has succeeded is needed no
    more: a gang of which one pod was bound alone and is done before we could bind the others is theirs to finish.

    Args:
        members: its pods, at least one.
        noticed: since when it is known to be short of pods; what a pod is marked with is from before, and counts first.
        short: whether it is short of pods; None: that is not known yet.
    """
    together = _together(members)
    begun = [each.started for each in members if each.started is not None]
    marked = [each.short_since for each in members if each.started is not None and each.short_since is not None]
    short = _is_short(members, together) if short is None else short
    return replace(
        _without(_done(members), together),
        last_started=min(begun, default=None),
        stale_since=min(marked, default=noticed) if short else None,
    )


def _is_short(members: Collection[PodFacts], together: Job) -> bool:
    running = [each.task for each in members if each.started is not None]
    if not running or any(each.succeeded for each in members):
        return False
    return short_of(together, running) is not None


def _together(members: Collection[PodFacts]) -> Job:
    """What the oldest pod says, with the minimum of the one that needs most: rather wait than start with too few."""
    oldest = min(members, key=_age)
    least = max(each.job.min_member for each in members)
    if oldest.job.min_member == least:
        return oldest.job
    most = min((each for each in members if each.job.min_member == least), key=_age)
    return replace(oldest.job, min_member=most.job.min_member, group=most.job.group)


def _done(members: Collection[PodFacts]) -> Counter[str]:
    """How many pods of each part have succeeded, if the gang has not been begun anew since."""
    if not any(each.succeeded for each in members):
        return _NOBODY
    newest = max(each.attempt for each in members)
    return Counter(each.task.pod_set for each in members if each.succeeded and each.attempt == newest)


def _without(done: Counter[str], job: Job) -> Job:
    if not done:
        return job
    group = None if job.group is None else _less(job.group, done)
    return replace(job, min_member=max(1, job.min_member - done.total()), group=group)


def _less(group: Group, done: Counter[str]) -> Group:
    return replace(
        group,
        pod_sets=tuple(replace(each, min_member=max(0, each.min_member - done[each.name])) for each in group.pod_sets),
        groups=tuple(_less(each, done) for each in group.groups),
    )


def _age(pod: PodFacts) -> tuple[float, str, str]:
    return (pod.task.created, pod.task.name, pod.task.id)
