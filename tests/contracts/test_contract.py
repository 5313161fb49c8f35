"""The generated definitions accept whatever the published ones do, field by field, and explain every field."""

from collections.abc import Iterator
from typing import Any, Final, cast

import pytest

from aliquot.contracts.kinds.crd import definition
from aliquot.contracts.kinds.registry import KINDS, Kind
from tests.contracts import contract
from tests.contracts.contract import FREE, Field
from tests.contracts.refused import REFUSED_BY_SCHEMA
from tests.contracts.structural import Schema, problems
from tests.contracts.taken import TAKEN

BY_NAME: Final = {kind.name: kind for kind in KINDS}
SCHEMAS: Final[dict[str, Schema]] = {
    kind.name: definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for kind in KINDS
}
TYPES: Final = {
    "decimal": "string", "quantity": "string", "time": "string", "time|null": "string", "int32": "integer",
    "int64": "integer", "map": "object", "list": "array",
}  # fmt: skip
NARROWER: Final = {"imagePullPolicy": ["Always", "IfNotPresent", "Never"]}
"""Texts whose values are fewer than published, as Kubernetes itself takes no others."""


def at(kind: str, path: str) -> Schema | None:
    """The schema of a field, None if there is none."""
    found: Schema | None = SCHEMAS[kind]
    for step in path.replace("[]", ".[]").split("."):
        if found is not None:
            below = {"[]": found.get("items"), FREE: found.get("additionalProperties")}
            found = below[step] if step in below else found.get("properties", {}).get(step)
    return found


def differences(field: Field, schema: Schema | None) -> Iterator[str]:
    """What the schema of a field refuses though it is published."""
    if schema is None:
        yield "is missing"
        return
    if field.type == "amount":
        if not schema.get("x-kubernetes-int-or-string"):
            yield "takes no numbers or no text"
        return
    if schema.get("type") != TYPES.get(field.type, field.type):
        yield f"is {schema.get('type')}"
    if more := set(schema.get("required", ())) - field.required:
        yield f"requires {sorted(more)}"
    narrower = next((texts for name, texts in NARROWER.items() if f".{name}.value" in field.path), None)
    if "enum" in schema and not (set(field.enum) or set(narrower or ())) <= set(schema["enum"]):
        yield f"takes only {schema['enum']}"
    if "enum" in schema and not field.enum and schema["enum"] != narrower:
        yield f"takes only {schema['enum']}"
    if schema.get("pattern", "") not in ("", contract.TABLE["patterns"].get(field.type)):
        yield f"must match {schema['pattern']}"
    if str(schema.get("default", "")) != field.default:
        yield f"has the default {schema.get('default')!r}"
    if field.type == "time|null" and not schema.get("nullable"):
        yield "cannot be null"


@pytest.mark.parametrize("kind", BY_NAME)
def test_every_published_field_is_there_and_no_narrower(kind: str) -> None:
    found = [
        f"{field.path} {difference}"
        for field in contract.rows(kind)
        for difference in differences(field, at(kind, field.path))
    ]
    assert found == []


def test_the_contract_is_about_all_kinds() -> None:
    assert BY_NAME.keys() == contract.TABLE["served"].keys()
    assert all(contract.rows(kind) for kind in BY_NAME)


@pytest.mark.parametrize("kind", BY_NAME)
def test_an_object_that_gives_every_published_field_is_accepted(kind: str) -> None:
    assert [problems(SCHEMAS[kind], sample) for sample in contract.samples(kind)] == [[]] * len(contract.samples(kind))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_kinds_are_served_as_published(kind: Kind) -> None:
    published = contract.TABLE["served"][kind.name]
    columns = {column.name: column.path for column in kind.columns}
    assert {
        "group": kind.group,
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "versions": list(kind.versions),
        "stored": kind.stored,
        "short": [name for name in kind.short_names if name in published["short"]],
        "columns": {name: path for name, path in columns.items() if name in published["columns"]},
    } == published


def test_short_names_are_unambiguous() -> None:
    names = [name for kind in KINDS for name in (*kind.short_names, kind.plural, kind.name.lower())]
    assert [name for name in names if names.count(name) > 1] == []


# Explanations


def fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    for name, member in cast("dict[str, Schema]", schema.get("properties", {})).items():
        if path or name != "metadata":
            yield f"{path}.{name}".lstrip("."), member
            yield from fields(member, f"{path}.{name}".lstrip("."))
    for step, inside in (("[]", schema.get("items")), (f".{FREE}", schema.get("additionalProperties"))):
        if inside:
            yield from fields(inside, f"{path}{step}")


@pytest.mark.parametrize("kind", BY_NAME)
def test_every_field_is_explained(kind: str) -> None:
    explained = {path: str(schema.get("description", "")) for path, schema in fields(SCHEMAS[kind])}
    assert SCHEMAS[kind].get("description", "").endswith(".")
    assert [path for path, text in explained.items() if not text.endswith(".") or " " not in text] == []


@pytest.mark.parametrize("kind", BY_NAME)
def test_every_text_list_and_map_has_a_bound(kind: str) -> None:
    unbounded = [
        path
        for path, schema in fields(SCHEMAS[kind])
        if path not in ("apiVersion", "kind") and not _bounded(schema) and "preserve" not in "".join(schema)
    ]
    assert unbounded == []


def _bounded(schema: Schema) -> bool:
    if schema.get("type") == "string":
        return "maxLength" in schema or "enum" in schema or schema.get("format") == "date-time"
    if schema.get("type") == "array":
        return "maxItems" in schema
    return "additionalProperties" not in schema or "maxProperties" in schema


# Documents


@pytest.mark.parametrize(("kind", "spec"), TAKEN.values(), ids=TAKEN)
def test_what_makes_sense_has_no_problem(kind: str, spec: dict[str, Any]) -> None:
    assert problems(SCHEMAS[kind], {"apiVersion": BY_NAME[kind].api_version, "kind": kind, "spec": spec}) == []


@pytest.mark.parametrize(("kind", "spec", "field", "said"), REFUSED_BY_SCHEMA.values(), ids=REFUSED_BY_SCHEMA)
def test_what_makes_no_sense_has_one_where_it_is(kind: str, spec: dict[str, Any], field: str, said: str) -> None:
    assert problems(SCHEMAS[kind], {"spec": spec}) == [field]


@pytest.mark.parametrize(("kind", "spec"), TAKEN.values(), ids=TAKEN)
def test_what_is_taken_can_be_read(kind: str, spec: dict[str, Any]) -> None:
    read = BY_NAME[kind].model.model_validate({"spec": spec}).model_dump(mode="json", exclude_unset=True)
    assert problems(SCHEMAS[kind], read) == []
    assert {name: read["spec"][name] for name in spec} == spec


def test_each_kind_is_among_what_is_taken_and_what_is_refused() -> None:
    assert {kind for kind, _ in TAKEN.values()} == BY_NAME.keys()
    assert {row[0] for row in REFUSED_BY_SCHEMA.values()} == BY_NAME.keys() - {"RunaiConfig"}
