"""Filters, against a filter in plain Python over the same names."""

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.controlplane.plane import Tenant

CLUSTERS = 2
NAMES = ("a", "aa", "ab-a", "b", "b-a", "team-a", "team-b", "zz")
PLAIN: dict[str, Callable[[str, str], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "=@": operator.contains,
    "!@": lambda text, value: value not in text,
    "=^": str.startswith,
    "=$": str.endswith,
}


@pytest.fixture(scope="module")
def filled(plane: Any) -> Tenant:
    made: Tenant = plane.tenant()
    for _ in range(CLUSTERS):
        cluster = made.cluster()
        for name in NAMES:
            made.project(cluster, name)
    return made


_TERM = st.tuples(
    st.sampled_from(["name", "clusterId"]),
    st.sampled_from(sorted(PLAIN)),
    st.sampled_from([*NAMES, "", "A", "%", "_", "\\", "-", "t", "é"]),
)


@given(
    terms=st.lists(_TERM, max_size=3),
    sort_by=st.sampled_from(["name", "clusterId", "createdAt"]),
    descending=st.booleans(),
    offset=st.integers(0, 20),
    limit=st.integers(1, 20),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_list_is_what_a_plain_filter_leaves_in_order(
    filled: Tenant, terms: list[tuple[str, str, str]], sort_by: str, descending: bool, offset: int, limit: int
) -> None:
    everything = filled.admin.done("GET", "/api/v1/org-unit/projects", limit=500)["projects"]
    left = [each for each in everything if all(PLAIN[op](each[field], value) for field, op, value in terms)]
    expected = sorted(left, key=lambda each: (each[sort_by], int(each["id"])), reverse=descending)
    got = filled.admin.done(
        "GET",
        "/api/v1/org-unit/projects",
        filterBy=["".join(term) for term in terms],
        sortBy=sort_by,
        sortOrder="desc" if descending else "asc",
        offset=offset,
        limit=limit,
    )
    assert got["projects"] == expected[offset : offset + limit]
    assert got["next"] == (offset + limit if offset + limit < len(expected) else None)
