"""The catalogue of metrics keeps to Prometheus' rules, and its page is in step."""

import re
from pathlib import Path

import pytest

from aliquot.contracts.metrics import Metric
from aliquot.contracts.metrics.page import CATALOGUE, document

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
NAMES = [metric.name for metric in CATALOGUE]


def test_the_page_is_in_step() -> None:
    assert PAGE.read_text() == document(), "run: python -m aliquot.contracts.metrics.page docs/metrics.md"


def test_every_name_is_there_once_old_ones_among_them() -> None:
    names = [*NAMES, *(old for metric in CATALOGUE for old in metric.old_names)]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("metric", CATALOGUE, ids=NAMES)
def test_a_metric_is_well_formed(metric: Metric) -> None:
    assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", metric.name)
    assert (metric.type == "counter") == metric.name.endswith("_total") or metric.type == "untyped"
    assert all(re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", label) for label in metric.labels)
    assert len(set(metric.labels)) == len(metric.labels)
    assert metric.help.endswith(".")
    assert "|" not in metric.help + metric.unit
    assert metric.twin in ("", *NAMES)


@pytest.mark.parametrize(
    "metric", [each for each in CATALOGUE if each.name.startswith("aliquot_")], ids=lambda each: each.name
)
def test_metrics_of_ours_are_in_base_units(metric: Metric) -> None:
    assert not re.search(r"_(percent|mebibytes|mb|mib|milli\w+|mhz|hours|minutes|ms)(_|$)", metric.name)
    suffix = {
        "bytes": "_bytes",
        "seconds": "_seconds",
        "0 to 1": "_ratio",
        "°C": "_celsius",
        "Hz": "_hertz",
        "W": "_watts",
    }
    assert metric.name.removesuffix("_total").endswith(suffix.get(metric.unit, ""))
