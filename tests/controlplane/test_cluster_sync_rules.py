"""The rules of the sync: amounts as clusters get them, and which reports are taken."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.cluster_sync import DesiredAmounts
from aliquot.controlplane.cluster_sync.rules import MOST_ENDED, SILENT_MS, BeginAnew, Last, queue, shown, verdict
from aliquot.controlplane.quotas.rules import UNTOUCHED, Blocks

GPU = {"deserved": 2.5, "limit": 4, "overQuotaWeight": 1}
NOW_MS = 1_000_000
A, B, C = (f"{number}" * 36 for number in "abc")


def _memory(**block: Any) -> DesiredAmounts:
    return queue("default", Blocks(GPU, None, {"deserved": 0, "limit": -1, "overQuotaWeight": 2, **block})).memory


AMOUNTS = {
    "MiB are 1,048,576 bytes": (_memory(deserved=1000, units="Mib").deserved, 1048.576),
    "GB are 1000 MB": (_memory(deserved=1.5, units="GB").deserved, 1500),
    "MB stay": (_memory(limit=7, units="MB").limit, 7),
    "null deserved is unlimited": (_memory(deserved=None, units="Mib").deserved, -1),
    "-1 is unlimited in any unit": (_memory(deserved=-1, units="GB").deserved, -1),
    "no limit": (_memory(limit=None, units="Mib").limit, -1),
    "a weight of 0 borrows nothing": (_memory(overQuotaWeight=0, units="Mib").over_quota_weight, 0),
    "a weight that nobody gave is the untouched one": (_memory(overQuotaWeight=None, units="Mib").over_quota_weight, 2),
}


@pytest.mark.parametrize(("given", "wanted"), AMOUNTS.values(), ids=AMOUNTS)
def test_amounts_are_in_the_units_of_custom_resources(given: float, wanted: float) -> None:
    assert given == wanted


def test_a_kind_that_is_null_is_unlimited_and_gpus_are_as_they_were_written() -> None:
    made = queue("a100", Blocks(GPU, None, None))
    assert made.node_pool == "a100"
    assert made.gpu == DesiredAmounts(deserved=2.5, limit=4, over_quota_weight=1)
    assert made.cpu == made.memory == DesiredAmounts(deserved=-1, limit=-1, over_quota_weight=2)
    untouched = queue("default", UNTOUCHED)
    assert untouched.gpu == DesiredAmounts(deserved=0, limit=-1, over_quota_weight=2)
    assert untouched.cpu == untouched.memory == made.memory


LAST = Last(term=3, session=A, sequence=5, ended=(B,), taken_ms=NOW_MS)
REPORTS = {
    # what comes                                 last   term session sequence later      becomes
    "the first that ever came": (Last(), 0, A, 1, 0, "take"),
    "the first that ever came is not the first of its session": (Last(), 0, A, 2, 0, "not its first"),
    "the next one": (LAST, 3, A, 6, 0, "take"),
    "the last one again": (LAST, 3, A, 5, 0, "taken before"),
    "an older one again": (LAST, 3, A, 1, 0, "taken before"),
    "one is missing": (LAST, 3, A, 7, 0, "does not follow 5"),
    "another session begins": (LAST, 3, C, 1, 0, "take"),
    "another session in the middle": (LAST, 3, C, 2, 0, "not its first"),
    "the beginning of a session that has ended": (LAST, 3, B, 1, 0, "has ended"),
    "the middle of a session that has ended": (LAST, 3, B, 9, 0, "has ended"),
    "a new leader": (LAST, 4, C, 1, 0, "take"),
    "a new leader in the middle": (LAST, 4, C, 2, 0, "not its first"),
    "a new leader in the session of the old": (LAST, 4, A, 6, 0, "has ended"),
    "an old leader begins": (LAST, 2, C, 1, 0, "term: 2 is over"),
    "an old leader goes on": (LAST, 2, B, 6, 0, "term: 2 is over"),
    "an old leader when nobody spoke for almost long": (LAST, 2, C, 1, SILENT_MS - 1, "term: 2 is over"),
    "installed anew after silence": (LAST, 0, C, 1, SILENT_MS, "take"),
    "an old leader in the middle after silence": (LAST, 2, C, 2, SILENT_MS, "not its first"),
}


@pytest.mark.parametrize(("last", "term", "session", "sequence", "later_ms", "wanted"), REPORTS.values(), ids=REPORTS)
def test_which_reports_are_taken(
    last: Last, term: int, session: str, sequence: int, later_ms: int, wanted: str
) -> None:
    found = verdict(last, term, session, sequence, NOW_MS + later_ms)
    if isinstance(found, BeginAnew):
        assert wanted in found.why
    else:
        assert found == wanted


def test_sessions_that_ended_are_remembered_within_their_term_and_a_bound() -> None:
    last = LAST.after(3, C, 1, NOW_MS)
    assert last.ended == (B, A)
    for number in range(2 * MOST_ENDED):
        last = last.after(3, f"{number:036}", 1, NOW_MS)
    assert len(last.ended) == MOST_ENDED
    assert last.ended[-1] == f"{2 * MOST_ENDED - 2:036}"
    assert last.after(4, A, 1, NOW_MS).ended == ()


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
)
def test_what_is_shown_has_printable_text_only_and_nothing_else_of_it_changes(document: Any) -> None:
    made = shown(document)
    assert shown(made) == made
    assert _texts(made).isprintable()
    if _texts(document).isprintable():
        assert made == document


def _texts(document: Any) -> str:
    match document:
        case str():
            return document
        case list():
            return "".join(map(_texts, document))  # pyright: ignore[reportUnknownArgumentType]
        case dict():
            return "".join(_texts(name) + _texts(each) for name, each in document.items())  # pyright: ignore[reportUnknownVariableType]
        case _:
            return ""
