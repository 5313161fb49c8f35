"""The custom resource definitions, made from the models.

`python -m aliquot.contracts.kinds.crd DIRECTORY` writes one file for each kind; the same models always give the same
bytes. All versions of a kind have the same schema, so nothing has to be converted (notes/python-operator.md 5.2).
"""

import sys
from pathlib import Path
from typing import Any, Final

import yaml

from aliquot.contracts.kinds.registry import KINDS, Column, Kind
from aliquot.contracts.kinds.schema import Node, structural

HEADER: Final = """\
# Generated from operator/aliquot/contracts/kinds by `python -m aliquot.contracts.kinds.crd crds`.
# Change the models, then generate again.
"""


def definition(kind: Kind) -> Node:
    """Return the kind's CustomResourceDefinition."""
    schema = _whole_object(structural(kind.model))
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.resource},
        "spec": {
            "group": kind.group,
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": kind.name.lower(),
                "categories": list(kind.categories),
                **({"shortNames": list(kind.short_names)} if kind.short_names else {}),
            },
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "conversion": {"strategy": "None"},
            "versions": [_version(kind, version, schema) for version in kind.versions],
        },
    }


def _version(kind: Kind, version: str, schema: Node) -> Node:
    served: Node = {
        "name": version,
        "served": True,
        "storage": version == kind.stored,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
    }
    if kind.selectable:
        served["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    return served


def _column(column: Column) -> Node:
    printed: Node = {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
    }
    return {**printed, "priority": 1} if column.wide else printed


def _whole_object(schema: Node) -> Node:
    """Leave to Kubernetes what it checks itself: version, kind and metadata."""
    members = schema["properties"]
    members["apiVersion"] = {"type": "string", "description": "Group and version of the object's form."}
    members["kind"] = {"type": "string", "description": "Kind of the object."}
    members["metadata"] = {"type": "object", "properties": {"name": {"type": "string"}}}
    if "status" in members:
        # Who wrote which member of a status nobody asks, and noting it is a sixth of what writing one costs.
        members["status"]["x-kubernetes-map-type"] = "atomic"
    return schema


def document(kind: Kind) -> str:
    """Return the definition as the text of its file."""
    return HEADER + yaml.dump(definition(kind), Dumper=_PlainDumper, sort_keys=True, width=120, allow_unicode=True)


def file_name(kind: Kind) -> str:
    """Return the name of the definition's file."""
    return f"{kind.group}_{kind.plural}.yaml"


class _PlainDumper(yaml.SafeDumper):
    """Writes equal parts out again rather than refer to them, as people read these files."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- PyYAML's own signature
        return True


def write_all(directory: Path) -> None:
    """Write the definitions of all kinds into a directory, and remove generated files of kinds that are gone."""
    directory.mkdir(parents=True, exist_ok=True)
    for stale in set(directory.glob("*.yaml")) - {directory / file_name(kind) for kind in KINDS}:
        if stale.read_text(encoding="utf-8").startswith(HEADER):
            stale.unlink()
    for kind in KINDS:
        (directory / file_name(kind)).write_text(document(kind), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m aliquot.contracts.kinds.crd DIRECTORY")
    write_all(Path(sys.argv[1]))
