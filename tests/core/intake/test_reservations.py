"""What the scheduler hears of pods that hold GPUs for others."""

import msgspec
import pytest

from aliquot.contracts.kubernetes import Metadata, Pod
from aliquot.core.grants import reservation_pod
from aliquot.core.intake import Use, reservation_facts
from aliquot.core.quantities import Vector
from aliquot.core.scheduling.facts import TaskState

GPU = "n1-shared-1"


def reservation(**requests: str) -> Pod:
    """Such a pod; what its namespace gives those that ask for nothing is given to it."""
    pod = msgspec.convert(reservation_pod(Metadata(name="n1", uid="n1"), GPU, "pause"), Pod)
    [container] = pod.spec.containers
    resources = msgspec.structs.replace(container.resources, requests={**container.resources.requests, **requests})
    return msgspec.structs.replace(
        pod,
        spec=msgspec.structs.replace(pod.spec, containers=(msgspec.structs.replace(container, resources=resources),)),
    )


def test_while_the_gpu_is_shared_nothing_is_told_of_a_pod_that_takes_nothing_else() -> None:
    assert reservation_facts(reservation(), GPU, Use.SHARED) is None


def test_what_its_namespace_made_it_ask_for_counts() -> None:
    facts = reservation_facts(reservation(cpu="100m"), GPU, Use.SHARED)
    assert facts is not None
    assert facts.task.request.base == Vector(cpu_milli=100)
    assert facts.task.request.part is None


@pytest.mark.parametrize(
    ("use", "percent", "state"),
    [
        (Use.LEFT_OVER, 1, TaskState.BOUND),
        (Use.REFUSED, 100, TaskState.BOUND),
        (Use.GOING, 100, TaskState.TERMINATING),
    ],
)
def test_a_gpu_that_nobody_shares_is_held_by_its_pod(use: Use, percent: int, state: TaskState) -> None:
    facts = reservation_facts(reservation(), GPU, use)
    assert facts is not None
    assert facts.task.request.part is not None
    assert (facts.task.request.part.percent, facts.task.devices, facts.task.state) == (percent, (GPU,), state)
