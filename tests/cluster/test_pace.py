"""Statuses make way for grants, but not for ever."""

from aliquot.cluster.pace import Pace


def test_a_status_is_written_at_once_while_nobody_is_granted_gpus() -> None:
    assert Pace[str](0.5, 10).may_write("a", 100.0)


def test_a_status_waits_while_gpus_are_granted() -> None:
    pace = Pace[str](0.5, 10)
    pace.granted(100.0)
    assert not pace.may_write("a", 100.4)
    assert pace.may_write("a", 100.5)


def test_a_status_waits_no_longer_than_its_longest_wait() -> None:
    pace = Pace[str](0.5, 10)
    pace.granted(100.0)
    assert not pace.may_write("a", 100.0)
    pace.granted(110.0)
    assert pace.may_write("a", 110.0)


def test_after_it_was_written_a_status_waits_anew() -> None:
    pace = Pace[str](0.5, 10)
    pace.granted(100.0)
    assert not pace.may_write("a", 100.0)
    pace.granted(110.0)
    assert pace.may_write("a", 110.0)
    assert not pace.may_write("a", 110.1)


def test_what_somebody_waits_for_does_not_wait_for_others() -> None:
    pace = Pace[str](0.5, 10)
    pace.granted(100.0)
    pace.hurry("a")
    assert pace.may_write("a", 100.0)
    assert not pace.may_write("a", 100.1)
    assert not pace.may_write("b", 100.1)


def test_what_is_held_is_due_when_grants_are_over() -> None:
    pace = Pace[str](0.5, 10)
    pace.granted(100.0)
    assert not pace.may_write("a", 100.0)
    assert not pace.may_write("b", 100.1)
    assert pace.due(100.4) == []
    assert pace.due(100.5) == ["a", "b"]


def test_what_is_held_is_due_after_its_longest_wait() -> None:
    pace = Pace[str](0.5, 10)
    pace.granted(100.0)
    assert not pace.may_write("a", 100.0)
    assert not pace.may_write("b", 100.4)
    pace.granted(110.0)
    assert pace.due(110.0) == ["a"]
    assert pace.may_write("a", 110.0)
    assert pace.due(110.4) == ["b"]
