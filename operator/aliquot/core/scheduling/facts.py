"""What the scheduler knows: nodes, queues, jobs and tasks, as frozen values. Times are Unix seconds, from outside.

A *task* is a pod, a *job* a group of pods that is scheduled together (a gang, or a single pod), a *queue* the share
of a project or department in one node pool. The same words as in scheduling.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final, Literal

from aliquot.core.quantities import UNLIMITED, Request, Vector

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_NONE: Final[Mapping[str, int]] = MappingProxyType({})


DEPARTMENT_PREFIX: Final = "department/"
"""Begins the name of a department's queue; no project's name can have a slash."""


@dataclass(frozen=True, slots=True)
class Taint:
    """What keeps tasks off a node. Effects: NoSchedule, PreferNoSchedule (ignored), NoExecute."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint that a task bears. Operators: Equal, Exists; an empty effect or key stands for every one."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A condition on a label, or on a node's name. Operators: In, NotIn, Exists, DoesNotExist, Gt, Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """Conditions that hold together.

    Attributes:
        labels: on the node's labels.
        fields: on `metadata.name`.
    """

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class PodTerm:
    """Tasks that are to be near, or far.

    Attributes:
        selector: conditions on their labels, which hold together.
        topology_key: nodes with the same value of this label are near.
        namespaces: where the tasks are; `*` stands for every one.
    """

    selector: tuple[Requirement, ...]
    topology_key: str
    namespaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Affinity:
    """What a task demands of its node beyond selector and taints; as in a PodSpec.

    Attributes:
        node_required: one of the terms must hold; empty: no demand.
        node_preferred: weight and term.
        near_required: for each term such a task must be near.
        near_preferred: weight and term.
        far_required: for no term may such a task be near; nor may this one come near to a task that says so of it.
        far_preferred: weight and term.
    """

    node_required: tuple[NodeTerm, ...] = ()
    node_preferred: tuple[tuple[int, NodeTerm], ...] = ()
    near_required: tuple[PodTerm, ...] = ()
    near_preferred: tuple[tuple[int, PodTerm], ...] = ()
    far_required: tuple[PodTerm, ...] = ()
    far_preferred: tuple[tuple[int, PodTerm], ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A machine.

    Attributes:
        name: its name.
        pool: the node pool it belongs to.
        allocatable: what pods may use of it.
        labels: its labels.
        taints: its taints.
        schedulable: not cordoned.
        ready: its Ready condition is True.
        device_memory_mib: memory of one of its GPU devices; 0: not known.
        extended: other resources that it offers, by name, such as MIG devices.
        mig: its MIG strategy; `single` and `mixed` restrict who may use its GPUs (scheduling.md 2.4).
        broken: how many of its GPU devices cannot be used; `allocatable` has only those of them that tasks still hold.
        closed: ids of shared devices of which nobody else gets a part: they cannot be used.
    """

    name: str
    pool: str
    allocatable: Vector
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    taints: tuple[Taint, ...] = ()
    schedulable: bool = True
    ready: bool = True
    device_memory_mib: int = 0
    extended: Mapping[str, int] = field(default_factory=lambda: _NONE)
    mig: Literal["none", "single", "mixed"] = "none"
    broken: int = 0
    closed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Share:
    """What a queue may use of one resource, in the unit of its axis.

    Attributes:
        deserved: guaranteed; `UNLIMITED` for no bound.
        limit: never more than this; `UNLIMITED` for none.
        over_quota_weight: its part of what nobody deserves, relative to its siblings; 0: none.
        usage: what it has used lately, as a part of the cluster, 0 to 1 and decayed with time; bends its part of what
            nobody deserves (scheduling.md 2.7).
    """

    deserved: int = 0
    limit: int = UNLIMITED
    over_quota_weight: float = 1.0
    usage: float = 0.0


@dataclass(frozen=True, slots=True)
class Queue:
    """A project's or department's share in one node pool. Queues of a pool form a tree; jobs hang on leaves.

    Attributes:
        name: project or department; unique within its pool (departments carry the prefix `department/`).
        pool: the node pool.
        parent: name of the department's queue in the same pool; None at the root.
        gpu: in hundredths of a device.
        cpu: in milli-CPU.
        memory: in bytes.
        created: when it was made; older queues win ties.
        display_name: as people know it, for sentences.
        priority: over-quota resources go to higher ones first, and so do turns (scheduling.md 2.2, 2.7).
        preempt_min_runtime_seconds: its jobs are not preempted before they ran so long; None: as its parent says, at
            the root 0.
        reclaim_min_runtime_seconds: the same for being reclaimed.
    """

    name: str
    pool: str
    parent: str | None = None
    gpu: Share = Share()
    cpu: Share = Share(deserved=UNLIMITED)
    memory: Share = Share(deserved=UNLIMITED)
    created: float = 0.0
    display_name: str = ""
    priority: int = 100
    preempt_min_runtime_seconds: float | None = None
    reclaim_min_runtime_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Topology:
    """How close to one another tasks are to be.

    Attributes:
        levels: node labels from coarse to fine, such as zone, rack, hostname.
        required: the level within one domain of which all must be; None: none.
        preferred: the level within one domain of which all should be; None: none.
        name: what people call it; empty: nobody has named it.
        others: of one that nobody knows, and so has no levels: the names of those that there are.
    """

    levels: tuple[str, ...]
    required: str | None = None
    preferred: str | None = None
    name: str = ""
    others: tuple[str, ...] = ()

    @property
    def missing(self) -> str | None:
        """The level that is asked for and not there; None: all are. Who asks for it waits until it is."""
        asked = (level for level in (self.required, self.preferred) if level is not None)
        return next((level for level in asked if level not in self.levels), None)


@dataclass(frozen=True, slots=True)
class PodSet:
    """Equal members of a gang.

    Attributes:
        name: what its tasks say in `Task.pod_set`; unique in its job.
        min_member: the gang needs at least so many of them.
        topology: how close its tasks are to be to one another.
    """

    name: str
    min_member: int = 1
    topology: Topology | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A part of a gang that has parts itself.

    Attributes:
        name: unique in its job; empty for the whole job.
        topology: how close all of it is to be.
        pod_sets: its members.
        groups: its parts.
    """

    name: str = ""
    topology: Topology | None = None
    pod_sets: tuple[PodSet, ...] = ()
    groups: tuple["Group", ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """Pods that are scheduled together.

    Attributes:
        id: unique for ever, such as a uid.
        namespace: where it lives.
        name: as people know it.
        queue: name of the queue that pays for it; None: nobody does (pods of other schedulers), it only uses room.
        pools: the node pools it may use, in order of preference.
        priority: higher goes first within its queue.
        preemptible: may run over quota, and may be stopped for others.
        surplus_preemptible: what it runs beyond its minimum may, though the rest may not (semi-preemptible).
        min_member: it starts with at least so many tasks, or not at all.
        created: older goes first.
        group: the parts of the gang; None: all its tasks are one pod set of `min_member`.
        last_started: when it last began to run; None: it has not.
        stale_since: since when it has run with fewer tasks than its minimum; None: it has not.
    """

    id: str
    namespace: str
    name: str
    queue: str | None
    pools: tuple[str, ...] = ("default",)
    priority: int = 50
    preemptible: bool = True
    min_member: int = 1
    created: float = 0.0
    group: Group | None = None
    last_started: float | None = None
    stale_since: float | None = None
    surplus_preemptible: bool = False


class TaskState(Enum):
    """Where a task is in its life. Bound, running and terminating tasks use their node."""

    PENDING = "Pending"
    GATED = "Gated"
    BOUND = "Bound"
    RUNNING = "Running"
    TERMINATING = "Terminating"
    ENDED = "Ended"

    @property
    def uses_node(self) -> bool:
        """Whether its request counts against its node."""
        return self in (TaskState.BOUND, TaskState.RUNNING, TaskState.TERMINATING)

    @property
    def active(self) -> bool:
        """Whether it has a node and is to keep it."""
        return self in (TaskState.BOUND, TaskState.RUNNING)


@dataclass(frozen=True, slots=True)
class Task:
    """A pod.

    Attributes:
        id: the pod's uid.
        job: id of its job.
        namespace: the pod's namespace.
        name: the pod's name.
        request: what it needs, incl. one pod.
        state: where it is in its life.
        node: where it is, or None.
        node_selector: labels that its node must have.
        tolerations: taints that it bears.
        created: older goes first within a job.
        devices: ids of the devices of which it has a part.
        pod_set: name of its pod set in the job's group.
        priority: within the job, higher goes first, and None last.
        affinity: further demands on its node, and on what runs there.
        labels: its own, which the affinity of others may name.
    """

    id: str
    job: str
    namespace: str
    name: str
    request: Request
    state: TaskState = TaskState.PENDING
    node: str | None = None
    node_selector: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    tolerations: tuple[Toleration, ...] = ()
    created: float = 0.0
    devices: tuple[str, ...] = ()
    pod_set: str = "default"
    priority: int | None = None
    affinity: Affinity = Affinity()
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
