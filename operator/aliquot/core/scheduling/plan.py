"""What a round decides, as values that describe themselves. Carrying a plan out comes back as events."""

from dataclasses import dataclass, field

from aliquot import names
from aliquot.core.scheduling.settings import Action
from aliquot.core.scheduling.waiters import WaitingJobs


@dataclass(frozen=True, slots=True)
class Bind:
    """The task starts now on the node.

    Attributes:
        task: id of the task.
        node: name of the node.
        gpu_percent: GPUs it gets, in hundredths of a device.
        over_quota: whether its queue is over its deserved GPUs with it.
        queue_gpu_percent: GPUs that its queue holds with it.
        queue_deserved_gpu_percent: GPUs that its queue deserves (`UNLIMITED` for no bound).
        devices: ids of the devices of which it gets a part.
    """

    task: str
    node: str
    gpu_percent: int
    over_quota: bool = False
    queue_gpu_percent: int = 0
    queue_deserved_gpu_percent: int = 0
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nominate:
    """The task will start on the node when what is being stopped there has gone."""

    task: str
    node: str


@dataclass(frozen=True, slots=True)
class Evict:
    """The task is stopped, mostly so that another job can have its place.

    Attributes:
        task: id of the task.
        for_job: id of the job that it makes room for; its own where its gang is stale.
        why: a sentence with numbers, for the evicted pod's condition and the workload's event.
        action: the step that decided it.
        moves: whether it has a new place in the same plan.
    """

    task: str
    for_job: str
    why: str
    action: Action = "reclaim"
    moves: bool = False

    @property
    def done_to_it(self) -> str:
        """What is done to the task, as one word for its pod: preempted, moved, or stopped with what is left of a gang.

        Whoever has a new place has lost nothing but time, whichever step decided it.
        """
        if self.action == "stale-gangs":
            return names.GANG_INCOMPLETE_REASON
        return names.MOVED_REASON if self.moves else names.PREEMPTED_REASON


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a round decided, in the order in which it was decided."""

    binds: tuple[Bind, ...] = ()
    nominations: tuple[Nominate, ...] = ()
    evictions: tuple[Evict, ...] = ()
    waiting: WaitingJobs = field(default_factory=WaitingJobs)

    def outline(self) -> str:
        """The plan on one line, for logs, simulations and tests: `evict a for b; nominate b on n1`."""
        parts = [f"bind {bind.task} on {bind.node}" for bind in self.binds]
        parts += [f"evict {evict.task} for {evict.for_job}" for evict in self.evictions]
        parts += [f"nominate {nominate.task} on {nominate.node}" for nominate in self.nominations]
        parts += [f"wait {waiting.job}: {waiting.reason.code}" for waiting in self.waiting]
        return "; ".join(parts) or "nothing"
