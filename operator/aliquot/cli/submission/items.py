"""Flags whose one text has several members: `claimname=data,path=/data,ro`, `KEY=VALUE`, `8080:80`.

What cannot be told apart is an error that names the flag; what the members may say, `core.submission` knows.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aliquot.core.submission.problems import Problems

Value = dict[str, object]
"""The value of an item, by outside names."""


@dataclass(frozen=True, slots=True)
class Members:
    """The members that a text may have.

    Attributes:
        texts: name in the text → name in the object.
        switches: word that stands by itself, or with true or false → name in the object.
        required: names in the text that must be there.
        form: how it is written, for people.
    """

    texts: Mapping[str, str]
    required: Sequence[str]
    form: str
    switches: Mapping[str, str] | None = None

    def read(self, flag: str, text: str, problems: Problems) -> Value | None:
        """Read a text; None: it makes no sense, which has been noted."""
        found: Value = {}
        switches = self.switches or {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, equals, value = (word.strip() for word in part.partition("="))
            if name in self.texts and equals and value:
                found[self.texts[name]] = value
            elif name in switches and value.lower() in ("", "true", "false"):
                found[switches[name]] = value.lower() != "false"
            else:
                problems.add(flag, text, f"{self.form}; {part!r} is none of these")
                return None
        missing = [name for name in self.required if self.texts[name] not in found]
        if missing:
            problems.add(flag, text, f"{self.form}; {' and '.join(missing)} must be given")
            return None
        return found


def labelled(beginning: str, values: Iterable[Value | None]) -> dict[str, object]:
    """Put values into items, with labels as the command line makes them: `pvc--0`, `pvc--1` (cluster-api.md 1.2)."""
    return {f"{beginning}--{number}": {"value": value} for number, value in enumerate(values) if value is not None}


def keyed(flag: str, texts: Iterable[str], problems: Problems, *, removable: bool = False) -> dict[str, object]:
    """Read `KEY=VALUE` into items under these keys; with `removable`, `KEY=-` removes what others give."""
    found: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            problems.add(flag, text, "KEY=VALUE, such as BATCH_SIZE=50")
        elif removable and value == "-":
            found[key.strip()] = {"deleted": True}
        else:
            found[key.strip()] = {"value": value}
    return found


def several(texts: Iterable[str]) -> list[str]:
    """What is given by flags that may be repeated, or have commas between their values."""
    return [word for text in texts for word in re.split(r"[,\s]+", text) if word]
