"""What was used lately, as it is written down and read again."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.cluster.usage import read, written
from aliquot.core.scheduling import PoolUsage

HOUR = 3600.0
GPU_HOUR, CORE_HOUR, GB_HOUR = 100 * HOUR, 1000 * HOUR, 1e9 * HOUR


def test_an_entry_is_in_hours() -> None:
    usage = PoolUsage(
        1_714_564_800.5,
        (800 * HOUR, 64_000 * HOUR, 512e9 * HOUR),
        {"a": (150 * HOUR, 500 * HOUR, 0.0), "department/d": (GPU_HOUR, CORE_HOUR, GB_HOUR)},
    )
    assert msgspec.json.decode(written(usage)) == {
        "at": 1_714_564_800.5,
        "capacity": [8, 64, 512],
        "queues": {"a": [1.5, 0.5, 0], "department/d": [1, 1, 1]},
    }


AMOUNT = st.floats(0, 1e20)
USED = st.tuples(AMOUNT, AMOUNT, AMOUNT)


@given(st.builds(PoolUsage, st.floats(0, 1e10), USED, st.dictionaries(st.text(max_size=20), USED, max_size=3)))
def test_what_is_read_is_what_was_written_but_for_its_last_digits(usage: PoolUsage) -> None:
    again = read(written(usage))
    assert again is not None
    assert again.at == pytest.approx(usage.at, abs=0.001)
    assert again.queues.keys() == usage.queues.keys()
    assert again.capacity == pytest.approx(usage.capacity, rel=1e-5)
    for name, used in usage.queues.items():
        assert again.queues[name] == pytest.approx(used, rel=1e-5)


ODD: dict[str, str] = {
    "nothing": "",
    "no JSON": "none",
    "something else": '{"at": 1}',
    "less than nothing": '{"at": 1, "capacity": [1, 1, -1], "queues": {}}',
    "two of three": '{"at": 1, "capacity": [1, 1, 1], "queues": {"a": [1, 1]}}',
    "in words": '{"at": 1, "capacity": [1, 1, 1], "queues": {"a": ["all", 1, 1]}}',
    "beyond all numbers": '{"at": 1e999, "capacity": [1, 1, 1], "queues": {}}',
    "a time before all times": '{"at": -5, "capacity": [1, 1, 1], "queues": {}}',
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_what_is_none_of_ours_is_not_taken_for_an_entry(text: str) -> None:
    assert read(text) is None
