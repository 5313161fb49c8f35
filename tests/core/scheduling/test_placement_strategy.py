"""Filling nodes one after the other, or using as many as there are (cluster-api.md 5.6, S55)."""

import pytest

from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import ClusterState, PoolPlacement, SchedulingSettings, decide
from aliquot.core.scheduling.facts import Task
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.settings import Placement
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.shapes import TaskShape
from aliquot.core.simulation import document_of
from tests.core.scheduling.world import GPU, World

ONE_GPU = Request(Vector(GPU, 100, 0, 1))
HALF = Request(Vector(0, 100, 0, 1), GpuPart(percent=50))
QUARTER = Request(Vector(0, 100, 0, 1), GpuPart(percent=25))
TWO_HALVES = Request(Vector(0, 100, 0, 1), GpuPart(percent=50, devices=2))
CPU = Request(Vector(0, 1000, 0, 1))


def placed(
    state: ClusterState, request: Request, count: int, *, gpu: Placement = "binpack", cpu: Placement = "binpack"
) -> str:
    """Where so many equal tasks go, one after the other."""
    draft = Draft(state.pool("default"), SchedulingSettings(gpu_placement=gpu, cpu_placement=cpu))
    shape = TaskShape.of(Task("t", "t", "here", "t", request))
    spots = Placer(draft).place(((shape, count),), now=True)
    if spots is None:
        return "nowhere"
    return " ".join(draft.nodes.name(spot.row) + "".join(f":{each[-1]}" for each in spot.devices) for spot in spots)


SMALL = World().node("n1", "n2", gpus=2, cpus=4)
UNEVEN = World().node("n1", gpus=4).node("n2", gpus=8)
WITHOUT = SMALL.node("n3", gpus=0, cpus=2)

CASES: dict[str, tuple[World, Request, int, str, str]] = {
    # cluster, request, number, packed, spread
    "whole GPUs": (SMALL, ONE_GPU, 4, "n1 n1 n2 n2", "n1 n2 n1 n2"),
    "the largest part free, not the most": (UNEVEN, ONE_GPU, 4, "n1 n1 n1 n1", "n1 n2 n2 n1"),
    "more than there is": (SMALL, ONE_GPU, 5, "nowhere", "nowhere"),
    "halves": (SMALL, HALF, 4, "n1:1 n1:1 n1:2 n1:2", "n1:1 n2:1 n1:2 n2:2"),
    "then the emptiest device": (SMALL, HALF, 6, "n1:1 n1:1 n1:2 n1:2 n2:1 n2:1", "n1:1 n2:1 n1:2 n2:2 n1:1 n1:2"),
    "halves, all that fit": (SMALL, HALF, 9, "nowhere", "nowhere"),
    "of two devices": (SMALL, TWO_HALVES, 2, "n1:1:2 n1:1:2", "n1:1:2 n2:1:2"),
    "tasks without GPUs": (SMALL, CPU, 4, "n1 n1 n1 n1", "n1 n2 n1 n2"),
    "tasks without GPUs keep off GPUs first": (WITHOUT, CPU, 4, "n3 n3 n1 n1", "n3 n3 n1 n2"),
}


@pytest.mark.parametrize(("world", "request_", "count", "packed", "spread"), CASES.values(), ids=CASES)
def test_packing_and_spreading(world: World, request_: Request, count: int, packed: str, spread: str) -> None:
    assert placed(world.state(), request_, count) == packed
    assert placed(world.state(), request_, count, gpu="spread", cpu="spread") == spread


def test_each_kind_has_its_own_setting() -> None:
    state = SMALL.state()
    assert placed(state, ONE_GPU, 2, cpu="spread") == "n1 n1"
    assert placed(state, HALF, 2, cpu="spread") == "n1:1 n1:1"
    assert placed(state, CPU, 2, cpu="spread") == "n1 n2"
    assert placed(state, CPU, 2, gpu="spread") == "n1 n1"


def test_spreading_follows_what_is_there_whoever_changed_it() -> None:
    """Scores that follow single changes are those that are made anew."""
    draft = Draft(UNEVEN.state().pool("default"), SchedulingSettings(gpu_placement="spread"))
    shape = TaskShape.of(Task("t", "t", "here", "t", ONE_GPU))
    kept = Placer(draft)
    for _ in range(12):
        followed, fresh = kept.ranking(shape, now=True), Placer(draft).ranking(shape, now=True)
        row = fresh.best()
        assert followed.best() == row
        assert row is not None
        draft.take(row, ONE_GPU, now=True)
    assert kept.ranking(shape, now=True).best() is None


POOLS = (
    World()
    .node("n1", "n2", gpus=2)
    .node("m1", "m2", gpus=2, pool="other")
    .queue("a", 4)
    .queue("a", 4, pool="other")
    .job("here", "a", pods=2)
    .job("there", "a", pods=2, pools=("other",))
)

PER_POOL: dict[str, tuple[SchedulingSettings, str]] = {
    "no pool says anything": (SchedulingSettings(gpu_placement="spread"), "m1 m2 n1 n2"),
    "one is filled, though all others are not": (
        SchedulingSettings(gpu_placement="spread", pools={"other": PoolPlacement(gpu="binpack")}),
        "m1 m1 n1 n2",
    ),
    "one is used evenly, though all others are filled": (
        SchedulingSettings(pools={"other": PoolPlacement(gpu="spread")}),
        "m1 m2 n1 n1",
    ),
    "what it says of pods without GPUs is nothing to those with": (
        SchedulingSettings(pools={"other": PoolPlacement(cpu="spread")}),
        "m1 m1 n1 n1",
    ),
}


@pytest.mark.parametrize(("settings", "wanted"), PER_POOL.values(), ids=PER_POOL)
def test_a_pool_may_be_filled_in_its_own_way(settings: SchedulingSettings, wanted: str) -> None:
    plan = decide(POOLS.state(), 0.0, settings)
    assert " ".join(sorted(bind.node for bind in plan.binds)) == wanted


def test_the_document_of_a_pool_says_how_that_pool_is_filled() -> None:
    settings = SchedulingSettings(cpu_placement="spread", pools={"other": PoolPlacement(gpu="spread")})
    placements = [document_of(POOLS.state(), 0.0, settings, pool).settings.placement for pool in ("default", "other")]
    assert [(each.gpu, each.cpu) for each in placements] == [("binpack", "spread"), ("spread", "spread")]
