"""What `aliquot simulate` prints."""

from typing import Literal

from pydantic import Field

from aliquot.contracts.simulation.cluster import ActionName
from aliquot.contracts.simulation.fields import Part

Number = int | float
"""An amount; whole ones are ints."""


class BindOutcome(Part):
    """The task starts now."""

    job: str = Field(description="name of the job")
    task: str = Field(description="name of the task")
    node: str = Field(description="where")
    devices: list[str] = Field(description="ids of the devices of which it gets a part")
    resource: Literal["whole", "fraction", "mig"] = Field(
        description="how it uses GPUs; `whole` also when it asks for none"
    )


class NominateOutcome(Part):
    """The task has its place, and waits there for what is being released."""

    job: str = Field(description="name of the job")
    task: str = Field(description="name of the task")
    node: str = Field(description="where")


class EvictOutcome(Part):
    """The task is stopped."""

    job: str = Field(description="name of the job")
    task: str = Field(description="name of the task")
    action: ActionName = Field(description="the step that decided it")
    for_: str = Field(description="name of the job that it makes room for")
    moves: bool = Field(description="whether it has a new place in the same plan")


class WaitingOutcome(Part):
    """The job waits."""

    job: str = Field(description="name of the job")
    reason: str = Field(description="one of a closed list of codes")
    message: str = Field(description="the reason as a sentence")
    details: dict[str, int | str] = Field(description="the numbers of the reason, in the units that their names end in")


class RoundOutcome(Part):
    """What one round decided."""

    bind: list[BindOutcome] = Field(description="who starts now")
    nominate: list[NominateOutcome] = Field(description="who starts when others have gone")
    evict: list[EvictOutcome] = Field(description="who is stopped")
    waiting: list[WaitingOutcome] = Field(description="who waits, and why")


class TaskOutcome(Part):
    """A task after the last round."""

    state: str = Field(description="Pending, Gated, Nominated, Bound, Running, Terminating, Succeeded or Failed")
    node: str | None = Field(description="where it is, or will be")
    devices: list[str] = Field(description="ids of the devices of which it holds a part")
    gpus: float = Field(description="what it counts, in devices")


class ShareOutcome(Part):
    """A queue and one resource: devices, cores, or bytes."""

    deserved: Number | None = Field(description="guaranteed; null: no bound")
    fair_share: Number | None = Field(
        description="what it is due at this moment, as the last round reckoned; null: unknown"
    )
    allocated: Number = Field(description="held by tasks that have a node and keep it")
    allocated_non_preemptible: Number = Field(description="the part of it that may not be stopped")
    requested: Number = Field(description="held or asked for when the last round began")


class QueueOutcome(Part):
    """A queue after the last round."""

    gpu: ShareOutcome = Field(description="in devices")
    cpu: ShareOutcome = Field(description="in cores")
    memory: ShareOutcome = Field(description="in bytes")


class NodeOutcome(Part):
    """A node after the last round."""

    free_gpus: Number = Field(description="whole devices of which nobody holds anything")
    releasing_gpus: Number = Field(description="devices that come free when what is stopping has gone")


class Outcome(Part):
    """What happens."""

    rounds: list[RoundOutcome] = Field(description="what each round decided, in order")
    tasks: dict[str, TaskOutcome] = Field(description="after the last round, by name")
    queues: dict[str, QueueOutcome] = Field(description="after the last round, by name")
    nodes: dict[str, NodeOutcome] = Field(description="after the last round, by name")
