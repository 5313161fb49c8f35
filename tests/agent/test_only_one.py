"""Of several agents on a node one writes."""

from pathlib import Path

from aliquot.agent.publishing import OnlyOne


def test_the_second_waits_until_the_first_has_gone(tmp_path: Path) -> None:
    first, second = OnlyOne(tmp_path), OnlyOne(tmp_path)
    assert [first.is_ours(), second.is_ours(), first.is_ours()] == [True, False, True]
    first.close()
    assert [second.is_ours(), first.is_ours()] == [True, False]
    second.close()


def test_a_folder_that_may_not_be_written_is_good_enough(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    one = OnlyOne(tmp_path)
    assert one.is_ours()
    one.close()


def test_without_a_kubelet_there_is_nobody_to_agree_with(tmp_path: Path) -> None:
    assert [OnlyOne(tmp_path / "none").is_ours(), OnlyOne(tmp_path / "none").is_ours()] == [True, True]
