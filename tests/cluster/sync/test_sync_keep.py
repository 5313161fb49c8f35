"""Keeping custom resources as the control plane wants them: in virtual time, against who undoes it and who refuses."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from aliquot.cluster.mirror.cache import Cache
from aliquot.cluster.mirror.mirror import Mirror, identify
from aliquot.cluster.resources import POLICIES, PROJECTS
from aliquot.cluster.sync.caches import Caches
from aliquot.cluster.sync.keep import Keeper
from aliquot.cluster.sync.manifests import Place
from aliquot.contracts.kinds.policies import TrainingPolicy
from aliquot.contracts.kinds.tenancy import AccessRule, Project
from tests.cluster.sync.desires import CLUSTER, desired, policy, project, queue
from tests.kube.memory_server import Store, Wire, client_on
from tests.kube.virtual_time import LoopClock, in_virtual_time

PATH = PROJECTS.item("", "team-a")


class World:
    """A keeper, the API server, and what the keeper hears of it."""

    def __init__(self) -> None:
        self.store, self.mirror = Store(), Mirror()
        self.wire = Wire(self.store)
        rules = Cache[AccessRule](identify, lambda _old, _new: None)
        self.told: list[Place | None] = []
        chance = Random(1)
        caches = Caches(self.mirror, rules)
        self.keeper = Keeper(client_on(self.wire), caches, CLUSTER, "runai", LoopClock(), self.told.append, chance)
        self.mirror.listeners.project.append(self.keeper.heard)

    def somebody_writes(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Somebody changes the project, and everybody hears of it."""
        changed = {**self.store.objects[PATH]}
        change(changed)
        self.mirror.projects.put(Project.model_validate(self.store.put(PATH, changed)))

    def writes(self) -> int:
        return len(self.wire.seen)


@asynccontextmanager
async def world() -> AsyncGenerator[World]:
    made = World()
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(made.keeper.run())
        yield made
        keeping.cancel()


def mine(whole: dict[str, Any]) -> None:
    whole["spec"] = {**whole["spec"], "queues": []}


@in_virtual_time
async def test_what_is_as_it_is_to_be_is_written_once() -> None:
    async with world() as here:
        here.keeper.want(desired(project(), revision="1"))
        await asyncio.sleep(600)
        assert here.writes() == 1
        assert here.keeper.applied == "1"
        here.keeper.want(desired(project("team-a", queue(2)), revision="2"))
        await asyncio.sleep(600)
        assert here.writes() == 2
        assert here.keeper.applied == "2"
        here.keeper.want(desired(revision="3"))
        await asyncio.sleep(600)
        assert here.store.objects == {}
        assert here.keeper.applied == "3"


@in_virtual_time
async def test_who_changes_it_back_again_and_again_is_not_raced() -> None:
    async with world() as here:
        here.keeper.want(desired(project()))
        await asyncio.sleep(300)
        for _ in range(600):
            here.somebody_writes(mine)
            await asyncio.sleep(1)
        assert 5 <= here.writes() <= 30, "about once a minute in the end"
        await asyncio.sleep(300)
        assert here.store.objects[PATH]["spec"]["queues"], "the last word is the control plane's"


@in_virtual_time
async def test_a_change_by_hand_is_put_back_at_once() -> None:
    async with world() as here:
        here.keeper.want(desired(project()))
        for _ in range(5):
            await asyncio.sleep(300)
            here.somebody_writes(mine)
            await asyncio.sleep(0.1)
            assert here.store.objects[PATH]["spec"]["queues"]


@in_virtual_time
async def test_what_is_refused_is_told_and_tried_more_and_more_rarely_until_it_is_taken() -> None:
    async with world() as here:
        here.wire.refuse_with(422, "Invalid", verb="create")
        here.keeper.want(desired(project(), revision="1"))
        await asyncio.sleep(3600)
        place = Place(Project, "team-a")
        assert 60 <= here.writes() <= 150
        assert "Invalid" in (here.keeper.problem(place) or "")
        assert here.keeper.is_managed(place)
        assert here.keeper.applied is None
        assert here.told.count(place) == 1
        here.wire.refuse = lambda _: None
        await asyncio.sleep(60)
        assert here.keeper.problem(place) is None
        assert here.keeper.applied == "1"
        assert here.told.count(place) == 2


@in_virtual_time
async def test_another_word_of_the_control_plane_is_tried_at_once() -> None:
    async with world() as here:
        here.wire.refuse_with(422, "Invalid", verb="create")
        here.keeper.want(desired(project(), revision="1"))
        await asyncio.sleep(3600)
        here.wire.refuse = lambda _: None
        here.keeper.want(desired(project("team-a", queue(2)), revision="2"))
        await asyncio.sleep(0.1)
        assert here.keeper.applied == "2"


@in_virtual_time
async def test_a_policy_is_made_changed_put_back_and_removed_in_its_namespace() -> None:
    async with world() as here:
        here.mirror.listeners.policy.append(here.keeper.heard)
        path = POLICIES["TrainingPolicy"].item("runai-team-a", "control-plane")
        here.keeper.want(desired(policy(image={"value": "a"}), revision="1"))
        await asyncio.sleep(600)
        assert here.store.objects[path]["spec"] == {"image": {"value": "a"}}
        here.keeper.want(desired(policy(command={"value": "b"}), revision="2"))
        await asyncio.sleep(600)
        assert here.store.objects[path]["spec"] == {"command": {"value": "b"}}
        changed: dict[str, Any] = {**here.store.objects[path], "spec": {}}
        here.mirror.policies.put(TrainingPolicy.model_validate(here.store.put(path, changed)))
        await asyncio.sleep(600)
        assert here.store.objects[path]["spec"] == {"command": {"value": "b"}}
        by_hand = {
            "metadata": {"name": "mine", "namespace": "runai-team-a", "uid": "x", "resourceVersion": "1"},
            "spec": {},
        }
        here.mirror.policies.put(TrainingPolicy.model_validate(by_hand))
        assert here.keeper.not_managed == 1
        here.keeper.want(desired(revision="3"))
        await asyncio.sleep(600)
        assert here.store.objects == {}
        assert here.keeper.applied == "3"
