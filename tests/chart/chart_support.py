"""The chart as tests see it: rendered by the lab's helm; the operator's settings in the words of its values."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel

from aliquot import names
from aliquot.settings import Settings
from aliquot_lab import Cluster
from aliquot_lab.processes import eventually
from demo.platform import definitions_are_served
from tests.support.arena import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "aliquot"
CRDS = ROOT / "crds"
GUIDE = ROOT / "docs" / "install.md"

SET_BY_THE_CHART = ("identity", "server", "webhook", "control_plane")
"""Groups of settings that are no values: they follow from where the operator runs, and from other values."""

PROJECT_ROLES = (names.VIEWER_ROLE, names.ENGINEER_ROLE, names.RESEARCHER_ROLE, names.ADMINISTRATOR_ROLE)
"""ClusterRoles that access rules give out."""

EMPTY = '""'
"""How the guide shows a setting that is empty by default."""

Manifest = dict[str, Any]


def values_of_the_chart() -> dict[str, Any]:
    """The default values."""
    return cast("dict[str, Any]", yaml.safe_load((CHART / "values.yaml").read_text()))


def schema_of_the_chart() -> dict[str, Any]:
    """The schema of the values."""
    return cast("dict[str, Any]", json.loads((CHART / "values.schema.json").read_text()))


@dataclass(frozen=True)
class Helm:
    """The helm program.

    Attributes:
        program: where it is.
    """

    program: Path

    def run(self, *arguments: str, values: Mapping[str, object] | None = None) -> subprocess.CompletedProcess[str]:
        """Run it, whether it succeeds or not; `values` arrive as a values file on standard input."""
        files = [] if values is None else ["--values", "-"]
        given = None if values is None else yaml.safe_dump(dict(values))
        return subprocess.run(
            [str(self.program), *arguments, *files], input=given, capture_output=True, text=True, check=False
        )

    def template(self, values: Mapping[str, object] | None = None, *, release: str = "aliquot") -> list[Manifest]:
        """Render the chart."""
        done = self.run("template", release, str(CHART), "--namespace", "runai", values=values or {})
        assert done.returncode == 0, done.stderr
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return [document for document in yaml.load_all(done.stdout, Loader=loader) if document]

    def refusal(self, values: Mapping[str, object]) -> str:
        """What it says to values that it must not take."""
        done = self.run("template", "aliquot", str(CHART), "--namespace", "runai", values=values)
        assert done.returncode != 0, "these values were taken"
        return done.stderr


def without_definitions(values: Mapping[str, object] | None = None) -> dict[str, object]:
    """The values, without the definitions of the custom resources: two megabytes that most tests do not look at."""
    return {**(values or {}), "crds": {"enabled": False}}


COMPONENT = "app.kubernetes.io/component"


def only(manifests: list[Manifest], kind: str, component: str = "operator") -> Manifest:
    """The one object of a kind that belongs to a component, or to the chart as a whole."""
    found = [
        manifest
        for manifest in manifests
        if manifest["kind"] == kind and manifest["metadata"]["labels"].get(COMPONENT, component) == component
    ]
    assert len(found) == 1, f"{len(found)} objects of kind {kind} of the {component}"
    return found[0]


def definitions_are_established(cluster: Cluster) -> None:
    """Wait until the API server serves our kinds. `kubectl wait` fails on definitions that have no conditions yet."""
    served = eventually(lambda: definitions_are_served(cluster), seconds=PATIENCE_SECONDS)
    assert served, "the definitions are not established"


def camel(name: str) -> str:
    """`cpu_milli_per_gpu` → `cpuMilliPerGpu`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def groups_of_settings() -> dict[str, type[BaseModel]]:
    """The groups of settings that the chart's values can set."""
    return {
        group: cast("type[BaseModel]", field.annotation)
        for group, field in Settings.model_fields.items()
        if group not in SET_BY_THE_CHART
    }


def settings_schema() -> dict[str, Any]:
    """The schema of the value `settings`, made of the settings themselves."""
    groups: dict[str, Any] = {}
    for group, model in groups_of_settings().items():
        properties: dict[str, Any] = {}
        for name, setting in model.model_json_schema()["properties"].items():
            kept = {key: value for key, value in setting.items() if key not in ("title", "default")}
            properties[camel(name)] = {**kept, "description": " ".join(kept["description"].split())}
        groups[group] = {
            "type": "object",
            "description": " ".join((model.__doc__ or "").split()),
            "additionalProperties": False,
            "properties": properties,
        }
    return {
        "type": "object",
        "description": "What the operator can be told; each becomes an environment variable ALIQUOT_<GROUP>__<NAME>.",
        "additionalProperties": False,
        "properties": groups,
    }


def settings_rows() -> list[str]:
    """The rows of the guide's table of settings, made of the settings themselves."""
    return [
        f"| `settings.{group}.{camel(name)}` | `{field.default or str(field.default) or EMPTY}` | "
        f"{' '.join((field.description or '').split())} |"
        for group, model in groups_of_settings().items()
        for name, field in model.model_fields.items()
    ]
