"""The published contract of the custom resources, read from `contract.yaml`.

Each kind's object is one shape: nested mappings whose leaves are types, with the wrappers and rules of all parameters
spelt out. `rows` lists it field by field; `sample` makes a document that gives every field.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import yaml

TABLE: Final[Mapping[str, Any]] = yaml.safe_load(Path(__file__).with_name("contract.yaml").read_text())
FREE: Final = "<>"
"""The member of a shape that stands for any key."""

Shape = Any
WORKLOADS: Final = {"T": "Training", "I": "Interactive", "F": "Inference", "D": "Distributed"}


@dataclass(frozen=True)
class Field:
    """A field of an object as it is published.

    Attributes:
        path: such as `spec.ports.items.<>.value.container`; `[]` stands for the entries of a list.
        type: one of those that `contract.yaml` names; `map` where it has members, `list` where it has entries.
        enum: the values allowed; empty: any of the type.
        required: the members that must be given.
    """

    path: str
    type: str
    enum: tuple[str, ...] = ()
    default: str = ""
    required: frozenset[str] = field(default_factory=frozenset[str])


def rows(kind: str) -> list[Field]:
    """List the fields of a kind's spec, status and masterSpec."""
    return list(_rows(shape(kind), ""))


def shape(kind: str) -> Shape:
    """Return what objects of a kind say, beside identity and metadata."""
    if kind in TABLE["objects"]:
        return TABLE["objects"][kind]
    letter = next(letter for letter, name in WORKLOADS.items() if kind.startswith(name))
    if kind.endswith("Policy"):
        return {"spec": _parameters(letter, plain=False)}
    master = {"masterSpec": _parameters("M")} if letter == "D" else {}
    return {"spec": _parameters(letter), **master, "status": TABLE["workloadStatus"]}


def _parameters(letter: str, *, plain: bool = True) -> Shape:
    return {
        name: _parameter(row)
        for name, row in TABLE["parameters"].items()
        if letter in row["kinds"] and (plain or "plain" not in row)
    }


def _parameter(row: Mapping[str, Any]) -> Shape:
    if "plain" in row:
        return row["plain"]
    if "value" in row:
        return _value(row["value"])
    if "values" in row:
        return {"values": {name: _value(type_) for name, type_ in row["values"].items()}}
    rules = {"keyRules": TABLE["rules"]["string"]} if row.get("keys") else {}
    item: Shape = {"value": row["items"], "deleted": "boolean", "rules": TABLE["rules"]["item"]}
    members: Mapping[str, str] | None = row.get("itemRules")
    of_members = {name: TABLE["rules"][type_] for name, type_ in members.items()} if members else None
    return {
        "items": {FREE: item},
        "rules": TABLE["rules"]["map"],
        "itemRules": of_members or TABLE["rules"][row["items"]],
        **rules,
    }


def _value(type_: str) -> Shape:
    return {"value": type_, "rules": TABLE["rules"][type_]}


def _rows(node: Shape, path: str) -> Iterator[Field]:
    if isinstance(node, str):
        words, _, default = node.partition(" =")
        enum = tuple(words.removeprefix("one of ").split()) if words.startswith("one of ") else ()
        yield Field(path, "string" if enum else words, enum, default)
    elif isinstance(node, list):
        yield Field(path, "list")
        yield from _rows(cast("list[Shape]", node)[0], f"{path}[]")
    else:
        members = cast("dict[str, Shape]", node)
        if path:
            yield Field(path, "map", required=frozenset(name[:-1] for name in members if name.endswith("*")))
        for name, member in members.items():
            yield from _rows(member, f"{path}.{name.removesuffix('*')}".lstrip("."))


EXCLUSIVE: Final = (
    frozenset({"gpuMemory", "gpuMemoryLimit", "migProfile", "namePrefix"}),
    frozenset({"gpu", "gpuLimit", "migProfile", "name"}),
    frozenset({"gpu", "gpuLimit", "gpuMemory", "gpuMemoryLimit", "namePrefix"}),
)
"""Parameters without a value in each of the samples of a kind, because rules let only some have one."""

_TEXTS: Final[Mapping[str, str]] = {
    "imagePullPolicy": "Always",
    "migProfile": "1g.10gb",
    "supplementalGroups": "100;2000",
    "placementStrategy": "binpack",
}
"""Texts that say something, by the member they are somewhere below; every other text is `a`."""
_SAMPLES: Final[Mapping[str, object]] = {
    "boolean": True, "integer": 1, "int32": 1, "int64": 1, "number": 0.5, "decimal": "0.5", "quantity": "4G",
    "amount": "80Gi", "time": "2026-11-25T14:00:00Z", "time|null": None, "object": {"free": ["form"]},
}  # fmt: skip


def samples(kind: str) -> list[dict[str, Any]]:
    """Make objects of a kind that give every field at least once, without identity and metadata."""
    exclusive = EXCLUSIVE if kind not in TABLE["objects"] else (frozenset[str](),)
    return [_sample(shape(kind), "", without) for without in exclusive]


def _sample(node: Shape, path: str, without: frozenset[str]) -> Any:
    if isinstance(node, list):
        return [_sample(cast("list[Shape]", node)[0], path, without)]
    if isinstance(node, dict):
        members = cast("dict[str, Shape]", node)
        given = {name.removesuffix("*"): member for name, member in members.items()}
        return {
            "one" if name == FREE else name: _sample(member, f"{path}.{name}", without)
            for name, member in given.items()
            if not (name == "value" and path.rpartition(".")[2] in without)
        }
    words, _, default = node.partition(" =")
    if words.startswith("one of "):
        return default or words.split()[-1]
    texts = [text for member, text in _TEXTS.items() if f".{member}" in path]
    return texts[0] if words == "string" and texts else _SAMPLES.get(words, "a")
