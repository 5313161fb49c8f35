"""Command lines in older and newer spellings, and what stands behind `--`."""

import pytest

from aliquot.cli.submission.spoken import understand

SWITCHES = ("--large-shm", "--create-home-dir", "--no-create-home-dir", "--command")
TYPED = {
    "nothing older": (("a", "-g", "1"), ("a", "-g", "1"), ()),
    "a command of its own": (("a", "--", "ls", "--args", "x"), ("a",), ("ls", "--args", "x")),
    "only the first --": (("a", "--", "sh", "-c", "--", "x"), ("a",), ("sh", "-c", "--", "x")),
    "--command as a switch": (("--command", "--", "ls"), ("--command",), ("ls",)),
    "--command before a name, with words": (("--command", "a", "--", "ls"), ("--command", "a"), ("ls",)),
    "--command with a value": (("a", "--command", "sleep", "--args", "9"), ("a", "--command"), ("sleep", "9")),
    "--command=": (("a", "--args", "9", "--command=sleep"), ("a", "--command"), ("sleep", "9")),
    "--command at the end": (("a", "--command"), ("a", "--command"), ()),
    "--args at the end": (("a", "--args"), ("a",), ("",)),
    "a renamed flag": (("--mig=1g.5gb", "--volumes", "/a:/b"), ("--mig-profile=1g.5gb", "--volume", "/a:/b"), ()),
    "a switch that is true": (("--large-shm=true",), ("--large-shm",), ()),
    "a switch that is false": (("--large-shm=false",), (), ()),
    "a switch with a negative": (("--create-home-dir=False",), ("--no-create-home-dir",), ()),
    "a value that looks like one": (("--image=true",), ("--image=true",), ()),
}


@pytest.mark.parametrize(("typed", "arguments", "words"), TYPED.values(), ids=TYPED)
def test_a_command_line_is_understood(
    typed: tuple[str, ...], arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    spoken = understand(typed, SWITCHES)
    assert (tuple(spoken.arguments), tuple(spoken.words)) == (arguments, words)


def test_only_older_spellings_are_warned_of() -> None:
    assert understand(("a", "--command", "--", "ls", "--mig"), SWITCHES).warnings == []
    assert len(understand(("--mig", "x", "--backoffLimit=1", "--args", "y"), SWITCHES).warnings) == 3
