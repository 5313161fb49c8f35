"""Shared GPUs while something else is under way: what a round decided before, what the API server has not told yet."""

from collections.abc import Callable
from contextlib import suppress

import msgspec
import pytest

from aliquot.cluster.mirror.cache import Key
from aliquot.core.scheduling import decide
from aliquot.kube.problems import Refused, Request, Status, Timeout, from_status
from tests.cluster.test_cards import HALF, POD, PODS, RESERVATIONS, Server, World
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


class Slow(Server):
    """An API server during whose answers something else happens, or that does not give them.

    Attributes:
        meanwhile: what happens between the making of a reservation and its answer.
        silent: whether the answers to that are lost.
        refuses: whether reservations are refused, with this status; 0: they are not.
    """

    def __init__(self, clock: LoopClock) -> None:
        super().__init__(clock)
        self.meanwhile: Callable[[], object] = lambda: None
        self.silent = False
        self.refuses = 0

    def carry_out(self, request: Request, method: str, path: str, body: bytes | None) -> bytes:
        making = method == "POST" and path == RESERVATIONS
        if making and self.refuses:
            raise from_status(request, Status(code=self.refuses))
        answer = super().carry_out(request, method, path, body)
        if making:
            self.meanwhile()
            if self.silent:
                raise Timeout(request, "lost")
        return answer


def leaves(world: World, name: str) -> None:
    """A pod is deleted, and the watch tells of that; not yet of reservations."""
    pod = POD.decode(msgspec.json.encode(world.server.objects.pop(f"{PODS}/{name}")))
    world.mirror.pods.drop(Key("a", name), pod.metadata.uid)


async def made_for_nobody(server: Slow) -> World:
    """A reservation is made, and before its answer the pod goes for which it is."""
    world = World(server=server)
    decided: list[str] = []

    def meanwhile() -> None:
        server.meanwhile = lambda: None
        leaves(world, "part")
        world.submit_unheard("whole", gpus=1)
        decided.extend(world.decide())

    server.meanwhile = meanwhile
    world.submit("part", HALF)
    world.decide()
    with suppress(Timeout):
        await world.cards.tend(Key("", GPU))
    assert decided == [], "the GPU is held"
    return world


@in_virtual_time
async def test_a_gpu_is_held_from_the_moment_that_its_reservation_is_asked_for() -> None:
    world = await made_for_nobody(Slow(LoopClock()))
    assert world.decide() == []
    await world.work()
    assert world.reservations() == []
    assert world.decide() == ["whole"]


@in_virtual_time
async def test_a_gpu_is_held_until_it_is_known_what_came_of_its_reservation() -> None:
    server = Slow(LoopClock())
    server.silent = True
    world = await made_for_nobody(server)
    assert world.decide() == []
    server.objects.pop(f"{RESERVATIONS}/gpu-reservation-{GPU}")
    with pytest.raises(Timeout):  # asked again, and again there is no answer
        await world.cards.tend(Key("", GPU))
    assert world.decide() == []
    server.silent = False
    await world.work()
    assert world.reservations() == []
    assert world.decide() == ["whole"]


@pytest.mark.parametrize(("status", "free"), [(403, True), (500, False)])
def test_a_gpu_whose_reservation_is_refused_is_free_where_that_is_certain(status: int, free: bool) -> None:
    async def play() -> None:
        server = Slow(LoopClock())
        server.refuses = status
        world = World(server=server)
        world.submit("part", HALF)
        world.decide()
        with pytest.raises(Refused):
            await world.cards.tend(Key("", GPU))
        leaves(world, "part")
        world.submit_unheard("whole", gpus=1)
        assert world.decide() == (["whole"] if free else [])

    in_virtual_time(play)()
