"""Rules of clusters (control-plane-api.md 1.4.1, 5.3)."""

import re
import shlex
from collections.abc import Mapping
from typing import Final

CHART: Final = "helm/aliquot"
"""The chart, in a checkout of this version of Aliquot."""


def install_command(namespace: str, given: Mapping[str, str | None]) -> str:
    """The command that installs Aliquot on a cluster, or brings it up to date.

    Args:
        namespace: where to.
        given: values of the chart; those that are None are left out.
    """
    values = [
        f"--set-string {shlex.quote(f'{name}={_escaped(value)}')}" for name, value in given.items() if value is not None
    ]
    return " ".join(
        [
            f"helm upgrade --install aliquot {CHART} --namespace {namespace} --create-namespace",
            "--reset-then-reuse-values",
            *values,
        ]
    )


def nested(given: Mapping[str, str | None]) -> dict[str, dict[str, str]]:
    """Values of the chart as a file has them: those with names such as `cluster.uid` below `cluster`.

    Args:
        given: the values; those that are None are left out.
    """
    found: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        if value is not None:
            part, own = name.split(".")
            found.setdefault(part, {})[own] = value
    return found


def _escaped(value: str) -> str:
    """A value as Helm takes it: to Helm, commas and braces mean something."""
    return re.sub(r"([\\,{}])", r"\\\1", value)
