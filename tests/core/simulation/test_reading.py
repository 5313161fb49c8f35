"""Texts are read fast and safely; what is wrong with one is told by line and column."""

import json
import tracemalloc

import pytest

from aliquot.core.simulation import SimulationError
from aliquot.core.simulation.bounds import MOST_BYTES, MOST_LEVELS
from aliquot.core.simulation.reading import read

READ: dict[str, tuple[str, object]] = {
    "YAML": ("nodes:\n- name: n1\n  gpus: 8\n  ready: yes\n", {"nodes": [{"name": "n1", "gpus": 8, "ready": True}]}),
    "JSON": (
        '{"nodes": [{"name": "n1", "gpus": 8.5, "x": null}]}',
        {"nodes": [{"name": "n1", "gpus": 8.5, "x": None}]},
    ),
    "flow style that is no JSON": ("{nodes: [], a: 'b'}", {"nodes": [], "a": "b"}),
    "a byte order mark": ("\ufeffa: 1", {"a": 1}),
    "nothing": ("", None),
    "comments only": ("# nothing\n", None),
    "a time stays a text": ("created: 2026-01-01T00:00:00Z", {"created": "2026-01-01T00:00:00Z"}),
    "quoted numbers are texts": ("cpu: \"64\"\nmemory: '1'", {"cpu": "64", "memory": "1"}),
    "tagged texts": ("cpu: !!str 64", {"cpu": "64"}),
    "MIG profiles": ("{1g.10gb: 7}", {"1g.10gb": 7}),
    "an alias": ("a: &x [1, {b: 2}]\nc: *x", {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}),
    "a scalar's alias": ("a: &x 5\nc: *x", {"a": 5, "c": 5}),
    "a merge": ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
    "a merge of several": (
        "a: [&x {b: 1}, &y {b: 2, c: 2}]\nd: {<<: [*x, *y]}",
        {"a": [{"b": 1}, {"b": 2, "c": 2}], "d": {"b": 1, "c": 2}},
    ),
    "a quoted <<": ('{"<<": 1, x: 2}', {"<<": 1, "x": 2}),
}


@pytest.mark.parametrize(("text", "values"), READ.values(), ids=READ)
def test_texts_that_are_read(text: str, values: object) -> None:
    assert read(text.encode()) == values


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
REFUSED: dict[str, tuple[bytes, str, str]] = {
    "a bracket that is not closed": (b"nodes:\n- {name: n1\n- x: [\n", "line 3, column 4", "it is no YAML"),
    "a tab": (b"nodes:\n\t- name: n1", "line 2, column 1", "it is no YAML"),
    "broken JSON": (b'{"nodes": [}', "line 1, column 12", "it is no YAML"),
    "bytes that are no text": (b"a: \xff", "document: 'byte 3'", "UTF-8"),
    "a character that may not be": (b"a: \x00", "document", "it is no YAML"),
    "half a surrogate pair": (b'{"a": "\\ud800"}', "document", "surrogate"),
    "half a surrogate pair in YAML": (b'a: "\\ud800"', "line 1, column 7", "it is no YAML"),
    "two documents": (b"a: 1\n---\nb: 2\n", "line 2, column 1", "one document"),
    "a key twice": (b"a: 1\nb: 2\na: 3\n", "line 3, column 1: 'a'", "only once"),
    "a key twice in JSON": (b'{"a": 1, "a": 2}', "document: 'a'", "only once"),
    "a number as key": (b"a: {1: x}", "line 1, column 5: 1", "keys are texts"),
    "yes as key": (b"yes: x", "line 1, column 1: True", "keys are texts"),
    "a list as key": (b"? [a]\n: x", "line 1", "keys are texts"),
    "a tag of Python": (b"a: !!python/object/apply:os.system [x]", "line 1, column 4", "other tags"),
    "a scalar of Python": (b"a: !!python/name:os.system x", "line 1, column 4", "other tags"),
    "a set": (b"a: !!set {x}", "line 1, column 4", "other tags"),
    "bytes": (b"a: !!binary aGk=", "line 1, column 4", "other tags"),
    "an int that is none": (b"a: !!int x", "line 1, column 4", "it is no int"),
    "an int without digits": (b"a: 0b_", "line 1, column 4", "it is no int"),
    "an unknown alias": (b"a: *x", "line 1, column 4", "came before"),
    "an alias within itself": (b"a: &x [*x]", "line 1, column 8", "came before"),
    "a merge of a text": (b"a: {<<: x}", "line 1, column 9", "takes mappings over"),
    "a huge number": (b"a: " + b"9" * 5000, "line 1, column 4", "at most 60 digits"),
    "a huge hexadecimal number": (b"a: 0x" + b"f" * 5000, "line 1, column 4", "at most 60 digits"),
    "a huge number in JSON": (b'{"a": ' + b"9" * 5000 + b"}", "document", "at most 60 digits"),
    "a billion laughs": (BOMB.encode(), "line ", "at most 2000000 values"),
    "deep YAML": (b"- " * 5000, "line 1", "60 deep"),
    "deep flow style": (b"a: " + b"[" * 5000, "line 1", "60 deep"),
    "deep JSON": (b"[" * 100_000 + b"]" * 100_000, "document", "60 deep"),
    "JSON that is just too deep": (b"[" * (MOST_LEVELS + 2) + b"]" * (MOST_LEVELS + 2), "document", "60 deep"),
    "64 MiB and a byte": (b"#" * (MOST_BYTES + 1), "document: '67108865 bytes'", "at most 67108864 bytes"),
}


@pytest.mark.parametrize(("data", "where", "words"), REFUSED.values(), ids=REFUSED)
def test_texts_that_are_refused(data: bytes, where: str, words: str) -> None:
    with pytest.raises(SimulationError) as refused:
        read(data)
    text = str(refused.value)
    assert text.startswith(where)
    assert words in text
    assert len(text) < 400


def test_a_bomb_costs_no_memory() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(SimulationError):
            read(BOMB.encode())
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_yaml_and_json_say_the_same() -> None:
    values: dict[str, object] = {
        "a": [{"b": None, "c": -1, "d": 0.5, "e": "x y", "f": True}],
        "g": {},
        "h": [],
        "i": "é",
    }
    assert read(json.dumps(values, indent=1).encode()) == read(b"# YAML\n" + json.dumps(values).encode()) == values
