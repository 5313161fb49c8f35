"""Which job a pod belongs to, and what that job is: the table's rules applied to the pod's owners (scheduling.md 1.6).

The highest owner decides whose kind is in the table and does not leave it to what is below; where there is none, the
pod's controller does, as a kind that nobody knows: all its pods are one job that starts with any of them. Labels of
higher owners count before those of lower ones, the pod's own come last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from aliquot import names
from aliquot.contracts.kubernetes import Pod
from aliquot.contracts.workload_kinds import WorkloadKind
from aliquot.core.intake.closeness import DEFAULT_POD_SET, NO_TOPOLOGIES, Topologies, hint_in
from aliquot.core.intake.group_table.gangs import Gang, matches
from aliquot.core.intake.group_table.owners import Chain, Find, OwnerObject, keys_named_by
from aliquot.core.intake.group_table.table import CORE_POD, Table
from aliquot.core.scheduling.facts import Group, Job, Task

PROJECT_LABELS: Final = (names.QUEUE_LABEL, names.KAI_QUEUE_LABEL, names.PROJECT_LABEL)
"""Labels that name a project, the first counts."""
_NODE_POOL_LABELS: Final = (names.NODE_POOL_LABEL, names.KAI_NODE_POOL_LABEL)
_FIRST: Final = 2**31
"""More than a pod can give itself as `kai.scheduler/task-priority`."""
_LONE: Final = Gang()


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a pod belongs.

    Attributes:
        job: id of the job.
        name: what people call the job.
        created: when the job was made, in Unix seconds; None: with its oldest pod.
        kind: the entry that decides; None: the table has none for it.
        gang: what starts together.
        pod_set: the part of it that the pod belongs to.
        priority: within the job, higher goes first; None: last.
        labels: of owners and pod, those that count first come first.
        classes: priority classes that owners name otherwise, the first counts.
    """

    job: str
    name: str
    created: float | None
    kind: WorkloadKind | None
    gang: Gang
    pod_set: str
    priority: int | None
    labels: tuple[Mapping[str, str], ...]
    classes: tuple[str, ...]

    def label(self, keys: Sequence[str]) -> str | None:
        """What the first owner that has one of the labels says."""
        return next((said for labels in self.labels for key in keys if (said := labels.get(key))), None)


def lone_seat(pod: Pod) -> Seat:
    """The seat of a pod that has a job of its own whatever its owners are."""
    metadata = pod.metadata
    return Seat(metadata.uid, metadata.name, None, None, _LONE, DEFAULT_POD_SET, None, (metadata.labels,), ())


def seat_of(pod: Pod, chain: Chain, table: Table, find: Find) -> Seat:
    """Where the pod belongs, by as much of its owners as is known."""
    metadata = pod.metadata
    owners = (*chain.owners, *_named(pod, table, find))
    labels = (*(owner.labels for owner in reversed(owners)), metadata.labels)
    classes = tuple(named for owner in reversed(owners) for named in owner.priority_classes)
    alone = replace(lone_seat(pod), labels=labels, classes=classes, priority=_priority(metadata.labels, None))
    alone = replace(alone, gang=_hinted(_LONE, pod))
    deciding = next((owner for owner in reversed(owners) if owner.kind.jobs != "below"), None)
    stranger = chain.unknown or chain.missing
    if deciding is None:
        kind = table.get(*CORE_POD) if stranger is None or chain.owners else None
        if kind is None and stranger is not None:
            return replace(alone, job=stranger.uid, name=stranger.name)
        return _alone(alone, pod, kind)
    if deciding.kind.jobs == "pod":
        return _alone(replace(alone, gang=_hinted(deciding.gang, pod)), pod, deciding.kind)
    return _together(alone, pod, deciding)


def _hinted(gang: Gang, pod: Pod) -> Gang:
    """The gang, as close as its pods say where its owner does not; pods of several sets speak for their set only."""
    if gang.topology is not None or gang.members:
        return gang
    return replace(gang, topology=hint_in(pod.metadata.annotations))


def _named(pod: Pod, table: Table, find: Find) -> Iterable[OwnerObject]:
    return [found for key in keys_named_by(pod, table) if (found := find(key)) is not None]


def _alone(seat: Seat, pod: Pod, kind: WorkloadKind | None) -> Seat:
    """By itself, or with those of its namespace that have an equal label."""
    shared = pod.metadata.labels.get(kind.per) if kind is not None and kind.per else None
    if kind is None or not shared:
        return replace(seat, kind=kind)
    return replace(seat, kind=kind, job=f"{pod.metadata.namespace}/{kind.per}={shared}", name=shared)


def _together(seat: Seat, pod: Pod, owner: OwnerObject) -> Seat:
    kind, gang, labels = owner.kind, owner.gang, pod.metadata.labels
    job, name = owner.uid, owner.key.name
    pod_set = gang.pod_set(labels)
    if kind.per is not None and (part := labels.get(kind.per)):
        job, name = f"{job}/{part}", f"{name}-{part}"
    if gang.separate:
        gang = gang.alone(pod_set)
        job, name = f"{job}/{pod_set}", f"{name}-{pod_set}"
    return replace(
        seat,
        job=job,
        name=name,
        created=owner.created,
        kind=kind,
        gang=_hinted(gang, pod),
        pod_set=pod_set if gang.members else DEFAULT_POD_SET,
        priority=_priority(labels, kind),
    )


def _priority(labels: Mapping[str, str], kind: WorkloadKind | None) -> int | None:
    first = kind.first if kind is not None else None
    if first is not None and matches(labels, first.label, first.value or "*"):
        return _FIRST
    said = labels.get(names.TASK_PRIORITY_LABEL, "")
    negative = said.startswith("-")
    digits = said.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        return None
    return -int(digits) if negative else int(digits)


# From seats to facts


def facts_in(
    seat: Seat, own: Job, task: Task, pod: Pod, classes: Mapping[str, int], topologies: Topologies = NO_TOPOLOGIES
) -> tuple[Job, Task]:
    """The job of a seat as the pod says it, and the pod in it.

    Args:
        seat: where the pod belongs.
        own: the pod's job, if it were alone.
        task: the pod in that job.
        pod: the pod.
        classes: values of priority classes, by name.
        topologies: those that there are.
    """
    if own.id != task.id:  # the pod itself says in which job it is
        return own, task
    if seat.kind is None and seat.job == task.id:
        return own, task
    minimum, group = seat.gang.shape(pod.metadata.labels, topologies)
    priority = _value(seat, own, pod, classes)
    job = replace(
        own,
        id=seat.job,
        name=seat.name,
        pools=_pools(seat, own, pod),
        priority=priority,
        preemptible=own.queue is not None and _preemptible(seat, priority),
        surplus_preemptible=own.queue is not None and _said(seat) == "semi-preemptible",
        min_member=minimum,
        created=own.created if seat.created is None else seat.created,
        group=_named_group(group),
    )
    return job, replace(task, job=seat.job, pod_set=seat.pod_set, priority=seat.priority)


def _pools(seat: Seat, own: Job, pod: Pod) -> tuple[str, ...]:
    """The node pools: the pod's own annotation, else labels; else as if the pod were alone."""
    if names.NODE_POOLS_ANNOTATION in pod.metadata.annotations:
        return own.pools
    asked = (seat.label(_NODE_POOL_LABELS) or "").split(",")
    return tuple(dict.fromkeys(name for each in asked if (name := each.strip()))) or own.pools


def _named_group(group: Group | None) -> Group | None:
    """None where the parts of a gang say no more than its minimum does."""
    if group is None or group.groups or group.topology is not None or len(group.pod_sets) != 1:
        return group
    [only] = group.pod_sets
    return None if only.topology is None and only.name == DEFAULT_POD_SET else group


def priority_class_of(seat: Seat, pod: Pod, classes: Mapping[str, int]) -> str | None:
    """The priority class, by labels, what owners name otherwise, the pod, the kind, in this order.

    Classes that are not there are ignored. None: the pod has a priority without a class, or nothing gives it one.
    """
    named = [said for labels in seat.labels if (said := labels.get(names.PRIORITY_CLASS_LABEL))]
    for name in (*named, *seat.classes):
        if name in classes:
            return name
    if pod.spec.priority_class_name or pod.spec.priority:
        return pod.spec.priority_class_name or None
    default = names.TRAIN_PRIORITY_CLASS if seat.kind is None else seat.kind.priority_class
    return default if default in classes else None


def _value(seat: Seat, own: Job, pod: Pod, classes: Mapping[str, int]) -> int:
    name = priority_class_of(seat, pod, classes)
    if name is None or name == pod.spec.priority_class_name:
        return own.priority
    return classes[name]


def _said(seat: Seat) -> str | None:
    """What a label, or else the kind, says of whether it may be stopped; None: nothing."""
    said = seat.label((names.PREEMPTIBILITY_LABEL,))
    if said in ("preemptible", "semi-preemptible", "non-preemptible"):
        return said
    return seat.kind.preemptibility if seat.kind is not None else None


def _preemptible(seat: Seat, priority: int) -> bool:
    said = _said(seat)
    return priority < names.NON_PREEMPTIBLE_FROM_PRIORITY if said is None else said == "preemptible"
