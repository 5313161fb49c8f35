"""Shared GPUs while something else is under way: what a round decided before, what the API server has not told yet."""

import pytest

from aliquot.cluster.mirror.cache import Key
from aliquot.core.scheduling import decide
from aliquot.kube.problems import Refused, Request
from tests.cluster.test_cards import HALF, Server, World
from tests.kube.virtual_time import LoopClock, in_virtual_time

GPU = "n-shared-1"


async def late(world: World) -> None:
    """A round decides; then the last sharer ends, and its GPU is tended; then the round's plan is carried out."""
    await world.share("part")
    world.submit("late", HALF)
    plan = decide(world.state, world.clock.now())
    world.end("part")
    try:
        await world.cards.tend(Key("", GPU))
    finally:
        for bind in plan.binds:
            pod = world.mirror.pod(bind.task)
            assert pod is not None
            await world.granter.carry_out(world.granter.assume(bind, pod))


@in_virtual_time
async def test_nobody_gets_a_part_of_a_gpu_whose_reservation_is_being_deleted() -> None:
    """It would be free for others; the part is given when the GPU is held anew."""
    world = World()
    await late(world)
    assert world.bound("late") is None
    world.echo()
    await world.work()
    world.kubelet("GPU-8")
    await world.work()
    annotations = world.bound("late")
    assert annotations is not None
    assert annotations["aliquot.dev/gpu-ids"] == "GPU-8"


class Deaf(Server):
    """An API server that deletes nothing."""

    def carry_out(self, request: Request, method: str, path: str, body: bytes | None) -> bytes:
        if method == "DELETE":
            raise Refused(request, "not now", 503)
        return super().carry_out(request, method, path, body)


@in_virtual_time
async def test_a_part_is_given_where_the_reservation_could_not_be_deleted() -> None:
    world = World(server=Deaf(LoopClock()))
    with pytest.raises(Refused):
        await late(world)
    annotations = world.bound("late")
    assert annotations is not None
    assert annotations["aliquot.dev/gpu-ids"] == "GPU-7"
