"""Events as a real API server takes them, and as kubectl shows them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from aliquot.clock import SystemClock
from aliquot.kube.client import ApiClient
from aliquot.kube.decoding import Identity
from aliquot.kube.metrics import EventMetrics
from aliquot.kube.recorder import ObjectReference, Recorder
from aliquot.kube.resources import EVENTS
from aliquot_lab import Cluster
from tests.kube.eventually import eventually

pytestmark = pytest.mark.cluster


class Series(msgspec.Struct, frozen=True, rename="camel"):
    count: int
    last_observed_time: str


class Event(msgspec.Struct, frozen=True, rename="camel"):
    metadata: Identity
    reason: str
    note: str
    reporting_controller: str
    series: Series | None = None


class Desk:
    """A recorder at work."""

    def __init__(self, client: ApiClient, **options: Any) -> None:
        self.registry = CollectorRegistry()
        self.recorder = Recorder(client, SystemClock(), EventMetrics(self.registry), instance="operator-0", **options)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self.recorder.run())
        try:
            yield
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.wait({task})

    def dropped(self) -> dict[str, float]:
        return {
            sample.labels["reason"]: sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == "aliquot_events_dropped_total"
        }


def workload(namespace: str) -> ObjectReference:
    return ObjectReference("run.ai/v2alpha1", "TrainingWorkload", namespace, "trainer", "11111111-0000")


async def events(client: ApiClient, namespace: str, about: str = "trainer") -> list[Event]:
    found = await client.list(EVENTS, Event, namespace=namespace, field_selector=f"regarding.name={about}")
    assert not found.undecodable
    return found.items


async def test_events_are_taken_and_repetitions_counted(
    lab: Cluster, lab_client: ApiClient, lab_namespace: str
) -> None:
    desk = Desk(lab_client, series_seconds=0.1)
    note = "waits for 8 GPUs: ünïcode " + "x" * 2000
    node = ObjectReference("v1", "Node", name="node-7")
    async with desk.writing():
        desk.recorder.record(workload(lab_namespace), "Warning", "Waiting", note, "Scheduling", related=node)
        await eventually(lambda: len(desk.recorder) == 0)
        for _ in range(4):
            desk.recorder.record(workload(lab_namespace), "Warning", "Waiting", note, "Scheduling", related=node)
        await eventually(lambda: len(desk.recorder) == 0)
    assert desk.dropped() == {}
    (event,) = await events(lab_client, lab_namespace)
    assert event.series is not None
    assert event.series.count == 5
    assert event.reporting_controller == "aliquot.dev/operator"
    assert "waits for 8 GPUs: ünïcode xxx" in lab.kubectl("get", "events", "-n", lab_namespace)


async def test_what_was_said_often_before_it_was_written_is_one_event(
    lab_client: ApiClient, lab_namespace: str
) -> None:
    desk = Desk(lab_client)
    for pods in range(1, 9):
        note = f"{pods} of 8 pods have GPUs"
        desk.recorder.record(workload(lab_namespace), "Normal", "Scheduled", note, "Binding", key="granted")
    async with desk.writing():
        await eventually(lambda: len(desk.recorder) == 0)
    (event,) = await events(lab_client, lab_namespace)
    assert event.note == "8 of 8 pods have GPUs"
    assert event.series is not None
    assert event.series.count == 8


async def test_objects_without_a_namespace_have_events_too(lab_client: ApiClient, name_for_test: str) -> None:
    desk = Desk(lab_client)
    regarding = ObjectReference("run.ai/v2", "Project", name=name_for_test, uid=name_for_test)
    async with desk.writing():
        desk.recorder.record(regarding, "Normal", "Created", "it has its namespace", "Creating")
        await eventually(lambda: len(desk.recorder) == 0)
    assert desk.dropped() == {}
    (event,) = await events(lab_client, "default", name_for_test)
    assert event.note == "it has its namespace"


async def test_an_event_in_a_namespace_that_is_gone_is_dropped(lab_client: ApiClient, name_for_test: str) -> None:
    desk = Desk(lab_client)
    async with desk.writing():
        desk.recorder.record(workload(name_for_test), "Normal", "Scheduled", "too late", "Binding")
        await eventually(lambda: desk.dropped() == {"gone": 1})
