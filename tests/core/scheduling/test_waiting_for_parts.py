"""Why a job waits for parts of GPUs, in the unit in which it asks for them."""

import pytest

from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import NodeChanged, decide, explain
from aliquot.core.scheduling.facts import Node
from tests.core.scheduling.world import GIB, GPU, World, sentences


def asks(*, mib: int = 0, percent: int = 0, devices: int = 1, cpu_milli: int = 1000) -> Request:
    return Request(Vector(0, cpu_milli, GIB, 1), GpuPart(percent, mib, devices))


def node(name: str, gpus: int, mib: int = 40_000, cpus: int = 64) -> NodeChanged:
    room = Vector(gpus * GPU, cpus * 1000, 512 * GIB, 110)
    return NodeChanged(Node(name, "default", room, {}, (), device_memory_mib=mib))


def world(*nodes: NodeChanged) -> World:
    return World(*nodes).queue("a", 20)


def holding(given: World, name: str, on: str, device: str, **part: int) -> World:
    return given.job(name, "a", asks=asks(**part), on=on, devices=(device,), priority=90)


ONE = world(node("n1", 1))
CASES: dict[str, tuple[World, Request, int, str]] = {
    # the cluster, what each pod asks for, how many of them start together, what is said first
    "memory, where too little of it is left on each GPU": (
        holding(holding(world(node("n1", 2)), "r", "n1", "g1", mib=29_000), "s", "n1", "g2", mib=30_000),
        asks(mib=20_000),
        1,
        "needs 20000 MiB of one GPU; the only node of pool default, n1, has 11000 MiB free on one",
    ),
    "memory, where the node of the largest GPUs is the freest": (
        holding(
            holding(world(node("n1", 1), node("n2", 1, 80_000)), "r", "n1", "g1", mib=25_000),
            "s",
            "n2",
            "g2",
            mib=62_500,
        ),
        asks(mib=20_000),
        1,
        "needs 20000 MiB of one GPU; the freest of 2 nodes of pool default, n2, has 17500 MiB free on one",
    ),
    "memory counts in full hundreds": (
        holding(world(node("n1", 1, 46_068)), "r", "n1", "g1", mib=44_900),
        asks(mib=1_101),
        1,
        "needs 1101 MiB of one GPU; the only node of pool default, n1, has 1100 MiB free on one",
    ),
    "memory, where whole GPUs are all taken": (
        ONE.job("r", "a", on="n1", priority=90),
        asks(mib=20_000),
        1,
        "needs 20000 MiB of one GPU; the only node of pool default has 0 MiB free on one",
    ),
    "a share, where less is left": (
        holding(ONE, "r", "n1", "g1", percent=60),
        asks(percent=50),
        1,
        "needs 0.5 of one GPU; the only node of pool default, n1, has 0.4 free on one",
    ),
    "a share of a GPU of which memory is held": (
        holding(ONE, "r", "n1", "g1", mib=20_100),
        asks(percent=50),
        1,
        "needs 0.5 of one GPU; the only node of pool default, n1, has 0.49 free on one",
    ),
    "memory of several GPUs at once": (
        holding(world(node("n1", 2)), "r", "n1", "g1", mib=25_000),
        asks(mib=20_000, devices=2),
        1,
        (
            "needs 20000 MiB of each of 2 GPUs on one node; the only node of pool default, n1, has 15000 MiB free on "
            "each of 2"
        ),
    ),
    "memory on those nodes that have CPUs": (
        holding(world(node("n1", 1), node("n2", 8, cpus=0)), "r", "n1", "g1", mib=30_000),
        asks(mib=20_000, cpu_milli=4_000),
        1,
        (
            "needs 20000 MiB of one GPU; the freest of 1 node of pool default with enough of the rest, n1, has "
            "10000 MiB free on one"
        ),
    ),
    "CPUs, of which there are too few": (
        ONE.job("r", "a", 0, on="n1", cpu_milli=62_000),
        asks(mib=20_000, cpu_milli=4_000),
        1,
        "needs 4 CPUs on one node; the only node of pool default, n1, has 2 free",
    ),
    "memory for a gang, and there is room for some": (
        holding(world(node("n1", 2)), "r", "n1", "g1", mib=30_000),
        asks(mib=20_000),
        3,
        "needs 3 pods with 20000 MiB of one GPU each at once; 1 node of pool default has room for 2 such pods",
    ),
    "shares for a gang, and there is room for one": (
        holding(ONE, "r", "n1", "g1", percent=40),
        asks(percent=50),
        2,
        "needs 2 pods with 0.5 of one GPU each at once; 1 node of pool default has room for 1 such pod",
    ),
    "memory for a gang, and there is room for none": (
        holding(ONE, "r", "n1", "g1", mib=30_000),
        asks(mib=20_000),
        2,
        "needs 2 pods with 20000 MiB of one GPU; the only node of pool default, n1, has 10000 MiB free on one",
    ),
}


@pytest.mark.parametrize(("given", "asked", "pods", "wanted"), CASES.values(), ids=CASES)
def test_who_waits_for_a_part_is_told_what_is_free_of_one_gpu(
    given: World, asked: Request, pods: int, wanted: str
) -> None:
    said = sentences(given.job("x", "a", asks=asked, pods=pods, together=pods).state())["x"]
    first, _, rest = said.partition("; project")
    assert first == wanted
    assert rest.startswith(" a holds "), "and then where its project stands"


def test_another_amount_that_is_free_is_not_another_answer() -> None:
    state = holding(ONE, "r", "n1", "g1", mib=25_000).job("x", "a", asks=asks(mib=20_000)).state()
    [before] = decide(state, 0.0).waiting
    for event in holding(World(), "s", "n1", "g1", mib=5_000).facts:
        state.apply(event)
    [after] = decide(state, 0.0).waiting
    assert "15000 MiB" in explain(before.reason)
    assert "10000 MiB" in explain(after.reason)
    assert after.reason.same_as(before.reason)
