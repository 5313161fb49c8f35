"""What a pod needs of its node, against a clock that watches its containers come and go."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot import names
from aliquot.contracts.kubernetes import Container, PodSpec, Resources
from aliquot.core.intake import pod_request
from aliquot.core.intake.requests import TOO_MUCH, amount_there
from aliquot.core.quantities import Vector

GIB = 2**30


def container(restart: str = "", **requests: str | int | float) -> Container:
    return Container(resources=Resources(requests=requests), restart_policy=restart)


CASES: dict[str, tuple[PodSpec, Vector]] = {
    "a pod that asks for nothing is a pod": (PodSpec(containers=(container(),)), Vector(pods=1)),
    "containers run side by side": (
        PodSpec(containers=(container(cpu="500m", memory="1Gi"), container(cpu=1, memory="1Gi"))),
        Vector(cpu_milli=1500, memory_bytes=2 * GIB, pods=1),
    ),
    "init containers run one after the other, before the rest": (
        PodSpec(init_containers=(container(cpu="2"), container(memory="8Gi")), containers=(container(cpu="1"),)),
        Vector(cpu_milli=2000, memory_bytes=8 * GIB, pods=1),
    ),
    "a sidecar stays": (
        PodSpec(init_containers=(container("Always", cpu="1"),), containers=(container(cpu="2"),)),
        Vector(cpu_milli=3000, pods=1),
    ),
    "an init container runs beside the sidecars before it": (
        PodSpec(
            init_containers=(container("Always", cpu="1"), container(cpu="4"), container("Always", cpu="1")),
            containers=(container(cpu="2"),),
        ),
        Vector(cpu_milli=5000, pods=1),
    ),
    "overhead comes on top": (
        PodSpec(containers=(container(cpu="1"),), overhead={"cpu": "250m", "memory": "120Mi"}),
        Vector(cpu_milli=1250, memory_bytes=120 * 2**20, pods=1),
    ),
    "GPUs are named as limits": (
        PodSpec(containers=(Container(resources=Resources(limits={names.GPU_RESOURCE: "2"})),)),
        Vector(gpu_percent=200, pods=1),
    ),
    "a limit without a request is a request": (
        PodSpec(containers=(Container(resources=Resources(limits={"cpu": "3", "memory": "1Gi"})),)),
        Vector(cpu_milli=3000, memory_bytes=GIB, pods=1),
    ),
    "a request wins over its limit": (
        PodSpec(containers=(Container(resources=Resources(requests={"cpu": "1"}, limits={"cpu": "3"})),)),
        Vector(cpu_milli=1000, pods=1),
    ),
    "what cannot be read fits on no node": (
        PodSpec(containers=(container(cpu="a lot", memory="1Gi"),)),
        Vector(cpu_milli=TOO_MUCH, memory_bytes=GIB, pods=1),
    ),
    "what is beyond all precision fits on no node": (
        PodSpec(containers=(container(cpu="9e99"),)),
        Vector(cpu_milli=TOO_MUCH, pods=1),
    ),
    "a negative amount gives nothing back": (
        PodSpec(containers=(container(cpu="-4"), container(cpu="1"))),
        Vector(cpu_milli=1000, pods=1),
    ),
}


@pytest.mark.parametrize(("spec", "wanted"), CASES.values(), ids=CASES)
def test_request(spec: PodSpec, wanted: Vector) -> None:
    assert pod_request(spec) == wanted


@dataclass(frozen=True)
class Step:
    """An init container of the oracle: what it needs, and whether it stays."""

    needs: tuple[int, int, int]
    stays: bool


def written(needs: tuple[int, int, int], *, stays: bool = False) -> Container:
    gpus, cpu_milli, memory_bytes = needs
    return Container(
        resources=Resources(
            requests={"cpu": f"{cpu_milli}m", "memory": str(memory_bytes), names.GPU_RESOURCE: str(gpus)},
            limits={names.GPU_RESOURCE: str(gpus)},
        ),
        restart_policy="Always" if stays else "",
    )


def watched(steps: list[Step], containers: list[tuple[int, int, int]], overhead_milli: int) -> Vector:
    """Let the pod run, note at every moment which containers are there, and take the worst moment on every axis."""
    moments: list[list[tuple[int, int, int]]] = []
    there: list[tuple[int, int, int]] = []
    for step in steps:
        moments.append([*there, step.needs])
        if step.stays:
            there.append(step.needs)
    moments.append([*there, *containers])
    gpus, cpu, memory = (max(sum(needs[axis] for needs in moment) for moment in moments) for axis in range(3))
    return Vector(gpus * 100, cpu + overhead_milli, memory, 1)


NEEDS = st.tuples(st.integers(0, 16), st.integers(0, 64_000), st.integers(0, 2**40))


@given(
    steps=st.lists(st.builds(Step, NEEDS, st.booleans()), max_size=5),
    containers=st.lists(NEEDS, min_size=1, max_size=4),
    overhead_milli=st.integers(0, 500),
)
def test_a_pod_needs_what_its_worst_moment_needs(
    steps: list[Step], containers: list[tuple[int, int, int]], overhead_milli: int
) -> None:
    spec = PodSpec(
        init_containers=tuple(written(step.needs, stays=step.stays) for step in steps),
        containers=tuple(written(needs) for needs in containers),
        overhead={"cpu": f"{overhead_milli}m"},
    )
    assert pod_request(spec) == watched(steps, containers, overhead_milli)


ANYTHING = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"[+-]?[0-9]{1,40}([eE][+-]?[0-9]{1,3}|[a-zA-Z]{1,2})?", fullmatch=True),
    st.integers(),
    st.floats(),
)


@given(amount=ANYTHING, gpu=ANYTHING)
def test_whatever_an_amount_says_it_is_bounded_and_never_negative(
    amount: str | int | float, gpu: str | int | float
) -> None:
    asked = pod_request(
        PodSpec(
            containers=(
                Container(resources=Resources(requests={"cpu": amount, "memory": amount}, limits={"cpu": gpu})),
                Container(resources=Resources(limits={names.GPU_RESOURCE: gpu, "memory": amount})),
            ),
            overhead={"cpu": amount},
        )
    )
    assert all(0 <= each <= 3 * TOO_MUCH for each in asked.as_tuple())
    there = amount_there({"cpu": amount, "memory": amount, "pods": amount, names.GPU_RESOURCE: gpu})
    assert all(0 <= each < TOO_MUCH for each in there.as_tuple())


def test_a_node_has_nothing_of_what_cannot_be_read() -> None:
    offered = amount_there({"cpu": "many", "memory": "64Gi", "pods": "110", names.GPU_RESOURCE: "8"})
    assert offered == Vector(gpu_percent=800, cpu_milli=0, memory_bytes=64 * GIB, pods=110)
