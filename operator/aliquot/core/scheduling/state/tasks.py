"""One task: what the API server last said of it, and what we have asked for since.

    decided -> assumed ----------------------------------> confirmed
               Granted,            TaskChanged with a node (grant); TERMINATING or ENDED (both)
               EvictionStarted
                   |
                   +-------------------------------------> forgotten
                                   GrantFailed, EvictionFailed; TaskRemoved

- An assumed task counts as `BOUND` on its node, or as `TERMINATING` where it is, from the moment we ask.
- An echo that is older than our write (`PENDING` without a node after `Granted`, `RUNNING` after `EvictionStarted`)
  changes the fact and leaves the assumption.
- A task may be confirmed that was never assumed: others bind and delete pods too.
- A task that the API server places elsewhere than we asked is where the API server says.
- A task that has a node is there, whatever its phase says: `PENDING` with a node counts as `BOUND`.
"""

from dataclasses import dataclass, replace

from aliquot.core.scheduling.facts import Task, TaskState
from aliquot.core.scheduling.state.nodes import NodeTable
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.queues import Amount, Kind

_WAITS = (TaskState.PENDING, TaskState.GATED)
_GOES = (TaskState.TERMINATING, TaskState.ENDED)


@dataclass(frozen=True, slots=True)
class Counted:
    """Where a task is counted, so that it can be taken back exactly.

    Attributes:
        task: as it was when counted.
        nodes: the table of its node; None when that is unknown or not used.
        node: the node's name.
        stopping: whether it is counted as releasing on the node.
        pool: where its queue is; None when nobody pays for it.
        unpaid: whether what it holds of its node is no queue's.
        queue: the queue's name.
        kind: which of the queue's ledgers.
        amount: what counts there, or as others' on the node.
        preemptible: whether it may be stopped for others.
        priority: of its job.
    """

    task: Task
    nodes: NodeTable | None
    node: str
    stopping: bool
    pool: PoolState | None
    unpaid: bool
    queue: str
    kind: Kind
    amount: Amount
    preemptible: bool
    priority: int


@dataclass(slots=True)
class TaskRecord:
    """A task with what is assumed of it.

    Attributes:
        fact: as the API server last said.
        granted: the node that we asked for, until the answer.
        granted_devices: the devices that we asked for with it.
        evicting: whether we asked to delete it, until the answer.
        stopped_for: the job that it makes room for and that waits for it; empty when there is none.
        counted: where it counts at the moment.
    """

    fact: Task
    granted: str | None = None
    granted_devices: tuple[str, ...] = ()
    evicting: bool = False
    stopped_for: str = ""
    counted: Counted | None = None

    @property
    def state(self) -> TaskState:
        """Where it is in its life, assumptions included."""
        if self.fact.state is TaskState.ENDED:
            return TaskState.ENDED
        if self.evicting:
            return TaskState.TERMINATING
        if self.fact.state in _WAITS and self.node is not None:
            return TaskState.BOUND
        return self.fact.state

    @property
    def node(self) -> str | None:
        """Where it is, assumptions included."""
        return self.fact.node if self.fact.node is not None else self.granted

    def learn(self, fact: Task) -> None:
        """Take over what the API server says; drop the assumptions that it confirms."""
        self.fact = fact
        if fact.node is not None or fact.state in _GOES:
            self.forget_grant()
        if fact.state in _GOES:
            self.evicting = False

    @property
    def task(self) -> Task:
        """The task with the devices that it has, or that we asked for."""
        return replace(self.fact, devices=self.granted_devices) if self.granted_devices else self.fact

    def assume_granted(self, node: str, devices: tuple[str, ...]) -> None:
        """We ask for the node and these devices; without effect when it has one or goes."""
        if self.fact.node is None and self.fact.state not in _GOES:
            self.granted = node
            self.granted_devices = devices

    def forget_grant(self) -> None:
        """The API server refused it, or has confirmed it."""
        self.granted = None
        self.granted_devices = ()

    def assume_evicted(self, for_job: str) -> None:
        """We ask to delete it so that the job has room; when it goes already, only the latter is news."""
        if self.fact.state not in _GOES:
            self.evicting = True
        if for_job and self.fact.state is not TaskState.ENDED:
            self.stopped_for = for_job

    def forget_eviction(self) -> None:
        """The API server refused to delete it."""
        self.evicting = False
        self.stopped_for = ""
