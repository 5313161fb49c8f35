"""Generated names are valid, stable and never shared."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aliquot.contracts.kinds.parameters import JOB_NAME_LENGTH, NAME_PREFIX_LENGTH
from aliquot.naming import dns_label, generated_job_name, label_value, pod_name, report_name

# RFC 1123, written down independently of the module
DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")

job_names = st.from_regex(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?", fullmatch=True)
counts = st.integers(0, 10**9)
pods = st.tuples(st.one_of(job_names, st.text(max_size=300)), counts, counts)


@given(pods)
@example(("", 0, 0))
@example(("-", 0, 0))
@example(("größe", 0, 0))
@example(("j" * 63, 99_999, 9_999))
def test_a_pods_name_can_be_a_host_name(pod: tuple[str, int, int]) -> None:
    assert DNS_LABEL.fullmatch(pod_name(*pod))


@given(pods, pods)
@example(("a-1", 0, 0), ("a", 1, 0))
@example(("A", 0, 0), ("a", 0, 0))
@example(("j" * 63, 0, 0), ("j" * 64, 0, 0))
@example(("j" * 63, 0, 0), ("j" * 63, 0, 1))
def test_different_pods_never_share_a_name_also_when_it_is_cut(
    one: tuple[str, int, int], two: tuple[str, int, int]
) -> None:
    assert (pod_name(*one) == pod_name(*two)) == (one == two)


@given(job_names, st.integers(0, 99_999), st.integers(0, 9_999))
def test_a_pods_name_says_job_index_and_attempt_wherever_the_schema_lets_it(job: str, index: int, attempt: int) -> None:
    assert len(job) <= JOB_NAME_LENGTH
    assert pod_name(job, index, attempt) == f"{job}-{index}-{attempt}"


def test_names_do_not_change_between_releases() -> None:
    # Pods that exist are found again by name: another rule would make a second pod of each.
    assert (
        pod_name("train-" * 9 + "x", 100_000, 10_000)
        == "train-train-train-train-train-train-tra-b7ddb24447-100000-10000"
    )


@given(st.text(max_size=300))
@example("a" * 64)
@example("a-")
def test_any_text_becomes_the_name_of_a_container(text: str) -> None:
    name = dns_label(text)
    assert DNS_LABEL.fullmatch(name)
    assert (name == text) == (DNS_LABEL.fullmatch(text) is not None)


@given(st.text(max_size=300))
@example("a" * 64)
@example("...")
def test_any_text_becomes_the_value_of_a_label(text: str) -> None:
    value = label_value(text)
    assert LABEL_VALUE.fullmatch(value)
    assert (value == text) == (LABEL_VALUE.fullmatch(text) is not None)


@given(st.text(max_size=100), st.text(max_size=100))
@example("a b", "a_b")
@example("a" * 64, "a" * 65)
def test_different_texts_become_different_values(one: str, two: str) -> None:
    assert (label_value(one) == label_value(two)) == (one == two)


@pytest.mark.parametrize(
    ("prefix", "taken", "name"),
    [
        (None, [], "job-0"),
        (None, ["job-0", "job-1", "job-3"], "job-2"),
        ("sweep", ["job-0"], "sweep-0"),
        ("sweep", ["sweep-0", "sweep", "sweep-01"], "sweep-1"),
    ],
)
def test_a_job_without_a_name_gets_the_lowest_number_that_is_free(
    prefix: str | None, taken: list[str], name: str
) -> None:
    assert generated_job_name(prefix, taken) == name


@given(st.one_of(st.none(), st.just("p" * NAME_PREFIX_LENGTH)), st.sets(st.integers(0, 40)))
def test_a_generated_name_is_free_and_could_have_been_given(prefix: str | None, taken: set[int]) -> None:
    names = {f"{prefix or 'job'}-{number}" for number in taken}
    name = generated_job_name(prefix, names)
    assert name not in names
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)
    assert len(name) <= JOB_NAME_LENGTH


OBJECTS = st.tuples(st.sampled_from(["Job", "PyTorchJob"]), st.text(max_size=300), st.text(max_size=40))


@given(OBJECTS, OBJECTS)
@example(("Job", "a", "1"), ("Job", "a", "2"))
@example(("Job", "a.b", "1"), ("Job", "a-b", "1"))
@example(("Job", "j" * 62, "1"), ("Job", "j" * 63, "1"))
def test_a_report_is_called_after_one_object_and_no_other(one: tuple[str, str, str], two: tuple[str, str, str]) -> None:
    assert DNS_LABEL.fullmatch(report_name(*one))
    assert (report_name(*one) == report_name(*two)) == (one == two)


def test_a_reports_name_can_be_read() -> None:
    assert report_name("PyTorchJob", "resnet", "uid").startswith("pytorchjob-resnet-")
