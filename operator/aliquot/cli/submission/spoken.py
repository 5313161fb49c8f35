"""What was typed, in today's spelling: older flags and forms are taken, with a word of warning (cluster-api.md 9).

Everything behind `--` is not ours: it is the command in the container.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

END: Final = "--"
RENAMED: Final[Mapping[str, str]] = {
    "--backoffLimit": "--backoff-limit",
    "--mig": "--mig-profile",
    "--processes": "--workers",
    "--pvc-exist": "--pvc-exists",
    "--volumes": "--volume",
    "--workload": "--template",
}
"""Older spellings → today's."""
SHORTHANDS: Final[Mapping[str, str]] = {
    "--always-pull-image": "--image-pull-policy=Always",
    "--local-image": "--image-pull-policy=Never",
    "--prevent-privilege-escalation": "--no-allow-privilege-escalation",
}
"""Older flags without a value → what they mean."""
REPLACED: Final[Mapping[str, str]] = {"--pvc": "--pvc-exists or --pvc-new"}
"""Older flags that are still read as they are."""
COMMAND: Final = "--command"
ARGUMENTS: Final = "--args"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command line, understood.

    Attributes:
        arguments: what is before `--`, in today's spelling.
        words: the command in the container.
        warnings: sentences about what is spelt in an older way.
    """

    arguments: Sequence[str]
    words: Sequence[str]
    warnings: Sequence[str]


def understand(typed: Sequence[str], switches: Collection[str] = ()) -> Spoken:
    """Bring a command line into today's spelling.

    `--switch=true` and `--switch=false` are taken, too; false is `--no-switch` where that is a switch.

    Args:
        typed: what was typed after the name of the command.
        switches: flags of the command that have no value.
    """
    ours, words = _split(typed)
    arguments: list[str] = []
    warnings: list[str] = []
    older: list[str] = []
    rest = iter(ours)
    for word in rest:
        flag, equals, value = word.partition("=")
        if flag == COMMAND and not words and (command := value or _value(ours, word)):
            older[:0] = [command]
            arguments.append(COMMAND)
            warnings.append(f"{COMMAND} {command}: write {COMMAND} {END} {command}")
            _skip(rest, value)
        elif flag == ARGUMENTS:
            given = value if equals else next(rest, "")
            older.append(given)
            warnings.append(f"{ARGUMENTS} {given}: write {END} {given}")
        else:
            arguments += _today(word, switches, warnings)
    return Spoken(arguments, [*words, *older], warnings)


def _split(typed: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    if END not in typed:
        return typed, ()
    at = typed.index(END)
    return typed[:at], typed[at + 1 :]


def _value(ours: Sequence[str], word: str) -> str:
    """Return what follows a flag as its value; empty: another flag does, or nothing."""
    following = ours[ours.index(word) + 1 :]
    return following[0] if following and not following[0].startswith("-") else ""


def _skip(rest: Iterator[str], value: str) -> None:
    if not value:
        next(rest)


def _today(word: str, switches: Collection[str], warnings: list[str]) -> list[str]:
    flag, equals, value = word.partition("=")
    if flag in SHORTHANDS and value.lower() in ("", "true"):
        warnings.append(f"{flag} is an older spelling: write {SHORTHANDS[flag]}")
        return [SHORTHANDS[flag]]
    if flag in RENAMED:
        warnings.append(f"{flag} is an older spelling: write {RENAMED[flag]}")
        return [RENAMED[flag] + equals + value]
    if flag in REPLACED:
        warnings.append(f"{flag} is deprecated: write {REPLACED[flag]}")
    if equals and flag in switches and value.lower() in ("true", "false"):
        negative = flag.replace(END, "--no-", 1)
        if value.lower() == "true":
            return [flag]
        return [negative] if negative in switches else []
    return [word]
