"""Values: wrong ones are refused by name, all are documented, and those of the operator follow its settings."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from tests.chart.chart_support import (
    GUIDE,
    Helm,
    schema_of_the_chart,
    settings_rows,
    settings_schema,
    values_of_the_chart,
)


def nested(path: str, value: object) -> dict[str, object]:
    """`a.b`, 1 → `{"a": {"b": 1}}`."""
    head, _, rest = path.partition(".")
    return {head: nested(rest, value) if rest else value}


WRONG: list[tuple[str, object, str]] = [
    ("replicas", "two", "'/replicas': got string, want integer"),
    ("replicas", -1, "'/replicas': minimum: got -1"),
    ("replicas", 1.5, "'/replicas': got number, want integer"),
    ("replicaCount", 3, "additional properties 'replicaCount' not allowed"),
    ("image", "aliquot:1.0.0", "'/image': got string, want object"),
    ("image.tga", "1.0.0", "'/image': additional properties 'tga' not allowed"),
    ("image.tag", "latest", 'image.tag: "latest" means another program tomorrow'),
    ("image.tag", "a b", "'/image/tag': 'a b' does not match pattern"),
    ("image.repository", "", "'/image/repository': minLength"),
    ("image.digest", "sha256:1234", "'/image/digest': 'sha256:1234' does not match pattern"),
    ("image.pullPolicy", "Sometimes", "'/image/pullPolicy': value must be one of 'Always'"),
    ("imagePullSecrets", ["registry"], "'/imagePullSecrets/0': got string, want object"),
    ("settings.work.workers", 0, "'/settings/work/workers': minimum: got 0, want 1"),
    ("settings.work.workers", "many", "'/settings/work/workers': got string, want integer"),
    ("settings.api.requestTimeoutSeconds", 0, "'/settings/api/requestTimeoutSeconds': exclusiveMinimum"),
    ("settings.log.level", "loud", "'/settings/log/level': value must be one of 'debug', 'info'"),
    ("settings.log.levle", "info", "'/settings/log': additional properties 'levle' not allowed"),
    ("settings.identity.name", "me", "'/settings': additional properties 'identity' not allowed"),
    ("runAsUser", 0, "'/runAsUser': minimum: got 0, want 1"),
    ("runAsUser", "nobody", "'/runAsUser': got string"),
    ("resources.requests.memory", "lots", "'/resources/requests/memory': 'lots' does not match pattern"),
    ("resources.limits.cpu", -1, "'/resources/limits/cpu': minimum: got -1"),
    ("crds", False, "'/crds': got boolean, want object"),
    ("crds.enabled", "yes", "'/crds/enabled': got string, want boolean"),
    ("networkPolicy.apiServer.ports", [], "'/networkPolicy/apiServer/ports': minItems"),
    ("networkPolicy.apiServer.ports", [70000], "'/networkPolicy/apiServer/ports/0': maximum: got 70,000"),
    (
        "networkPolicy.apiServer.cidrs",
        ["10.0.0.1"],
        "'/networkPolicy/apiServer/cidrs/0': '10.0.0.1' does not match",
    ),
    ("networkPolicy.metricsFrom", [{}], "'/networkPolicy/metricsFrom/0': minProperties"),
    ("serviceMonitor.interval", 30, "'/serviceMonitor/interval': got number, want string"),
    ("serviceMonitor.interval", "30 s", "'/serviceMonitor/interval': '30 s' does not match pattern"),
    ("webhook.timeoutSeconds", 31, "'/webhook/timeoutSeconds': maximum: got 31"),
    ("webhook.url", "http://10.0.0.1/validate", "'/webhook/url': 'http://10.0.0.1/validate' does not match pattern"),
    ("webhook.certManager.issuerRef.nmae", "x", "'/webhook/certManager/issuerRef': additional properties 'nmae'"),
    ("settings.certificates.lifetimeDays", 0, "'/settings/certificates/lifetimeDays': minimum: got 0, want 1"),
    ("serviceAccount.name", "Mine", "'/serviceAccount/name': 'Mine' does not match pattern"),
    ("controlPlane.url", "aliquot.example.com", "'/controlPlane/url': 'aliquot.example.com' does not match pattern"),
    ("controlPlane.url", "https://aliquot.example.com", "cluster.uid: missing: with controlPlane.url it must be"),
    ("controlPlane.caBundle", "ca.pem", "'/controlPlane/caBundle': 'ca.pem' does not match pattern"),
    ("cluster.uid", "prod", "'/cluster/uid': 'prod' does not match pattern"),
    ("nodeSelector.gpu", True, "'/nodeSelector/gpu': got boolean, want string"),
    ("tolerations", [{"effect": "Never"}], "'/tolerations/0/effect': value must be one of 'NoSchedule'"),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG, ids=str)
def test_a_wrong_value_is_refused_with_its_name(path: str, value: object, said: str, helm: Helm) -> None:
    assert said in helm.refusal(nested(path, value))


@pytest.mark.parametrize("secrets", [{}, {"clientSecret": "s", "existingSecret": "mine"}], ids=["none", "both"])
def test_a_control_plane_wants_one_secret(secrets: dict[str, str], helm: Helm) -> None:
    uid = "71f69d83-ba66-4822-adf5-55ce55efd210"
    values = {"controlPlane": {"url": "https://aliquot.example.com", **secrets}, "cluster": {"uid": uid}}
    assert "either it or controlPlane.existingSecret must be given" in helm.refusal(values)


def closed_objects(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the schema that names its members."""
    if "properties" in schema:
        yield path, schema
        for name, member in schema["properties"].items():
            yield from closed_objects(member, f"{path}.{name}".strip("."))
    if "items" in schema:
        yield from closed_objects(schema["items"], f"{path}[]")


def test_no_object_of_the_schema_takes_members_that_it_does_not_name() -> None:
    for path, schema in closed_objects(schema_of_the_chart()):
        assert schema.get("additionalProperties") is False, path


def test_the_schema_describes_every_value() -> None:
    for path, schema in closed_objects(schema_of_the_chart()):
        if not path.endswith("]"):
            undescribed = [name for name, member in schema["properties"].items() if "description" not in member]
            assert undescribed in ([], ["nodeAffinity", "podAffinity", "podAntiAffinity"]), path


def test_values_and_schema_name_the_same_things() -> None:
    open_ended = {"settings", "affinity", "resources.requests", "resources.limits", "webhook.certManager.issuerRef"}

    def compare(values: dict[str, Any], schema: dict[str, Any], path: str) -> None:
        assert set(values) == set(schema["properties"]) - {"global"}, path
        for name, value in values.items():
            member = schema["properties"][name]
            here = f"{path}.{name}".strip(".")
            if "properties" in member and here not in open_ended:
                compare(value, member, here)

    compare(values_of_the_chart(), schema_of_the_chart(), "")


def test_the_schema_of_the_settings_is_that_of_the_operator() -> None:
    expected = settings_schema()
    found = schema_of_the_chart()["properties"]["settings"]
    assert found == expected, f'values.schema.json: "settings" must be {json.dumps(expected)}'


def leaves(values: dict[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    """Every value that can be given, with its default."""
    for name, value in values.items():
        here = f"{path}.{name}".strip(".")
        if isinstance(value, dict) and value:
            yield from leaves(cast("dict[str, Any]", value), here)
        else:
            yield here, value


@pytest.mark.parametrize(("path", "default"), list(leaves(values_of_the_chart())))
def test_the_guide_has_every_value_with_its_default(path: str, default: object) -> None:
    written = "empty" if default == "" else f"`{default if isinstance(default, str) else json.dumps(default)}`"
    [row] = [line for line in GUIDE.read_text().splitlines() if line.startswith(f"| `{path}` |")]
    assert row.startswith(f"| `{path}` | {written} | "), row


@pytest.mark.parametrize("row", settings_rows())
def test_the_guide_has_every_setting_with_its_default(row: str) -> None:
    assert row in GUIDE.read_text().splitlines()


def test_the_guide_has_no_values_that_are_gone() -> None:
    rows = {line.split("`")[1] for line in GUIDE.read_text().splitlines() if line.startswith("| `") and "` | " in line}
    settings = {row.split("`")[1] for row in settings_rows()}
    known = {path for path, _ in leaves(values_of_the_chart())} | settings
    assert rows - known == {"runai"}, "the table of rights begins with the namespace"
