"""Roles and clusters of the older surface as access rules, and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.administrator_api.older.subjects import OLDER_ROLES
from aliquot.contracts.administrator_api.permissions import ROLES
from aliquot.controlplane.older.rights import Change, Rights, Rule, change, rights, wanted
from aliquot.controlplane.refusals import BadRequest

ADMIN, EDITOR, RESEARCHER, DEPARTMENT_ADMINISTRATOR, L2_RESEARCHER = 1, 3, 5, 1710, 8


def _everywhere(role: int) -> Rule:
    return Rule(role, None, is_broad=True)


def _in_cluster(role: int, cluster: str) -> Rule:
    return Rule(role, cluster, is_broad=True)


def _below(role: int, cluster: str) -> Rule:
    return Rule(role, cluster, is_broad=False)


@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        ([], Rights()),
        ([_everywhere(ADMIN)], Rights(("admin",), True)),
        ([_in_cluster(EDITOR, "b"), _in_cluster(EDITOR, "a")], Rights(("editor",), False, ("a", "b"))),
        ([_below(RESEARCHER, "a")], Rights(("researcher",), False, ("a",))),
        ([_everywhere(ADMIN), _below(RESEARCHER, "a")], Rights(("admin", "researcher"), True, ("a",))),
        ([_in_cluster(L2_RESEARCHER, "a")], Rights()),
    ],
    ids=str,
)
def test_rules_are_shown_in_older_words(rules: list[Rule], shown: Rights) -> None:
    assert rights(rules) == shown


@pytest.mark.parametrize(
    ("rules", "asked", "expected"),
    [
        ([], Rights(("editor",), True), Change(made=((EDITOR, None),))),
        ([], Rights(("editor",), False, ("a", "b")), Change(made=((EDITOR, "a"), (EDITOR, "b")))),
        ([], Rights(("editor",), True, ("a",)), Change(made=((EDITOR, None),))),
        ([], Rights(("researcher", "department_admin"), True), Change()),
        ([_everywhere(EDITOR)], Rights(("viewer",), True), Change((0,), ((7, None),))),
        ([_everywhere(EDITOR)], Rights(("editor",), False, ("a",)), Change((0,), ((EDITOR, "a"),))),
        ([_in_cluster(EDITOR, "a")], Rights(("editor",), True, ("a",)), Change(made=((EDITOR, None),))),
        ([_everywhere(ADMIN), _in_cluster(EDITOR, "a")], Rights(("admin", "editor"), True, ("a",)), Change()),
        ([_below(RESEARCHER, "a")], Rights(("researcher",), False, ("b",)), Change((0,))),
        ([_below(RESEARCHER, "a")], Rights((), False, ("a",)), Change((0,))),
        ([_below(RESEARCHER, "a")], Rights(("editor", "researcher"), False, ("a",)), Change(made=((EDITOR, "a"),))),
        ([_below(EDITOR, "a")], Rights(("editor",), True, ("a",)), Change(made=((EDITOR, None),))),
        ([_everywhere(L2_RESEARCHER)], Rights(("viewer",), True), Change(made=((7, None),))),
    ],
    ids=str,
)
def test_what_is_asked_for_becomes_rules(rules: list[Rule], asked: Rights, expected: Change) -> None:
    assert change(rules, asked) == expected


_RULES = st.lists(
    st.builds(Rule, st.sampled_from([*ROLES]), st.sampled_from([None, "a", "b"]), is_broad=st.just(True))
    | st.builds(Rule, st.sampled_from([RESEARCHER, DEPARTMENT_ADMINISTRATOR]), st.just("a"), is_broad=st.just(False)),
    max_size=6,
)


@st.composite
def _asked(draw: st.DrawFn) -> Rights:
    roles = draw(st.sets(st.sampled_from(OLDER_ROLES)))
    clusters = draw(st.sets(st.sampled_from(["a", "b", "c"]), min_size=1))
    return Rights(tuple(role for role in OLDER_ROLES if role in roles), draw(st.booleans()), tuple(sorted(clusters)))


@given(_RULES, _asked())
def test_afterwards_nobody_has_more_than_was_asked_for_and_asking_again_changes_nothing(
    rules: list[Rule], asked: Rights
) -> None:
    def after(rules: list[Rule], asked: Rights) -> list[Rule]:
        done = change(rules, asked)
        left = [rule for index, rule in enumerate(rules) if index not in done.ended]
        return left + [Rule(role, cluster, is_broad=True) for role, cluster in done.made]

    once = after(rules, asked)
    shown = rights(once)
    assert set(shown.roles) <= set(asked.roles)
    assert asked.everywhere or not shown.everywhere
    assert asked.everywhere or set(shown.clusters) <= set(asked.clusters)
    for role in set(asked.roles) - {"researcher", "department_admin"}:
        assert role in shown.roles
    assert change(once, asked) == change(once, shown) == Change()
    assert [rule for rule in rules if rights([rule]) == Rights()] == [
        rule for rule in once if rights([rule]) == Rights()
    ]


def test_what_is_left_out_stays() -> None:
    now = Rights(("editor",), False, ("a",))
    assert wanted(now, None, None, None) == now
    assert wanted(now, ["viewer", "admin"], None, None) == Rights(("admin", "viewer"), False, ("a",))
    assert wanted(now, None, True, []) == Rights(("editor",), True, ())


@pytest.mark.parametrize(
    "given", [(["admin"], None, None), (["viewer"], False, []), (["editor", "researcher"], None, [])]
)
def test_roles_that_would_count_nowhere_are_refused(given: tuple[Any, Any, Any]) -> None:
    with pytest.raises(BadRequest, match="permitAllClusters: true"):
        wanted(Rights(), *given)
