"""What a status remembers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.kinds.conditions import Condition
from aliquot.contracts.kinds.status import COMPLETED_INDEXES_LENGTH, WorkloadStatus
from aliquot.core.lifecycle import Record, record_of
from aliquot.core.lifecycle.record import read_indexes, write_indexes

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def said(type_: str, status: str = "True", reason: str | None = None) -> WorkloadStatus:
    return WorkloadStatus(conditions=(Condition(type=type_, status=status, reason=reason),), completion_time=AT)


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (WorkloadStatus(), Record()),
        (WorkloadStatus(failed_pods=3, completed_indexes="0,2-3"), Record(frozenset({0, 2, 3}), 3)),
        (said("Completed"), Record(finished="Completed", completed_at=AT.timestamp())),
        (said("Failed", reason="BackoffLimitExceeded"), Record(finished="Failed", completed_at=AT.timestamp())),
        (said("Failed", reason="InvalidSpec"), Record(completed_at=AT.timestamp())),
        (said("Completed", "False"), Record(completed_at=AT.timestamp())),
        (WorkloadStatus(phase="Completed"), Record()),
    ],
    ids=["empty", "under way", "completed", "failed", "invalid is curable", "not completed", "a phase is no record"],
)
def test_the_record_is_read_from_the_status(status: WorkloadStatus, wanted: Record) -> None:
    assert record_of(status) == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("", set[int]()),
        ("5", {5}),
        ("0-3,5", {0, 1, 2, 3, 5}),
        ("3-1", set[int]()),
        ("x,2,-,4-", {2}),
        ("99998-999999", {99998, 99999}),
        ("0-999999999999", set[int]()),
    ],
)
def test_what_cannot_be_read_of_the_indexes_is_skipped(written: str, wanted: set[int]) -> None:
    assert read_indexes(written) == wanted


@given(st.frozensets(st.integers(0, 99_999)))
def test_indexes_are_read_as_they_were_written(indexes: frozenset[int]) -> None:
    assert read_indexes(write_indexes(indexes)) == indexes


def test_the_longest_list_of_indexes_fits_its_bound() -> None:
    assert len(write_indexes(range(1, 100_000, 2))) <= COMPLETED_INDEXES_LENGTH


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert all(0 <= index < 100_000 for index in read_indexes(text))
