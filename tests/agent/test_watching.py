"""What the agent knows follows its readings."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from aliquot.agent.attribution import PodRef
from aliquot.agent.exporter import View
from aliquot.agent.last_look import LastLook
from aliquot.agent.nvml import Device, Ledger, NvmlError, Snapshot
from aliquot.agent.observing import Observation
from aliquot.agent.pod_resources import Listing
from aliquot.agent.readings import Readings
from aliquot.agent.settings import AgentSettings
from aliquot.agent.watching import Knowledge
from aliquot.contracts.kubernetes import Metadata, Pod
from tests.agent.manual_clock import ManualClock

A = PodRef("team", "a", "u")
IDLE, BUSY = 0, 50


class NodePods:
    """The pods of a node, once they are known."""

    def __init__(self, *pods: Pod) -> None:
        self.pods = pods
        self.synced = asyncio.Event()

    def __iter__(self) -> Iterator[Pod]:
        return iter(self.pods)


class World:
    """One GPU, and one pod that has all of it as a part of a hundred hundredths."""

    def __init__(self, last_look: LastLook | None = None, **annotations: str) -> None:
        given = {"aliquot.dev/gpu-ids": "GPU-a", "aliquot.dev/gpu-portion": "1", **annotations}
        self.clock = ManualClock()
        self.utilization: int | None = IDLE
        self.pods = NodePods(Pod(metadata=Metadata(namespace="team", name="a", uid="u", annotations=given)))
        self.readings = Readings(self.take, self.clock, 60)
        self.knowledge = Knowledge(AgentSettings(), self.clock, self.readings, Ledger(), last_look)
        self.knowledge.pods = self.pods

    def take(self) -> Observation:
        if self.utilization is None:
            raise NvmlError("no driver")
        device = Device(0, "GPU-a", "H100", "", "ok", utilization_percent=self.utilization)
        return Observation(Snapshot("1", (device,)), {}, Listing())

    async def look(self, after_seconds: float, utilization: int | None) -> View:
        self.clock.seconds += after_seconds
        self.utilization = utilization
        await self.readings.fresh()
        self.knowledge.update()
        return self.knowledge.view()


async def test_idleness_grows_from_reading_to_reading_and_ends_with_work() -> None:
    world = World()
    world.pods.synced.set()
    assert (await world.look(0, IDLE)).idle_seconds == {A: 0}
    assert (await world.look(30, IDLE)).idle_seconds == {A: 30}
    assert (await world.look(10, BUSY)).idle_seconds == {A: 0}


@pytest.mark.parametrize(("gap_seconds", "idle_seconds"), [(119, 90), (121, 0)])
async def test_a_new_agent_goes_on_counting_where_the_old_one_stopped_a_moment_ago(
    tmp_path: Path, gap_seconds: float, idle_seconds: int
) -> None:
    earlier = ManualClock()
    earlier.seconds -= gap_seconds
    LastLook(tmp_path / "last", tmp_path, earlier, 120).note({})
    last_look = LastLook(tmp_path / "last", tmp_path, ManualClock(), 120)
    world = World(last_look, **{"aliquot.dev/gpu-idle-since": "2027-01-15T08:00:00Z"})
    world.clock.wall_offset_seconds = 1_800_000_000 - world.clock.seconds + 90  # 08:01:30
    world.pods.synced.set()
    assert (await world.look(0, IDLE)).idle_seconds == {A: idle_seconds}
    assert world.knowledge.resumed == (idle_seconds > 0)


async def test_without_a_note_of_the_last_look_idleness_begins_anew() -> None:
    world = World(None, **{"aliquot.dev/gpu-idle-since": "2027-01-15T08:00:00Z"})
    world.pods.synced.set()
    assert (await world.look(0, IDLE)).idle_seconds == {A: 0}


async def test_findings_are_there_while_pods_are_known_and_readings_are_fresh() -> None:
    world = World()
    await world.look(0, BUSY)
    assert world.knowledge.findings() is None
    world.pods.synced.set()
    await world.look(10, BUSY)
    findings = world.knowledge.findings()
    assert findings is not None
    assert (findings.last_work, findings.devices) == ({A: world.clock.monotonic()}, {"GPU-a": ("GPU-a",)})
    await world.look(60, None)
    assert world.knowledge.findings() is not None
    await world.look(1, None)
    assert world.knowledge.findings() is None


async def test_when_a_card_last_worked_is_kept() -> None:
    world = World()
    assert (await world.look(0, IDLE)).last_used == {}
    busy_at = world.clock.now() + 10
    assert (await world.look(10, BUSY)).last_used == {"GPU-a": busy_at}
    assert (await world.look(10, IDLE)).last_used == {"GPU-a": busy_at}


async def test_until_the_pods_are_known_it_is_not_ready_and_names_nobody() -> None:
    world = World()
    view = await world.look(0, BUSY)
    assert (view.health.pods_known, view.usage is not None and view.usage.pods) == (False, ())
    assert world.knowledge.missing() == "the node's pods are not known yet"
    world.pods.synced.set()
    view = await world.look(10, BUSY)
    assert world.knowledge.missing() is None
    assert view.usage is not None
    assert [use.pod for use in view.usage.pods] == [A]


async def test_a_reading_is_shown_until_it_is_too_old() -> None:
    world = World()
    assert world.knowledge.missing() == "no reading yet"
    assert (await world.look(0, BUSY)).usage is not None
    view = await world.look(60, None)
    assert (view.health.nvml_up, view.health.age_seconds, view.health.failed_readings) == (False, 60, 1)
    assert view.usage is not None
    assert world.knowledge.missing() == "no driver"
    assert (await world.look(1, None)).usage is None
    assert (await world.look(1, IDLE)).usage is not None
