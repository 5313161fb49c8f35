"""What is stored survives: statuses whole, objects of yesterday's definitions, and those that older, laxer ones let in.

In a lab of their own without an operator, as the definitions are changed, and nobody else is to write a status.
"""

import json
import subprocess
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import pytest
import yaml

from aliquot.contracts.kinds.crd import definition
from aliquot.contracts.kinds.registry import KINDS, Kind
from aliquot_lab import Cluster, dedicated
from aliquot_lab.api import ApiError
from aliquot_lab.processes import eventually
from tests.chart.chart_support import CRDS, definitions_are_established
from tests.contracts import contract
from tests.contracts.documents import Spec
from tests.contracts.refused import REFUSED_BY_RULES, REFUSED_BY_SCHEMA
from tests.contracts.structural import problems
from tests.support.arena import MERGE, PATIENCE_SECONDS

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("stored objects")]

BY_NAME: Final = {kind.name: kind for kind in KINDS}
SHAPE_ONLY: Final = {
    "type", "properties", "additionalProperties", "items", "description", "format", "nullable", "default",
    "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
}  # fmt: skip


def lax(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without bounds, enums, rules and required members.

    What tells the entries of a list apart stays: an object that lacks that, Kubernetes lets nobody write any more.
    """
    kept = {key: value for key, value in schema.items() if key in SHAPE_ONLY}
    if schema.get("x-kubernetes-list-type") == "map":
        entry = schema["items"]
        return {**kept, "items": {**lax(entry), "required": entry["required"]}}
    for key in kept.keys() & {"items", "additionalProperties"}:
        kept[key] = lax(kept[key])
    if "properties" in kept:
        kept["properties"] = {name: lax(member) for name, member in kept["properties"].items()}
    return kept


def laxer(kind: Kind) -> dict[str, Any]:
    """The definition of a kind with lax schemas."""
    made = definition(kind)
    for version in made["spec"]["versions"]:
        version["schema"]["openAPIV3Schema"] = lax(version["schema"]["openAPIV3Schema"])
    return made


LAX: Final = {kind.name: laxer(kind) for kind in KINDS}
OLD: Final = {
    name: (row[0], row[1])
    for name, row in {**REFUSED_BY_SCHEMA, **REFUSED_BY_RULES}.items()
    if problems(LAX[row[0]]["spec"]["versions"][0]["schema"]["openAPIV3Schema"], {"spec": row[1]}) == []
}
"""Specs that the lax definitions take and today's refuse."""


@dataclass(frozen=True)
class Stored:
    """An object as it was stored."""

    kind: str
    path: str
    spec: Spec


@dataclass(frozen=True)
class Upgraded:
    """A cluster with today's definitions, and what it stored before it had them.

    Attributes:
        lab: the cluster.
        laxer: objects from the time of laxer definitions, by what is wrong with them.
        yesterdays: objects that give every field, by kind, from the time of the definitions before the last change.
    """

    lab: Cluster
    laxer: dict[str, Stored]
    yesterdays: dict[str, dict[str, Any]]


def yesterdays_definitions() -> str:
    """The definitions before they were last changed; empty where the history is not at hand."""
    git = ("git", "-C", str(CRDS))
    found = subprocess.run([*git, "log", "-1", "--format=%H^", "--", "."], capture_output=True, text=True, check=False)
    before = found.stdout.strip()
    listed = subprocess.run(
        [*git, "ls-tree", "--full-tree", "--name-only", f"{before}:crds"], capture_output=True, text=True, check=False
    )
    files = [f"{before}:crds/{name}" for name in listed.stdout.split()]
    shown = [subprocess.run([*git, "show", file], capture_output=True, text=True, check=True).stdout for file in files]
    return "---\n".join(shown)


def path_of(kind: Kind) -> str:
    return f"/apis/{kind.group}/{kind.stored}{'/namespaces/default' if kind.namespaced else ''}/{kind.plural}"


def store(lab: Cluster, kind: str, name: str, **parts: Any) -> Stored:
    of = BY_NAME[kind]
    manifest = {"apiVersion": of.api_version, "kind": kind, "metadata": {"name": name}, **parts}
    made = lab.api.call("POST", f"{path_of(of)}?fieldValidation=Strict", manifest)
    return Stored(kind, f"{path_of(of)}/{name}", made["spec"])


def status_of(kind: str) -> dict[str, Any]:
    """A status with everything that is published."""
    return cast("dict[str, Any]", contract.samples(kind)[0].get("status") or {"conditions": []})


@pytest.fixture(scope="module")
def upgraded() -> Generator[Upgraded]:
    """A cluster that had laxer definitions first, then those before the last change, and has today's now."""
    with dedicated() as lab:
        lab.kubectl("create", "-f", "-", input=yaml.safe_dump_all(LAX.values()))
        definitions_are_established(lab)
        old = {
            what: store(lab, kind, f"old-{number}", spec=spec)
            for number, (what, (kind, spec)) in enumerate(OLD.items())
        }
        yesterdays: dict[str, dict[str, Any]] = {}
        if before := yesterdays_definitions():
            lab.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=before)
            yesterdays = {kind: store_whole(lab, kind) for kind in BY_NAME}
        lab.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
        for what, stored in old.items():
            kind = BY_NAME[stored.kind]
            again = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": "x"}, "spec": OLD[what][1]}
            eventually_refused(lab, path_of(kind), again)
        yield Upgraded(lab, old, yesterdays)


def store_whole(lab: Cluster, kind: str) -> dict[str, Any]:
    """Store an object that gives every published field, its status too; returns it."""
    sample = contract.samples(kind)[0]
    stored = store(lab, kind, "yesterdays", **{name: part for name, part in sample.items() if name != "status"})
    whole = {**lab.api.call("GET", stored.path), "status": status_of(kind)}
    lab.api.call("PUT", f"{stored.path}/status", whole)
    return lab.api.call("GET", stored.path)


def eventually_refused(lab: Cluster, path: str, manifest: dict[str, Any]) -> None:
    """Wait until the API server has taken up today's definition: then it refuses what the old one took."""

    def refused() -> bool:
        try:
            lab.api.call("POST", f"{path}?dryRun=All", manifest)
        except ApiError as refusal:
            if refusal.status != 422:
                raise
            return True
        return False

    assert eventually(refused, seconds=PATIENCE_SECONDS), f"{path} still takes {json.dumps(manifest)}"


@pytest.mark.parametrize("what", OLD)
def test_an_object_that_would_be_refused_today_can_be_read_told_and_deleted(upgraded: Upgraded, what: str) -> None:
    lab, stored = upgraded.lab, upgraded.laxer[what]
    found = lab.api.call("GET", stored.path)
    assert {name: found["spec"][name] for name in stored.spec} == stored.spec
    told = lab.api.call("PATCH", f"{stored.path}/status", {"status": status_of(stored.kind)}, content_type=MERGE)
    assert told["spec"] == found["spec"]
    for finalizers in (["example.com/test"], []):
        lab.api.call("PATCH", stored.path, {"metadata": {"finalizers": finalizers}}, content_type=MERGE)
    lab.api.call("DELETE", stored.path)
    with pytest.raises(ApiError, match="404"):
        lab.api.call("GET", stored.path)


@pytest.mark.parametrize("kind", BY_NAME)
def test_an_object_from_before_the_last_change_is_kept_whole(upgraded: Upgraded, kind: str) -> None:
    if not upgraded.yesterdays:
        pytest.skip("the history of the definitions is not at hand")
    before = upgraded.yesterdays[kind]
    path = f"{path_of(BY_NAME[kind])}/yesterdays"
    assert upgraded.lab.api.call("GET", path) == before
    labelled = upgraded.lab.api.call("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)
    assert {part: labelled.get(part) for part in ("spec", "status", "masterSpec")} == {
        part: before.get(part) for part in ("spec", "status", "masterSpec")
    }


@pytest.mark.parametrize("kind", BY_NAME)
def test_a_status_that_gives_every_published_field_is_kept_whole(upgraded: Upgraded, kind: str) -> None:
    lab = upgraded.lab
    sample = contract.samples(kind)[0]
    stored = store(lab, kind, "whole", **{name: part for name, part in sample.items() if name != "status"})
    whole = {**lab.api.call("GET", stored.path), "status": status_of(kind)}
    lab.api.call("PUT", f"{stored.path}/status?fieldValidation=Strict", whole)
    assert lab.api.call("GET", stored.path)["status"] == status_of(kind)
