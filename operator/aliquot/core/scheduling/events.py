"""What can happen to a `ClusterState`: the only way to change it. All are idempotent; unknown ids are no error.

Facts arrive whole (`…Changed` carries the new value). Between a write and its echo, `Granted` and `EvictionStarted`
count what we have asked the API server for; the echo (`TaskChanged`) confirms it, `GrantFailed` and `EvictionFailed`
forget it.
"""

from dataclasses import dataclass

from aliquot.core.scheduling.facts import Job, Node, Queue, Task


@dataclass(frozen=True, slots=True)
class NodeChanged:
    """A node is there, or differs from before."""

    node: Node


@dataclass(frozen=True, slots=True)
class NodeRemoved:
    """A node is gone. Its tasks are gone only when their own events say so; they use no room until then."""

    name: str


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """A queue is there, or differs from before."""

    queue: Queue


@dataclass(frozen=True, slots=True)
class QueueRemoved:
    """A queue is gone. Its jobs go on running, and nothing of it is started any more."""

    pool: str
    name: str


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job is there, or differs from before."""

    job: Job


@dataclass(frozen=True, slots=True)
class JobRemoved:
    """A job is gone, and its tasks with it."""

    id: str


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """A task is there, or differs from before. Its job comes first."""

    task: Task


@dataclass(frozen=True, slots=True)
class TaskRemoved:
    """A task is gone."""

    id: str


@dataclass(frozen=True, slots=True)
class Granted:
    """We are asking the API server to bind the task to the node, with these devices: it counts as there."""

    task: str
    node: str
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GrantFailed:
    """The API server refused the binding: forget it."""

    task: str


@dataclass(frozen=True, slots=True)
class EvictionStarted:
    """We are asking the API server to delete the task's pod: it counts as terminating.

    `for_job` is the job that the eviction makes room for, as the plan said. If it waits for room, it is promised that
    on the task's node (see `Promised`). Left out, the room goes to whoever's turn it is.
    """

    task: str
    for_job: str = ""


@dataclass(frozen=True, slots=True)
class EvictionFailed:
    """The API server refused: the task stays what it was."""

    task: str


@dataclass(frozen=True, slots=True)
class Promised:
    """Tasks were stopped on the node to make room for the job.

    Until `until` of its tasks have a node, the job goes there before anybody's turn. `EvictionStarted` says this by
    itself; the event is for rebuilding a state whose stopped tasks have gone already. Left out, `until` is reached when
    all have a node that start next now.
    """

    job: str
    node: str
    until: int | None = None


Event = (
    NodeChanged
    | NodeRemoved
    | QueueChanged
    | QueueRemoved
    | JobChanged
    | JobRemoved
    | TaskChanged
    | TaskRemoved
    | Granted
    | GrantFailed
    | EvictionStarted
    | EvictionFailed
    | Promised
)
