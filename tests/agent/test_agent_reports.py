"""What the agent tells in annotations: written and read by one module, and nothing of a text that is not in order."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.agent_reports import (
    MOST_DEVICES,
    MOST_MIB,
    DeviceTrouble,
    Overuse,
    health_text,
    overuse_text,
    read_health,
    read_overuse,
)

SINCE = "2027-01-15T08:00:00Z"
SECONDS = 1_800_000_000.0

devices = st.from_regex(r"\A(GPU|MIG)-[0-9a-z./-]{1,40}\Z")
times = st.integers(0, 253_402_300_799).map(float)
mib = st.integers(0, MOST_MIB)
troubles = st.builds(DeviceTrouble, st.sampled_from(["lost", "reset_required", "failed"]), times)
uses = st.builds(Overuse, mib, mib, times)


def test_the_formats_that_are_documented() -> None:
    assert health_text({"GPU-b": DeviceTrouble("lost", SECONDS), "GPU-a": DeviceTrouble("failed", SECONDS)}) == (
        f'{{"GPU-a":{{"reason":"failed","since":"{SINCE}"}},"GPU-b":{{"reason":"lost","since":"{SINCE}"}}}}'
    )
    assert overuse_text({"GPU-a": Overuse(9_000, 8_192, SECONDS)}) == (
        f'{{"GPU-a":{{"usedMib":9000,"limitMib":8192,"since":"{SINCE}"}}}}'
    )


def test_where_all_is_well_there_is_no_annotation() -> None:
    assert (health_text({}), overuse_text({})) == (None, None)
    assert (read_health(None), read_overuse(None), read_health(""), read_overuse("{}")) == ({}, {}, {}, {})


@given(st.dictionaries(devices, troubles, max_size=20), st.dictionaries(devices, uses, max_size=20))
def test_what_is_written_is_read_back(health: dict[str, DeviceTrouble], overuse: dict[str, Overuse]) -> None:
    assert read_health(health_text(health)) == health
    assert read_overuse(overuse_text(overuse)) == overuse


@given(st.text() | st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)).map(json.dumps))
def test_no_text_is_an_error(text: str) -> None:
    read_health(text)
    read_overuse(text)


def trouble(reason: object = "lost", since: object = SINCE, device: str = "GPU-a") -> str:
    return json.dumps({"GPU-fine": {"reason": "lost", "since": SINCE}, device: {"reason": reason, "since": since}})


def use(used: object = 9_000, limit: object = 8_000, since: object = SINCE) -> str:
    return json.dumps({"GPU-a": {"usedMib": used, "limitMib": limit, "since": since}})


def many(count: int) -> str:
    return json.dumps({f"GPU-{number}": {"reason": "lost", "since": SINCE} for number in range(count)})


HOSTILE: dict[str, str] = {
    "no JSON": "lost",
    "a list": "[]",
    "deep": "[" * 60_000,
    "deep where nothing is expected": '{"GPU-a":{"x":' + "[" * 60_000,
    "half of a character": '{"GPU-\\ud800":{}}',
    "another reason": trouble("stolen"),
    "reason is a number": trouble(1),
    "no time": trouble(since=""),
    "time is a number": trouble(since=1_800_000_000),
    "a day that is not": trouble(since="2027-02-30T00:00:00Z"),
    "an offset that is not": trouble(since="2027-02-20T00:00:00+99:00"),
    "before 1970": trouble(since="0001-01-01T00:00:00+14:00"),
    "after 9999": trouble(since="9999-12-31T23:59:59-14:00"),
    "without a zone": trouble(since="2027-01-15T08:00:00"),
    "device without a name": trouble(device=""),
    "device with a line break": trouble(device="GPU-a\n"),
    "device with a long name": trouble(device="GPU-" + "a" * 300),
    "too many": many(MOST_DEVICES + 1),
    "too long": trouble() + " " * 70_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_of_a_text_that_is_not_in_order_nothing_is_believed(text: str) -> None:
    assert read_health(text) == {}
    assert read_overuse(text) == {}


@pytest.mark.parametrize(
    "text",
    [use(used=-1), use(used=MOST_MIB + 1), use(limit=1e300), use(used="9000"), use(used=None), use(since="soon")],
)
def test_numbers_and_times_of_overuse_are_bounded(text: str) -> None:
    assert read_overuse(text) == {}
    assert read_overuse(use()) == {"GPU-a": Overuse(9_000, 8_000, SECONDS)}


def test_memory_that_was_only_lent_is_read_as_it_was_written() -> None:
    uses = {"GPU-a": Overuse(9_000, 8_000, SECONDS, 10_000), "GPU-b": Overuse(9_000, 8_000, SECONDS)}
    text = overuse_text(uses)
    assert read_overuse(text) == uses
    assert text is not None
    assert text.count("burstMib") == 1
    assert read_overuse(text.replace("10000", "-1")) == {}


def test_as_many_as_are_written_are_read() -> None:
    troubled = {f"GPU-{number:0100}": DeviceTrouble("reset_required", SECONDS) for number in range(MOST_DEVICES + 5)}
    assert len(read_health(health_text(troubled))) == MOST_DEVICES
    used = {device: Overuse(MOST_MIB, MOST_MIB, SECONDS) for device in troubled}
    assert len(read_overuse(overuse_text(used))) == MOST_DEVICES
    assert len(read_health(many(MOST_DEVICES))) == MOST_DEVICES
