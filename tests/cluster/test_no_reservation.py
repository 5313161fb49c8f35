"""A GPU that nobody can hold for those who share it: they are told why, and go on when it is possible again."""

import pytest

from aliquot import names
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.verdicts import NO_RESERVATION, Verdicts
from aliquot.kube.problems import NotFound, Request
from tests.cluster.test_cards import HALF, Server, World
from tests.kube.virtual_time import LoopClock, in_virtual_time


class Gone(Server):
    """An API server whose namespace for reservations somebody has deleted."""

    gone = True

    def carry_out(self, request: Request, method: str, path: str, body: bytes | None) -> bytes:
        if self.gone and method == "POST" and names.RESERVATION_NAMESPACE in path:
            message = f'namespaces "{names.RESERVATION_NAMESPACE}" not found'
            raise NotFound(request, message, status=404, reason="NotFound")
        return super().carry_out(request, method, path, body)


@in_virtual_time
async def test_without_the_namespace_who_waits_is_told_and_goes_on_when_it_is_there() -> None:
    server = Gone(LoopClock())
    world = World(server=server)
    world.submit("half", HALF)
    world.decide()
    with pytest.raises(NotFound):
        await world.work()
    [uid] = [pod.metadata.uid for pod in world.mirror.pods]
    verdicts = Verdicts(Mirror(), lambda of: of, lambda _: None, world.cards.trouble)
    wait = verdicts.of(uid)
    assert wait is not None
    assert wait.code == NO_RESERVATION
    assert wait.sentence.startswith("there is no namespace runai-reservation, which has the pods that hold GPUs for ")
    assert world.bound("half") is None
    server.gone = False
    world.cards.look_at_everything()  # as the work queue does after a while
    await world.work()
    assert verdicts.of(uid) is None
    world.kubelet("GPU-7")
    await world.work()
    assert world.bound("half") is not None
