"""Events in virtual time, over a wire that fails; on a real API server see test_recorder_cluster."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from aliquot.kube.metrics import EventMetrics
from aliquot.kube.recorder import ObjectReference, Recorder
from aliquot.kube.resources import EVENTS
from tests.kube.memory_server import Json, Store, Weather, Wire, client_on
from tests.kube.virtual_time import LoopClock, in_virtual_time

TRAINER = ObjectReference("run.ai/v2alpha1", "TrainingWorkload", "team-a", "trainer", "uid-1")
OTHER = ObjectReference("run.ai/v2alpha1", "TrainingWorkload", "team-a", "other", "uid-2")
NODE = ObjectReference("v1", "Node", name="node-7", uid="uid-7")


class Desk:
    """A recorder, the store that it writes to, and its metrics."""

    def __init__(self, **options: Any) -> None:
        self.registry = CollectorRegistry()
        self.store = Store()
        self.wire = Wire(self.store)
        self.recorder = Recorder(
            client_on(self.wire), LoopClock(), EventMetrics(self.registry), instance="operator-0", **options
        )

    def grant(self, note: str, *, regarding: ObjectReference = TRAINER, key: str | None = None) -> None:
        self.recorder.record(regarding, "Normal", "Scheduled", note, "Binding", key=key)

    @asynccontextmanager
    async def writing(self, hold: Callable[[], bool] | None = None) -> AsyncGenerator[None]:
        task = asyncio.create_task(self.recorder.run(hold))
        try:
            yield
            assert not task.done(), "nothing may end the writing of events"
        finally:
            task.cancel()
            await asyncio.wait({task})

    @property
    def events(self) -> list[Json]:
        return self.store.of(EVENTS)

    @property
    def notes(self) -> list[str]:
        return [event["note"] for event in self.events]

    def dropped(self, reason: str) -> float:
        return self.registry.get_sample_value("aliquot_events_dropped_total", {"reason": reason}) or 0


def count(event: Json) -> int:
    return event.get("series", {}).get("count", 1)


@in_virtual_time
async def test_an_event_says_who_did_what_to_which_object_and_when() -> None:
    desk = Desk()
    desk.recorder.record(TRAINER, "Warning", "Evicted", "its GPUs went back", "Evicting", related=NODE)
    async with desk.writing():
        await asyncio.sleep(1)
    (event,) = desk.events
    metadata = event.pop("metadata")
    assert metadata["namespace"] == "team-a"
    assert re.fullmatch(r"trainer\.[0-9a-f]{16}", metadata["name"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event.pop("eventTime"))
    assert event == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "type": "Warning",
        "reason": "Evicted",
        "action": "Evicting",
        "note": "its GPUs went back",
        "reportingController": "aliquot.dev/operator",
        "reportingInstance": "operator-0",
        "regarding": {
            "apiVersion": "run.ai/v2alpha1",
            "kind": "TrainingWorkload",
            "namespace": "team-a",
            "name": "trainer",
            "uid": "uid-1",
        },
        "related": {"apiVersion": "v1", "kind": "Node", "name": "node-7", "uid": "uid-7"},
    }


@in_virtual_time
async def test_what_is_said_several_times_before_it_is_written_is_one_event_with_the_latest_note() -> None:
    desk = Desk()
    for pods in range(1, 9):
        desk.grant(f"{pods} of 8 pods have GPUs", key="granted")
    async with desk.writing():
        await asyncio.sleep(1)
    (event,) = desk.events
    assert event["note"] == "8 of 8 pods have GPUs"
    assert count(event) == 8
    assert [request.verb for request in desk.wire.seen] == ["create"]


@in_virtual_time
async def test_what_is_said_again_is_counted_and_the_count_written_now_and_then() -> None:
    desk = Desk(series_seconds=10)
    async with desk.writing():
        for _ in range(100):
            desk.grant("waits for 8 GPUs")
            await asyncio.sleep(1)
        await asyncio.sleep(10)
    (event,) = desk.events
    assert count(event) == 100
    assert 10 <= len(desk.wire.seen) <= 12


@settings(max_examples=60, deadline=None)
@given(pauses=st.lists(st.floats(0, 11), max_size=30), keys=st.lists(st.sampled_from("abc"), min_size=30, max_size=30))
def test_no_repetition_within_the_window_is_lost(pauses: list[float], keys: list[str]) -> None:
    @in_virtual_time
    async def story() -> None:
        desk = Desk()
        said: dict[str, int] = {}
        async with desk.writing():
            for pause, key in zip(pauses, keys, strict=False):
                desk.grant("again", key=key)
                said[key] = said.get(key, 0) + 1
                await asyncio.sleep(pause)
            await asyncio.sleep(60)
            assert sorted(count(event) for event in desk.events) == sorted(said.values())
            assert len(desk.recorder) == 0

    story()


@in_virtual_time
async def test_said_again_after_a_long_pause_it_is_another_event() -> None:
    desk = Desk(window_seconds=360)
    async with desk.writing():
        desk.grant("waits for 8 GPUs")
        await asyncio.sleep(359)
        desk.grant("waits for 8 GPUs")
        await asyncio.sleep(361)
        desk.grant("waits for 8 GPUs")
        await asyncio.sleep(1)
    assert [count(event) for event in desk.events] == [2, 1]


@in_virtual_time
async def test_different_objects_notes_and_types_are_different_events() -> None:
    desk = Desk()
    desk.grant("one")
    desk.grant("two")
    desk.grant("one", regarding=OTHER)
    desk.recorder.record(TRAINER, "Warning", "Scheduled", "one", "Binding")
    desk.recorder.record(TRAINER, "Normal", "Retried", "one", "Binding")
    async with desk.writing():
        await asyncio.sleep(1)
    assert [count(event) for event in desk.events] == [1] * 5


@in_virtual_time
async def test_too_many_events_about_one_object_are_dropped_and_others_are_not() -> None:
    desk = Desk()
    async with desk.writing():
        for number in range(30):
            desk.grant(f"note {number}")
        desk.grant("first", regarding=OTHER)
        await asyncio.sleep(1)
        assert desk.notes == [*(f"note {number}" for number in range(25)), "first"]
        assert desk.dropped("too many about one object") == 5
        await asyncio.sleep(300)
        desk.grant("much later")
        await asyncio.sleep(1)
        assert desk.notes[-1] == "much later"


@in_virtual_time
async def test_more_than_may_wait_is_dropped() -> None:
    desk = Desk(capacity=3)
    for number in range(5):
        desk.grant("note", regarding=ObjectReference("v1", "Pod", "team-a", f"pod-{number}", f"uid-{number}"))
    desk.grant("note", regarding=ObjectReference("v1", "Pod", "team-a", "pod-0", "uid-0"))
    assert desk.dropped("full") == 2
    async with desk.writing():
        await asyncio.sleep(1)
    assert [count(event) for event in desk.events] == [2, 1, 1]


@in_virtual_time
async def test_events_wait_for_more_important_writes_but_not_for_ever() -> None:
    desk = Desk(longest_hold_seconds=30)
    busy = True
    async with desk.writing(hold=lambda: busy):
        desk.grant("one")
        await asyncio.sleep(29)
        assert desk.notes == []
        desk.grant("two")
        await asyncio.sleep(2)
        assert desk.notes == ["one"]
        busy = False
        await asyncio.sleep(1)
        assert desk.notes == ["one", "two"]


@in_virtual_time
async def test_events_are_written_at_a_measured_pace() -> None:
    desk = Desk(per_second=10)
    for number in range(100):
        desk.grant("note", regarding=ObjectReference("v1", "Pod", "team-a", f"pod-{number}", f"uid-{number}"))
    async with desk.writing():
        await asyncio.sleep(5)
        assert 50 <= len(desk.events) <= 61
        await asyncio.sleep(5)
        assert len(desk.events) == 100


@pytest.mark.parametrize(
    ("code", "reason", "cause", "counted_as"),
    [
        (404, "NotFound", "", "gone"),
        (403, "Forbidden", "NamespaceTerminating", "gone"),
        (403, "Forbidden", "", "forbidden"),
        (422, "Invalid", "", "refused"),
    ],
)
@in_virtual_time
async def test_a_refused_event_is_dropped_and_the_next_is_written(
    code: int, reason: str, cause: str, counted_as: str
) -> None:
    desk = Desk()
    desk.wire.refuse_with(code, reason, cause=cause, times=1)
    desk.grant("one")
    desk.grant("two")
    async with desk.writing():
        await asyncio.sleep(5)
    assert desk.notes == ["two"]
    assert desk.dropped(counted_as) == 1


@pytest.mark.parametrize("weather", [Weather.NO_CONNECTION, Weather.SILENT, Weather.DEAF])
@in_virtual_time
async def test_events_outlive_a_breakdown_and_are_written_once(weather: Weather) -> None:
    desk = Desk()
    desk.wire.weather = weather
    async with desk.writing():
        desk.grant("one")
        desk.grant("one")
        desk.grant("two")
        await asyncio.sleep(5)
        desk.grant("one")
        await asyncio.sleep(55)
        desk.wire.weather = Weather.FINE
        await asyncio.sleep(60)
    assert [(event["note"], count(event)) for event in desk.events] == [("one", 3), ("two", 1)]


@in_virtual_time
async def test_an_event_that_is_never_answered_is_given_up() -> None:
    desk = Desk()
    desk.wire.refuse_with(503, "ServiceUnavailable", times=12)
    desk.grant("one")
    desk.grant("two")
    async with desk.writing():
        await asyncio.sleep(600)
    assert desk.notes == ["two"]
    assert desk.dropped("not answered") == 1


@in_virtual_time
async def test_an_event_that_is_gone_when_it_is_to_be_counted_is_said_anew_next_time() -> None:
    desk = Desk()
    async with desk.writing():
        desk.grant("one")
        await asyncio.sleep(1)
        desk.store.objects.clear()
        desk.grant("one")
        await asyncio.sleep(20)
        assert desk.events == []
        desk.grant("one")
        await asyncio.sleep(20)
        assert [count(event) for event in desk.events] == [1]


@in_virtual_time
async def test_what_waits_when_the_writing_is_stopped_is_written_when_it_goes_on() -> None:
    desk = Desk()
    desk.wire.latency_seconds = 1
    desk.grant("one")
    desk.grant("two")
    async with desk.writing():
        await asyncio.sleep(0.5)
    async with desk.writing():
        await asyncio.sleep(10)
    assert [(event["note"], count(event)) for event in desk.events] == [("one", 1), ("two", 1)]


@in_virtual_time
async def test_events_about_objects_without_a_namespace_are_in_default() -> None:
    desk = Desk()
    desk.grant("one", regarding=NODE)
    async with desk.writing():
        await asyncio.sleep(1)
    (event,) = desk.events
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["regarding"]


@settings(max_examples=40, deadline=None)
@given(
    note=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(lambda text: text * (2000 // len(text))),
    name=st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?", fullmatch=True),
)
@example(note="ü" * 512, name="a" * 253)
@example(note="ü" * 513, name="a" * 234 + "-" * 5 + "b")
def test_notes_and_names_are_cut_to_what_an_api_server_takes(note: str, name: str) -> None:
    @in_virtual_time
    async def story() -> None:
        desk = Desk()
        desk.grant(note, regarding=ObjectReference("v1", "Pod", "team-a", name, "uid-1"))
        async with desk.writing():
            await asyncio.sleep(1)
        (event,) = desk.events
        assert len(event["note"].encode()) <= 1024
        assert event["note"] == note or (note.startswith(event["note"][:-1]) and event["note"][-1] == "…")
        assert len(event["metadata"]["name"]) <= 253
        assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", event["metadata"]["name"])

    story()
