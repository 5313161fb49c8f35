"""The chart's recording rules, and how Prometheus is told where to read: as its own tool and the catalogue see them."""

import re
from pathlib import Path
from typing import Any, Final, cast

import pytest
import yaml

from aliquot.contracts.metrics.page import EVERY_METRIC
from aliquot_lab.prometheus import promtool
from tests.chart.chart_support import CHART, COMPONENT, ROOT, Helm, Manifest, only, without_definitions

pytestmark = pytest.mark.xdist_group("rendered chart")

FILE: Final = CHART / "files" / "recording-rules.yaml"
EXPECTED: Final = Path(__file__).with_name("recording_rules.yaml")
GROUPS: Final = cast("list[dict[str, Any]]", yaml.safe_load(FILE.read_text())["groups"])
RULES: Final = {rule["record"]: rule["expr"] for group in GROUPS for rule in group["rules"]}
CATALOGUE: Final = {metric.name: metric for metric in EVERY_METRIC}
LEVELS: Final = {"project": "project", "nodepool": "nodepool", "cluster": ""}
"""How a rule's name begins, and the label that it leaves."""
SERIES: Final = re.compile(r"\baliquot_\w+")


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_made_of_metrics_that_there_are(name: str) -> None:
    used = set(SERIES.findall(RULES[name]))
    assert used
    assert used <= CATALOGUE.keys()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_by_its_name_what_it_is(name: str) -> None:
    """`level:metric:operation`, and the operations are those that docs/metrics.md explains."""
    level, metric, operation = name.split(":")
    assert metric in SERIES.findall(RULES[name])
    by = f" by ({LEVELS[level]}) (" if LEVELS[level] else "("
    assert RULES[name].startswith(f"{operation.partition('_')[0]}{by}")
    assert f"| `{operation}` | " in (ROOT / "docs" / "metrics.md").read_text()


def test_no_rule_is_there_twice() -> None:
    assert len(RULES) == sum(len(group["rules"]) for group in GROUPS)


@pytest.mark.parametrize("name", RULES)
def test_labels_are_those_of_the_metrics(name: str) -> None:
    """A label that no metric in the rule has would make it nothing, or everything."""
    asked = {
        label for group in re.findall(r"(?:by|on|group_left) \(([^)]*)\)", RULES[name]) for label in group.split(", ")
    }
    there = {label for series in SERIES.findall(RULES[name]) for label in CATALOGUE[series].labels}
    assert asked - {""} <= there


@pytest.mark.cluster
def test_prometheus_takes_them() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", str(FILE))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.cluster
def test_they_are_what_they_should_be() -> None:
    expected = cast("dict[str, Any]", yaml.safe_load(EXPECTED.read_text()))
    asked = [each["expr"] for test in expected["tests"] for each in test["promql_expr_test"]]
    assert sorted(asked) == sorted(RULES)
    done = promtool("test", "rules", str(EXPECTED))
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_are_off_by_default(helm: Helm) -> None:
    assert not [each for each in helm.template(without_definitions()) if each["kind"] == "PrometheusRule"]


def test_the_chart_installs_what_is_in_the_file(helm: Helm) -> None:
    rendered = helm.template(without_definitions({"recordingRules": {"enabled": True, "labels": {"release": "x"}}}))
    [rule] = [each for each in rendered if each["kind"] == "PrometheusRule"]
    assert rule["spec"] == {"groups": GROUPS}
    assert rule["metadata"]["labels"]["release"] == "x"


@pytest.fixture(scope="module")
def monitors(helm: Helm) -> list[Manifest]:
    values = {"serviceMonitor": {"enabled": True, "labels": {"release": "x"}}, "agent": {"enabled": True}}
    return helm.template(without_definitions(values))


def selected(monitor: Manifest, service: Manifest) -> bool:
    labels, selector = service["metadata"]["labels"], monitor["spec"]["selector"]
    return selector["matchLabels"].items() <= labels.items() and all(
        each["operator"] == "In" and labels.get(each["key"]) in each["values"]
        for each in selector.get("matchExpressions", ())
    )


@pytest.mark.parametrize(
    ("component", "monitor"), [("operator", "operator"), ("webhook", "operator"), ("agent", "agent")]
)
def test_each_service_is_read_once(component: str, monitor: str, monitors: list[Manifest]) -> None:
    service = only(monitors, "Service", component)
    found = [each for each in monitors if each["kind"] == "ServiceMonitor" and selected(each, service)]
    assert [each["metadata"]["labels"][COMPONENT] for each in found] == [monitor]
    [endpoint] = found[0]["spec"]["endpoints"]
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert endpoint["honorLabels"] is True
    assert found[0]["metadata"]["labels"]["release"] == "x"
