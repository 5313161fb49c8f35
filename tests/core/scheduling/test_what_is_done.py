"""What is done to a task that is stopped, in the word that its pod is marked with (docs/decisions/0015)."""

import pytest

from aliquot.core.scheduling import ACTIONS, Action, Evict

WORDS: list[tuple[Action, bool, str]] = [
    ("reclaim", False, "Preempted"),
    ("preempt", False, "Preempted"),
    ("reclaim", True, "Moved"),
    ("preempt", True, "Moved"),
    ("consolidate", True, "Moved"),
    ("stale-gangs", False, "GangIncomplete"),
]


@pytest.mark.parametrize(("action", "moves", "word"), WORDS)
def test_it_is_preempted_only_if_others_get_its_place_and_it_has_no_other(
    action: Action, moves: bool, word: str
) -> None:
    assert Evict("task", "job", "why", action, moves).done_to_it == word


def test_every_step_that_stops_anybody_has_a_word() -> None:
    assert {action for action, *_ in WORDS} == {*ACTIONS} - {"allocate"}
