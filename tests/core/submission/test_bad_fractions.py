"""Parts of GPUs that workloads cannot have, each with the sentence that it says; and what is next to it and is fine."""

from typing import Any

import pytest

from aliquot.contracts.kinds.parameters.compute import ComputeParameters
from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import NodeChanged
from aliquot.core.scheduling.facts import Node
from aliquot.core.submission.gpus import FRACTIONS_ALLOWED, MEMORY_ALLOWED, read_gpus
from aliquot.core.submission.problems import Problems
from tests.core.scheduling.world import GIB, World, sentences

COUNT = "a whole number from 1 to 128"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "more than one and no whole number": ({"gpu": "1.2"}, f"spec.gpu.value: '1.2' is not allowed: {FRACTIONS_ALLOWED}"),
    "no number": ({"gpu": "half"}, f"spec.gpu.value: 'half' is not allowed: {FRACTIONS_ALLOWED}"),
    "not a number": ({"gpu": "NaN"}, f"spec.gpu.value: 'NaN' is not allowed: {FRACTIONS_ALLOWED}"),
    "less than nothing": ({"gpu": "-0.5"}, f"spec.gpu.value: '-0.5' is not allowed: {FRACTIONS_ALLOWED}"),
    "a number with an exponent": ({"gpu": "5e-1"}, f"spec.gpu.value: '5e-1' is not allowed: {FRACTIONS_ALLOWED}"),
    "no memory": ({"gpuMemory": "0"}, f"spec.gpuMemory.value: '0' is not allowed: {MEMORY_ALLOWED}"),
    "more memory than any card": (
        {"gpuMemory": "17Ti"},
        f"spec.gpuMemory.value: '17Ti' is not allowed: {MEMORY_ALLOWED}",
    ),
    "both kinds": (
        {"gpu": "0.5", "gpuMemory": "4G"},
        "spec.gpuMemory.value: '4G' is not allowed: left out, because spec.gpu says which GPUs are wanted",
    ),
    "a fraction and a MIG device": (
        {"gpu": "0.5", "migProfile": "1g.10gb"},
        "spec.migProfile.value: '1g.10gb' is not allowed: left out, because spec.gpu says which GPUs are wanted",
    ),
    "more devices than any node": (
        {"gpu": "0.5", "gpuDevices": 129},
        f"spec.gpuDevices.value: 129 is not allowed: {COUNT}: with a fraction it says on how many GPUs",
    ),
    "of no device": (
        {"gpuMemory": "4G", "gpuDevices": 0},
        f"spec.gpuDevices.value: 0 is not allowed: {COUNT}: with spec.gpuMemory it says on how many GPUs",
    ),
}


def read(parameters: dict[str, Any]) -> tuple[str, list[str]]:
    """What is read, in short, and what is wrong."""
    problems = Problems()
    spec = ComputeParameters.model_validate({name: {"value": value} for name, value in parameters.items()})
    gpus = read_gpus(spec, problems)
    return f"{gpus.devices} x {gpus.fraction or gpus.memory_mib or 'whole'}", [str(each) for each in problems.errors]


@pytest.mark.parametrize(("parameters", "said"), BAD.values(), ids=BAD)
def test_what_a_workload_cannot_have(parameters: dict[str, Any], said: str) -> None:
    assert read(parameters)[1] == [said]


FINE: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({"gpu": "0"}, "0 x whole"),
    "a whole one, written as a fraction": ({"gpu": "1.0"}, "1 x whole"),
    "next to nothing": ({"gpu": "0.001"}, "1 x 0.001"),
    "on several": ({"gpu": "0.5", "gpuDevices": 128}, "128 x 0.5"),
    "memory": ({"gpuMemory": "4Gi"}, "1 x 4096"),
}


@pytest.mark.parametrize(("parameters", "found"), FINE.values(), ids=FINE)
def test_what_a_workload_can_have(parameters: dict[str, Any], found: str) -> None:
    assert read(parameters) == (found, [])


TOO_MUCH: dict[str, tuple[GpuPart, str]] = {
    "memory above any card": (
        GpuPart(memory_mib=50_000),
        "needs 50000 MiB of one GPU; in pool default the largest has 46000 MiB",
    ),
    "more devices than any node": (
        GpuPart(percent=50, devices=3),
        "needs parts of 3 GPUs on one node; the most in pool default is 2",
    ),
}


@pytest.mark.parametrize(("part", "said"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_no_node_has(part: GpuPart, said: str) -> None:
    node = Node("n", "default", Vector(200, 64_000, 512 * GIB, 110), device_memory_mib=46_068)
    world = World(NodeChanged(node)).queue("a", 8).job("asks", "a", asks=Request(Vector(0, 100, GIB, 1), part))
    assert sentences(world.state()) == {"asks": said}
