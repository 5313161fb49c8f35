"""Pods that hold GPUs for those who have parts of them, as the scheduler sees them.

SHARED      somebody has a part of the GPU, or is about to get one: the parts are what is counted, and the pod that
holds it takes no GPU beside them, as it would be counted twice; nor room for a pod, which goes with the GPU. Where it
takes nothing else either, as nobody has given its namespace a default, the scheduler need not hear of it
LEFT_OVER   nobody has, as whoever had it made is gone: the next who needs a part gets it here
REFUSED     nobody has, and its node does not give it, or it cannot be used: left alone as long as the pod is there
GOING       nobody has any more: it is free again when the pod has gone
"""

from dataclasses import replace
from enum import Enum
from typing import Final

from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake.gangs import PodFacts
from aliquot.core.intake.pods import pod_facts
from aliquot.core.quantities import PERCENT_PER_DEVICE, GpuPart, Request, Vector
from aliquot.core.scheduling.facts import TaskState

_LEAST: Final = 1
"""A GPU is open for parts when somebody has a part of it. Of one that is left over, the pod itself has the least."""


class Use(Enum):
    """What a reservation is good for; see above."""

    SHARED = "shared"
    LEFT_OVER = "left over"
    REFUSED = "refused"
    GOING = "going"


def reservation_facts(pod: Pod, gpu: str, use: Use) -> PodFacts | None:
    """What the scheduler knows of such a pod; None: nothing.

    Args:
        pod: it.
        gpu: the scheduler's id of the GPU that it holds.
        use: what it is good for.
    """
    alone = pod_facts(pod, None)
    needs = alone.task.request.base
    base = Vector(cpu_milli=needs.cpu_milli, memory_bytes=needs.memory_bytes)
    task = replace(alone.task, request=replace(alone.task.request, base=base))
    if use is Use.SHARED:
        return None if task.request == Request() else replace(alone, task=task)
    gone = task.state is TaskState.ENDED and pod.metadata.deletion_timestamp is not None
    kept = TaskState.TERMINATING if use is Use.GOING else TaskState.BOUND
    part = GpuPart(percent=_LEAST if use is Use.LEFT_OVER else PERCENT_PER_DEVICE)
    task = replace(
        task,
        request=replace(task.request, part=part),
        devices=(gpu,),
        state=TaskState.ENDED if gone else kept,
    )
    return replace(alone, task=task)
