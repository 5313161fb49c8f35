"""What the scheduler knows: nodes, queues, jobs and tasks, as frozen values. Times are Unix seconds, from outside.

A *task* is a pod, a *job* a group of pods that is scheduled together (a gang, or a single pod), a *queue* the share
of a project or department in one node pool. The same words as in scheduling.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from aliquot.core.quantities import UNLIMITED, Vector

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


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
    """

    name: str
    pool: str
    allocatable: Vector
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    taints: tuple[Taint, ...] = ()
    schedulable: bool = True
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Share:
    """What a queue may use of one resource, in the unit of its axis.

    Attributes:
        deserved: guaranteed; `UNLIMITED` for no bound.
        limit: never more than this; `UNLIMITED` for none.
        over_quota_weight: its part of what nobody deserves, relative to its siblings; 0: none.
    """

    deserved: int = 0
    limit: int = UNLIMITED
    over_quota_weight: float = 1.0


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
    """

    name: str
    pool: str
    parent: str | None = None
    gpu: Share = Share()
    cpu: Share = Share(deserved=UNLIMITED)
    memory: Share = Share(deserved=UNLIMITED)
    created: float = 0.0
    display_name: str = ""


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
        min_member: it starts with at least so many tasks, or not at all.
        created: older goes first.
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
    """

    id: str
    job: str
    namespace: str
    name: str
    request: Vector
    state: TaskState = TaskState.PENDING
    node: str | None = None
    node_selector: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    tolerations: tuple[Toleration, ...] = ()
    created: float = 0.0
