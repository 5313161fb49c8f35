"""Cluster documents that somebody has spoilt: the examples of the pages, and random ones, after a few mutations."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import yaml

from tests.core.simulation.documents import document, places
from tests.docs.pages import ROOT

FOLDER: Final = ROOT / "docs" / "scheduling"
EXAMPLES: Final[tuple[Path, ...]] = tuple(
    sorted(path for path in FOLDER.glob("*.yaml") if not path.name.endswith(".out.yaml"))
)

Place = tuple[Any, Any]
"""A mapping or list, and a key or index in it."""

HOSTILE: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e-300, 1e300, 10**6, 10**6 + 1, 2**31, 2**63, 10**59, -(10**59)),
    *(float("nan"), float("inf"), -float("inf")),
    *("", " ", "x", "-1", "0", "1e99", "1E+400", "9" * 70, "0x" + "f" * 50, "1:30:00", "1_000", ".5", "500m", "NaN"),
    *("2026-01-31T12:00:00Z", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    *("Running", "Pending", "Terminating", "Failed", "binpack", "reclaim", "default", "mixed", "In", "Exists"),
    *("é", "e\u0301", "名前", "\u202eabc", "\U0001f600", "a\nb", "a\tb", "\u2028", "\ufeff", "\x1b[31m", "a" * 5000),
    *("[red]x[/]", "{0}", "%s", "a.b", 'a"b', "a]b", "a/b", "__class__", "..", "null", "yes", "~", "<<", "&a", "*a"),
    *([], [None], [[]], ["x"], [0] * 50, {}, {"name": "x"}, {"": 1}, {"x": {"y": {}}}, {"1g.10gb": 7}),
)
KEYS: Final = (
    *("name", "parent", "gpus", "node", "queue", "group", "groups", "podSets", "devices", "topology", "request"),
    *("gpuFraction", "gpuMemoryMiB", "gpuDevices", "mig", "extended", "affinity", "state", "lingers", "makesRoomFor"),
    *("promisedNodes", "minMember", "required", "preferred", "deserved", "limit", "overQuotaWeight", "created"),
    *("", " ", "Name", "min_member", "names", "é", "a\nb", '"', "]", "a.b", "__init__", "x" * 3000, "\x1b[31m", "$ref"),
)


CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "gpus": (0, 1, 3, 8, 1000),
    "gpu": (0, 1, 2, 9),
    "gpuFraction": (0.01, 0.33, 0.5, 0.99),
    "deserved": (0, 0.01, 1, 2.5, 100, None),
    "limit": (0, 1, 3, None),
    "overQuotaWeight": (0, 1, 1e-9, 1000000),
    "minMember": (0, 1, 2),
    "priority": (-(2**31), 0, 50, 99, 100, 2**31 - 1),
    "state": ("Pending", "Gated", "Running", "Terminating", "Succeeded"),
    "created": (-(10**15), 0, 1e-300, 10**15, "2026-01-31T12:00:00Z"),
    "preemptible": (True, False, None),
    "levels": (["zone"], ["rack", "zone"], ["nowhere"]),
}


@cache
def _example(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def mutated(seed: int) -> Any:
    """The values of a document after one to six mutations; it may still be valid."""
    luck = random.Random(seed)
    from_page = luck.random() < 0.6
    values = copy.deepcopy(_example(luck.choice(EXAMPLES))) if from_page else document(seed, parts=luck.random() < 0.5)
    mutations = luck.choice([WILD, MILD])
    for _ in range(luck.choice([1, 1, 1, 2, 3, 6])):
        try:
            found = list(places(values))
            if not found:
                return values
            luck.choice(mutations)(luck, luck.choice(found), found)
        except RecursionError:
            return values  # too deep to be made worse
    return values


def text_of(values: Any, luck: random.Random) -> bytes:
    """The values as YAML or JSON, in one of the ways to write them; as deep a list where they are too deep for that."""
    as_json, flow, plain = luck.random() < 0.5, luck.choice([None, True, False]), luck.random() < 0.5
    try:
        if as_json:
            return json.dumps(values, ensure_ascii=plain, indent=luck.choice([None, 1])).encode()
        return yaml.safe_dump(values, default_flow_style=flow, allow_unicode=not plain, sort_keys=False).encode()
    except RecursionError:
        return b"[" * 1000 + b"]" * 1000


def _within(kind: type[Any], found: list[Place]) -> list[Place]:
    return [(container, key) for container, key in found if isinstance(container, kind)]


# Each changes the value at a place; `found` are all places there are.


def _hostile(luck: random.Random, place: Place, found: list[Place]) -> None:
    container, key = place
    container[key] = copy.deepcopy(luck.choice(HOSTILE))


def _other_type(luck: random.Random, place: Place, found: list[Place]) -> None:
    container, key = place
    value = container[key]
    ways: list[Callable[[], Any]] = [lambda: [value], lambda: {"name": value}, lambda: str(value), lambda: None]
    if isinstance(value, (int, float)):
        ways += [lambda: float(value) + 0.5, lambda: bool(value), lambda: f"{value}"]
    if isinstance(value, str):
        ways += [lambda: len(value), lambda: list(value), lambda: {value: value}]
    if isinstance(value, list):
        same = cast("list[Any]", value)
        ways += [lambda: {str(number): each for number, each in enumerate(same)}, lambda: same[0] if same else 0]
    container[key] = luck.choice(ways)()


def _other_amount(luck: random.Random, place: Place, found: list[Place]) -> None:
    numbers = [(container, key) for container, key in found if type(container[key]) in (int, float)]
    container, key = luck.choice(numbers or [place])
    if type(container[key]) in (int, float):
        container[key] = luck.choice(
            [container[key] + 1, container[key] - 1, -container[key], container[key] * 1000, container[key] * 10**6]
        )


def _removed(luck: random.Random, place: Place, found: list[Place]) -> None:
    container, key = place
    del container[key]


def _renamed(luck: random.Random, place: Place, found: list[Place]) -> None:
    container, key = luck.choice(_within(dict, found) or [place])
    if isinstance(container, dict):
        same = cast("dict[str, Any]", container)
        close = [key.upper(), key + " ", key[:-1], key + "s", f"\u200b{key}", key.replace("a", "\u0430")]
        name = luck.choice([*KEYS, *close])
        same[name] = same.pop(key) if luck.random() < 0.7 else copy.deepcopy(same[key])


def _from_elsewhere(luck: random.Random, place: Place, found: list[Place]) -> None:
    container, key = place
    if luck.random() < 0.5:
        found = list(places(copy.deepcopy(_example(luck.choice(EXAMPLES)))))
    other, at = luck.choice(found)
    container[key] = copy.deepcopy(other[at])


def _from_alike(luck: random.Random, place: Place, found: list[Place]) -> None:
    container, key = place
    if luck.random() < 0.3:
        found = list(places(copy.deepcopy(_example(luck.choice(EXAMPLES)))))
    alike = [(other, at) for other, at in found if at == key and isinstance(at, str)]
    if alike:
        other, at = luck.choice(alike)
        container[key] = copy.deepcopy(other[at])


def _shuffled(luck: random.Random, place: Place, found: list[Place]) -> None:
    container, _ = luck.choice(_within(list, found) or [place])
    if isinstance(container, list):
        luck.shuffle(cast("list[Any]", container))


def _other_choice(luck: random.Random, place: Place, found: list[Place]) -> None:
    known = [(container, key) for container, key in found if key in CHOICES]
    if known:
        container, key = luck.choice(known)
        container[key] = luck.choice(CHOICES[key])


def _twice(luck: random.Random, place: Place, found: list[Place]) -> None:
    container, key = luck.choice(_within(list, found) or [place])
    if isinstance(container, list):
        same = cast("list[Any]", container)
        same[luck.randrange(len(same)) :] = [copy.deepcopy(same[key]) for _ in range(luck.choice([1, 1, 2, 20]))]


def _same_name(luck: random.Random, place: Place, found: list[Place]) -> None:
    names = [(container, key) for container, key in found if key in ("name", "parent", "queue", "node", "podSet")]
    if len(names) > 1:
        (container, key), (other, at) = luck.sample(names, 2)
        container[key] = copy.deepcopy(other[at])


def _deeper(luck: random.Random, place: Place, found: list[Place]) -> None:
    container, key = place
    value, name = container[key], luck.choice(["groups", "group", "x", "podSets", "topology"])
    for _ in range(luck.choice([1, 3, 20, 57, 70, 200])):
        value = {name: [value], "name": "g"} if luck.random() < 0.5 else [value]
    container[key] = value


WILD: Final = (
    *(_hostile, _hostile, _hostile, _other_type, _other_amount, _other_amount, _removed, _renamed),
    *(_from_elsewhere, _from_elsewhere, _twice, _same_name, _deeper),
)
MILD: Final = (_other_amount, _from_alike, _from_alike, _from_alike, _shuffled, _other_choice, _other_choice, _removed)
"""Such as often leave a document that can exist."""


def is_there(values: Any, path: str) -> bool:
    """Whether a path leads to something in the values, or to a key that the last of its mappings lacks."""
    at, steps = values, list(_steps(path))
    for step in steps[:-1]:
        at = _below(at, step)
    return isinstance(at, dict) if isinstance(steps[-1], str) else _below(at, steps[-1]) is not _NOTHING


_NOTHING: Final = object()


def _below(at: Any, step: str | int) -> Any:
    if isinstance(at, dict) and isinstance(step, str):
        same = cast("dict[str, Any]", at)
        long = step.endswith("…") and step not in same
        return next((same[key] for key in same if key == step or (long and key.startswith(step[:-1]))), _NOTHING)
    if isinstance(at, list) and isinstance(step, int):
        these = cast("list[Any]", at)
        return these[step] if step < len(these) else _NOTHING
    return _NOTHING


def _steps(path: str) -> Iterator[str | int]:
    """The keys and indices of a path."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(path):
        if path[at] != "[":
            end = min((found for mark in ".[" if (found := path.find(mark, at + 1)) >= 0), default=len(path))
            yield path[at:end].lstrip(".")
            at = end
        elif path[at + 1] == '"':
            key, at = decoder.raw_decode(path, at + 1)
            yield key
            at += 1
        else:
            end = path.index("]", at)
            yield int(path[at + 1 : end])
            at = end + 1
