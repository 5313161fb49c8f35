"""Pods of which it is not known whether they were made: that is found out before anything else is planned."""

import pytest

from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.reconcilers.uncertain_pods import UncertainPods
from aliquot.kube.problems import AlreadyExists, ApiProblem, Forbidden, Timeout
from tests.kube.memory_server import Json, Store, Weather, Wire, client_on
from tests.kube.virtual_time import in_virtual_time

OWNER = Key("a", "w", "TrainingWorkload")
NAME = "w-0-1"


class World:
    """A connection to an API server, and who makes pods over it."""

    def __init__(self) -> None:
        self.wire = Wire(Store())
        self.mirror = Mirror()
        self.uncertain = UncertainPods(client_on(self.wire), self.mirror)

    async def create(self) -> None:
        manifest: Json = {"metadata": {"name": NAME, "namespace": "a", "uid": "u"}, "spec": {"containers": []}}
        await self.uncertain.create(OWNER, NAME, manifest)

    async def lose(self, weather: Weather) -> None:
        """Make the pod in this weather, in which no answer comes."""
        self.wire.weather = weather
        with pytest.raises(ApiProblem):
            await self.create()
        assert not list(self.mirror.pods)

    @property
    def known(self) -> list[str]:
        return [pod.metadata.name for pod in self.mirror.pods]

    @property
    def asked(self) -> list[str]:
        return [str(request) for request in self.wire.seen]


@in_virtual_time
async def test_a_pod_that_was_made_although_its_answer_was_lost_is_known_before_the_next_plan() -> None:
    world = World()
    await world.lose(Weather.DEAF)
    world.wire.weather = Weather.FINE
    await world.uncertain.find_out(OWNER)
    assert world.known == [NAME]
    await world.uncertain.find_out(OWNER)
    assert world.asked == ["create pods a/w-0-1", "get pods a/w-0-1"], "once is enough"


@in_virtual_time
async def test_nothing_is_planned_while_it_is_not_known() -> None:
    world = World()
    await world.lose(Weather.DEAF)
    for _ in range(2):
        with pytest.raises(Timeout):
            await world.uncertain.find_out(OWNER)
    world.wire.weather = Weather.FINE
    await world.uncertain.find_out(OWNER)
    assert world.known == [NAME]


@in_virtual_time
async def test_a_pod_that_was_not_made_is_not_known() -> None:
    world = World()
    await world.lose(Weather.SILENT)
    world.wire.weather = Weather.FINE
    await world.uncertain.find_out(OWNER)
    assert world.known == []


@in_virtual_time
async def test_a_server_that_failed_may_have_made_it() -> None:
    world = World()
    world.wire.refuse_with(500, "InternalError", verb="create")
    await world.lose(Weather.FINE)
    await world.uncertain.find_out(OWNER)
    assert world.asked[1:] == ["get pods a/w-0-1"]


@in_virtual_time
async def test_of_what_was_never_sent_there_is_nothing_to_find_out() -> None:
    world = World()
    await world.lose(Weather.NO_CONNECTION)
    world.wire.weather = Weather.FINE
    await world.uncertain.find_out(OWNER)
    assert world.asked == ["create pods a/w-0-1"]


@in_virtual_time
async def test_an_answer_that_says_it_leaves_nothing_to_find_out() -> None:
    world = World()
    world.wire.refuse_with(403, "Forbidden", verb="create", times=1)
    with pytest.raises(Forbidden):
        await world.create()
    await world.create()
    with pytest.raises(AlreadyExists):
        await world.create()
    await world.uncertain.find_out(OWNER)
    assert world.asked == ["create pods a/w-0-1"] * 3


@in_virtual_time
async def test_of_a_workload_that_is_gone_nothing_is_found_out() -> None:
    world = World()
    await world.lose(Weather.DEAF)
    world.uncertain.forget(OWNER)
    world.wire.weather = Weather.FINE
    await world.uncertain.find_out(OWNER)
    assert world.asked == ["create pods a/w-0-1"]
