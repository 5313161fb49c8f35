"""Text → plain values, fast and safely: one document in YAML or JSON, as lists, mappings by text, and scalars.

Safe means that no text makes more of the machine than its size lets expect: there are bounds for bytes, values,
nesting, and what aliases stand for.
"""

import json
from typing import cast

from aliquot.core.simulation.bounds import MOST_BYTES, MOST_DIGITS, MOST_LEVELS, MOST_VALUES, refuse, too_deep, too_much
from aliquot.core.simulation.yaml_text import read_yaml


def read(data: bytes) -> object:
    """The values of a document.

    Raises:
        SimulationError: it is too large, no text, no YAML, or deeper or more than is allowed; the path is the line and
            column then.
    """
    if len(data) > MOST_BYTES:
        refuse("document", f"{len(data)} bytes", f"a cluster document has at most {MOST_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        refuse("document", f"byte {error.start}", "a cluster document is a text in UTF-8")
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _read_json(text)
        except json.JSONDecodeError:
            pass  # it may be YAML in flow style, or the better message comes from there
    return read_yaml(text)


# JSON


def _read_json(text: str) -> object:
    try:
        found = json.loads(text, object_pairs_hook=_mapping, parse_int=_whole_number)
    except RecursionError:
        too_deep("document")
    if "\\u" in text:
        try:
            json.dumps(found, ensure_ascii=False).encode()
        except (UnicodeEncodeError, RecursionError):
            refuse("document", "\\ud800", "half a surrogate pair is no character")
    _measure(found)
    return found


def _mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        refuse("document", next(key for key in keys if keys.count(key) > 1), "a key may stand only once in a mapping")
    return found


def _whole_number(text: str) -> int:
    if len(text) > MOST_DIGITS:
        refuse("document", text[:40] + "…", "a whole number of at most 60 digits")
    return int(text)


def _measure(found: object) -> None:
    """Look whether it is too deep or too much."""
    level, values = [found], 0
    for _ in range(MOST_LEVELS + 1):
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below += cast("dict[str, object]", value).values()
            elif isinstance(value, list):
                below += cast("list[object]", value)
        values += len(below)
        if values > MOST_VALUES:
            too_much("document")
        if not below:
            return
        level = below
    too_deep("document")
